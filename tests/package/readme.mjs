// Examples of the README, for tests that use them as they are.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './consumer.mjs';

/** The call in ten lines. */
export async function firstExample() {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const found = readme.match(/^## A call in ten lines\n+```js\n([\s\S]*?)^```/m);
  if (!found) throw new Error('README.md has no example under "A call in ten lines"');
  return found[1];
}
