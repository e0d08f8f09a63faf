// The plot of the demo's connection.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium } from '../support/chromium.mjs';
import { TIMEOUT } from '../support/deadline.mjs';
import { DESKTOP } from '../support/demo-pages.mjs';
import { openPage, SERVERS } from '../support/pages.mjs';

test('a value far above the others doesn’t press the plot flat', TIMEOUT, async () => {
  const browser = await launchChromium();
  const server = await SERVERS['our relay']();
  const page = await openPage(browser, server.origin, DESKTOP);
  try {
    const draw = (values) =>
      page.evaluate(async (values) => {
        const { plot } = await import('/js/plot.js');
        const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
        document.querySelector('.plot').prepend(svg);
        const picture = plot(svg);
        picture.connected(true);
        values.forEach(picture.roundTrip);
        picture.draw();
        const drawn = {
          top: svg.querySelector('text').parentNode.querySelectorAll('text')[2].textContent,
          heights: [...svg.querySelectorAll('circle.plot-trip')].map((point) => Number(point.getAttribute('cy'))),
          beyond: [...svg.querySelectorAll('.plot-beyond')].map((point) => point.textContent),
          words: [...svg.querySelectorAll('text')].map((text) => text.textContent),
        };
        svg.remove();
        return drawn;
      }, values);
    const values = [12, 18, 11, 19, 14, 10, 16, 13, 17, 15, 20, 12];
    const usual = await draw(values);
    assert.deepEqual(usual.beyond, []);
    assert.equal(usual.top, '20 ms');
    const withOne = await draw([...values.slice(0, 6), 4800, ...values.slice(6)]);
    // The others are where they were, and the one is named at the top.
    assert.deepEqual(withOne.heights, usual.heights);
    assert.deepEqual(withOne.beyond, ['4800.0 ms']);
    assert.ok(withOne.words.includes('4,800 ms'));
    // What is slow for a while is no outlier.
    const slow = await draw([...values, 900, 950, 980]);
    assert.deepEqual(slow.beyond, []);
    assert.equal(slow.top, '1k ms');
  } finally {
    await browser.close();
    await server.close();
  }
});
