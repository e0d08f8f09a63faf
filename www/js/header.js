// The top bar of every page: links to the pages, and the state pill. A classic script at the bar's
// place in the page, so that the bar is there before the first paint.

(() => {
  const pages = { './': 'Demo', 'datachannel.html': 'DataChannel.js', 'rtcmulticonnection.html': 'RTCMultiConnection', 'bring-your-own.html': 'Bring your own' };
  const here = location.pathname.split('/').at(-1).replace(/^(index\.html)?$/, './');
  const links = Object.entries(pages).map(([page, name]) => `<a data-keep-room href="${page}"${page === here ? ' aria-current="page"' : ''}>${name}</a>`);

  document.currentScript.insertAdjacentHTML(
    'beforebegin',
    `<header class="top">
      <a class="brand" data-keep-room href="./"><img src="icon.svg" alt="" width="28" height="28"><span>signal-wasm</span></a>
      <button class="button small menu" id="menu" type="button" aria-expanded="false" aria-controls="pages">Pages</button>
      <nav id="pages" aria-label="Pages">${links.join('')}</nav>
      <div class="state" id="state" data-state="idle">
        <span class="state-dot" aria-hidden="true"></span>
        <span class="state-text"><span id="state-word" role="status">Starting</span><span class="state-more" id="state-protocol"></span><span class="state-more" id="state-more"></span></span>
      </div>
      <button class="button small" id="reconnect" type="button" hidden>Reconnect now</button>
    </header>`,
  );

  const menu = document.getElementById('menu');
  menu.addEventListener('click', () => {
    menu.ariaExpanded = String(menu.ariaExpanded !== 'true');
  });
})();
