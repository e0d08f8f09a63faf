
export function start(bytes) {
    const module = new WebAssembly.Module(bytes);
    __wbg_finalize_init(new WebAssembly.Instance(module, __wbg_get_imports()), module);
}
