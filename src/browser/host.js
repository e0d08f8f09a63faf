// What Rust can't say in JavaScript. Imported by src/browser/js.rs.

/** A function that passes its own `this` to `f`. (The closures of wasm-bindgen are arrow functions, which have none.) */
export function withThis(f) {
  return function (config) {
    return f(this, config);
  };
}

/** `JSON.parse`, or `undefined` for what isn't JSON. (An exception on its way into Rust costs a slot of WebAssembly's table for ever.) */
export function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
