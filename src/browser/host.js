// What Rust can't express in JavaScript. Imported by src/browser/js.rs.

/**
 * A function that passes its own `this` to `f`. (The closures of wasm-bindgen are arrow functions,
 * which have no `this` of their own.)
 */
export function withThis(f) {
  return function (config) {
    return f(this, config);
  };
}

/**
 * `JSON.parse`, or `undefined` for a text that isn't JSON. (An exception in an import of Rust leaks
 * a slot of the externref table.)
 */
export function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
