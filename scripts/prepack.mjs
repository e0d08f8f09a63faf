// npm runs this before `npm pack`, `npm run pack` and `npm publish`.

import { fileURLToPath } from 'node:url';
import { makeReady } from './package.mjs';

makeReady(fileURLToPath(new URL('..', import.meta.url)));
