// nginx in front of a server, with a configuration that a test makes up.

import { missingProxy, proxy } from './proxies.mjs';

/** What a `location` needs to hand WebSockets on to the server at that loopback port. */
export const handOn = (port) => `
      proxy_pass http://127.0.0.1:${port};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $http_host;`;

/** Why there can be none here, or `false`: for the option `skip` of tests. */
export const missingNginx = () => missingProxy('nginx');

/**
 * Starts one. `server` is what its one `server` block holds besides `listen`.
 *
 * @param {string} server
 */
export function nginx(server) {
  return proxy('nginx', (port) => `  server {\n    listen 127.0.0.1:${port};\n${server}\n  }`);
}
