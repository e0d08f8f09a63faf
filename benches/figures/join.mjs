// From joining a room to an open data channel.

import { number, range, table } from './words.mjs';

/** Milliseconds that the other pages have to object. */
const OBJECTIONS = 500;

export function runs({ runs, chromium }) {
  return `median of ${runs} runs in Chromium ${chromium.split('.')[0]}`;
}

export function times({ cases }) {
  const first = (library) => cases.find((one) => one.library === library);
  return table(
    ['', 'server', 'client', 'ms', 'ratio'],
    cases.map(({ library, server, client, joinedMilliseconds }, index) => [
      cases[index - 1]?.library === library ? '' : library,
      server,
      client,
      number(joinedMilliseconds),
      number(joinedMilliseconds / first(library).joinedMilliseconds, 2),
    ]),
  );
}

/** How long `open` takes where pages agree on rooms among themselves, and where the server has them. */
export function opening({ cases }) {
  const opened = cases.map(({ openedMilliseconds }) => openedMilliseconds).filter((value) => value !== undefined);
  const [atOnce, agreed] = [opened.filter((value) => value < OBJECTIONS), opened.filter((value) => value >= OBJECTIONS)];
  return `${range(atOnce)} ms where the server has the rooms, ${range(agreed)} ms where pages agree on them among themselves`;
}
