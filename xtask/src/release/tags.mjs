// Prints the tags of classic scripts, with their integrity hashes:
//
//     node tags.mjs <version> <file>…

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import process from 'node:process';

const [version, ...paths] = process.argv.slice(2);

console.log(`<!-- The classic scripts of signal-wasm ${version}. Put those that the page needs on a server of
     yours, and copy their tags with the addresses there. A browser refuses a file with another hash.
     global-transports.js comes after global.js; global-rtcmulticonnection.js needs neither. -->`);
for (const path of paths) {
  const hash = createHash('sha384').update(readFileSync(path)).digest('base64');
  console.log(`<script src="${basename(path)}" integrity="sha384-${hash}" crossorigin="anonymous"></script>`);
}
