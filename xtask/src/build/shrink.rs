//! From wasm-bindgen's module and glue to small ones: what the glue never calls goes, the rest is optimised for size, and the names
//! that only the two of them exchange become a letter or two.
//!
//! wasm-bindgen's own names, such as `__wbg_parse_6a6b4954b3bbabe6`, stand in both files and hardly compress: with them the
//! package weighs 1.5 kB more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::build::glue::exported;
use crate::files;
use crate::problem::{Outcome, Problem, fail};
use crate::process;
use crate::project::Project;

/// Named one by one: `--all-features` of binaryen 132 makes modules that Node 20 rejects.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Found by trial to give the smallest module after brotli; other levels, further rounds and `--converge` make it no smaller.
const OPTIMISE: [&str; 11] = [
    // The control flow is taken apart and put together anew, shorter than the compiler left it.
    "--flatten",
    "--rereloop",
    "-Oz",
    // These two make the module shorter, and less alike in itself: it compresses to more.
    "--skip-pass=local-cse",
    "--skip-pass=simplify-locals",
    // Rust keeps the stack there, so that no pointer is that low.
    "--low-memory-unused",
    // A long function moved into its only caller costs less than the call, but then no two of its kind compress alike.
    "--one-caller-inline-max-function-size=30",
    // Once more, for what the passes behind it leave to be done; a whole further round would undo more than that.
    "--optimize-instructions",
    "--strip-producers",
    "--strip-target-features",
    "--minify-imports-and-exports-and-modules",
];

/// A small module, its glue, and under which names the public functions are called in it.
#[derive(Debug)]
pub struct Small {
    /// The module.
    pub wasm: Vec<u8>,
    /// The glue, with the new names.
    pub glue: String,
    /// The new names of the exported functions, with the old ones.
    pub names: BTreeMap<String, String>,
}

/// Makes them from wasm-pack's output in `pkg`, with `work` for what lies between.
pub fn shrink(project: &Project, pkg: &Path, work: &Path) -> Outcome<Small> {
    let glue = files::read(&pkg.join("signal_wasm.js"))?;
    let whole = pkg.join("signal_wasm_bg.wasm");
    let (graph, used, small) = (
        work.join("graph.json"),
        work.join("used.wasm"),
        work.join("small.wasm"),
    );

    files::write(&graph, roots(&members_used(&glue)))?;
    let mut strip = process::npm_program(&project.root, "wasm-metadce")?;
    strip
        .arg(&whole)
        .args(FEATURES)
        .arg("--graph-file")
        .arg(&graph)
        .arg("--output")
        .arg(&used);
    process::quiet(&mut strip)?;

    let mut optimise = process::npm_program(&project.root, "wasm-opt")?;
    optimise
        .arg(&used)
        .args(FEATURES)
        .args(OPTIMISE)
        .arg("--output")
        .arg(&small);
    let said = process::quiet(&mut optimise)?;

    let renamed = Renamed::read(&said)?;
    let names = exported(&glue)?
        .into_iter()
        .map(|name| match renamed.exports.get(&name) {
            Some(new) => Ok((new.clone(), name)),
            None => Err(Problem::new(format!(
                "the module exports no function {name}, but the glue does"
            ))),
        })
        .collect::<Outcome<_>>()?;
    Ok(Small {
        wasm: files::read_bytes(&small)?,
        glue: renamed.apply(&glue)?,
        names,
    })
}

/// wasm-metadce's input: the exports that the glue uses are what must stay.
fn roots(used: &BTreeSet<String>) -> String {
    let node = |name: &String| format!("{{\"name\": \"export {name}\", \"export\": \"{name}\"}}");
    let nodes: Vec<String> = used.iter().map(node).collect();
    let reaches: Vec<String> = used
        .iter()
        .map(|name| format!("\"export {name}\""))
        .collect();
    format!(
        "[{{\"name\": \"glue\", \"root\": true, \"reaches\": [{}]}},\n{}]\n",
        reaches.join(", "),
        nodes.join(",\n")
    )
}

/// The old and new names, as wasm-opt prints them.
#[derive(Debug, Default)]
struct Renamed {
    imports: BTreeMap<String, String>,
    exports: BTreeMap<String, String>,
}

/// The module that wasm-bindgen imports everything from, and what wasm-opt calls it.
const MODULE: (&str, &str) = ("\"./signal_wasm_bg.js\":", "a:");

impl Renamed {
    /// Reads lines like `["./signal_wasm_bg.js", "__wbg_parse_6a6b", "a"],` and `["openSocket", "b"],`.
    fn read(said: &str) -> Outcome<Self> {
        let mut renamed = Renamed::default();
        for line in said.lines() {
            let strings: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
            match strings.as_slice() {
                ["./signal_wasm_bg.js", old, new] => {
                    renamed.imports.insert(old.to_string(), new.to_string())
                }
                [old, new] => renamed.exports.insert(old.to_string(), new.to_string()),
                ["imports" | "exports"] | [] => None,
                other => fail!(
                    "wasm-opt tells of new names in a way that xtask/src/build/shrink.rs can't read: {other:?}"
                ),
            };
        }
        if renamed.imports.is_empty() || renamed.exports.is_empty() {
            fail!("wasm-opt hasn't told the new names; look at xtask/src/build/shrink.rs");
        }
        Ok(renamed)
    }

