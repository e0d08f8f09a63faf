// One chaos run: members behind a proxy each, a relay that is killed and comes back, faults by a
// seed; and then quiet, and the reckoning.

import { join } from 'node:path';
import { launchChromium } from '../support/chromium.mjs';
import { deadline, until } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { DIRECTIONS, proxy } from '../support/proxy.mjs';
import { ROOT } from '../support/servers.mjs';
import { check } from './check.mjs';
import { FATAL, faults } from './faults.mjs';
import { Cluster, Hub } from './hubs.mjs';
import { pageMember, threadMember } from './members.mjs';
import { random } from './random.mjs';
import { checkRooms, roomsRecovery } from './rooms-check.mjs';
import { roomClients } from './rooms.mjs';

/**
 * For so long nothing may move in the end before the run gives up waiting: longer than it takes to
 * find out that a connection is dead.
 */
const quiet = () => deadline(60_000);

/**
 * Short, so that a thousand losses take minutes: the library's own defaults wait for up to twenty
 * seconds.
 */
const RECONNECT = { base: 50, cap: 500 };

/**
 * Runs one. `faults` of them on average `pace` milliseconds apart, of `kinds` (default: all of
 * faults.mjs), at least `deaths` of the relay; `pages` and `clients`; each acts every `act`
 * milliseconds on average. `cluster`: `{ relays, servers, haproxy, namespaces }`, so many relays that share so many
 * servers of NATS, behind HAProxy or not; by default one relay by itself. `rooms`: so many clients in rooms besides. `protocol`: that of all members, by default half of them `auto` and half
 * `relay`. `onmessage`: see proxy.mjs. `say` gets sentences on how it goes.
 */
