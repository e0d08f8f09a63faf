new Proxy({}, {
    get(_, name) {
        throw Object.assign(
            new Error(`${NAMES[name]} was called before signal-wasm was initialised: \`await init()\` first, or import 'signal-wasm/inline', which needs no init`),
            { name: 'SignalingError', code: 'not-initialised' },
        );
    },
})
