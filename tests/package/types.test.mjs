// The package's declarations in a user's strict project: they compile there without settings of
// ours.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { TIMEOUT } from '../support/deadline.mjs';
import { makeConsumer } from './consumer.mjs';
import { exported, moduleOf, SURROUNDINGS } from './examples.mjs';
import { firstExample } from './readme.mjs';

const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

const MODULE = `
import init, { configure, openSignalingChannel, Signaling, type Handle, type Options } from 'signal-wasm';
import { openSocket } from 'signal-wasm/inline';
import { broadcastChannel } from 'signal-wasm/transports';
import 'signal-wasm/global';
import 'signal-wasm/global-transports';
import { joinRoom, type Room } from 'signal-wasm/room';
import { Call } from 'signal-wasm/call';
import { useRoom, useSignaling } from 'signal-wasm/react';
import { rtcMultiConnectionSocket } from 'signal-wasm/rtcmulticonnection';
import 'signal-wasm/global-rtcmulticonnection';

await init();
const options: Options = { url: 'wss://example.org/', onerror: ({ code }) => console.error(code) };
const signaling: Signaling = configure(options);
const connection = signaling.attach({ channel: 'room' });
const handle: Handle = connection.openSignalingChannel({ onmessage: (message) => console.log(message) });
handle.send({ text: 'hello' });
openSignalingChannel({ onopen: () => console.log(handle.channel) });
openSocket<string>((message) => console.log(message.length));
SignalWasm.openSocket({}).close();
new Signaling({ transport: broadcastChannel() }).close();
window.io = rtcMultiConnectionSocket(signaling);
const room: Room<{ name: string }, string> = await joinRoom(signaling, 'lobby', { data: { name: 'Ann' } });
room.addEventListener('message', ({ peer, message }) => console.log(peer.data.name, message.length));
new Call(room, { iceServers: [] }).addEventListener('track', ({ track }) => console.log(track.kind));
const { peers } = useRoom<{ name: string }, string>(useSignaling({ url: '/' }), 'lobby', { data: { name: 'Ann' } });
console.log(peers.map(({ data }) => data.name));
`;

const SCRIPT = `
/// <reference types="signal-wasm/global" />
/// <reference types="signal-wasm/global-transports" />
/// <reference types="signal-wasm/global-rtcmulticonnection" />
SignalWasm.configure({ transport: SignalWasm.transports.broadcastChannel('room') });
var socket = SignalWasm.openSocket({ onmessage: function (message) { console.log(message); } });
socket.send('hello');
window.rtcMultiConnectionOptions = { url: '/', channel: 'rooms' };
io('/?userid=me').on('connect', function () {});
`;

// A wrong line, to see that the checks above are awake: an unknown option.
const WRONG = `import { configure } from 'signal-wasm';\nconfigure({ uri: 'wss://example.org/' });\n`;

// Only what a project must set. Libraries, target and the check of declarations are the defaults.
const PROJECTS = {
  'a module, nodenext': { files: { 'main.ts': MODULE }, options: { module: 'nodenext' } },
  'a module, bundler': { files: { 'main.ts': MODULE }, options: { module: 'preserve', moduleResolution: 'bundler' } },
  'an old target': { files: { 'main.ts': MODULE }, options: { module: 'nodenext', target: 'es2020', lib: ['es2020', 'dom'] } },
  'a classic script': { files: { 'page.ts': SCRIPT }, options: { module: 'preserve', moduleResolution: 'bundler', moduleDetection: 'auto' }, manifest: {} },
};

let consumer;

before(async () => {
  consumer = await makeConsumer();
}, TIMEOUT);
after(() => consumer?.remove(), TIMEOUT);

describe('tsc --strict', () => {
  for (const [name, { files, options, manifest }] of Object.entries(PROJECTS)) {
    it(`accepts ${name}`, async () => {
      assert.equal(await compile(name, files, options, manifest), '');
    });
  }

  it('accepts the first example of the README', async () => {
    assert.equal(await compile('readme', { 'main.ts': await firstExample() }, { module: 'preserve', moduleResolution: 'bundler' }), '');
  });

  it('accepts the examples in the declarations, of which each function and class has one', async () => {
    const all = await exported(join(consumer.folder, 'node_modules/signal-wasm/dist'));
    assert.ok(all.length > 14, `${all.length}`);
    assert.deepEqual(all.filter(({ examples }) => examples.length === 0).map(({ file, name }) => `${file}: ${name}`), []);
    const modules = all.flatMap(({ file, name, examples }) => examples.map((example, number) => [`${file.replace('.d.ts', '')}-${name}-${number}.ts`, moduleOf(example)]));
    assert.equal(await compile('examples', { 'surroundings.ts': SURROUNDINGS, ...Object.fromEntries(modules) }, { module: 'preserve', moduleResolution: 'bundler' }), '');
  });

  it('still rejects what is wrong', async () => {
    assert.match(await compile('wrong', { 'main.ts': WRONG }, { module: 'nodenext' }), /error TS2353.*'uri'/);
  });
});

async function compile(name, files, options, manifest = { type: 'module' }) {
  const folder = join(consumer.folder, name.replaceAll(/\W+/g, '-'));
  await mkdir(folder);
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text);
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { strict: true, noEmit: true, ...options }, files: Object.keys(files) }));
  return new Promise((done) => {
    execFile(process.execPath, [TSC, '--pretty', 'false', '-p', folder], { cwd: folder }, (error, stdout, stderr) => {
      done(stdout + stderr || (error ? `tsc ended with ${error.code}` : ''));
    });
  });
}
