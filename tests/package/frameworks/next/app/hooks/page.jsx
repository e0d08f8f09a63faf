'use client';

import { useEffect } from 'react';
import { useChannel, useSignaling } from 'signal-wasm/react';

const page = { ready: false, heard: [], errors: [] };

export default function Page() {
  const url = typeof location === 'undefined' ? undefined : new URLSearchParams(location.search).get('server');
  const signaling = useSignaling({ url, openWhen: 'connected' });
  const send = useChannel(signaling, 'package-test', (message) => page.heard.push(message));
  useEffect(() => {
    if (!signaling) return;
    Object.assign(page, { signaling, handle: { send } });
    globalThis.page = page;
    signaling.connected.then(() => (page.ready = true));
  }, [signaling, send]);
  return <p>{typeof useSignaling}</p>;
}
