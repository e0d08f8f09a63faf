// Puts a node http server on the loopback interface for a test, with a way to tear its connections.

/**
 * Listens on `port` (0: a free one). Gives `{ origin, port, drop(), close() }`: `drop` cuts every TCP connection without a word, as a lost
 * network does, and goes on listening; `close` cuts them and stops.
 */
export async function listen(server, port = 0) {
  const lines = new Set();
  server.on('connection', (line) => {
    lines.add(line);
    line.on('error', () => {});
    line.once('close', () => lines.delete(line));
  });
  await new Promise((done, fail) => server.once('error', fail).listen(port, '127.0.0.1', done));
  const taken = server.address().port;
  const drop = () => {
    for (const line of lines) line.destroy();
  };
  return {
    origin: `http://127.0.0.1:${taken}`,
    port: taken,
    drop,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        drop();
      }),
  };
}

/** Waits until `condition()` gives something true, and gives that. For what happens on a server; pages have `waitForFunction`. */
export async function until(condition, what = String(condition)) {
  const end = Date.now() + 30_000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}
