// The examples in the comments of the package's declarations.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const IMPORTS = `
import init, { configure, initSync, openSignalingChannel, openSocket, Signaling } from 'signal-wasm';
import { useChannel, useRoom, useSignaling } from 'signal-wasm/react';
import { rtcMultiConnectionSocket } from 'signal-wasm/rtcmulticonnection';
import { broadcastChannel, hubConnection, hubProxy, socketIo, websync, type SocketIoClient } from 'signal-wasm/transports';
import { joinRoom, type Room } from 'signal-wasm/room';
import { Call } from 'signal-wasm/call';
`;

/** A module of what the examples use besides the package: a page's own things, other libraries. */
export const SURROUNDINGS = `
import type { ClassicHubProxy, HubConnectionLike, WebSyncClient } from 'signal-wasm/transports';
import 'signal-wasm/global-rtcmulticonnection';
declare global {
  namespace fm { namespace websync { const client: new (url: string) => WebSyncClient; } }
  const $: { connection: { webRtcHub3: ClassicHubProxy } };
  const HubConnectionBuilder: new () => { withUrl(url: string): { build(): HubConnectionLike } };
  const RTCMultiConnection: new () => { openOrJoin(room: string): void };
  const stream: MediaStream;
  const iceServers: RTCIceServer[];
  function show(id: string, stream: MediaStream | undefined): void;
  function hide(id: string): void;
  function useState<State>(initial: State): [State, (next: State | ((before: State) => State)) => void];
}
`;

/** What an example may rely on if it doesn't declare it. */
const GIVEN = {
  name: 'declare const name: string;',
  connection: 'declare const connection: { openSignalingChannel?: typeof openSignalingChannel };',
  io: 'declare const io: (url: string, options: object) => SocketIoClient;',
  room: 'declare const room: Room<{ name: string }, string>;',
  signaling: "const signaling = new Signaling({ url: 'wss://example.org/' });",
  setLines: 'const [lines, setLines] = useState<string[]>([]);',
};

/**
 * The exported functions and classes of a folder's declarations: `{ file, name, examples }`.
 */
export async function exported(folder) {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.d.ts'));
  const all = files.map(async (file) => {
    const text = await readFile(join(folder, file), 'utf8');
    const found = text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export (?:declare )?(?:default )?(?:function|class) (\w+)/g);
    return [...found].map(([, comment, name]) => ({ file, name, examples: examplesOf(comment) }));
  });
  return (await Promise.all(all)).flat();
}

function examplesOf(comment) {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, ''));
  const parts = lines.join('\n').split(/^@/m).slice(1);
  return parts.filter((part) => part.startsWith('example\n')).map((part) => part.slice('example\n'.length).trim());
}

/** A module that has the example in it. */
export function moduleOf(example) {
  const given = Object.entries(GIVEN).filter(([name]) => isUsed(example, name) && !isDeclared(example, name));
  const isReact = /\buse(State|Signaling|Channel|Room)\b/.test(example);
  const head = [IMPORTS, ...given.map(([, line]) => line)].join('\n');
  return isReact ? `${head}\nexport function Component() {\n${example}\n}\n` : `${head}\n{\n${example}\n}\n`;
}

function isUsed(example, name) {
  return new RegExp(`\\b${name}\\b`).test(example);
}

function isDeclared(example, name) {
  return new RegExp(`\\b(const|let|using)\\b[^=]*\\b${name}\\b[^=]*=`).test(example);
}