export async function storm(options) {
  const { seed, faults: count, kinds, pages, clients, rooms = 0, minutes = 30, pace = 300, deaths = 0, act = 100, protocol, relayArgs = [], cluster, onmessage, say = () => {} } = options;
  const ending = [];
  const began = Date.now();
  const timeUp = () => Date.now() - began > minutes * 60_000;
  try {
    const hub = cluster ? await Cluster.start(cluster, relayArgs) : await Hub.start(relayArgs);
    ending.push(() => hub.close());
    const names = Array.from({ length: pages + clients }, (_, index) => `${index < pages ? 'page' : 'client'}${index}`);
    const gates = [];
    for (const [index, name] of [...names, ...Array.from({ length: rooms }, (_, index) => `rooms${index}`)].entries()) {
      const gate = await proxy(() => hub.port(index), { onmessage: onmessage && ((link, direction, text) => onmessage(name, direction, text)) });
      ending.push(() => gate.close());
      gates.push(gate);
    }

    const place = channelsOf(names, seed);
    const settings = names.map((name, index) => ({
      name,
      seed,
      url: gates[index].url,
      pace: act,
      options: { protocol: protocol ?? (index % 2 === 0 ? 'auto' : 'relay'), reconnect: RECONNECT },
      ...place(name),
    }));
    const members = [];
    if (pages > 0) {
      const files = await serveFiles({ '/chaos': join(ROOT, 'tests/chaos'), '/signal-wasm': join(ROOT, 'dist') });
      ending.push(() => files.close());
      const browser = await launchChromium();
      ending.push(() => browser.close());
      for (const its of settings.slice(0, pages)) members.push(await pageMember(browser, `${files.origin}/chaos/page.html`, its));
    }
    for (const its of settings.slice(pages)) {
      members.push(await threadMember(its));
      ending.push(members.at(-1).close);
    }

    const everybody = (method, ...args) => Promise.all(members.map((member) => member.call(method, ...args)));
    const greeting = async () => {
      await everybody('greet');
      const hears = () => everybody('hears');
      let all = [];
      const everybodyHears = async () => {
        all = await hears();
        return all.every(Boolean);
      };
      // Those that don't are named below.
      await until(everybodyHears).catch(() => {});
      await everybody('hush');
      return names.filter((_, index) => !all[index]);
    };
    const deaf = await greeting();
    if (deaf.length > 0) throw new Error(`before the first fault, ${deaf.join(', ')} didn't hear everybody on every channel`);
    say(`${pages} pages and ${clients} clients hear each other after ${seconds(Date.now() - began)}`);
    const guests = rooms > 0 ? roomClients({ urls: gates.slice(names.length).map(({ url }) => url), seed, pace: act }) : undefined;
    if (guests) {
      ending.push(() => guests.close());
      await guests.begin();
      say(`${rooms} clients are in rooms after ${seconds(Date.now() - began)}`);
      guests.start();
    }
    await everybody('start');

    const struck = [];
    let told = Date.now();
    for (const fault of faults({ seed, count, wanted: kinds, members: gates.length, pace, deaths })) {
      if (timeUp()) break;
      await new Promise((done) => setTimeout(done, fault.pause));
      const strike = await strikes[fault.kind](fault, { hub, gates, timeUp });
      if (!strike) break;
      struck.push(Object.assign(strike, { kind: fault.kind }));
      if (Date.now() - told > 15_000) {
        told = Date.now();
        say(`${struck.length} of ${count} faults, relay ${hub.starts}, after ${seconds(Date.now() - began)}`);
      }
    }
    await hub.settled;
    for (const gate of gates) {
      gate.accept();
      gate.calm();
    }
    const calm = Date.now();
    // A member that hasn't reconnected to a new relay yet may miss messages there, and only the
    // last messages of all must not be missed.
    const stillDeaf = await greeting();
    await everybody('finish');
    const [left, roomless] = await Promise.all([reckoning(everybody, say), guests?.finish()]);
    say(`all quiet ${seconds(Date.now() - calm)} after the last fault`);

    const results = await everybody('result');
    const logs = Object.fromEntries(results.map(({ name, log }) => [name, log]));
    const { failures, counts } = check(logs, { acknowledged: protocol !== 'websocket' });
    for (const name of stillDeaf) failures.push({ kind: 'unfinished', text: `${name} didn't hear everybody after the last fault` });
    left.forEach(({ failed, flushed, missing, state }, index) => {
      const who = names[index];
      if (failed) failures.push({ kind: 'flushed', text: `flushed() of ${who} rejected: ${failed}` });
      else if (!flushed) failures.push({ kind: 'flushed', text: `flushed() of ${who} never resolved; it is ${state}` });
      if (missing.length > 0) failures.push({ kind: 'unfinished', text: `${who} (${state}) waits in vain for the last message of ${missing.join(', ')}` });
    });
    for (const member of members) for (const trouble of member.troubles()) failures.push({ kind: 'trouble', text: `${member.name}: ${trouble}` });
    // No fault is a reason for these.
    const troubles = hub.logs.flatMap((log) => log.split('\n')).filter((line) => /panicked|ERROR.*rooms/.test(line));
    for (const trouble of troubles) failures.push({ kind: 'relay', text: trouble });
    const judged = guests && checkRooms(guests.people, guests.log);
    if (judged) failures.push(...judged.failures, ...roomless.map((text) => ({ kind: 'rooms', text })));
    const sum = (pick) => results.reduce((total, result) => total + pick(result), 0);
    return {
      seed,
      names,
      asked: count,
      struck,
      failures,
      counts: { ...counts, notTaken: sum(({ counts }) => counts.full), flushes: sum(({ counts }) => counts.flushed), reconnects: sum(({ stats }) => stats.reconnects) },
      recovery: recovery(struck, names.map((name) => logs[name])),
      took: Date.now() - began,
      logs,
      relays: hub.logs,
      nats: await hub.natsLogs(),
      ...(judged && { rooms: { people: guests.people.length, counts: judged.counts, recovery: roomsRecovery(struck, guests.people, guests.log, names.length), log: guests.log } }),
    };
  } finally {
    // The last that came goes first; what one of them can't do doesn't keep the others.
    for (const end of ending.reverse()) await Promise.resolve().then(end).catch((error) => say(`at the end: ${error}`));
  }
}

/**
 * Who is on which channel: everybody on `all`, about half of them on each of the others, which pass
 * by for the rest. No member keeps `visitors`.
 */
function channelsOf(names, seed) {
  const chance = random(`channels ${seed}`);
  const kept = { all: names };
  for (const channel of ['red', 'green', 'blue']) {
    const some = names.filter(() => chance.chance(0.5));
    kept[channel] = some.length > 1 ? some : names;
  }
  return (name) => {
    const on = Object.keys(kept).filter((channel) => kept[channel].includes(name));
    return {
      kept: on,
      passing: [...Object.keys(kept).filter((channel) => !on.includes(channel)), 'visitors'],
      others: Object.fromEntries(on.map((channel) => [channel, kept[channel].filter((other) => other !== name)])),
    };
  };
}

/**
 * Each does one fault and gives `{ at, members }`: when, and whose connections it takes. Nothing:
 * the time was up before there was a connection.
 */
