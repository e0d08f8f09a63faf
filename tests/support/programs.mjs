// Where the browsers and other programs of this machine are.

import { existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';

/**
 * The path of a program: the one that the environment variable names, by a path or a name on
 * `PATH`; without the variable, the first of `names` that is on `PATH`.
 *
 * @param {{ what: string, variable: string, names: string[], debian: string }} program
 */
export function programPath({ what, variable, names, debian }) {
  const asked = process.env[variable];
  if (asked) {
    if (isFile(asked)) return asked;
    const found = onPath([asked]);
    if (found) return found;
    throw new Error(`${variable} is ${JSON.stringify(asked)}, but there is no such program; set it to the path of ${what}`);
  }
  const found = onPath(names);
  if (found) return found;
  throw new Error(`${what} is missing: none of ${names.join(', ')} is on PATH; install Debian's ${debian}, or set ${variable} to the path of ${what}`);
}

function onPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const ending = process.platform === 'win32' ? '.exe' : '';
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name + ending)));
  return paths.find(isFile);
}

function isFile(path) {
  return existsSync(path) && statSync(path).isFile();
}
