// Pages behind a tap, for clients that live in a browser.

import { launchChromium, newContext } from '../../support/chromium.mjs';
import { tap } from '../../support/tap.mjs';

/** A page behind a tap, with these scripts on it and nothing else. */
export async function tappedPage(server, ...scripts) {
  const wire = await tap(server.origin);
  const browser = await launchChromium();
  const context = await newContext(browser);
  const page = await context.newPage();
  await page.goto(`${wire.origin}/test-pages/bare.html`);
  for (const url of scripts) await page.addScriptTag({ url });
  wire.entries.length = 0;
  return {
    page,
    wire,
    /** Ends all, and gives what was said until then, without the page's own files. */
    async finish() {
      const frames = wire.entries.filter(
        ({ request }) => request === undefined || !/ \/(vendor|test)/.test(request),
      );
      await browser.close();
      await wire.close();
      await server.close();
      return { frames };
    },
  };
}