const strikes = {
  'cut-reset': onLink((link) => void link.cut('reset')),
  'cut-end': onLink((link) => void link.cut('end')),
  async 'cut-all'({ how }, { gates }) {
    gates.forEach((gate) => gate.cut(how));
    return { at: Date.now(), members: [...gates.keys()] };
  },
  'truncate-up': onLink(truncate('up')),
  'truncate-down': onLink(truncate('down')),
  'stall-up': onLink((link, { milliseconds }) => void link.stall('up', milliseconds)),
  'stall-down': onLink((link, { milliseconds }) => void link.stall('down', milliseconds)),
  'stall-up-for-good': onLink((link) => void link.stall('up')),
  'stall-down-for-good': onLink((link) => void link.stall('down')),
  delay: onLink((link, { latency, jitter, jitterSeed, milliseconds }) => {
    const chance = random(jitterSeed);
    for (const direction of DIRECTIONS) link.delay(direction, () => latency + jitter * chance.next());
    setTimeout(() => DIRECTIONS.forEach((direction) => link.delay(direction, undefined)), 2 * milliseconds);
  }),
  refuse: onLink((link, { milliseconds, how }, gate) => {
    gate.refuse(milliseconds);
    link.cut(how);
  }),
  'relay-killed': (fault, { hub, gates }) => hub.die(fault, [...gates.keys()]),
  'nats-killed': (fault, { hub }) => hub.killNats(fault),
  'nats-cut': (fault, { hub }) => hub.cutFromNats(fault),
  partitioned: (fault, { hub }) => hub.partition(fault),
  'relay-isolated': (fault, { hub }) => hub.isolate(fault),
  'relay-paused': (fault, { hub }) => hub.pause(fault),
};

function truncate(direction) {
  return (link, { part, how }, _, strike) => {
    link.truncate(direction, part, how);
    // It happens when something comes by.
    link.closed.then(() => (strike.at = Date.now()));
  };
}

/**
 * For a fault of one connection: that of the member it is meant for, or the next one's that has
 * any.
 */
function onLink(strike) {
  return async (fault, { hub, gates, timeUp }) => {
    for (;;) {
      for (let step = 0; step < gates.length; step += 1) {
        const member = (fault.member + step) % gates.length;
        const link = gates[member].links().findLast((link) => link.alive);
        if (!link) continue;
        const done = { at: Date.now(), members: [member] };
        strike(link, fault, gates[member], done);
        return done;
      }
      if (timeUp()) return undefined;
      await hub.settled;
      await new Promise((done) => setTimeout(done, 10));
    }
  };
}

/**
 * Waits until everything has arrived, or nothing moves any more, and gives how far each member
 * came.
 */
async function reckoning(everybody, say) {
  let before = '';
  let since = Date.now();
  let told = since;
  for (;;) {
    const progress = await everybody('progress');
    if (progress.every(({ flushed, failed, missing }) => flushed && !failed && missing.length === 0)) return progress;
    const now = JSON.stringify(progress);
    if (now !== before) since = Date.now();
    before = now;
    if (Date.now() - told > 15_000) {
      told = Date.now();
      const words = progress.map(({ state, flushed, missing }) => `${state}${flushed ? '' : ', not flushed'}${missing.length > 0 ? `, ${missing.length} missing` : ''}`);
      say(`waiting; the members: ${words.join('; ')}`);
    }
    if (Date.now() - since > quiet()) return progress;
    await new Promise((done) => setTimeout(done, 100));
  }
}

/**
 * For each kind of fault that takes a connection, how long it took each of the members that it
 * struck to be `open` again, in milliseconds.
 */
function recovery(struck, logs) {
  const states = logs.map((log) => log.filter(([what]) => what === 'state').map(([, time, state]) => ({ time, open: state === 'open' })));
  const times = {};
  for (const { kind, at, members } of struck) {
    if (!FATAL.has(kind)) continue;
    for (const member of members) {
      // A client in rooms.
      if (!states[member]) continue;
      const after = states[member].filter(({ time }) => time >= at);
      const wasOpen = states[member].findLast(({ time }) => time < at)?.open;
      const lost = wasOpen ? after.findIndex(({ open }) => !open) : 0;
      const again = lost < 0 ? undefined : after.slice(lost).find(({ open }) => open);
      if (again) (times[kind] ??= []).push(again.time - at);
    }
  }
  return times;
}

function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
