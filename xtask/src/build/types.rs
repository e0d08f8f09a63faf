//! The declarations of the entries.
//!
//! Those that hold a signaling come from src/browser/types.d.ts. wasm-bindgen writes declarations
//! too, with that text in them. They are only compared: types.d.ts must know every export.

use std::path::Path;

use crate::files;
use crate::problem::{Outcome, fail};
use crate::project::Project;

/// The declarations that are written by hand in npm/.
const BY_HAND: [&str; 7] = [
    "transports.d.ts",
    "global-transports.d.ts",
    "room.d.ts",
    "call.d.ts",
    "react.d.ts",
    "rtcmulticonnection.d.ts",
    "global-rtcmulticonnection.d.ts",
];

/// Writes all declaration files into `folder`.
pub fn write(project: &Project, folder: &Path) -> Outcome {
    let types = files::read(&project.root.join("src/browser/types.d.ts"))?;
    check(
        &types,
        &files::read(&project.root.join("pkg/signal_wasm.d.ts"))?,
    )?;
    let npm = project.root.join("npm");
    let init = files::read(&npm.join("init.d.ts"))?;
    files::write(&folder.join("signal_wasm.d.ts"), format!("{types}\n{init}"))?;
    files::write(&folder.join("inline.d.ts"), &types)?;
    files::write(&folder.join("global.d.ts"), global(&types))?;
    for name in BY_HAND {
        files::copy(&npm.join(name), &folder.join(name))?;
    }
    Ok(())
}

/// Fails if wasm-bindgen declares anything that types.d.ts doesn't.
fn check(types: &str, generated: &str) -> Outcome {
    let generated = unindented(generated);
    let Some((before, after)) = generated.split_once(unindented(types).trim_end()) else {
        fail!(
            "pkg/signal_wasm.d.ts doesn't hold the text of src/browser/types.d.ts; \
             src/browser/ must embed it as a typescript_custom_section"
        );
    };
    let unknown = before
        .lines()
        .chain(after.lines())
        .find(|line| line.starts_with("export "));
    if let Some(line) = unknown {
        fail!(
            "wasm-bindgen declares `{line}`, which src/browser/types.d.ts doesn't; \
             declare it there, and give the Rust item `skip_typescript`"
        );
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
    // `/// <reference …>` only counts at the top of a file; in the namespace it would be a comment.
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

    const TYPES: &str = "/** Opens. */\nexport function openSocket(): void;\n";

    fn generated(types: &str) -> String {
        format!("/* tslint:disable */\n/* eslint-disable */\n{types}\n")
    }

    #[test]
    fn the_global_keeps_references_at_its_top() {
        let types = format!("// About.\n/// <reference lib=\"x\" />\n\n{TYPES}");
        let text = global(&types);
        let (top, _) = text.split_once("export {};").unwrap();
        assert!(top.contains("\n/// <reference lib=\"x\" />\n"), "{text}");
        assert!(
            text.contains("\n    /** Opens. */\n    export function openSocket(): void;\n  }\n}\n"),
            "{text}"
        );
    }

    #[test]
    fn an_export_that_the_types_lack_is_refused() {
        assert_eq!(check(TYPES, &generated(TYPES)), Ok(()));
        let more = generated(TYPES) + "export class Driver {\n}\n";
        let problem = check(TYPES, &more).unwrap_err().to_string();
        assert!(problem.contains("`export class Driver {`"), "{problem}");
        assert!(check("export function configure(): void;", &generated(TYPES)).is_err());
    }
}
