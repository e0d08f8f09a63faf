// What every page of the package tests does with the package: open a channel of the server in its address, hear and say.
// Runs as a module and as a classic script alike, and leaves all that the test looks at on `window.page`.

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
  globalThis.evalAllowed = new Function('return true')();
} catch {
  globalThis.evalAllowed = false;
}
