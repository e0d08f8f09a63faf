// The relay of the release, as an operator unpacks it.

import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, run } from './consumer.mjs';

const ARCHIVE = /^signal-relay-.*\.tar\.gz$/;

/**
 * Copies what is downloaded, the archive and the checksums, into a folder of its own, and gives that
 * folder and the archive's name. `remove()` deletes it.
 */
export async function download() {
  const release = join(ROOT, 'release');
  if (!existsSync(release)) throw new Error('there is no release/; run: cargo xtask release');
  const archive = (await readdir(release)).find((name) => ARCHIVE.test(name));
  if (!archive) throw new Error('there is no signal-relay-*.tar.gz in release/; run: cargo xtask release');
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'signal-relay-release-')));
  for (const name of [archive, 'SHA256SUMS']) await cp(join(release, name), join(folder, name));
  return { folder, archive, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** The same, unpacked: `unpacked` is the one folder of the archive. */
export async function unpack() {
  const downloaded = await download();
  const { folder, archive } = downloaded;
  await run('sha256sum', ['--check', '--ignore-missing', '--quiet', 'SHA256SUMS'], { cwd: folder });
  await run('tar', ['-xzf', archive], { cwd: folder });
  return { ...downloaded, unpacked: join(folder, archive.replace('.tar.gz', '')) };
}
