// How the figures come into the documents: benches/figures.mjs.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rewrite } from '../../benches/figures/regions.mjs';
import { number, paragraph, range, table, verdict } from '../../benches/figures/words.mjs';

const DOCUMENT = 'Some <!-- figures: a.size -->1 kB<!-- end --> in a line.\n\n<!-- figures: a.table -->\n<!-- end -->\n\nMore.\n';

describe('figures in a document', () => {
  it('fill their places, in a line and as lines of their own, and again', () => {
    const first = rewrite(DOCUMENT, 'a.md', (name) => `<${name}>`);
    assert.equal(first, 'Some <!-- figures: a.size --><a.size><!-- end --> in a line.\n\n<!-- figures: a.table -->\n<a.table>\n<!-- end -->\n\nMore.\n');
    assert.equal(rewrite(first, 'a.md', (name) => `<${name}>`), first);
  });

  it('must have an end', () => {
    for (const text of ['<!-- figures: a -->', '<!-- figures: a --> <!-- figures: b --><!-- end -->', '<!-- figures: a<!-- end -->']) {
      assert.throws(() => rewrite(text, 'a.md', () => ''), /a\.md: "<!-- figures: a.*has no <!-- end -->/);
    }
  });

  it('say which goals are reached', () => {
    const goals = [{ text: '1 µs', reached: true }, { text: '2 kB', reached: false }, { text: '3 kB', reached: false }];
    assert.equal(verdict(goals), "Our goals of 2 kB and 3 kB aren't reached; that of 1 µs is.");
    assert.equal(verdict(goals.slice(0, 2)), "Our goal of 2 kB isn't reached; that of 1 µs is.");
    assert.equal(verdict(goals.slice(0, 1)), 'Our goal of 1 µs is reached.');
    assert.equal(verdict(goals.slice(1)), "Our goals of 2 kB and 3 kB aren't reached.");
  });

  it('are written as in all documents', () => {
    assert.equal(number(1234.56, 1), '1,234.6');
    assert.equal(range([2.04, 1, 1.5], 1), '1.0 to 2.0');
    assert.equal(range([1.04, 1], 1), '1.0');
    assert.equal(table(['', 'a'], [['b', '1']]), '| | a |\n| --- | --- |\n| b | 1 |');
    assert.ok(paragraph('word '.repeat(100)).split('\n').every((line) => line.length <= 100));
  });
});
