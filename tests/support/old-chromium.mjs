// Chromium 110, of a time when browsers didn't compile large modules at once. The npm package
// @sparticuz/chromium carries it, compressed, for Linux on x86-64.

import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { chmod, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { launchChromium } from './chromium.mjs';
import { ROOT } from './servers.mjs';

/** Whether it runs on this machine. */
export const runsHere = process.platform === 'linux' && process.arch === 'x64';

/** Starts it. The caller closes it. */
export async function launchOldChromium() {
  return launchChromium({ program: await unpacked(), args: ['--no-zygote'] });
}

/** The path of the program, which is unpacked once. */
async function unpacked() {
  const program = join(ROOT, 'target/old-chromium-110.0.1/chromium');
  if (existsSync(program)) return program;
  await mkdir(dirname(program), { recursive: true });
  // Another test may be unpacking it at the same time.
  const part = `${program}-${process.pid}`;
  await pipeline(createReadStream(join(ROOT, 'node_modules/chromium-110/bin/chromium.br')), createBrotliDecompress(), createWriteStream(part));
  await chmod(part, 0o755);
  await rename(part, program);
  return program;
}