    /// The glue with the new names in it.
    fn apply(&self, glue: &str) -> Outcome<String> {
        let mut text = String::with_capacity(glue.len());
        let mut imported = BTreeSet::new();
        for line in glue.lines() {
            // `        __wbg_parse_6a6b4954b3bbabe6: function(arg0) {`
            let definition = line.trim_start().split_once(": function(");
            match definition.and_then(|(old, rest)| Some((self.imports.get_key_value(old)?, rest)))
            {
                Some(((old, new), rest)) => {
                    if !imported.insert(old) {
                        fail!("the glue defines {old} twice");
                    }
                    text += &format!("        {new}: function({rest}");
                }
                None => text += &line.replace(MODULE.0, MODULE.1),
            }
            text.push('\n');
        }
        if let Some(missing) = self.imports.keys().find(|old| !imported.contains(old)) {
            fail!(
                "the module imports {missing}, which the glue doesn't define where xtask/src/build/shrink.rs looks for it"
            );
        }
        if glue.matches(MODULE.0).count() != 1 {
            fail!(
                "the glue doesn't hold `{}` once; look at xtask/src/build/shrink.rs",
                MODULE.0
            );
        }

        let mut renamed = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, member, after)) = next_member(rest) {
            let Some(new) = self.exports.get(member) else {
                fail!("the glue uses the export {member}, which the module hasn't");
            };
            renamed += before;
            renamed += new;
            rest = after;
        }
        Ok(renamed + rest)
    }
}

/// The members of `wasm`, the exports, that the glue uses.
fn members_used(glue: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let mut rest = glue;
    while let Some((_, member, after)) = next_member(rest) {
        used.insert(member.to_string());
        rest = after;
    }
    used
}

/// Splits at the next `wasm.member`: what is before the member's name, the name, and what is after it.
fn next_member(text: &str) -> Option<(&str, &str, &str)> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
    for (place, found) in text.match_indices("wasm.") {
        let (before, after) = text.split_at(place + found.len());
        let alone = !text
            .get(..place)?
            .ends_with(|letter: char| is_part(letter) || letter == '.');
        let end = after.find(|letter| !is_part(letter)).unwrap_or(after.len());
        if alone && end > 0 {
            let (member, after) = after.split_at(end);
            return Some((before, member, after));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = r#"{
 "imports": [
  ["./signal_wasm_bg.js", "__wbg_parse_6a6b", "a"]
 ],
 "exports": [
  ["memory", "b"],
  ["openSocket", "c"]
 ]
}
"#;

    const GLUE: &str = r#"/* @ts-self-types="./signal_wasm.d.ts" */
export function openSocket(_this) {
    return wasm.openSocket(this, _this, wasm.memory.buffer);
}
    const import0 = {
        __wbg_parse_6a6b: function(arg0) {
        },
    };
    return { "./signal_wasm_bg.js": import0 };
    wasm = instance.exports; new URL('signal_wasm_bg.wasm', import.meta.url)
"#;

    #[test]
    fn names_are_exchanged_on_both_sides() {
        let renamed = Renamed::read(SAID).unwrap().apply(GLUE).unwrap();
        assert!(
            renamed.contains("return wasm.c(this, _this, wasm.b.buffer);"),
            "{renamed}"
        );
        assert!(renamed.contains("        a: function(arg0) {"), "{renamed}");
        assert!(renamed.contains("return { a: import0 };"), "{renamed}");
        assert!(
            renamed.contains("export function openSocket(_this)"),
            "{renamed}"
        );
        assert!(renamed.contains("./signal_wasm.d.ts"), "{renamed}");
        assert!(renamed.contains("'signal_wasm_bg.wasm'"), "{renamed}");
    }

    #[test]
    fn a_name_without_its_other_side_is_refused() {
        let renamed = Renamed::read(SAID).unwrap();
        assert!(renamed.apply(&GLUE.replace("6a6b:", "7b7b:")).is_err());
        assert!(
            renamed
                .apply(&GLUE.replace("wasm.memory", "wasm.table"))
                .is_err()
        );
        assert!(Renamed::read("{}").is_err());
        assert!(Renamed::read("[\"other.js\", \"x\", \"y\"]").is_err());
    }

    #[test]
    fn only_what_the_glue_uses_is_kept() {
        assert_eq!(
            members_used(GLUE),
            ["memory", "openSocket"].map(str::to_string).into()
        );
        assert!(
            roots(&members_used(GLUE))
                .contains("\"reaches\": [\"export memory\", \"export openSocket\"]")
        );
    }
}
