// `useChannel`: a channel for as long as a component is there. Several components may use the same.

import { useCallback, useEffect, useRef } from 'react';
import { hold, shelves } from './hold.js';

/** How many messages of a component may wait until there is a signaling. */
const MOST_WAITING = 1000;

/**
 * @typedef {object} Channel
 * @property {any} handle
 * @property {Set<(message: unknown) => void>} listeners
 */

const shelfOf = /** @type {(signaling: object) => import('./hold.js').Shelf<Channel>} */ (shelves());

/** @param {any} signaling @param {string | number} channel @param {(message: unknown) => void} [onMessage] */
export function useChannel(signaling, channel, onMessage) {
  const latest = useRef(onMessage);
  const current = useRef(/** @type {{ signaling: any, handle: any }} */ ({ signaling, handle: undefined }));
  /** @type {import('react').RefObject<unknown[][]>} */
  const waiting = useRef([]);

  useEffect(() => {
    latest.current = onMessage;
  });

  useEffect(() => {
    current.current = { signaling, handle: undefined };
    if (!signaling || signaling.state === 'closed') return undefined;
    const { value, release } = hold(shelfOf(signaling), String(channel), () => open(signaling, channel), close);
    const listener = (/** @type {unknown} */ message) => latest.current?.(message);
    value.listeners.add(listener);
    current.current.handle = value.handle;
    for (const message of waiting.current.splice(0)) value.handle.send(...message);
    return () => {
      value.listeners.delete(listener);
      release();
    };
  }, [signaling, channel]);

  return useCallback((/** @type {unknown[]} */ ...message) => {
    const { signaling, handle } = current.current;
    if (handle) return handle.send(...message);
    if (signaling) throw Object.assign(new Error('send: the signaling is closed'), { name: 'SignalingError', code: 'signaling-closed' });
    if (waiting.current.length >= MOST_WAITING) throw Object.assign(new Error(`send: ${MOST_WAITING} messages wait for a signaling already; pass one to useChannel`), { name: 'SignalingError', code: 'outbox-full' });
    waiting.current.push(message);
    return undefined;
  }, []);
}

/** @param {any} signaling @param {string | number} name @returns {Channel} */
function open(signaling, name) {
  /** @type {Channel['listeners']} */
  const listeners = new Set();
  const onmessage = (/** @type {unknown} */ message) => {
    for (const listener of [...listeners]) tell(listener, message);
  };
  return { handle: signaling.openSocket({ channel: name, onmessage }), listeners };
}

/** One that throws doesn't keep the message from the others. @param {(message: unknown) => void} listener @param {unknown} message */
function tell(listener, message) {
  try {
    listener(message);
  } catch (error) {
    reportError(error);
  }
}

/** @param {Channel} channel */
function close({ handle }) {
  handle.close();
}
