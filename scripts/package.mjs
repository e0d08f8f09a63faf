// What makes a clone publishable: a dist/ of its own sources, and equal versions.

import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { problem } from './stamp.mjs';
import { version } from './versions.mjs';

/** Builds dist/ if it isn't there or is out of date, which is all that needs Rust. */
function build(root) {
  const why = problem(root);
  if (!why) return;
  const { error, status } = spawnSync(process.env.CARGO ?? 'cargo', ['xtask', 'package'], { cwd: root, stdio: 'inherit' });
  if (error?.code === 'ENOENT') {
    throw new Error(
      `signal-wasm can't be packed or installed from this folder: ${why}, and there is no cargo on PATH to build it; install Rust (https://rustup.rs) and try again, or install the tarball of a release (signal-wasm-<version>.tgz) instead`,
    );
  }
  if (error) throw error;
  if (status !== 0) throw new Error(`signal-wasm can't be packed or installed from this folder: ${why}, and \`cargo xtask package\` failed`);
}

/** Does all of it for the clone `root`. A problem is printed as one sentence, and npm stops. */
export function makeReady(root) {
  try {
    build(root);
    version(root);
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  }
}
