// What a test checks with. A test fails if it throws, if it checks nothing, or if an exception was
// reported (`reportError`, `window.onerror`, an unhandled rejection) that it didn't ask for.

let checks = 0;
/** @type {any[]} */
let reports = [];

addEventListener('error', (event) => {
  reports.push(event.error);
  event.preventDefault();
});
addEventListener('unhandledrejection', (event) => {
  reports.push(event.reason);
  event.preventDefault();
});

/**
 * The value as one of any type, for a test of what the types forbid.
 *
 * @param {any} value
 * @returns {any}
 */
export const untyped = (value) => value;

/** Forgets the checks and reports of the test before. */
export function beginChecks() {
  checks = 0;
  reports = [];
}

/** Fails if an exception was reported that the test didn't ask for. */
export function nothingReported() {
  const left = reported();
  if (left.length > 0) {
    throw new Error(`reported, but not asked for: ${left.map((error) => `${show(error)} ${error?.stack}`).join('; ')}`);
  }
}

/** Fails if nothing was checked since `beginChecks`. */
export function somethingChecked() {
  if (checks === 0) {
    throw new Error('the test checked nothing');
  }
}

/**
 * The exceptions that were reported since the last call.
 *
 * @returns {any[]}
 */
export function reported() {
  return reports.splice(0);
}

/**
 * A value as a failed check prints it.
 *
 * @param {unknown} value
 */
export function show(value) {
  const seen = new Set();
  const replace = (/** @type {string} */ _, /** @type {any} */ part) => {
    if (typeof part === 'object' && part !== null) {
      if (seen.has(part)) return '[again]';
      seen.add(part);
    }
    if (part instanceof Error) return `${part.name} ${codeOf(part)}: ${part.message}`;
    const hasNoJson = ['undefined', 'function', 'bigint', 'symbol'].includes(typeof part);
    return hasNoJson || Number.isNaN(part) ? `[${String(part).slice(0, 80)}]` : part;
  };
  return JSON.stringify(value, replace)?.slice(0, 2000);
}

/**
 * The `code` that our errors have.
 *
 * @param {Error} error
 * @returns {unknown}
 */
function codeOf(error) {
  return 'code' in error ? error.code : undefined;
}

/**
 * @param {any} left
 * @param {any} right
 * @returns {boolean}
 */
function same(left, right) {
  if (Object.is(left, right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object') return false;
  if (left === null || right === null) return false;
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  const keys = Reflect.ownKeys(left);
  return (
    keys.length === Reflect.ownKeys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && same(left[key], right[key]))
  );
}

/**
 * Deep equality, prototypes included.
 *
 * @param {unknown} actual
 * @param {unknown} expected
 * @param {any} what
 */
export function equal(actual, expected, what = 'value') {
  checks += 1;
  if (!same(actual, expected)) {
    throw new Error(`${what}:\n  is       ${show(actual)}\n  expected ${show(expected)}`);
  }
}

/**
 * Checks that something holds, which `what` says in words.
 *
 * @param {unknown} value
 * @param {any} what
 * @returns {asserts value}
 */
export function ok(value, what) {
  checks += 1;
  if (!value) {
    throw new Error(`not so: ${what}`);
  }
}

const TYPE_ERRORS = [
  'bad-config',
  'bad-option',
  'unknown-option',
  'bad-url',
  'no-channel',
  'bad-message',
];

/**
 * Checks that an error is one of ours, and that its sentence holds each of `says`.
 *
 * @param {any} error
 * @param {string} code
 * @param {...any} says
 */
export function isOurs(error, code, ...says) {
  checks += 1;
  const wrongArgument = TYPE_ERRORS.includes(code);
  const name = wrongArgument ? 'TypeError' : 'SignalingError';
  const fits =
    error instanceof Error &&
    codeOf(error) === code &&
    error.name === name &&
    error instanceof TypeError === wrongArgument;
  if (!fits) {
    throw new Error(`expected a ${name} ${code}, got ${show(error)}`);
  }
  for (const part of says) {
    if (!error.message.includes(part)) {
      throw new Error(`the sentence should hold ${show(part)}: ${error.message}`);
    }
  }
  return error;
}

/**
 * Checks that `call` throws an error of ours; see `isOurs`.
 *
 * @param {() => unknown} call
 * @param {string} code
 * @param {...any} says
 */
export function refused(call, code, ...says) {
  return isOurs(thrownBy(call), code, ...says);
}

/**
 * What `call` throws.
 *
 * @param {() => unknown} call
 * @returns {any}
 */
export function thrownBy(call) {
  let result;
  try {
    result = call();
  } catch (thrown) {
    return thrown;
  }
  throw new Error(`nothing was thrown by ${call}, but ${show(result)} returned`);
}

/**
 * How the browser says that JSON can't hold a value. Each browser has other words, and Chromium adds
 * lines.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function jsonError(value) {
  return thrownBy(() => JSON.stringify(value)).message.split('\n')[0];
}
