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
 * Whether a text has a line break before its last character. (js-sys would copy the line break into
 * JavaScript for each text.)
 */
export function hasInnerLineBreak(text) {
  const place = text.indexOf('\n');
  return place >= 0 && place < text.length - 1;
}

/**
 * The text in an `ArrayBuffer` or a view of one, or `undefined` if that isn't UTF-8. No text of a
 * protocol has the character U+0000, but most binary data has.
 */
export function readUtf8(bytes) {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
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

/** How many bytes a string has as UTF-8. (TextEncoder would copy it.) */
export function utf8Length(text) {
  let bytes = text.length;
  for (let place = 0; place < text.length; place += 1) {
    const unit = text.charCodeAt(place);
    if (unit >= 0x80) bytes += 1;
    // The halves of a surrogate pair have two bytes each.
    if (unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff)) bytes += 1;
  }
  return bytes;
}

/**
 * Reports an exception like an uncaught one; on the console where there is no `reportError`, as in
 * Node and Safari before 15.4. A page may have replaced both by functions that throw.
 */
export function report(error) {
  try {
    reportError(error);
  } catch {
    try {
      console.error(error);
    } catch {
      // There is nowhere left to report it.
    }
  }
}

/** Calls `f`, and reports what it throws. */
export function contain(f) {
  try {
    f();
  } catch (error) {
    report(error);
  }
}

/** `performance.now()`; not a number where there is none, or a page's replacement throws. */
export function now(performance) {
  try {
    return performance.now();
  } catch {
    return NaN;
  }
}

/** Tells of each type of event that is listened to from now on. */
export function watchListeners(target, tell) {
  const { addEventListener } = target;
  // The package's signalings are event targets. Those of this module alone are plain objects.
  if (!addEventListener) return;
  target.addEventListener = (type, ...rest) => {
    tell(`${type}`);
    addEventListener.call(target, type, ...rest);
  };
}

/** Calls the listeners of an event. The browser reports what they throw. */
export function dispatch(target, type, members) {
  try {
    target?.dispatchEvent?.(Object.assign(new Event(type), members));
  } catch (error) {
    report(error);
  }
}
