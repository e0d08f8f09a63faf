// `useSignaling`: one signaling for as long as a component is there.

import { useEffect, useRef, useState } from 'react';
import { Signaling } from 'signal-wasm/inline';
import { contentOf } from './content.js';
import { hold } from './hold.js';

const HANDLERS = ['onstatechange', 'ongap', 'onerror', 'onframe'];

/** @param {Record<string, any>} [options] */
export function useSignaling(options = {}) {
  const content = contentOfOptions(options);
  const [made, setMade] = useState(/** @type {{ content: string, signaling: Signaling } | undefined} */ (undefined));
  const [shelf] = useState(() => /** @type {import('./hold.js').Shelf<Signaling>} */ (new Map()));
  const latest = useRef(options);
  // One with other options is about to be closed.
  const signaling = made?.content === content ? made.signaling : undefined;

  useEffect(() => {
    const before = latest.current;
    latest.current = options;
    if (!signaling) return;
    // A handler that the page has set on the signaling itself stays.
    for (const name of HANDLERS) if (options[name] !== before[name]) Object.assign(signaling, { [name]: options[name] });
  });

  useEffect(() => {
    const make = () => new Signaling(calling(latest));
    const end = (/** @type {Signaling} */ ended) => {
      close(ended);
      setMade((current) => (current?.signaling === ended ? undefined : current));
    };
    const { value, release } = hold(shelf, content, make, end, afterRooms);
    setMade({ content, signaling: value });
    return release;
  }, [shelf, content]);
  return signaling;
}

/** After the goodbyes of rooms, which React cleans up later than this. @param {() => void} task */
function afterRooms(task) {
  setTimeout(task);
}

/** @param {Record<string, any>} options */
function contentOfOptions(options) {
  const members = Object.entries(options).filter(([name]) => !HANDLERS.includes(name));
  // The first transport stays: one that is made in each rendering would connect each time.
  return contentOf(Object.fromEntries(members.map(([name, value]) => [name, name === 'transport' ? typeof value : value])));
}

/** The options, with functions that call those of the latest rendering. @param {{ current: Record<string, any> }} latest */
function calling(latest) {
  const members = Object.entries(latest.current).map(([name, value]) => {
    const isProvider = typeof value === 'function' && !HANDLERS.includes(name);
    return [name, isProvider ? () => latest.current[name]() : value];
  });
  return Object.fromEntries(members);
}

/** The component is gone, so its handlers aren't called any more. @param {Signaling} signaling */
function close(signaling) {
  for (const name of HANDLERS) Object.assign(signaling, { [name]: undefined });
  signaling.close();
}
