// Prints the licences of all that is linked into a program of this workspace:
//
//     node third-party.mjs <package> <target> <version of Rust>
//
// `cargo tree` names the crates that are linked, with the features that this package alone asks for;
// `cargo metadata` knows their licences and folders. The folders have the texts.

import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';

const LICENCE = /^(licen[cs]e|copying|copyright|notice|unlicense)/i;

/** Every program has Rust's standard library in it, which is no crate that cargo knows. */
const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.`;

const [name, target, rust] = process.argv.slice(2);

function cargo(args) {
  return execFileSync(process.env.CARGO ?? 'cargo', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
}

/** The names and versions of the crates that are linked, as `name version`. */
function linked() {
  const tree = cargo(['tree', '--locked', '--package', name, '--target', target, '--edges', 'normal,no-proc-macro', '--prefix', 'none', '--format', '{p}']);
  return new Set(tree.split('\n').filter(Boolean).map((line) => line.split(' ').slice(0, 2).join(' ').replace(' v', ' ')));
}

/** The licence files of a folder, and of those below it where a crate keeps others' code. */
function texts(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && LICENCE.test(entry.name) && !/\.(rs|c|h)$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .map((path) => readFileSync(path, 'utf8').replaceAll('\r\n', '\n').trim());
}

const metadata = JSON.parse(cargo(['metadata', '--locked', '--format-version', '1', '--filter-platform', target]));
const wanted = linked();
const crates = metadata.packages
  .filter((crate) => wanted.delete(`${crate.name} ${crate.version}`) && !metadata.workspace_members.includes(crate.id))
  .map((crate) => ({ title: `${crate.name} ${crate.version}`, licence: crate.license, repository: crate.repository, texts: texts(dirname(crate.manifest_path)) }));
if (wanted.size > 0) throw new Error(`cargo metadata doesn't know ${[...wanted].join(', ')}`);

// Of crates with one repository, some leave the file to another.
for (const crate of crates) {
  if (crate.texts.length > 0 || !crate.repository) continue;
  const sibling = crates.find(({ repository, licence, texts }) => repository === crate.repository && licence === crate.licence && texts.length > 0);
  if (sibling) crate.texts = sibling.texts;
}

// Some that are under the Apache licence name it at the head of each source file and have no copy of
// its text. The text has no name in it but in its appendix, where most leave the place empty.
const apache = crates.flatMap(({ texts }) => texts).find((text) => /^Apache License\s+Version 2\.0, January 2004/.test(text) && text.includes('Copyright [yyyy] [name of copyright owner]'));
for (const crate of crates) {
  if (crate.texts.length === 0 && apache && crate.licence?.split(' OR ').includes('Apache-2.0')) crate.texts = [apache];
}

crates.push({
  title: `Rust's standard library ${rust}`,
  licence: 'MIT OR Apache-2.0',
  texts: [`Copyright (c) The Rust Project Contributors (https://thanks.rust-lang.org)\n\n${MIT}`],
});
crates.sort((one, other) => (one.title < other.title ? -1 : 1));

const without = crates.filter(({ licence, texts }) => !licence || texts.length === 0).map(({ title }) => title);
if (without.length > 0) throw new Error(`no licence, or no file with its text, in ${without.join(', ')}: ask the authors for one, or do without the crate`);

const users = new Map();
for (const { title, texts } of crates) {
  for (const text of texts) users.set(text, (users.get(text) ?? new Set()).add(title));
}
const width = Math.max(...crates.map(({ title }) => title.length));
const list = crates.map(({ title, licence }) => `${title.padEnd(width)}  ${licence}`);
const notices = [...users].map(([text, titles]) => `${'='.repeat(80)}\n${[...titles].join(', ')}\n${'-'.repeat(80)}\n\n${text}\n`);
process.stdout.write(`${name} contains these, under the licences named:\n\n${list.join('\n')}\n\nTheir texts:\n\n${notices.join('\n')}`);
