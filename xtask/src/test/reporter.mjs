// A reporter for node --test that counts the tests of each file: a line with the file, and how many
// passed, failed and were skipped, separated by tabs.
//
// Node counts a file without tests as one test that passed. Here it counts as none.

export default async function* count(events) {
  const files = new Map();
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // The tests in a suite are counted by themselves, except when it is skipped as a whole.
    if (data.details?.type === 'suite' && data.skip === undefined) continue;
    const file = data.file ?? data.name;
    if (!files.has(file)) files.set(file, [0, 0, 0]);
    const counts = files.get(file);
    const isFileItself = data.nesting === 0 && file.endsWith(data.name.replaceAll('\\', '/').split('/').at(-1)) && /\.test\.mjs$/.test(data.name);
    if (type === 'test:fail' && data.todo === undefined) counts[1] += 1;
    else if (isFileItself) continue;
    else if (data.skip !== undefined || data.todo !== undefined) counts[2] += 1;
    else counts[0] += 1;
  }
  for (const [file, counts] of files) yield `${[file, ...counts].join('\t')}\n`;
}
