// npm runs this where another project installs a clone, from git or from its folder: dist/ isn't in
// git, and a package without it would break that project later and with a riddle.
//
// npm also runs it after `npm ci` in the clone itself, which only installs the tools of the build.

import { realpathSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { makeReady } from './package.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { npm_config_local_prefix: installing = root } = process.env;
if (realpathSync(installing) !== realpathSync(root)) makeReady(root);
