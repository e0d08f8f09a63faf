new Proxy({}, {
    get(_, name) {
        const called = name === 'Signaling' ? 'new Signaling' : name;
        throw Object.assign(
            new Error(`${called} was called before signal-wasm was initialised: \`await init()\` first, or import 'signal-wasm/inline', which needs no init`),
            { name: 'SignalingError', code: 'not-initialised' },
        );
    },
})
