// A transport as a page would write one, which a test drives by hand.

export class FakeTransport {
  /** The texts that were sent. */
  texts = [];
  /** How often `open` and `close` were called. */
  openings = 0;
  closings = 0;
  /**
   * Called from inside `open`, `send` and `close`; may throw.
   *
   * @type {((transport: FakeTransport) => unknown) | null}
   */
  onopening = null;
  /** @type {((text: string, transport: FakeTransport) => void) | null} */
  onsent = null;
  /** @type {((transport: FakeTransport) => void) | null} */
  onclosing = null;

  open() {
    this.openings += 1;
    this.onopening?.(this);
  }

  send(text) {
    this.onsent?.(text, this);
    this.texts.push(text);
  }

  close() {
    this.closings += 1;
    this.onclosing?.(this);
  }

  /** The handlers that it has now, to be called when it may have others. */
  get handlers() {
    const { onopen, onmessage, onclose } = this;
    return { onopen, onmessage, onclose };
  }
}
