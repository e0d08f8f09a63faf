// The attacks, each a function of `{ port, address, until, seconds }`: whom to attack, from which
// address, and until when. It resolves with a sentence of what it did. None of them keeps its rules
// if a relay tries to make it: what is closed is opened again.

import { closed, data, drained, frame, open, openWebSocket, pause, PING, pour } from './raw.mjs';

const MEGABYTE = 1024 * 1024;
/** Each kind of WebSocket that the relay has, and what a client of it sends first. */
const KINDS = [
  ['/attacker', ''],
  ['/socket.io/?EIO=4&transport=websocket', '40'],
  ['/attacker/hub', '{"protocol":"json","version":1}\u001e'],
];

/** Calls `one(index)` in so many loops at once, each again and again until the time is over. */
async function loops(count, until, one) {
  let turns = 0;
  const loop = async (index) => {
    while (Date.now() < until) {
      await one(index);
      turns += 1;
      // Gives way to the other loops even if `one` never waits.
      await pause(1);
    }
  };
  await Promise.all(Array.from({ length: count }, (_, index) => loop(index)));
  return turns;
}

/** Opens so many connections, keeps them open, and opens again those that are closed. */
async function crowd(count, target, use) {
  let opened = 0;
  await loops(count, target.until, async () => {
    const socket = await open(target);
    opened += 1;
    if (!socket.destroyed) await Promise.race([use(socket), closed(socket, target.until - Date.now())]);
    socket.destroy();
  });
  return opened;
}

const get = (path, port) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
const forever = () => new Promise(() => {});

async function json(target, path, init) {
  const response = await fetch(`http://127.0.0.1:${target.port}${path}`, init);
  return { status: response.status, text: await response.text() };
}

