// The functions under test, which the package exports.

import * as library from '/wasm-bindgen-test';
import { untyped } from './checks.js';

/**
 * They take anything, as `configure` does.
 *
 * @type {Record<'openSignalingChannel' | 'openSocket', (config?: any) => import('../../../src/browser/types').Handle>}
 */
export const { openSignalingChannel, openSocket } = library;

/**
 * Tests speak the plain protocol unless they name another: with `'auto'`, the default, the library
 * would first find out what the stand-in is. Anything but a plain object stays as it is, and so do
 * getters.
 *
 * @param {any} options
 */
function plain(options) {
  const isPlain =
    typeof options === 'object' &&
    options !== null &&
    Object.getPrototypeOf(options) === Object.prototype;
  if (!isPlain || 'protocol' in options || 'transport' in options) return options;
  const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(options));
  return Object.defineProperty(copy, 'protocol', { value: 'websocket', enumerable: true });
}

/**
 * Takes anything, because tests check what isn't an option, too. (tests/types checks the types.)
 *
 * @param {any} [options]
 */
export function configure(options) {
  const signaling = untyped(library).configure(plain(options), bare(library.Signaling));
  made.push(new WeakRef(signaling));
  return signaling;
}

/**
 * Whether the package's `Signaling` is under test, which is an event target. That of the crate alone
 * isn't: here it becomes one, as in npm/api.js.
 */
const isShipped = library.Signaling.prototype instanceof EventTarget;
if (!isShipped) Object.setPrototypeOf(library.Signaling.prototype, EventTarget.prototype);

/** @param {Function} newTarget */
const bare = (newTarget) => Reflect.construct(EventTarget, [], newTarget);

/** @type {WeakRef<library.Signaling>[]} */
const made = [];

/**
 * Takes anything, as `configure` does.
 *
 * @type {{ new (options?: any): library.Signaling, prototype: library.Signaling }}
 */
export const Signaling = new Proxy(library.Signaling, {
  construct(target, [options, ...rest], newTarget) {
    const signaling = isShipped ? Reflect.construct(target, [plain(options), ...rest], newTarget) : bare(newTarget);
    if (!isShipped) untyped(target).call(signaling, plain(options));
    made.push(new WeakRef(signaling));
    return signaling;
  },
});

/** Closes the signalings that a test made: a transport or a request may keep one busy. */
export function closeAll() {
  made.splice(0).forEach((signaling) => signaling.deref()?.close());
}

let instances = 0;

/**
 * The module once more, as another page would have it: nothing configured, nothing open.
 *
 * @returns {Promise<typeof library>}
 */
export async function freshModule() {
  const module = await import(`/wasm-bindgen-test.js?instance=${++instances}`);
  await module.default('/wasm-bindgen-test_bg.wasm');
  return module;
}

/** What the wasm module exports: its memory, its tables, its functions. */
export async function wasmExports() {
  // Where `init` returns nothing, whoever loads the tests has kept the exports.
  return Object.values(globalThis.wasmExports ?? (await library.default()));
}
