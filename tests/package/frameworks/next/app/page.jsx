'use client';

import { useEffect } from 'react';
import init, * as api from 'signal-wasm';
import '../talk.js';

export default function Page() {
  useEffect(() => {
    init().then(() => globalThis.talk(api));
  }, []);
  return <p>{typeof api.Signaling}</p>;
}