export const ATTACKS = {
  /** 125-byte pings, and none of the answers is read. */
  async pings(target) {
    const chunk = Buffer.concat(Array(500).fill(PING));
    let bytes = 0;
    await loops(9, target.until, async (index) => {
      const [path, first] = KINDS[index % KINDS.length];
      const socket = await openWebSocket(target, path);
      if (first) socket.write(frame(first));
      await pour(socket, chunk, target.until);
      bytes += socket.bytesWritten;
      socket.destroy();
    });
    return `${(bytes / MEGABYTE).toFixed(0)} MB of pings`;
  },

  /** Pings that are frames of the protocol itself. */
  async 'protocol pings'(target) {
    const chunk = Buffer.concat(Array(500).fill(frame('{"ping":1}')));
    const socketIo = Buffer.concat(Array(500).fill(frame(`2${'p'.repeat(125)}`)));
    let bytes = 0;
    await loops(6, target.until, async (index) => {
      const [path, first] = KINDS[index % 2];
      const socket = await openWebSocket(target, path);
      socket.write(frame(first || '{"open":["a"]}'));
      await pour(socket, index % 2 ? socketIo : chunk, target.until);
      bytes += socket.bytesWritten;
      socket.destroy();
    });
    return `${(bytes / MEGABYTE).toFixed(0)} MB of pings`;
  },

  /** Files that are asked for and never read. */
  async 'unread files'(target) {
    const request = get('/signal-wasm/global.js', target.port).repeat(20);
    const opened = await crowd(1200, target, (socket) => (socket.write(request), forever()));
    return `${opened} connections`;
  },

  /** `/healthz` in a pipeline, and none of the answers is read. */
  async 'unread health'(target) {
    const chunk = get('/healthz', target.port).repeat(500);
    const opened = await crowd(1200, target, (socket) => pour(socket, chunk, target.until));
    return `${opened} connections`;
  },

  /** Connections that say just enough to be kept. */
  async 'idle connections'(target) {
    const request = get('/healthz', target.port);
    const opened = await crowd(2000, target, async (socket) => {
      socket.resume();
      for (;;) {
        socket.write(request);
        await pause(7000);
      }
    });
    return `${opened} connections`;
  },

  /** Requests that come a byte at a time. */
  async 'slow requests'(target) {
    const head = `POST /attacker/sse HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\nContent-Length: 100000\r\n\r\n`;
    const opened = await crowd(1200, target, async (socket) => {
      socket.resume();
      socket.write(head);
      for (;;) {
        socket.write('x');
        await pause(2000);
      }
    });
    return `${opened} connections`;
  },

  /** One Socket.IO connection that joins as many namespaces as it can. */
  async namespaces(target) {
    let joined = 0;
    await loops(1, target.until, async () => {
      const socket = await openWebSocket(target, '/socket.io/?EIO=4&transport=websocket');
      socket.resume();
      for (let part = 0; part < 200 && !socket.destroyed; part += 1) {
        const chunk = Array.from({ length: 100 }, (_, index) => frame(`40/n${part * 100 + index},`));
        if (!socket.write(Buffer.concat(chunk))) await drained(socket);
        joined += 100;
      }
      await closed(socket, target.until - Date.now());
      socket.destroy();
    });
    return `${joined} namespaces asked for`;
  },

  /** One connection that begins as many polling sessions as it can. */
  async 'polling sessions'(target) {
    const chunk = get('/socket.io/?EIO=4&transport=polling', target.port).repeat(200);
    const opened = await crowd(4, target, (socket) => (socket.resume(), pour(socket, chunk, target.until)));
    return `${opened} connections, with polling handshakes in a pipeline`;
  },

  /** Sessions with a thousand channels each, left behind. */
  async sessions(target) {
    const names = Array.from({ length: 1000 }, (_, index) => `${'c'.repeat(200)}${index}`);
    const first = frame(JSON.stringify({ open: names }));
    const count = await loops(20, target.until, async (index) => {
      const socket = await openWebSocket(target, `/attacker${index}`);
      socket.write(first);
      await data(socket.resume(), 1000);
      socket.destroy();
    });
    return `${count} sessions of 1000 channels`;
  },

  /** Messages that are never finished, with pings that keep their connections. */
  async fragments(target) {
    const part = frame(Buffer.alloc(MEGABYTE - 100, 'x'), { opcode: 1, fin: false });
    let bytes = 0;
    const opened = await loops(600, target.until, async () => {
      const socket = await openWebSocket(target, '/attacker');
      socket.resume();
      socket.write(part);
      while (!socket.destroyed && Date.now() < target.until) {
        socket.write(PING);
        await pause(1000);
      }
      bytes += socket.bytesWritten;
      socket.destroy();
    });
    return `${opened} unfinished messages, ${(bytes / MEGABYTE).toFixed(0)} MB`;
  },

  /** Sessions that come back for all they missed, and don't read it. */
  async replays(target) {
    const path = '/attacker';
    const secrets = [];
    const text = 'x'.repeat(20_000);
    // Sessions, left when each has its channel.
    for (let count = 0; count < 100 && Date.now() < target.until; count += 1) {
      const socket = await openWebSocket(target, path);
      socket.resume().write(frame(JSON.stringify({ open: Array.from({ length: 50 }, (_, index) => `c${index}`) })));
      const hello = await data(socket, 500);
      const secret = /"session":"([^"]+)"/.exec(`${socket.head}${hello}`);
      if (secret) secrets.push(secret[1]);
      socket.destroy();
    }
    const writer = await openWebSocket(target, path);
    writer.resume();
    for (let count = 0; count < 3000; count += 1) writer.write(frame(JSON.stringify({ sender: 1, channel: `c${count % 50}`, message: text })));
    const after = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`c${index}`, '0']));
    const count = await loops(100, target.until, async (index) => {
      const socket = await openWebSocket(target, path);
      socket.write(frame(JSON.stringify({ open: Object.keys(after), after, session: secrets[index] })));
      await closed(socket, Math.min(5000, target.until - Date.now()));
      socket.destroy();
    });
    return `${count} replays for ${secrets.length} sessions`;
  },

  /** Messages for the history, and sessions that are left at once, to push others out. */
  async history(target) {
    const text = 'x'.repeat(50_000);
    let bytes = 0;
    await Promise.all([
      loops(4, target.until, async (index) => {
        // Each in a space of its own: whoever else is in it would have to read all that.
        const socket = await openWebSocket(target, `/attacker${index}`);
        socket.resume();
        const chunk = Buffer.concat(Array.from({ length: 20 }, (_, channel) => frame(JSON.stringify({ sender: 1, channel: `c${index}-${channel}`, message: text }))));
        await pour(socket, chunk, Math.min(target.until, Date.now() + 2000));
        bytes += socket.bytesWritten;
        socket.destroy();
      }),
      loops(10, target.until, async () => {
        const socket = await openWebSocket(target, '/attacker');
        socket.resume().write(frame('{"open":["a"]}'));
        await data(socket, 200);
        socket.destroy();
      }),
    ]);
    return `${(bytes / MEGABYTE).toFixed(0)} MB of messages`;
  },

  /** A member of the honest pages' own space that sends as fast as it can. */
  async flood(target) {
    const chunk = Buffer.concat(Array(200).fill(frame(JSON.stringify({ sender: 1, channel: 'flood', message: 'x'.repeat(500) }))));
    let bytes = 0;
    await loops(2, target.until, async () => {
      const socket = await openWebSocket(target, '/honest');
      socket.resume();
      await pour(socket, chunk, target.until);
      bytes += socket.bytesWritten;
      socket.destroy();
    });
    return `${(bytes / MEGABYTE).toFixed(0)} MB of messages`;
  },

  /** A member of the honest pages' own space that says what only the relay may say. */
  async forgery(target) {
    const frames = ['{"ack":1000000000}', '{"gap":"main"}', '{"signal":1,"session":"x","epoch":"y","ping":1}', '{ "ack" : 1000000000 }', '{"\\u0061ck":1000000000}', '{"pong":1}', '{"close":["main"]}'];
    const chunk = Buffer.concat(frames.map((text) => frame(text)));
    let count = 0;
    await loops(2, target.until, async () => {
      const socket = await openWebSocket(target, '/honest');
      socket.resume();
      while (!socket.destroyed && Date.now() < target.until) {
        socket.write(chunk);
        count += frames.length;
        await pause(2);
      }
      socket.destroy();
    });
    return `${count} forged frames`;
  },

  /** Requests that are worth a line in the log, each of them. */
  async 'log flood'(target) {
    const chunk = `GET /attacker/sse HTTP/1.1\r\nHost: evil.example\r\nOrigin: https://evil.example\r\n\r\n`.repeat(200);
    const opened = await crowd(4, target, (socket) => (socket.resume(), pour(socket, chunk, target.until)));
    return `${opened} connections, with refused requests in a pipeline`;
  },

  /** Publishing and reading over HTTP, each by a client of its own. */
  async 'sse clients'(target) {
    const count = await loops(50, target.until, async (index) => {
      const begun = await json(target, `/attacker${index}/sse`, { method: 'POST', body: JSON.stringify({ sender: 1, channel: 'a', message: 'x'.repeat(1000) }) }).catch(() => undefined);
      if (begun && begun.status >= 400) await pause(100);
    });
    return `${count} requests`;
  },
};
