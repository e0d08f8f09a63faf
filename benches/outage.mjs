// npm run bench -- outage: how pages come back after an outage of all relays, simulated in virtual
// time by benches/outage. The figures are the same on every machine.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const { values: options } = parseArgs({ options: { json: { type: 'string' } } });

/** With TLS at the relay, and processors enough to do it. */
const TLS = ['--pages', '100000', '--relays', '1', '--outage', '5', '--tls', '--processors', '16', '--cost', '400'];

/** What is simulated: a list of outages each. */
const SCENARIOS = {
  refused: ['--cost', '100', '--outage', '5,60', '--relays', '1,3,10'],
  long: ['--cost', '100', '--outage', '600', '--relays', '10'],
  costly: ['--cost', '250', '--outage', '60', '--relays', '1,3,10'],
  silent: ['--silent', '--pages', '20000', '--relays', '3', '--outage', '60', '--cost', '100'],
  tls: TLS,
  tlsWithRoom: [...TLS, '--http-connections', '10000'],
};

const folder = await mkdtemp(join(tmpdir(), 'signal-wasm-outage-'));
try {
  const scenarios = {};
  for (const [name, words] of Object.entries(SCENARIOS)) {
    const json = join(folder, `${name}.json`);
    const { stdout } = await run(process.env.OUTAGE, [...words, '--json', json]);
    console.log(`${words.join(' ')}\n\n${stdout}`);
    scenarios[name] = { options: words.join(' '), ...JSON.parse(await readFile(json, 'utf8')) };
  }
  if (options.json) await writeFile(options.json, `${JSON.stringify({ scenarios }, undefined, 2)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
