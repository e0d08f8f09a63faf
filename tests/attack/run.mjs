// `npm run attack`: attacks a relay in each known way at full size, one after the other, while two
// honest pages talk. The exit code says whether they felt it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launchBrowser } from '../support/browsers.mjs';
import { deadline } from '../support/deadline.mjs';
import { serveFiles } from '../support/files.mjs';
import { TEST_MOUNTS } from '../support/pages.mjs';
import { MOUNT_ARGS, MOUNTS, relay } from '../support/servers.mjs';
import { ATTACKS } from './attacks.mjs';
import { honestPair, newcomer } from './honest.mjs';

const HELP = `npm run attack -- [OPTION…] [ATTACK…]

Attacks a relay from another address than that of the honest pages, and prints what those lost, how late they heard each other, whether
newcomers got in, and what the relay used. Before, the same attack goes to another relay on this machine: it takes processor time from
the honest pages too, and their relay isn't to blame for that.

  --seconds NUMBER   how long each attack takes (default 20)
  --memory MB        more than this is a failure (default 512, as the relay's)
  --relay ARGUMENT   for the relay's command line; may be given more than once

Attacks: ${Object.keys(ATTACKS).join(', ')}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '20' },
    memory: { type: 'string', default: '512' },
    relay: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
});
const unknown = positionals.find((name) => !Object.hasOwn(ATTACKS, name));
if (values.help || unknown !== undefined) {
  if (unknown !== undefined) console.error(`there is no attack '${unknown}'\n`);
  console.log(HELP);
  process.exit(unknown === undefined ? 0 : 2);
}
const seconds = Number(values.seconds);

/** The address that attackers come from. The honest pages come from 127.0.0.1. */
const ATTACKER = '127.0.0.2';
/** The pair's connections are cut so often, in milliseconds. */
const CUT_EVERY = 4000;

const browser = await launchBrowser();
const files = await serveFiles({ ...MOUNTS, ...TEST_MOUNTS });
let failed = false;
try {
  for (const name of positionals.length > 0 ? positionals : Object.keys(ATTACKS)) {
    const result = await attack(name);
    failed ||= result.complaints.length > 0;
    console.log(report(name, result));
  }
} finally {
  await browser.close();
  await files.close();
}
process.exit(failed ? 1 : 0);

async function attack(name) {
  const args = [...MOUNT_ARGS, ...values.relay];
  const attacked = await relay({ args });
  const pair = await honestPair(browser, files, attacked);
  try {
    const quiet = await pair.talk(5000, CUT_EVERY, pair.cut);
    const beside = await besideAnAttack(name, pair, args);
    const watched = { memory: 0, came: 0, admitted: 0 };
    const attacker = attackOn(name, attacked);
    const watching = watch(attacked, attacker.ended, watched);
    const loud = await pair.talk(seconds * 1000, CUT_EVERY, pair.cut);
    const said = await attacker.said();
    await watching;
    const { memory, came, admitted } = watched;
    const complaints = [];
    const complain = (when, sentence) => when && complaints.push(sentence);
    complain(said === '', 'the attack failed by itself');
    complain(loud.lost > 0, `${loud.lost} messages lost`);
    complain(loud.repeated > 0, `${loud.repeated} messages repeated`);
    complain(loud.reordered > 0, `${loud.reordered} messages out of order`);
    complain(loud.errors.length > 0, `errors: ${[...new Set(loud.errors)].join(', ')}`);
    complain(loud.median > 2 * Math.max(beside.median, 2), 'late');
    complain(memory > Number(values.memory), `more than ${values.memory} MB`);
    complain(admitted < came, 'newcomers kept out');
    complain(pair.disconnected() > 0, `an old page disconnected ${pair.disconnected()} times`);
    return { said, quiet, beside, loud, memory, came, admitted, log: attacked.stderr().length, complaints };
  } finally {
    await pair.close();
    await attacked.close();
  }
}

/** How late the pair is while another relay is attacked. */
async function besideAnAttack(name, pair, args) {
  const other = await relay({ args });
  try {
    const attacker = attackOn(name, other);
    const beside = await pair.talk(seconds * 1000, CUT_EVERY, pair.cut);
    await attacker.said();
    return beside;
  } finally {
    await other.close();
  }
}

/** Begins an attack. */
function attackOn(name, attacked) {
  const attacker = spawn(process.execPath, [fileURLToPath(new URL('attacker.mjs', import.meta.url)), name, attacked.port, ATTACKER, seconds], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  attacker.stdout.setEncoding('utf8').on('data', (text) => (said += text));
  const ended = once(attacker, 'close');
  return {
    ended,
    /** Waits for its end, and gives what it did. */
    async said() {
      // It ends by itself unless it hangs.
      const overdue = setTimeout(() => attacker.kill('SIGKILL'), deadline(20_000));
      await ended;
      clearTimeout(overdue);
      return said.trim();
    },
  };
}

/** Looks at the relay's memory, and sends newcomers, until the attack ends. */
async function watch(attacked, ended, seen) {
  const end = { reached: false };
  ended.then(() => (end.reached = true));
  while (!end.reached) {
    seen.memory = Math.max(seen.memory, residentMegabytes(attacked.pid));
    seen.came += 1;
    if (await newcomer(attacked)) seen.admitted += 1;
    await new Promise((done) => setTimeout(done, 500));
  }
}

/** What a process has in memory, in MB; the kernel's own buffers for its sockets aren't in it. */
function residentMegabytes(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}

function report(name, { said, quiet, beside, loud, memory, came, admitted, log, complaints }) {
  return [
    `${complaints.length > 0 ? '✗' : '✔'} ${name}: ${said}`,
    `    sent ${loud.sent}, lost ${loud.lost}, repeated ${loud.repeated}, out of order ${loud.reordered}`,
    `    late by ${loud.median} ms (median; ${beside.median} while another relay was attacked, ${quiet.median} before), ${loud.worst} at most`,
    `    memory ${memory.toFixed(0)} MB, newcomers ${admitted} of ${came}, log ${(log / 1024).toFixed(0)} kB`,
    ...complaints.map((sentence) => `    → ${sentence}`),
  ].join('\n');
}
