// What the members of a chaos run talk to: one relay, or several that share NATS. A relay can die
// and comes back on the same port.

import process from 'node:process';
import { deadline } from '../support/deadline.mjs';
import { nats } from '../support/nats.mjs';
import { network } from '../support/network.mjs';
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
  #host;
  #place;
  /** What those that have died had printed. */
  #printed = '';

  /** On this host, or on one of a network. */
  static async start(args, host = { address: '127.0.0.1', enter: [] }) {
    const mortal = new Mortal();
    mortal.#args = args;
    mortal.#host = host;
    mortal.#relay = await mortal.#begin(0);
    mortal.#place = mortal.#relay.port;
    mortal.port = mortal.#place;
    return mortal;
  }

  get address() {
    return `${this.#host.address}:${this.#place}`;
  }

  #begin(port) {
    const { address, enter } = this.#host;
    return relay({ args: [...this.#args, '--listen', `${address}:${port}`], enter });
  }

  /** Kills it, and starts it again after a while. `onback` is called then. */
  async die(down, onback) {
    // No member may connect to the port while no relay listens there: the system might give the
    // caller that very port.
    this.port = undefined;
    await this.#relay.kill();
    this.#printed += this.#relay.stderr();
    this.settled = this.#comeBack(down).then(onback);
    // Whoever awaits it gets the error; until then it must not count as unhandled.
    this.settled.catch(() => {});
  }

  async #comeBack(down) {
    await pause(down);
    const began = Date.now();
    for (;;) {
      try {
        this.#relay = await this.#begin(this.#place);
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

  /** It does nothing for a while, and doesn't know it. */
  async pause(milliseconds) {
    // It is dead.
    if (this.port === undefined) return;
    const { pid } = this.#relay;
    process.kill(pid, 'SIGSTOP');
    await pause(milliseconds);
    // It may have been killed meanwhile.
    if (this.#relay.pid === pid && this.port !== undefined) process.kill(pid, 'SIGCONT');
  }

  /** What it wrote into its log, in all its lives. */
  get log() {
    return this.#printed + this.#relay.stderr();
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

  get logs() {
    return [this.#relay.log];
  }

  /** There is no NATS. */
  async natsLogs() {
    return [];
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
  #pausing = Promise.resolve();
  #haproxy;
  #network;
  /** If there is a network: the hosts of the relays, and of the servers of NATS. */
  #hosts = { relays: [], servers: [] };
  /** The faults of the network that last. */
  #lasting = new Set();

  /**
   * With `namespaces` each relay and each server of NATS is a host of a network, behind HAProxy.
   *
   * @param {{ relays: number, servers: number, haproxy?: boolean, namespaces?: boolean }} sizes @param {string[]} args
   */
  static async start({ relays, servers, haproxy = false, namespaces = false }, args) {
    const cluster = new Cluster();
    if (namespaces) return cluster.#startOnNetwork(relays, servers, args);
    cluster.#nats = await nats(servers);
    for (let index = 0; index < relays; index += 1) {
      const gates = await Promise.all(cluster.#nats.ports.map((port) => proxy(() => port)));
      cluster.#gates.push(gates);
      const urls = gates.map(({ port }) => `127.0.0.1:${port}`).join(',');
      const store = ['--store', `nats://${urls}`, '--store-replicas', String(servers)];
      cluster.#relays.push(await Mortal.start([...store, ...args]));
    }
    if (haproxy) cluster.#haproxy = await clusterProxy(cluster.#relays.map(({ address }) => address));
    return cluster;
  }

  async #startOnNetwork(relays, servers, args) {
    this.#network = await network();
    const hosts = async (count, first) => {
      const all = [];
      for (let index = 0; index < count; index += 1) all.push(await this.#network.host(first + index));
      return all;
    };
    this.#hosts = { relays: await hosts(relays, 1), servers: await hosts(servers, 11) };
    this.#nats = await nats(servers, this.#hosts.servers);
    const store = ['--open', '--origin', '*', '--store', `nats://${this.#nats.addresses.join(',')}`, '--store-replicas', String(servers)];
    for (const host of this.#hosts.relays) this.#relays.push(await Mortal.start([...store, ...args], host));
    this.#haproxy = await clusterProxy(this.#relays.map(({ address }) => address));
    return this;
  }

  get starts() {
    return this.#relays.reduce((sum, { starts }) => sum + starts, 0);
  }

  get settled() {
    return Promise.all([this.#restarting, this.#pausing, ...this.#lasting, ...this.#relays.map(({ settled }) => settled)]);
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
    if (this.#network) {
      const host = this.#hosts.relays[member % this.#hosts.relays.length];
      const block = (isBlocked) => Promise.all(this.#hosts.servers.map(({ address }) => host.block(address, isBlocked)));
      return this.#last(host, block, milliseconds);
    }
    for (const gate of this.#gates[member % this.#gates.length]) {
      gate.refuse(milliseconds);
      gate.cut(how);
    }
    return { at: Date.now(), members: [] };
  }

  /** Pulls out the cable of a relay or of a server of NATS, for a while. */
  async partition({ member, milliseconds }) {
    const hosts = [...this.#hosts.relays, ...this.#hosts.servers];
    const host = hosts[member % hosts.length];
    return this.#last(host, (isPulled) => host.connect(!isPulled), 4 * milliseconds);
  }

  /** Pulls out the cable of a relay, for so long that others know that it is gone. */
  async isolate({ member, milliseconds }) {
    const host = this.#hosts.relays[member % this.#hosts.relays.length];
    return this.#last(host, (isPulled) => host.connect(!isPulled), 25 * milliseconds);
  }

  /** Stops one relay for a while. The others go on. */
  async pause({ member, milliseconds }) {
    await this.#pausing;
    this.#pausing = this.#relays[member % this.#relays.length].pause(10 * milliseconds);
    this.#pausing.catch(() => {});
    return { at: Date.now(), members: [] };
  }

  get logs() {
    return this.#relays.map(({ log }) => log);
  }

  natsLogs() {
    return this.#nats.logs();
  }

  /** Begins something that ends after a while. A host has one such fault at a time. */
  async #last(host, act, milliseconds) {
    await host.lasting;
    await act(true);
    const lasting = pause(milliseconds).then(() => act(false));
    host.lasting = lasting;
    this.#lasting.add(lasting);
    lasting.then(() => this.#lasting.delete(lasting), () => {});
    return { at: Date.now(), members: [] };
  }

  async close() {
    await this.settled.catch(() => {});
    await this.#haproxy?.close();
    await Promise.all(this.#relays.map((one) => one.close()));
    await Promise.all(this.#gates.flat().map((gate) => gate.close()));
    await this.#nats.close();
    await this.#network?.close();
  }
}

function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}
