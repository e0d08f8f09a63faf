// One connection of a call: an RTCPeerConnection to one peer, negotiated by the pattern called
// "perfect negotiation" (WebRTC 1.0, section 10.7). Both sides may change something at any time; of
// two offers that cross, that of the impolite side counts.
//
// Only the first offers don't cross: the polite side waits for that of the other, which says so if
// it has nothing to offer. Chromium can't take back a first offer that has a data channel: setting
// the answer then fails with "Failed to start SCTP transport".

/** In milliseconds. */
const TIMES = {
  /** An offer without an answer is sent again after so long: a message may have been lost. */
  repeat: 10_000,
  /** A connection that is interrupted gets other paths after so long. Most come back before. */
  restart: 4000,
  /** One that isn't up after so long, too: candidates may have been lost, or names not found. Each time it takes twice as long, up to the second. */
  setUp: [12_000, 60_000],
};

/**
 * @typedef {object} Wiring
 * @property {RTCConfiguration} configuration
 * @property {boolean} isPolite
 * @property {Record<string, RTCDataChannelInit>} dataChannels
 * @property {(content: object) => void} send
 * @property {(name: string, members: object) => void} fire
 * @property {() => Promise<RTCConfiguration>} renew
 */

export class Link {
  #wiring;
  #connection;
  /** Whether this side may make an offer. */
  #mayOffer;
  #isOffering = false;
  #isIgnoring = false;
  /** What the peer has sent, one after the other: a candidate must not overtake its description. */
  #work = Promise.resolve();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #repeating;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #restarting;
  #patience = TIMES.setUp[0];
  /** @type {Map<MediaStreamTrack, RTCRtpSender>} */
  #senders = new Map();

  /** @param {Wiring} wiring */
  constructor(wiring) {
    this.#wiring = wiring;
    this.#mayOffer = !wiring.isPolite;
    const connection = (this.#connection = new RTCPeerConnection(wiring.configuration));
    connection.onnegotiationneeded = () => this.#offer();
    connection.onicecandidate = ({ candidate }) => this.#wiring.send({ candidate: candidate?.toJSON() ?? null });
    connection.onconnectionstatechange = () => this.#onState();
    connection.ontrack = ({ track, streams, transceiver }) => wiring.fire('track', { track, streams, transceiver });
    connection.ondatachannel = ({ channel }) => wiring.fire('datachannel', { channel });
    Object.keys(wiring.dataChannels).sort().forEach((label, id) => {
      const channel = connection.createDataChannel(label, { ...wiring.dataChannels[label], negotiated: true, id });
      wiring.fire('datachannel', { channel });
    });
  }

  /** Everything that this page sends from the start has been added. */
  begin() {
    if (!this.#wiring.isPolite && !this.#hasContent) this.#wiring.send({ begin: true });
    this.#await();
  }

  get connection() {
    return this.#connection;
  }

  /** Whether there is anything to connect for. */
  get #hasContent() {
    return this.#connection.getTransceivers().length > 0 || Object.keys(this.#wiring.dataChannels).length > 0;
  }

  get isEstablished() {
    return this.#connection.connectionState === 'connected';
  }

  /** @param {MediaStreamTrack} track @param {MediaStream[]} streams */
  addTrack(track, streams) {
    if (!this.#senders.has(track)) this.#senders.set(track, this.#connection.addTrack(track, ...streams));
  }

  /** @param {MediaStreamTrack} track */
  removeTrack(track) {
    const sender = this.#senders.get(track);
    this.#senders.delete(track);
    if (sender) this.#connection.removeTrack(sender);
  }

  /** @param {MediaStreamTrack} track @param {MediaStreamTrack} other */
  async replaceTrack(track, other) {
    const sender = this.#senders.get(track);
    if (!sender) return;
    this.#senders.delete(track);
    this.#senders.set(other, sender);
    await sender.replaceTrack(other);
  }

  /** Looks for other paths: the network has changed, or there is no connection any more. */
  async restart() {
    this.#await();
    this.#offerFirst();
    const configuration = await this.#wiring.renew();
    if (this.#isClosed || !this.#hasContent) return;
    this.#connection.setConfiguration(configuration);
    this.#connection.restartIce();
  }

  /** Restarts if there is no connection in time. */
  #await() {
    clearTimeout(this.#restarting);
    // If both did it at once, neither would get far.
    const wait = this.#patience * (this.#wiring.isPolite ? 2 : 1);
    this.#restarting = setTimeout(() => this.restart(), wait);
    this.#patience = Math.min(2 * this.#patience, TIMES.setUp[1]);
  }

  /** A message of the peer. @param {any} content */
  hear(content) {
    this.#work = this.#work.then(() => this.#take(content)).catch((error) => this.#fail(error));
  }

  close() {
    clearTimeout(this.#repeating);
    clearTimeout(this.#restarting);
    const connection = this.#connection;
    connection.onnegotiationneeded = connection.onicecandidate = connection.onconnectionstatechange = connection.ontrack = connection.ondatachannel = null;
    connection.close();
  }

  get #isClosed() {
    return this.#connection.signalingState === 'closed';
  }

  /** Offers what has waited. */
  #offerFirst() {
    if (this.#mayOffer) return;
    this.#mayOffer = true;
    if (this.#hasContent) this.#offer();
  }

  async #offer() {
    if (!this.#mayOffer) return;
    try {
      this.#isOffering = true;
      await this.#connection.setLocalDescription();
      this.#describe();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isOffering = false;
    }
  }

  /** Sends the description, and an offer again as long as nothing answers it. */
  #describe() {
    clearTimeout(this.#repeating);
    if (this.#isClosed) return;
    this.#wiring.send({ description: this.#connection.localDescription });
    this.#repeating = setTimeout(() => {
      if (this.#connection.signalingState === 'have-local-offer') this.#describe();
    }, TIMES.repeat);
  }

  /** @param {any} content */
  async #take({ begin, description, candidate }) {
    if (this.#isClosed) return;
    if (begin) this.#offerFirst();
    else if (description) await this.#takeDescription(description);
    else if (candidate !== undefined) {
      try {
        await this.#connection.addIceCandidate(candidate ?? undefined);
      } catch (error) {
        // It belongs to the offer that is ignored.
        if (!this.#isIgnoring) throw error;
      }
    }
  }

  /** @param {RTCSessionDescriptionInit} description */
  async #takeDescription(description) {
    const connection = this.#connection;
    const isOffer = description.type === 'offer';
    // The answer to an offer that was sent twice comes twice.
    if (!isOffer && connection.signalingState !== 'have-local-offer') return;
    const collides = isOffer && (this.#isOffering || connection.signalingState !== 'stable');
    this.#isIgnoring = collides && !this.#wiring.isPolite;
    if (this.#isIgnoring) return;
    this.#mayOffer = true;
    await connection.setRemoteDescription(description);
    if (!isOffer) return clearTimeout(this.#repeating);
    await connection.setLocalDescription();
    this.#describe();
  }

  #onState() {
    const state = this.#connection.connectionState;
    if (state === 'failed') this.restart();
    if (state === 'disconnected') {
      clearTimeout(this.#restarting);
      this.#restarting = setTimeout(() => this.restart(), TIMES.restart);
    }
    if (state === 'connected') {
      clearTimeout(this.#restarting);
      this.#restarting = undefined;
      this.#patience = TIMES.setUp[0];
    }
    this.#wiring.fire('connectionstatechange', { state });
  }

  /** @param {unknown} error */
  #fail(error) {
    if (!this.#isClosed) this.#wiring.fire('error', { error });
  }
}
