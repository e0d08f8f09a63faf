
let loading;

export function initSync({ module }) {
    if (wasmInstance === undefined) {
        if (!(module instanceof WebAssembly.Module)) module = new WebAssembly.Module(module);
        __wbg_finalize_init(new WebAssembly.Instance(module, __wbg_get_imports()), module);
    }
}

export default async function init(options) {
    // Two calls at once share one loading; after a failure the next call tries again.
    loading ??= load(options);
    try {
        await loading;
    } finally {
        loading = undefined;
    }
}

async function load(options) {
    if (wasmInstance !== undefined) return;
    // wasm-bindgen's older form, `init(url)`, is what many a bundler's handbook shows.
    const named = options && Object.getPrototypeOf(options) === Object.prototype ? options.module_or_path : options;
    let source = await (named ?? new URL('signal_wasm_bg.wasm', import.meta.url));
    if (!(source instanceof WebAssembly.Module || Object(source).byteLength >= 0)) {
        const answer = source instanceof Response ? source : await fetch(source).catch((error) => error);
        if (!answer.ok) {
            const said = answer.status ? `answered with ${answer.status}` : answer;
            throw new Error(`init: no module at ${answer.url ?? source.url ?? source} (${said}); put signal_wasm_bg.wasm there, or name its place: await init({ module_or_path: url })`);
        }
        // Compiled while it comes in, which only the right type allows.
        const streams = answer.headers.get('content-type') === 'application/wasm';
        source = streams ? await WebAssembly.compileStreaming(answer) : await answer.arrayBuffer();
    }
    const made = await WebAssembly.instantiate(source, __wbg_get_imports());
    // An `initSync` may have come before.
    if (wasmInstance === undefined) __wbg_finalize_init(made.instance ?? made, made.module);
}
