// One attack, in a process of its own so that it takes no time of those who measure: its name, the
// port, the address to come from, the seconds. It prints what it did.

import { constants, setPriority } from 'node:os';
import process from 'node:process';
import { ATTACKS } from './attacks.mjs';

const [, , name, port, address, seconds] = process.argv;
// An attacker's processor isn't the relay's.
setPriority(constants.priority.PRIORITY_LOW);
const until = Date.now() + Number(seconds) * 1000;
console.log(await ATTACKS[name]({ port: Number(port), address, seconds: Number(seconds), until }));
process.exit(0);
