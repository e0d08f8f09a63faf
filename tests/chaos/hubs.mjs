// What the members of a chaos run talk to: one relay, or several that share NATS. A relay can die
// and comes back on the same port.

import { deadline } from '../support/deadline.mjs';
import { nats } from '../support/nats.mjs';
import { clusterProxy } from '../support/proxies.mjs';
import { proxy } from '../support/proxy.mjs';
import { relay } from '../support/servers.mjs';

/** A relay, which can die and comes back on the same port. */
class Mortal {
  /** How often it was started. */
  starts = 1;
  settled = Promise.resolve();
  #relay;
  #args;
  #place;

  static async start(args) {
    const mortal = new Mortal();
    mortal.#args = args;
    mortal.#relay = await relay({ args });
    mortal.#place = mortal.#relay.port;
    mortal.port = mortal.#place;
    return mortal;
  }

  /** Kills it, and starts it again after a while. `onback` is called then. */
  async die(down, onback) {
    // No member may connect to the port while no relay listens there: the system might give the
    // caller that very port.
    this.port = undefined;
    await this.#relay.kill();
    this.settled = this.#comeBack(down).then(onback);
    // Whoever awaits it gets the error; until then it must not count as unhandled.
    this.settled.catch(() => {});
  }

  async #comeBack(down) {
    await pause(down);
    const began = Date.now();
    for (;;) {
      try {
        this.#relay = await relay({ args: [...this.#args, '--listen', `127.0.0.1:${this.#place}`] });
        break;
      } catch (error) {
        // Another program's connection may have the port for a moment.
        if (Date.now() - began > deadline(60_000)) throw error;
        await pause(250);
      }
    }
    this.starts += 1;
    this.port = this.#place;
  }

  async close() {
    await this.settled.catch(() => {});
    await this.#relay.kill();
  }
}

/** One relay. */
export class Hub {
  #relay;

  static async start(args) {
    const hub = new Hub();
    hub.#relay = await Mortal.start(args);
    return hub;
  }

  get starts() {
    return this.#relay.starts;
  }

  get settled() {
    return this.#relay.settled;
  }

  /** The port for a new connection of a member, or `undefined` if there is none. */
  port() {
    return this.#relay.port;
  }

  /** Kills it, and starts it again after a while. Gives when, and whose connections that takes. */
  async die({ down }, members) {
    const strike = { members };
    await this.settled;
    await this.#relay.die(down, () => (strike.at = Date.now()));
    return strike;
  }

  close() {
    return this.#relay.close();
  }
}

/**
 * Several relays that share NATS. A member that connects gets the next one of them, or the one that
 * HAProxy gives it.
 */
export class Cluster {
  #nats;
  /** Between each relay and each server of NATS. */
  #gates = [];
  #relays = [];
  #next = 0;
  /** Which relay each member had last. */
  #ofMember = new Map();
  #restarting = Promise.resolve();
  #haproxy;

  /** @param {{ relays: number, servers: number, haproxy?: boolean }} sizes @param {string[]} args */
  static async start({ relays, servers, haproxy = false }, args) {
    const cluster = new Cluster();
    cluster.#nats = await nats(servers);
    for (let index = 0; index < relays; index += 1) {
      const gates = await Promise.all(cluster.#nats.ports.map((port) => proxy(() => port)));
      cluster.#gates.push(gates);
      const urls = gates.map(({ port }) => `127.0.0.1:${port}`).join(',');
      const store = ['--store', `nats://${urls}`, '--store-replicas', String(servers)];
      cluster.#relays.push(await Mortal.start([...store, ...args]));
    }
    if (haproxy) cluster.#haproxy = await clusterProxy(cluster.#relays.map(({ port }) => port));
    return cluster;
  }

  get starts() {
    return this.#relays.reduce((sum, { starts }) => sum + starts, 0);
  }

  get settled() {
    return Promise.all([this.#restarting, ...this.#relays.map(({ settled }) => settled)]);
  }

  port(member) {
    if (this.#haproxy) return this.#haproxy.port;
    const living = this.#relays.filter(({ port }) => port !== undefined);
    this.#next += 1;
    const chosen = living[this.#next % living.length];
    this.#ofMember.set(member, chosen);
    return chosen?.port;
  }

  /** Kills one relay. At least one lives all the time. */
  async die({ down, member }, members) {
    const living = this.#relays.filter(({ port }) => port !== undefined);
    if (living.length < 2) {
      await this.settled;
      return this.die({ down, member }, members);
    }
    const chosen = living[member % living.length];
    const strike = { at: Date.now(), members: this.#haproxy ? [] : members.filter((index) => this.#ofMember.get(index) === chosen) };
    await chosen.die(down);
    return strike;
  }

  /** Kills a server of NATS, and starts it again after a while. */
  async killNats({ down, member }) {
    await this.#restarting;
    const index = member % this.#nats.ports.length;
    await this.#nats.kill(index);
    this.#restarting = pause(down).then(() => this.#nats.restart(index));
    this.#restarting.catch(() => {});
    return { at: Date.now(), members: [] };
  }

  /** Cuts a relay off from NATS for a while. */
  async cutFromNats({ how, member, milliseconds }) {
    for (const gate of this.#gates[member % this.#gates.length]) {
      gate.refuse(milliseconds);
      gate.cut(how);
    }
    return { at: Date.now(), members: [] };
  }

  async close() {
    await this.settled.catch(() => {});
    await this.#haproxy?.close();
    await Promise.all(this.#relays.map((one) => one.close()));
    await Promise.all(this.#gates.flat().map((gate) => gate.close()));
    await this.#nats.close();
  }
}

function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}
