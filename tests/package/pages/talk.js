// What every page of the package tests does: open a channel on the server that its address names.
// It runs as a module and as a classic script, and what the test reads is on `window.page`.

globalThis.talk = function (api, more) {
  const server = new URLSearchParams(location.search).get('server');
  const signaling = api.configure({ ...(more ?? { url: server }), openWhen: 'connected' });
  const page = { ready: false, heard: [], errors: [], signaling };
  signaling.onerror = (error) => page.errors.push(`${error.code}: ${error.message}`);
  page.handle = api.openSocket({
    channel: 'package-test',
    onmessage: (message) => page.heard.push(message),
    onopen: () => {
      page.ready = true;
    },
  });
  globalThis.page = page;
};

// The proof that a policy is in force: only `unsafe-eval` would let this through.
try {
  // eslint-disable-next-line no-new-func -- see above
  globalThis.evalAllowed = new Function('return true')();
} catch {
  globalThis.evalAllowed = false;
}
