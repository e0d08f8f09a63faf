// A room that fills: pages join one after the other, and each is connected with all that are there.

import { readFile } from 'node:fs/promises';
import { deadline } from '../../tests/support/deadline.mjs';
import { CANDIDATES, participant } from './participant.mjs';

/** The processor time of a process so far, in ms. Linux counts in ticks of 10 ms. */
async function processorTime(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The most memory that a process had, in bytes. */
async function peakMemory(pid) {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
}

/**
 * Fills a room of a server with so many pages. Gives what the joins after the first page cost:
 * `processor` (ms, all joins), `answered` and `connected` (ms for each join: until the answer, and
 * until the last `user-connected`), `sent` and `received` by all pages (`{ messages, bytes }`, all
 * joins), and `memory` (bytes, the server's peak).
 */
export async function fillRoom({ url, pid }, count) {
  const traffic = { sent: { messages: 0, bytes: 0 }, received: { messages: 0, bytes: 0 } };
  const room = `room-${Math.random().toString(36).slice(2)}`;
  const pages = [];
  let progress = () => {};
  try {
    const owner = participant(url, room, 'user-0', traffic, () => progress());
    pages.push(owner);
    await owner.connect();
    demand(await owner.enter('open'), owner);
    const before = { processor: await processorTime(pid), traffic: structuredClone(traffic) };
    const answered = [];
    const connected = [];
    while (pages.length < count) {
      const others = [...pages];
      const page = participant(url, room, `user-${pages.length}`, traffic, () => progress());
      pages.push(page);
      await page.connect();
      const began = performance.now();
      demand(await page.enter('join'), page);
      answered.push(performance.now() - began);
      let last;
      const whole = new Promise((done) => {
        progress = () => {
          if (page.heard.connected.size === others.length) last ??= performance.now() - began;
          if (last !== undefined && isConnected(page, others)) done();
        };
      });
      page.participate();
      await within(whole, () => `${page.id} isn't connected with all: ${JSON.stringify([...page.heard.candidates])}`);
      connected.push(last);
      page.showExtra();
    }
    const processor = (await processorTime(pid)) - before.processor;
    // Messages that nobody waits for may still be on their way: an answer comes after them.
    const settle = async () => {
      const earlier = structuredClone(traffic);
      await within(Promise.all(pages.map((page) => page.settled())), () => 'not every page gets an answer');
      return difference(traffic, earlier);
    };
    await settle();
    const all = difference(traffic, before.traffic);
    const { sent, received } = difference(all, await settle());
    return { processor, memory: await peakMemory(pid), answered, connected, sent, received };
  } finally {
    for (const page of pages) page.close();
  }
}

function difference(later, earlier) {
  const of = (way) => ({ messages: later[way].messages - earlier[way].messages, bytes: later[way].bytes - earlier[way].bytes });
  return { sent: of('sent'), received: of('received') };
}

function demand([isIn, reason], page) {
  if (isIn !== true) throw new Error(`${page.id} isn't in the room: ${reason}`);
}

/** Whether a page has all that it needs of the others, and they of it. */
function isConnected({ id, heard }, others) {
  return others.every(
    (other) =>
      heard.offers.has(other.id) &&
      heard.candidates.get(other.id) === CANDIDATES.offer &&
      other.heard.answers.has(id) &&
      other.heard.candidates.get(id) === CANDIDATES.answer &&
      other.heard.connected.has(id),
  );
}

function within(promise, problem) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(problem())), deadline(30_000));
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
