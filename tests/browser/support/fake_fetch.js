// A `fetch` that a test answers by hand, in the place of the browser's own. What is asked of other
// servers than those of the tests, which end with `.test`, goes to the real one: the tests
// themselves are loaded by it.

/** The requests that were made since they were last cleared, in order. */
export const requests = /** @type {import('./types').Known<FakeRequest>} */ (/** @type {unknown} */ ([]));

const realFetch = globalThis.fetch;

/** One request, and its answer. */
class FakeRequest {
  #settle;

  /**
   * @param {string} url
   * @param {Record<string, any>} [init]
   */
  constructor(url, { method = 'GET', headers = {}, keepalive = false, body, redirect, signal, ...rest } = {}) {
    this.url = url;
    this.method = method;
    this.headers = { ...headers };
    this.keepalive = keepalive;
    this.body = body;
    this.redirect = redirect;
    /** @type {AbortSignal | undefined} */
    this.signal = signal;
    this.rest = rest;
    this.promise = new Promise((...settle) => { this.#settle = settle; });
    signal?.addEventListener('abort', () => this.fail(signal.reason));
  }

  /** The answer begins; what it returns takes the text with which it ends. */
  begin(status, headers = {}) {
    let end;
    const text = new Promise((resolve) => { end = resolve; });
    this.#settle[0]({ status, ok: status >= 200 && status < 300, headers: new Headers(headers), text: () => text });
    return end;
  }

  /** The answer: a text, or a value as JSON. */
  answer(body, status = 200, headers = {}) {
    this.begin(status, headers)(typeof body === 'string' ? body : JSON.stringify(body));
  }

  /** There is no answer. */
  fail(error = new TypeError('Failed to fetch')) {
    this.#settle[1](error);
  }
}

export function fakeFetch(url, init) {
  if (typeof url !== 'string' || !new URL(url, location.href).hostname.endsWith('.test')) {
    return realFetch(url, init);
  }
  const request = new FakeRequest(url, init);
  requests.push(request);
  return request.promise;
}

/** Lets all promises settle that need nothing more from outside. */
export async function settled() {
  for (let hop = 0; hop < 25; hop += 1) {
    await undefined;
  }
}
