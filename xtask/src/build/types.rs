//! The declarations of the entries that hold a signaling, from src/browser/types.d.ts.
//!
//! wasm-bindgen writes a declaration file too, with the same text in it; it is what the entries are checked against.

use std::path::Path;

use crate::files;
use crate::problem::{Outcome, fail};

/// How `init` and `initSync` read to a user of ours: without the raw exports, which are nobody's business.
const INIT: &str = include_str!("init.d.ts");

/// What wasm-bindgen declares on its own; anything else would be an export that types.d.ts doesn't know of.
const GENERATED: [&str; 5] = [
    "export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;",
    "export interface InitOutput {",
    "export type SyncInitInput = BufferSource | WebAssembly.Module;",
    "export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;",
    "export default function __wbg_init (module_or_path?: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;",
];

/// Writes the three declaration files into `folder`.
pub fn write(folder: &Path, types: &str, generated: &str) -> Outcome {
    check(types, generated)?;
    files::write(&folder.join("signal_wasm.d.ts"), format!("{types}{INIT}"))?;
    files::write(&folder.join("inline.d.ts"), types)?;
    files::write(&folder.join("global.d.ts"), global(types))
}

fn check(types: &str, generated: &str) -> Outcome {
    let generated = unindented(generated);
    let Some((before, after)) = generated.split_once(unindented(types).trim_end()) else {
        fail!(
            "pkg/signal_wasm.d.ts doesn't hold the text of src/browser/types.d.ts; \
             src/browser/ must embed it as a typescript_custom_section"
        );
    };
    let exports = |text: &'_ str| -> Vec<String> {
        text.lines()
            .filter(|line| line.starts_with("export "))
            .map(str::to_string)
            .collect()
    };
    let rest: Vec<String> = exports(before).into_iter().chain(exports(after)).collect();
    for line in &rest {
        if !GENERATED.contains(&line.as_str()) {
            fail!(
                "wasm-bindgen declares `{line}`, which src/browser/types.d.ts doesn't know of; \
                 give the Rust item `skip_typescript`, or teach xtask/src/build/types.rs about it"
            );
        }
    }
    for line in GENERATED {
        if !rest.iter().any(|found| found == line) {
            fail!(
                "wasm-bindgen no longer declares `{line}`; \
                 look at pkg/signal_wasm.d.ts and put right xtask/src/build/init.d.ts and types.rs"
            );
        }
    }
    Ok(())
}

/// wasm-bindgen indents what it embeds in its own way.
fn unindented(text: &str) -> String {
    text.lines()
        .flat_map(|line| [line.trim_start(), "\n"])
        .collect()
}

/// The same declarations as a global name, for pages that load the classic script.
fn global(types: &str) -> String {
    // `/// <reference …>` means something at the top of a file only; inside the namespace it would be any comment.
    let top = types.find("/**").unwrap_or_default();
    let (head, declarations) = types.split_at(top);
    let inside: String = declarations
        .lines()
        .map(|line| {
            if line.is_empty() {
                "\n".to_string()
            } else {
                format!("    {line}\n")
            }
        })
        .collect();
    format!(
        "// `<script src=\".../global.js\">` makes the global `SignalWasm`, ready when the tag has loaded. For its types:\n\
         // `import 'signal-wasm/global'` or `/// <reference types=\"signal-wasm/global\" />`.\n\n\
         {head}export {{}};\n\ndeclare global {{\n  namespace SignalWasm {{\n{inside}  }}\n}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generated(types: &str) -> String {
        format!(
            "/* tslint:disable */\n\n{types}\n\n{}\n",
            GENERATED.join("\n")
        )
    }

    #[test]
    fn wasm_bindgens_own_declarations_are_known() {
        let types = "export function openSocket(): void;\n";
        assert_eq!(check(types, &generated(types)), Ok(()));
    }

    #[test]
    fn the_global_keeps_references_at_its_top() {
        let types = "// About.\n/// <reference lib=\"x\" />\n\n/** Opens. */\nexport function openSocket(): void;\n";
        let text = global(types);
        let (top, _) = text.split_once("export {};").unwrap();
        assert!(top.contains("\n/// <reference lib=\"x\" />\n"), "{text}");
        assert!(
            text.contains("\n    /** Opens. */\n    export function openSocket(): void;\n  }\n}\n"),
            "{text}"
        );
    }

    #[test]
    fn a_leaked_declaration_is_refused() {
        let types = "export function openSocket(): void;\n";
        let leaky = generated(types) + "export class Driver {\n}\n";
        assert!(
            check(types, &leaky)
                .unwrap_err()
                .to_string()
                .contains("`export class Driver {`")
        );
        assert!(check("export function configure(): void;", &generated(types)).is_err());
        let changed = generated(types).replace("InitInput = ", "InitInput = string | ");
        assert!(check(types, &changed).is_err());
    }
}
