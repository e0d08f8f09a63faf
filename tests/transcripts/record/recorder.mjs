// Writes transcripts: what a real server and a real client say to each other through a tap.

import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { until } from '../../support/deadline.mjs';

/** An envelope of the client that is recorded, and one of another page. */
export const ENVELOPE = {
  sender: 12345,
  channel: 'main',
  message: { type: 'offer', sdp: 'v=0\r\n', accents: 'Grüße, 日本語, 🦀' },
};
export const OTHER = { sender: 54321, channel: 'main', message: 'hello' };
/** The transcripts named on the command line; none: all. */
const wanted = process.argv.slice(2);

/** Records one transcript, of the frames that `converse` gives. */
export async function record(name, about, protocol, options, converse) {
  if (wanted.length && !wanted.includes(name)) return;
  const { frames, ...more } = await converse();
  await writeFile(
    new URL(`../${name}.json`, import.meta.url),
    `${JSON.stringify({ about, protocol, options, ...more }, null, 2).slice(0, -2)},\n  "frames": [\n${frames.map((frame) => `    ${JSON.stringify(frame)}`).join(',\n')}\n  ]\n}\n`,
  );
  console.log(`${name}: ${frames.length} entries`);
}

/** Waits until the server has said something that fits, so many times. */
export const heard = (wire, pattern, times = 1) =>
  until(
    () =>
      wire.entries.filter(({ from, text }) => from === 'server' && pattern.test(text ?? ''))
        .length >= times,
    `${pattern} × ${times}`,
  );

/** The same of the client. */
export const said = (wire, pattern, times = 1) =>
  until(
    () =>
      wire.entries.filter(({ from, text }) => from === 'client' && pattern.test(text ?? ''))
        .length >= times,
    `${pattern} × ${times}`,
  );

/** Waits until the WebSocket is closed. */
export const ended = (wire) =>
  until(() => wire.entries.some(({ close }) => close !== undefined), 'the close');
