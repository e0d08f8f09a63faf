// `useRoom`: a room for as long as a component is there. Several components may use the same.

import { useCallback, useEffect, useRef, useState } from 'react';
import { contentOf } from './content.js';
import { Entered, JOINING } from './entered.js';
import { hold, shelves } from './hold.js';

const shelfOf = /** @type {(signaling: object) => import('./hold.js').Shelf<Entered>} */ (shelves());

/** @param {any} signaling @param {string} name @param {any} [options] */
export function useRoom(signaling, name, options = {}) {
  const { data, password } = options;
  const key = contentOf([name, password]);
  const [seen, setSeen] = useState({ signaling, key, view: JOINING });
  const latest = useRef(options);
  const current = useRef(/** @type {Entered | undefined} */ (undefined));

  useEffect(() => {
    latest.current = options;
  });

  useEffect(() => {
    if (!signaling) return undefined;
    const make = () => new Entered(signaling, name, optionsOf(latest.current));
    const { value, release } = hold(shelfOf(signaling), key, make, (entered) => entered.leave());
    /** @type {import('./types.js').Watcher} */
    const watcher = {
      onView: (view) => setSeen({ signaling, key, view }),
      onMessage: (event) => latest.current.onMessage?.(event),
    };
    value.watchers.add(watcher);
    current.current = value;
    watcher.onView(value.view);
    return () => {
      current.current = undefined;
      value.watchers.delete(watcher);
      release();
    };
    // `name` is in the key.
  }, [signaling, key]);

  // What was seen of another room isn't shown.
  const view = seen.signaling === signaling && seen.key === key ? seen.view : JOINING;
  const shows = contentOf(data);
  useEffect(() => {
    if (view.state === 'joined' && data !== undefined && contentOf(view.room.self.data) !== shows) current.current?.setData(data);
  }, [view.room, shows]);

  const send = useCallback((/** @type {unknown} */ message) => {
    const room = current.current?.view.room;
    if (!room) throw Object.assign(new Error('send: the page isn\'t in the room yet; wait until room is there'), { code: 'not-joined' });
    room.send(message);
  }, []);
  return { ...view, send };
}

/** What `joinRoom` takes of them. @param {any} options */
function optionsOf(options) {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name !== 'onMessage'));
}
