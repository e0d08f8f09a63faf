// The page's part about what the relay costs.

import { bars } from './charts.mjs';

export function relay({ loads, singles = [], idle, restarts, node }) {
  const list = (servers, of) => Object.entries(servers).map(([name, run]) => ({ name, value: of(run), ours: name.startsWith('relay') }));
  return [
    `<h2>What the relay costs</h2>
     <p>Beside servers of npm’s ws and socket.io on Node ${node} and of the crate socketioxide, which do the same work: one
     client publishes, all others receive. The floor writes each message by one call of the system for each receiver.
     Processor time of the server’s process.</p>`,
    ...loads.map(({ receivers, size, servers }) => bars(`${receivers} receivers, ${size / 1000} kB`, 'µs of processor time for each delivery', list(servers, (run) => run.processorMicrosecondsPerDelivery))),
    ...loads.map(({ receivers, size, servers }) => bars(`${receivers} receivers, ${size / 1000} kB, half of its full load`, 'ms until a delivery, 99 % of them', list(servers, (run) => run.latencyMicroseconds['99'] / 1000))),
    ...singles.map(({ receivers, size, rate, servers }) =>
      bars(`${rate} messages a second of ${size / 1000} kB to ${receivers} receivers`, 'µs of processor time for each delivery', list(servers, (run) => run.processorMicrosecondsPerDelivery)),
    ),
    ...idle.map(({ connections, servers }) => bars(`${connections} idle connections`, 'kB of memory for each', list(servers, (run) => run.bytesPerConnection / 1000))),
    ...restarts.map(({ connections, servers }) => bars(`${connections} clients come back after a restart`, 's until all are back', list(servers, (run) => run.secondsUntilAllAreBack))),
  ];
}
