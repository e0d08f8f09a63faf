// What the figures were measured on.

import { list } from './words.mjs';

/** A line for each machine and day, with the sections that come from it. */
export function machines(figures) {
  const places = new Map();
  for (const [section, recorded] of Object.entries(figures)) {
    if (!recorded) continue;
    const { date, processor, cores, memoryBytes, system, node } = recorded.about;
    const place = `${date}, ${processor}, ${cores} cores, ${Math.round(memoryBytes / 2 ** 30)} GiB, ${system}, Node ${node.replace('v', '')}`;
    places.set(place, [...(places.get(place) ?? []), section]);
  }
  return [...places].map(([place, sections]) => `* ${list(sections)}: ${place}`).join('\n');
}
