// The page's part about several relays that share NATS.

import { bars } from './charts.mjs';

export function scale({ nats, receivers, spaces, size, setups }) {
  const list = (of) => Object.entries(setups).map(([name, figures]) => ({ name, value: of(figures), ours: figures.single.storeMicrosecondsPerMessage > 0 }));
  const kilobytes = `${size / 1000} kB`;
  return [
    `<h2>Several relays</h2>
     <p>Relays that share nats-server ${nats}, mostly one of them, beside one relay without a store. Processor time of all relays together, and of all NATS servers.</p>`,
    bars(`One space of ${receivers} pages, ${kilobytes}`, 'µs of processor time for each delivery', list(({ everybody }) => everybody.processorMicrosecondsPerDelivery)),
    bars('The same, few messages a second', 'µs of processor time for each delivery', list(({ apart }) => apart.processorMicrosecondsPerDelivery)),
    bars(`${spaces} spaces of ${receivers / spaces} pages, ${kilobytes}`, 'µs of processor time for each delivery', list(({ spread }) => spread.processorMicrosecondsPerDelivery)),
    bars(`A message to one page, ${kilobytes}: relays`, 'µs of processor time', list(({ single }) => single.processorMicrosecondsPerMessage)),
    bars('The same: NATS', 'µs of processor time', list(({ single }) => single.storeMicrosecondsPerMessage)),
    bars('A message to one page, few a second', 'ms until it is there, median', list(({ calm }) => calm.latencyMicroseconds.median / 1000)),
    bars('A page that comes back on another relay', 'µs of processor time of the relays', list(({ back }) => back.processorMicrosecondsPerResumption)),
    bars('An answer to a page in a room, one request at a time', 'µs of processor time of the relays', list(({ rooms }) => rooms.keeper.alone.processorMicrosecondsPerRequest)),
    bars('The same, rooms on another relay', 'ms until it is there, median', list(({ rooms }) => (rooms.other ? rooms.other.alone.latencyMicroseconds.median / 1000 : 0)).filter(({ value }) => value > 0)),
  ];
}
