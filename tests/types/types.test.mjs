// Checks the type tests of this folder with tsc --strict, against the declarations that the package
// ships.
//
// What must compile has to compile, in both ways of finding a module. What must not compile stands
// under `// @ts-expect-error TS1234: reason`; a second look without those directives makes sure
// that each line fails for the reason given and not, say, because of a name misspelt.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TIMEOUT } from '../support/deadline.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
const CONFIGS = (await readdir(HERE)).filter((name) => /^tsconfig.*\.json$/.test(name));
const FILES = (await readdir(HERE)).filter((name) => name.endsWith('.ts')).sort();
const DIRECTIVE = /^\s*\/\/ @ts-expect-error\b(?: (TS\d+): \S.*)?/;

before(() => {
  assert.ok(existsSync(join(ROOT, 'dist')), 'there is no dist/ to check the types of; run: cargo xtask build');
}, TIMEOUT);

for (const config of CONFIGS) {
  describe(config, () => {
    it('checks every file of the folder', async () => {
      const { output } = await tsc(HERE, ['-p', config, '--listFilesOnly']);
      const listed = output.split(/\r?\n/).filter((path) => dirname(path) === HERE.replace(/[\\/]$/, '').replaceAll('\\', '/'));
      assert.ok(FILES.length > 0, 'there is no file to check');
      assert.deepEqual(listed.map((path) => basename(path)).sort(), FILES);
    });

    it('compiles, and no @ts-expect-error is left over', async () => {
      const { status, output } = await tsc(HERE, ['-p', config]);
      assert.equal(output, '');
      assert.equal(status, 0);
    });

    it('rejects each wrong line for the reason given', async (context) => {
      const folder = await realpath(await mkdtemp(join(tmpdir(), 'signal-wasm-types-')));
      context.after(() => rm(folder, { recursive: true, force: true }));
      await mkdir(join(folder, 'node_modules'));
      await symlink(ROOT, join(folder, 'node_modules/signal-wasm'), 'junction');
      for (const client of ['@microsoft', 'socket.io-client']) await symlink(join(ROOT, 'node_modules', client), join(folder, 'node_modules', client), 'junction');
      await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
      for (const name of CONFIGS) await cp(join(HERE, name), join(folder, name));

      const wanted = new Map();
      for (const name of FILES) {
        const lines = (await readFile(join(HERE, name), 'utf8')).split('\n');
        for (const [index, line] of lines.entries()) {
          const found = DIRECTIVE.exec(line);
          if (!found) continue;
          assert.ok(found[1], `${name}:${index + 1} says neither which error it expects nor why`);
          // The error belongs to the line below, and lines are counted from one.
          wanted.set(`${name}:${index + 2}`, found[1]);
          lines[index] = line.replace('@ts-expect-error', 'expected:');
        }
        await writeFile(join(folder, name), lines.join('\n'));
      }
      assert.ok(wanted.size > 0, 'nothing is expected to fail');

      const { output } = await tsc(folder, ['-p', config]);
      const wrong = [];
      const left = new Map(wanted);
      for (const [, file, line, code, text] of output.matchAll(/^(\S+)\((\d+),\d+\): error (TS\d+): (.*)/gm)) {
        const place = `${basename(file)}:${line}`;
        if (left.get(place) !== code) wrong.push(`${place} expected ${left.get(place) ?? 'no error'}, got ${code}: ${text}`);
        left.delete(place);
      }
      for (const [place, code] of left) wrong.push(`${place} expected ${code}, got no error`);
      assert.equal(wrong.join('\n'), '');
      context.diagnostic(`${wanted.size} lines rejected, each for its reason`);
    });
  });
}

function tsc(cwd, args) {
  return new Promise((done) => {
    execFile(process.execPath, [TSC, '--pretty', 'false', ...args], { cwd, maxBuffer: 1 << 24 }, (error, stdout, stderr) =>
      done({ status: error ? error.code : 0, output: stdout + stderr }),
    );
  });
}
