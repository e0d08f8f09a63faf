//! What the glue does for each frame, without the detours: an exception is caught in place, instead of by way of a function, a closure and an
//! `arguments` object for each call, which takes 0.07 µs, several times a frame; and a closure is called with its arguments, instead of
//! with an array of them that is made and spread again. It is smaller too.

use crate::problem::{Outcome, fail};

const CALL: &str = ": function() { return handleError(function (";
const END: &str = "}, arguments); },";
const HANDLER: &str = "function handleError(f, args) {
    try {
        return f.apply(this, args);
    } catch (e) {
";

/// Each is found once. Closures have no more than five arguments, and aren't counted while they run: all of ours belong to the garbage
/// collector, which waits for the end of the task. The head of a frame is copied out of the frame itself, not out of a slice
/// that is made for it, whose characters take longer to reach; a slice into wasm always starts at 0 (see `Text::copy` in src/browser/js.rs).
const SHORTCUTS: [(&str, &str); 7] = [
    (
        "const real = (...args) => {",
        "const real = (a, b, c, d, e) => {",
    ),
    (
        "        state.cnt++;\n        try {\n            return f(state.a, state.b, ...args);\n        } finally {\n            real._wbg_cb_unref();\n        }\n",
        "        return f(state.a, state.b, a, b, c, d, e);\n",
    ),
    (
        "function passStringToWasm0(arg, malloc, realloc) {",
        "function passStringToWasm0(arg, malloc, realloc, len = arg.length) {",
    ),
    ("    let len = arg.length;\n", ""),
    (
        "if (offset !== 0) {\n            arg = arg.slice(offset);\n        }",
        "arg = arg.slice(offset, len);",
    ),
    (
        "cachedUint8ArrayMemory0 = new Uint8Array(",
        "cachedDataViewMemory0 = null;\n        cachedUint8ArrayMemory0 = new Uint8Array(",
    ),
    (
        "const ret = arg1.slice(arg2 >>> 0, arg3 >>> 0);\n            const ptr1 = passStringToWasm0(ret, ",
        "const end = Math.min(arg1.length, arg3 >>> 0);\n            const ptr1 = passHeadToWasm0(arg1, end, ",
    ),
];

/// What none of the browsers that entries.rs names needs (they have `FinalizationRegistry` and `encodeInto`), and what no closure of ours does
/// (the garbage collector has them all): from where to where, and what stands there instead.
const NEEDLESS: [[&str; 3]; 4] = [
    [
        "(typeof FinalizationRegistry === 'undefined')\n",
        "    : new FinalizationRegistry(",
        "new FinalizationRegistry(",
    ],
    [
        "    real._wbg_cb_unref = () => {\n",
        "(real, state, state);\n",
        "    CLOSURE_DTORS.register(real, state);\n",
    ],
    [
        "    if (realloc === undefined) {\n",
        "        return ptr;\n    }\n",
        "",
    ],
    [
        "if (!('encodeInto' in cachedTextEncoder)) {\n",
        "        };\n    };\n}\n",
        "",
    ],
];

/// Whether the memory has grown is asked of the bytes, whose length is then 0, and not of the view's buffer, which takes as long as copying the
/// head: the bytes being made anew, the view is too (see [`SHORTCUTS`]).
const VIEW: [&str; 3] = [
    "if (cachedDataViewMemory0 === null || cachedDataViewMemory0.buffer.detached",
    ".buffer)) {\n",
    "if (getUint8ArrayMemory0() && cachedDataViewMemory0 === null) {\n",
];

/// `passStringToWasm0` with its arguments in the order in which the change above leaves them.
const PASS_HEAD: &str = "function passHeadToWasm0(arg, len, malloc, realloc) { return passStringToWasm0(arg, malloc, realloc, len); }\n";

/// The glue without the detours.
pub fn straightened(glue: &str) -> Outcome<String> {
    let mut glue = in_place(glue)?;
    for (from, to) in SHORTCUTS {
        if glue.matches(from).count() != 1 {
            fail!(
                "wasm-bindgen's glue has no `{from}`, or several; look at pkg/signal_wasm.js and put right xtask/src/build/hot_path.rs"
            );
        }
        glue = glue.replace(from, to);
    }
    for part in NEEDLESS {
        glue = without(&glue, part)?;
    }
    Ok(format!("{PASS_HEAD}{}", without(&glue, VIEW)?))
}

/// The glue with `to` in the place of what begins with `begin` and ends with `end`.
fn without(glue: &str, [begin, end, to]: [&str; 3]) -> Outcome<String> {
    let around = glue
        .split_once(begin)
        .and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    match around {
        Some((before, after)) if !after.contains(begin) => Ok(format!("{before}{to}{after}")),
        _ => fail!(
            "wasm-bindgen's glue has no `{begin}`, or several; look at pkg/signal_wasm.js and put right xtask/src/build/hot_path.rs"
        ),
    }
}

/// The glue with every `handleError(function (…) {…}, arguments)` as a `try` of its own.
fn in_place(glue: &str) -> Outcome<String> {
    let (mut begun, mut ended) = (0, 0);
    let mut changed = String::new();
    for line in glue.lines() {
        if let Some((name, parameters)) = line.split_once(CALL) {
            begun += 1;
            changed += &format!("{name}: function({parameters} try {{\n");
        } else if line.trim() == END {
            ended += 1;
            changed += "} catch (e) { handleError(e); } },\n";
        } else {
            changed += line;
            changed.push('\n');
        }
    }
    if begun == 0 || begun != ended || changed.matches(HANDLER).count() != 1 {
        fail!(
            "wasm-bindgen's glue catches exceptions in a new way: `{CALL}` is there {begun} times, `{END}` {ended} times.\n\
             Look at pkg/signal_wasm.js and put right xtask/src/build/hot_path.rs."
        );
    }
    Ok(changed.replace(HANDLER, "function handleError(e) {\n    {\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLUE: &str = "\
        __wbg_parse: function() { return handleError(function (arg0) {
            const ret = JSON.parse(arg0);
            return ret;
        }, arguments); },
function handleError(f, args) {
    try {
        return f.apply(this, args);
    } catch (e) {
        const idx = addToExternrefTable0(e);
        wasm.__wbindgen_exn_store(idx);
    }
}
";

    #[test]
    fn each_call_gets_its_own_try() {
        let changed = in_place(GLUE).unwrap();
        assert!(
            changed.contains("__wbg_parse: function(arg0) { try {\n"),
            "{changed}"
        );
        assert!(
            changed.contains("} catch (e) { handleError(e); } },\nfunction handleError(e) {"),
            "{changed}"
        );
        assert!(!changed.contains("arguments"));
    }

    #[test]
    fn unknown_glue_is_refused() {
        for without in [CALL, END, "f.apply"] {
            assert!(in_place(&GLUE.replace(without, "?")).is_err(), "{without}");
        }
    }
}
