// The documents beside the code: links lead somewhere, and tables list what the code has.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../support/servers.mjs';

const read = (path) => readFile(join(ROOT, path), 'utf8');
const docs = (await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'relay/README.md', ...docs];

/** A document without its code. */
const prose = (text) => text.replace(/^```[\s\S]*?^```/gm, '');

/** The anchors of a document's headings, as GitHub makes them. */
function anchors(text) {
  const headings = [...prose(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading);
  return headings.map((heading) => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'));
}

/** The codes in the first column of a document's tables. */
function firstColumn(text) {
  const cells = [...text.matchAll(/^\| (`.*?) \|/gm)].map(([, cell]) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code));
}

/** The text of a declaration in the library's types. */
async function declaration(start, end) {
  const types = await read('src/browser/types.d.ts');
  const from = types.indexOf(start);
  assert.notEqual(from, -1, `no ${start} in types.d.ts`);
  return types.slice(from, types.indexOf(end, from));
}

describe('documents', () => {
  for (const path of DOCUMENTS) {
    it(`${path}: each link leads to a file and a heading that are there`, async () => {
      const targets = [...prose(await read(path)).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, target]) => target);
      for (const target of targets) {
        const [file, anchor] = target.split('#');
        const linked = file ? join(dirname(path), file) : path;
        assert.ok(existsSync(join(ROOT, linked)), `${path} links to ${target}`);
        if (anchor) assert.ok(anchors(await read(linked)).includes(anchor), `${linked} has no heading for #${anchor}`);
      }
    });
  }

  it('README.md links to each document', async () => {
    const readme = await read('README.md');
    for (const path of docs) assert.ok(readme.includes(`](${path})`), `no link to ${path}`);
  });

  it('docs/options.md lists the options that there are, and each protocol', async () => {
    const members = [...(await declaration('export interface AllOptions {', '\n}')).matchAll(/^ {2}(\w+)\??[:(]/gm)].map(([, name]) => name);
    const text = await read('docs/options.md');
    assert.deepEqual(firstColumn(text).sort(), members.sort());
    const [, row] = text.match(/^\| `protocol` \|(.*?)\|/m);
    const protocols = [...(await declaration('export type Protocol', ';')).matchAll(/'([a-z.-]+)'/g)].map(([, name]) => name);
    assert.ok(protocols.length > 5);
    assert.deepEqual([...row.matchAll(/'([a-z.-]+)'/g)].map(([, name]) => name).sort(), protocols.sort());
  });

  it('docs/errors.md lists the codes that there are', async () => {
    const codes = [...(await declaration('export type SignalingErrorCode', ';')).matchAll(/'([a-z-]+)'/g)].map(([, code]) => code);
    assert.deepEqual(firstColumn(await read('docs/errors.md')).sort(), codes.sort());
  });

  it('docs/rooms.md lists the codes of rooms, calls and hooks', async () => {
    const folders = ['npm/room', 'npm/call', 'npm/react'];
    const files = (await Promise.all(folders.map(async (folder) => (await readdir(join(ROOT, folder))).filter((name) => name.endsWith('.js')).map((name) => `${folder}/${name}`)))).flat();
    const texts = await Promise.all(files.map(read));
    const codes = texts.flatMap((text) => [...text.matchAll(/(?:code: |coded\()'([a-z-]+)'/g)].map(([, code]) => code));
    assert.ok(codes.length > 8);
    const listed = firstColumn(await read('docs/rooms.md'));
    // Errors of the signaling itself are in docs/errors.md.
    const known = new Set([...listed, ...firstColumn(await read('docs/errors.md'))]);
    for (const code of codes) assert.ok(known.has(code), `docs/rooms.md lacks ${code}`);
  });
});
