//! How the glue catches what a browser function throws: in place, instead of by way of a function, a closure and an `arguments` object for
//! each call, which takes 0.07 µs, several times for each frame that is delivered. It is smaller too.

use crate::problem::{Outcome, fail};

const CALL: &str = ": function() { return handleError(function (";
const END: &str = "}, arguments); },";
const HANDLER: &str = "function handleError(f, args) {
    try {
        return f.apply(this, args);
    } catch (e) {
";

/// The glue with every `handleError(function (…) {…}, arguments)` as a `try` of its own.
pub fn in_place(glue: &str) -> Outcome<String> {
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
             Look at pkg/signal_wasm.js and put right xtask/src/build/catching.rs."
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
