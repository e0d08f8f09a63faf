// The call: one RTCPeerConnection to each other participant, negotiated over the pair's channel by
// the "perfect negotiation" pattern.
//
// Whoever joins draws a random number (`me.call`), which is part of their presence. Every
// description and candidate names the numbers of both sides, so stale ones are dropped.

/**
 * Events: `peer` with `{ peer, stream, state }` when a tile must be shown or changes; `gone` with
 * the peer.
 */
export class Call extends EventTarget {
  #presence;
  #iceServers;
  #links = new Map();
  #stream = null;

  constructor({ presence, iceServers }) {
    super();
    this.#presence = presence;
    this.#iceServers = iceServers;
    presence.addEventListener('join', ({ detail }) => this.#sync(detail));
    presence.addEventListener('change', ({ detail }) => this.#sync(detail));
    presence.addEventListener('leave', ({ detail }) => this.#sync(detail));
    presence.addEventListener('message', ({ detail }) => this.#links.get(detail.peer.id)?.heard(detail.message));
  }

  get joined() {
    return this.#stream !== null;
  }

  join(stream) {
    this.#stream = stream;
    this.#presence.me.call = drawNumber();
    this.#presence.changed();
    for (const peer of this.#presence.peers.values()) this.#sync(peer);
  }

  leave() {
    this.#stream = null;
    this.#presence.me.call = null;
    for (const peer of this.#presence.peers.values()) this.#sync(peer);
    this.#presence.changed();
  }

  /** Call it after a reconnect: connections that weren't established yet are set up again. */
  reconnected() {
    if (this.#stream === null || [...this.#links.values()].every((link) => link.established)) return;
    this.#presence.me.call = drawNumber();
    for (const peer of this.#presence.peers.values()) this.#sync(peer);
  }

  // Connects to that peer or disconnects, as the presence of both sides says.
  #sync(peer) {
    const { me } = this.#presence;
    const wanted = this.#stream !== null && peer.call !== null;
    const link = this.#links.get(peer.id);
    if (link && (!wanted || link.theirs !== peer.call || link.mine !== me.call)) {
      link.close();
      this.#links.delete(peer.id);
      if (!wanted) this.dispatchEvent(new CustomEvent('gone', { detail: peer }));
    }
    if (wanted && !this.#links.has(peer.id)) {
      const report = (stream, state) => this.dispatchEvent(new CustomEvent('peer', { detail: { peer, stream, state } }));
      this.#links.set(peer.id, new Link({ peer, me, stream: this.#stream, iceServers: this.#iceServers, report }));
    }
  }
}

function drawNumber() {
  return crypto.getRandomValues(new Uint32Array(1))[0] + 1;
}

class Link {
  #connection;
  #peer;
  #polite;
  #making = false;
  #ignoring = false;
  #report;
  #remote = new MediaStream();
  #waiting = Promise.resolve();

  constructor({ peer, me, stream, iceServers, report }) {
    this.mine = me.call;
    this.theirs = peer.call;
    this.#peer = peer;
    this.#polite = me.id < peer.id;
    this.#report = () => report(this.#remote, this.#connection.connectionState);

    const connection = (this.#connection = new RTCPeerConnection({ iceServers }));
    connection.onnegotiationneeded = () => this.#offer();
    connection.onicecandidate = ({ candidate }) => this.#send({ candidate: candidate?.toJSON() ?? null });
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === 'failed' && !this.#polite) connection.restartIce();
      this.#report();
    };
    connection.ontrack = ({ track }) => {
      this.#remote.addTrack(track);
      track.onunmute = track.onmute = () => this.#report();
      this.#report();
    };
    for (const track of stream.getTracks()) connection.addTrack(track, stream);
    this.#report();
  }

  get established() {
    return this.#connection.connectionState === 'connected';
  }

  // One message after the other: a candidate must not overtake its description.
  heard(message) {
    this.#waiting = this.#waiting.then(() => this.#take(message)).catch((error) => {
      if (this.#connection.signalingState !== 'closed') console.warn(`call: ${this.#peer.name} sent an invalid message:`, error);
    });
  }

  close() {
    this.#connection.onnegotiationneeded = this.#connection.onicecandidate = this.#connection.onconnectionstatechange = this.#connection.ontrack = null;
    for (const track of this.#remote.getTracks()) track.onunmute = track.onmute = null;
    this.#connection.close();
  }

  async #offer() {
    // Both sides add their tracks at the same time. The polite one waits for the other's first
    // offer, and adds its tracks to the answer.
    if (this.#polite && !this.#connection.remoteDescription) return;
    try {
      this.#making = true;
      await this.#connection.setLocalDescription();
      this.#send({ description: this.#connection.localDescription });
    } catch (error) {
      if (this.#connection.signalingState !== 'closed') console.warn('call: no offer could be made:', error);
    } finally {
      this.#making = false;
    }
  }

  async #take(message) {
    const connection = this.#connection;
    if (message === null || typeof message !== 'object' || connection.signalingState === 'closed') return;
    if (message.from !== this.theirs || message.to !== this.mine) return;

    if (message.description) {
      const collision = message.description.type === 'offer' && (this.#making || connection.signalingState !== 'stable');
      this.#ignoring = !this.#polite && collision;
      if (this.#ignoring) return;
      await connection.setRemoteDescription(message.description);
      if (message.description.type === 'offer') {
        await connection.setLocalDescription();
        this.#send({ description: connection.localDescription });
      }
    } else if (message.candidate) {
      try {
        await connection.addIceCandidate(message.candidate);
      } catch (error) {
        if (!this.#ignoring) throw error;
      }
    }
  }

  #send(members) {
    this.#peer.channel.send({ from: this.mine, to: this.theirs, ...members });
  }
}
