// What the Rust side of the tests calls. It loads the JavaScript side, one file after the other.
//
// The server of `wasm-pack test` (tiny_http 0.12) counts a thread as idle until the thread has
// woken up. Of two connections that come at once, one may wait for the end of the other, which the
// browser keeps open, and the page is never loaded. So each file is loaded here before another
// imports it.

const FOLDER = '/tests/browser';

/** What the tests share. Each file imports only files above it. */
const SUPPORT = [
  'fake_event_source',
  'fake_fetch',
  'fake_socket',
  'fake_transport',
  'relay',
  'servers',
  'checks',
  'notes',
  'stage',
  'library',
  'connect',
  'page_events',
  'memory',
  'run',
  'rust_stage',
  'index',
];

/** How many files of the tests the browser has asked for. */
function requestCount() {
  const entries = performance.getEntriesByType('resource');
  return entries.filter(({ name }) => new URL(name).pathname.startsWith(FOLDER)).length;
}

/** Imports a file, which must not make the browser ask for others. */
async function load(path) {
  const before = requestCount();
  const module = await import(`${FOLDER}/${path}`);
  if (requestCount() > before + 1) {
    throw new Error(`${path} imports a file that isn't loaded yet; add that to SUPPORT, above it`);
  }
  return module;
}

let loading;

/** Loads what the tests share, once. */
function support() {
  loading ??= (async () => {
    const modules = {};
    for (const name of SUPPORT) {
      modules[name] = await load(`support/${name}.js`);
    }
    return modules;
  })();
  return loading;
}

/** Runs the test that a module of this folder exports under that name. */
export async function run(module, name) {
  const { run } = await support();
  const tests = await load(module);
  if (!Object.hasOwn(tests, name)) throw new Error(`${module} exports no ${name}`);
  await run.runTest(tests[name]);
}

// For tests that are written in Rust.

/** Installs the stand-ins. */
export async function openStage(inRealTime) {
  const { rust_stage } = await support();
  return new rust_stage.RustStage(inRealTime);
}

/** The frames that a socket sent since the last call. */
export function takeFrames(socket) {
  return socket.frames.splice(0);
}

/** See `support/memory.js`. */
export async function collect() {
  const { memory } = await support();
  await memory.collect();
}

/** See `support/memory.js`. */
export async function held() {
  const { memory } = await support();
  return memory.held();
}

/** See `support/memory.js`. */
export async function keptNothing(before, rounds) {
  const { memory } = await support();
  await memory.keptNothing(before, rounds);
}
