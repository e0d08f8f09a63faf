//! The few changes that we make to the JavaScript which wasm-bindgen generates.
//!
//! Each is checked: it says what it expects to find and how often, so that a wasm-bindgen that writes something else
//! fails the build with a sentence instead of shipping glue without the change.

use std::collections::BTreeMap;

use crate::build::freshness::Hash;
use crate::problem::{Outcome, fail};

/// Throws for whatever is asked of it; stands in for the module's exports until there are any.
const NOT_INITIALISED: &str = include_str!("not_initialised.js");

/// Our own `init` and `initSync`, for the entry `.`.
const INIT: &str = include_str!("init.js");

/// How the other entries start the module that they hold.
const START: &str = include_str!("start.js");

/// The hash of wasm-bindgen 0.2.130's loader.
const LOADER: &str = "c590e87ff0e74cf0";

/// The export that pages call with `new`.
const CLASS: &str = "Signaling";

/// The generated glue in the two shapes that the entries need.
#[derive(Debug)]
pub struct Glue {
    /// For the entry `.`: exports `init` and `initSync`, and throws a worded error when a function is called before.
    pub module: String,
    /// For the entries that hold the module: exports `start`.
    pub ready: String,
    /// The names of the public functions, sorted.
    pub names: Vec<String>,
}

impl Glue {
    /// Makes both shapes from the glue, in which the module's exports may have got other names: `names` has the new with the old.
    pub fn of(glue: &str, names: &BTreeMap<String, String>) -> Outcome<Self> {
        let called: Vec<String> = names
            .iter()
            .map(|(new, old)| format!("{new}: '{}{old}'", if old == CLASS { "new " } else { "" }))
            .collect();
        let not_initialised = NOT_INITIALISED
            .trim()
            .replace("NAMES", &format!("{{ {} }}", called.join(", ")));
        let mut names: Vec<String> = names.values().cloned().collect();
        names.sort();
        // All names are made short, but this one people see in the console.
        if !names.iter().any(|name| name == CLASS) {
            fail!("wasm-bindgen's glue exports no {CLASS}; look at pkg/signal_wasm.js");
        }
        let named = format!("\nObject.defineProperty({CLASS}, 'name', {{ value: '{CLASS}' }});\n");
        let body = &with_prototype(without_loader(glue)?)?;
        let module = change(
            body,
            "a call before `init` gets a sentence instead of `undefined is not an object`",
            "let wasmModule, wasmInstance, wasm;",
            &format!("let wasmModule, wasmInstance, wasm = {not_initialised};"),
        )?;
        Ok(Glue {
            module: format!("{module}{named}{INIT}"),
            ready: format!("{body}{named}{START}"),
            names,
        })
    }
}

/// What `configure` returns is a `Signaling` to `instanceof` too: the module makes it, and has no way to the constructor's prototype.
fn with_prototype(glue: &str) -> Outcome<String> {
    const CONFIGURE: &str = "export function configure(options) {\n";
    const RETURN: &str = "return takeFromExternrefTable0(ret[0]);";
    let parts = glue
        .split_once(CONFIGURE)
        .and_then(|(before, rest)| Some((before, rest.split_once(RETURN)?)));
    let Some((before, (begin, after))) = parts else {
        fail!(
            "wasm-bindgen's glue has no `configure` that ends in `{RETURN}`; look at pkg/signal_wasm.js"
        );
    };
    Ok(format!(
        "{before}{CONFIGURE}{begin}return Object.setPrototypeOf(takeFromExternrefTable0(ret[0]), {CLASS}.prototype);{after}"
    ))
}

/// The glue up to wasm-bindgen's own `init` and `initSync`, which ours replace: smaller, and with a sentence for a module that isn't there.
fn without_loader(glue: &str) -> Outcome<&str> {
    const BEGIN: &str = "async function __wbg_load(module, imports) {\n";
    let Some((body, loader)) = glue.split_once(BEGIN) else {
        fail!(
            "wasm-bindgen's glue has no `{}`; look at pkg/signal_wasm.js and put right xtask/src/build/glue.rs",
            BEGIN.trim()
        );
    };
    // What is thrown away is known to the letter, so that a new wasm-bindgen's loader is looked at by somebody.
    let mut hash = Hash::new();
    hash.add(loader.trim_end().as_bytes());
    if hash.text() != LOADER {
        fail!(
            "wasm-bindgen's `init` is no longer the one that xtask/src/build/init.js replaces. Compare the two, take over what matters, \
             and set LOADER in xtask/src/build/glue.rs to {:?}",
            hash.text()
        );
    }
    Ok(body)
}

/// Replaces `from` by `to`, where `from` must be found exactly once.
fn change(text: &str, why: &str, from: &str, to: &str) -> Outcome<String> {
    let found = text.matches(from).count();
    if found != 1 {
        fail!(
            "wasm-bindgen's glue holds `{from}` {found} times, expected once. The build changes it because {why}.\n\
             Look at pkg/signal_wasm.js and put right xtask/src/build/glue.rs."
        );
    }
    Ok(text.replace(from, to))
}

/// What the generated glue exports, without `init` and `initSync`, sorted.
pub fn exported(generated: &str) -> Outcome<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for line in generated.lines() {
        let Some(declared) = line.strip_prefix("export ") else {
            continue;
        };
        if declared == "{ initSync, __wbg_init as default };" {
            continue;
        }
        let name = declared
            .strip_prefix("function ")
            .or_else(|| declared.strip_prefix("class "))
            .and_then(|rest| {
                rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                    .next()
            });
        match name {
            Some(name) if !name.is_empty() => names.push(name.to_string()),
            _ => fail!(
                "wasm-bindgen's glue exports `{declared}`, which xtask/src/build/glue.rs can't read"
            ),
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENERATED: &str = "\
export function Signaling(_this) {
}
export function openSocket(_this) {
}
export function configure(options) {
    return takeFromExternrefTable0(ret[0]);
}
let wasmModule, wasmInstance, wasm;
function __wbg_finalize_init(instance, module) {
}

async function __wbg_load(module, imports) {
}
export { initSync, __wbg_init as default };
";

    fn names() -> BTreeMap<String, String> {
        [("a", "Signaling"), ("b", "openSocket")]
            .map(|(new, old)| (new.to_string(), old.to_string()))
            .into()
    }

    #[test]
    fn another_loader_is_refused() {
        let problem = Glue::of(GENERATED, &names()).unwrap_err();
        assert!(problem.to_string().contains("set LOADER"), "{problem}");
        assert!(without_loader("let wasm;\n").is_err());
    }

    #[test]
    fn a_change_that_finds_nothing_is_refused() {
        assert_eq!(change("a b", "c", "b", "d").unwrap(), "a d");
        let problem = change("a b b", "it is a test", "b", "c").unwrap_err();
        assert!(
            problem.to_string().contains("2 times, expected once"),
            "{problem}"
        );
        assert!(change("a b", "it is a test", "c", "d").is_err());
    }

    #[test]
    fn unknown_exports_are_refused() {
        let problem =
            exported(&GENERATED.replace("export function openSocket", "export const openSocket"))
                .unwrap_err();
        assert!(
            problem.to_string().contains("`const openSocket(_this) {`"),
            "{problem}"
        );
    }

    #[test]
    fn exports_are_found() {
        assert_eq!(
            exported(GENERATED).unwrap(),
            ["Signaling", "configure", "openSocket"]
        );
    }
}
