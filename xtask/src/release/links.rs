//! Links of documents that are moved from the repository into an artefact.

use std::path::{Component, Path, PathBuf};

use crate::files;
use crate::manifest;
use crate::problem::{Outcome, fail};
use crate::project::Project;

/// Where the repository's files are on the web.
pub fn on_the_web(project: &Project) -> Outcome<String> {
    let workspace = files::read(&project.root.join("Cargo.toml"))?;
    match manifest::string(&workspace, "repository") {
        Some(repository) => Ok(format!("{repository}/blob/main")),
        None => fail!("Cargo.toml has no `repository = \"…\"`"),
    }
}

/// Rewrites the relative links of a Markdown document. `from` is the document's path in the
/// repository. A link to a file that moves along becomes the name that `moved` gives for its path;
/// others lead to the repository on the web, `base`.
pub fn rewrite(
    text: &str,
    from: &Path,
    base: &str,
    moved: impl Fn(&Path) -> Option<String>,
) -> String {
    let mut parts = text.split("](");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        out += "](";
        match part.split_once(')') {
            Some((target, rest)) => {
                out += &link(target, from, base, &moved);
                out += ")";
                out += rest;
            }
            None => out += part,
        }
    }
    out
}

fn link(target: &str, from: &Path, base: &str, moved: impl Fn(&Path) -> Option<String>) -> String {
    let (path, anchor) = match target.split_once('#') {
        Some((path, anchor)) => (path, format!("#{anchor}")),
        None => (target, String::new()),
    };
    if path.is_empty() || path.contains(':') {
        return target.to_string();
    }
    let path = resolve(&from.parent().unwrap_or(Path::new("")).join(path));
    match moved(&path) {
        Some(name) => name + &anchor,
        None => format!("{base}/{}{anchor}", path.display()),
    }
}

/// The path without `..`.
fn resolve(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::CurDir => {}
            part => resolved.push(part),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_what_moved_along_or_to_the_repository() {
        let moved = |path: &Path| (path == Path::new("docs/b.md")).then(|| "b.md".to_string());
        let rewritten = rewrite(
            "[a](../README.md#x), [b](../docs/b.md#y), [c](#z), [d](https://example.org/), f(](",
            Path::new("relay/README.md"),
            "https://example.org/tree",
            moved,
        );
        assert_eq!(
            rewritten,
            "[a](https://example.org/tree/README.md#x), [b](b.md#y), [c](#z), [d](https://example.org/), f(]("
        );
    }
}
