// Puts a node http server on the loopback interface for a test, with a way to tear its connections.

/**
 * Listens on `port` (0: a free one). Gives `{ origin, port, drop(), close() }`: `drop` cuts every
 * TCP connection without a word, as a lost network does, and goes on listening; `close` cuts them
 * and stops.
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
