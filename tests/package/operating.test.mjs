// docs/operating.md, followed to the letter in the unpacked release: its files are written, its
// commands run in one shell in their order, and what it says that they print must come.
//
// In the document, a block `sh` is run, unless its commands need root (`sudo`). A block `text` after
// it has lines of its output, in which … stands for anything. A block that begins with a comment that
// is a file's name is that file. Ports are replaced by free ones.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../support/children.mjs';
import { TIMEOUT, until } from '../support/deadline.mjs';
import { ROOT, run } from './consumer.mjs';
import { unpack } from './release.mjs';

const PORTS = ['8888', '8443', '9464', '9465', '9000'];

/** Each command that fails is noted; commands read nothing of the script. */
const PROLOGUE = `trap 'kill $(jobs -p)' EXIT
trap 'failed="$failed
$BASH_COMMAND"' ERR
`;

const document = await readFile(join(ROOT, 'docs/operating.md'), 'utf8');
const blocks = [...document.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, kind, text]) => ({ kind, text }));

/** One shell, to which blocks of commands are given. */
class Shell {
  constructor(cwd, env) {
    this.output = '';
    this.child = spawn('bash', ['--noprofile', '--norc'], { cwd, env, stdio: 'pipe' });
    this.ended = once(this.child, 'close');
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text;
      });
    }
    this.child.stdin.write(PROLOGUE);
  }

  /** Runs a file with commands to their end, and gives what was printed since they began. */
  async run(path, number) {
    const from = this.output.length;
    const mark = `block ${number} has ended, failed:`;
    // In one line and by one command: what a block has left in the background prints meanwhile.
    this.child.stdin.write(`failed=; source ${path} </dev/null; echo "${mark}\${failed//$'\\n'/; } all"\n`);
    const ended = new RegExp(`${mark}(.*) all\n`);
    await until(() => ended.test(this.output), `${path} in\n${this.output}`);
    assert.equal(ended.exec(this.output)[1], '', `failed commands in\n${this.output}`);
    return () => this.output.slice(from);
  }

  async end() {
    this.child.stdin.end();
    await this.ended;
  }
}

let release;
let shell;
let ports;

before(async () => {
  release = await unpack();
  ports = new Map();
  for (const port of PORTS) ports.set(port, String(await freePort()));
  shell = new Shell(release.folder, { ...process.env, PATH: `${release.unpacked}${delimiter}${process.env.PATH}` });
}, TIMEOUT);
after(async () => {
  await shell?.end();
  await release?.remove();
}, TIMEOUT);

const withFreePorts = (text) => text.replaceAll(/\b\d{4}\b/g, (word) => ports.get(word) ?? word);

/** A line that may have … in it. */
const pattern = (text) => new RegExp(text.split('…').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*'));

describe('docs/operating.md', () => {
  it('says what happens', TIMEOUT, async () => {
    let output = () => '';
    let ran = 0;
    for (const [number, { kind, text }] of blocks.entries()) {
      const [, name] = /^(?:#|\/\/) (\S+\.\w+)\n/.exec(text) ?? [];
      if (name) {
        await writeFile(join(release.unpacked, name), withFreePorts(text));
        if (kind === 'toml') await run(join(release.unpacked, 'signal-relay'), ['--config', name, '--check'], { cwd: release.unpacked });
      } else if (kind === 'text') {
        for (const line of text.trim().split('\n')) {
          const wanted = pattern(withFreePorts(line));
          await until(() => wanted.test(output()), `${line} in\n${shell.output}`);
        }
      } else if (kind === 'sh' && !/^\s*sudo /m.test(text)) {
        const path = join(release.folder, `block-${number}`);
        await writeFile(path, withFreePorts(text));
        output = await shell.run(path, number);
        ran += 1;
      }
    }
    assert.ok(ran > 10, `${ran} blocks ran`);
  });

  it('names metrics and refusals that there are', async () => {
    const sources = await Promise.all(['monitoring/exposition.rs', 'metrics/refused.rs', 'connection/close.rs', 'relay.rs'].map((path) => readFile(join(ROOT, 'relay/src', path), 'utf8')));
    const known = sources.join('\n');
    const named = [...document.matchAll(/signal_relay_([a-z_]+?)(?:_total|_bucket)?\b/g)].map(([, name]) => name);
    assert.ok(named.length > 5);
    for (const name of named) assert.ok(known.includes(`"${name}`), `signal_relay_${name}`);
    for (const [, reason] of document.matchAll(/reason="([^"]+)"/g)) assert.ok(known.includes(`"${reason}"`), reason);
  });
});
