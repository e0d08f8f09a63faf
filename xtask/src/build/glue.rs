//! The few changes that we make to the JavaScript which wasm-bindgen generates.
//!
//! Each is checked: it says what it expects to find and how often, so that a wasm-bindgen that writes something else
//! fails the build with a sentence instead of shipping glue without the change.

use std::collections::BTreeMap;

use crate::problem::{Outcome, fail};

/// Throws for whatever is asked of it; stands in for the module's exports until there are any.
const NOT_INITIALISED: &str = include_str!("not_initialised.js");

/// The export that pages call with `new`.
const CLASS: &str = "Signaling";

/// The generated glue in the two shapes that the entries need.
#[derive(Debug)]
pub struct Glue {
    /// For the entry `.`: throws a worded error when a function is called before `init`.
    pub module: String,
    /// For the entries that initialise themselves.
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
        let mut ready = glue.to_string();
        if names.iter().any(|name| name == CLASS) {
            // All names are made short, but this one people see in the console.
            ready +=
                &format!("\nObject.defineProperty({CLASS}, 'name', {{ value: '{CLASS}' }});\n");
        } else {
            fail!("wasm-bindgen's glue exports no {CLASS}; look at pkg/signal_wasm.js");
        }
        let module = change(
            &ready,
            "a call before `init` gets a sentence instead of `undefined is not an object`",
            1,
            "let wasmModule, wasmInstance, wasm;",
            &format!("let wasmModule, wasmInstance, wasm = {not_initialised};"),
        )?;
        let module = change(
            &module,
            "with `wasm` never undefined, only the instance tells whether there was an `init` (twice: `init` and `initSync`)",
            2,
            "if (wasm !== undefined) return wasm;",
            "if (wasmInstance !== undefined) return wasm;",
        )?;
        Ok(Glue {
            module,
            ready,
            names,
        })
    }
}

/// Replaces `from` by `to`, where `from` must be found exactly `times` times.
fn change(text: &str, why: &str, times: usize, from: &str, to: &str) -> Outcome<String> {
    let found = text.matches(from).count();
    if found != times {
        fail!(
            "wasm-bindgen's glue holds `{from}` {found} times, expected {times}. The build changes it because {why}.\n\
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
let wasmModule, wasmInstance, wasm;
function initSync(module) {
    if (wasm !== undefined) return wasm;
}
async function __wbg_init(module_or_path) {
    if (wasm !== undefined) return wasm;
}
export { initSync, __wbg_init as default };
";

    fn names() -> BTreeMap<String, String> {
        [("a", "Signaling"), ("b", "openSocket")]
            .map(|(new, old)| (new.to_string(), old.to_string()))
            .into()
    }

    #[test]
    fn both_shapes_are_made() {
        let glue = Glue::of(GENERATED, &names()).unwrap();
        assert_eq!(glue.names, ["Signaling", "openSocket"]);
        assert!(
            glue.ready
                .ends_with("Object.defineProperty(Signaling, 'name', { value: 'Signaling' });\n")
        );
        assert!(glue.ready.contains("let wasmModule, wasmInstance, wasm;"));
        assert!(glue.module.contains("wasm = new Proxy("));
        assert!(
            glue.module
                .contains("{ a: 'new Signaling', b: 'openSocket' }")
        );
        assert!(!glue.module.contains("wasm !== undefined"));
    }

    #[test]
    fn unknown_glue_is_refused() {
        let problem = Glue::of(&GENERATED.replace("wasmInstance, ", ""), &names()).unwrap_err();
        assert!(
            problem.to_string().contains("0 times, expected 1"),
            "{problem}"
        );
        assert!(Glue::of(GENERATED, &BTreeMap::new()).is_err());
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
        assert_eq!(exported(GENERATED).unwrap(), ["Signaling", "openSocket"]);
    }
}
