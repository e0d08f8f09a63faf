//! The source of Rust's standard library, from Debian's package rust-src.
//!
//! Only Debian's newest suites have recent versions. apt reads such a suite for this one download,
//! with a sources file and package lists of its own, so that the machine's configuration stays.

use std::path::{Path, PathBuf};

use crate::files;
use crate::problem::{Outcome, fail};
use crate::setup::debian;

/// The suite that keeps several recent versions of rust-src.
const SUITE: &str = "trixie-backports";

/// Downloads the library's source of exactly this version into `work`; returns its folder.
pub fn rust_library(release: &str, work: &Path) -> Outcome<PathBuf> {
    debian::check()
        .map_err(|problem| problem.during("Debian's package rust-src would have the source"))?;
    let source = own_source()?;
    let sources = work.join("suite.sources");
    files::write(&sources, source.for_suite(SUITE))?;
    let unpacked = debian::unpack(&format!("rust-src={release}*"), work, Some(&sources)).map_err(
        |problem| {
            problem.during(format!(
                "Debian's {SUITE} has no rust-src of version {release}"
            ))
        },
    )?;
    let library = unpacked.join(format!("usr/src/rustc-{release}/library"));
    if !library.is_dir() {
        fail!("Debian's rust-src holds no usr/src/rustc-{release}/library");
    }
    Ok(library)
}

/// Where the machine gets Debian's packages: the archive's address, and which keys sign it.
#[derive(Debug, Default, PartialEq)]
struct Source {
    uri: String,
    signed_by: Option<String>,
    trusted: Option<String>,
}

impl Source {
    /// A sources file for another suite of the same archive.
    fn for_suite(&self, suite: &str) -> String {
        let mut text = format!(
            "Types: deb\nURIs: {}\nSuites: {suite}\nComponents: main\n",
            self.uri
        );
        if let Some(keys) = &self.signed_by {
            text += &format!("Signed-By: {keys}\n");
        }
        if let Some(trusted) = &self.trusted {
            text += &format!("Trusted: {trusted}\n");
        }
        text
    }
}

fn own_source() -> Outcome<Source> {
    let folder = Path::new("/etc/apt");
    let mut paths = vec![folder.join("sources.list")];
    paths.extend(files::list(&folder.join("sources.list.d")));
    for path in paths {
        let found = match (
            path.extension().and_then(|ending| ending.to_str()),
            files::read(&path),
        ) {
            (Some("sources"), Ok(text)) => in_stanzas(&text),
            (Some("list"), Ok(text)) => in_lines(&text),
            _ => None,
        };
        if let Some(source) = found {
            return Ok(source);
        }
    }
    fail!(
        "no file in /etc/apt names Debian's own archive, from which to fetch the package rust-src"
    )
}

/// Whether suites are those of Debian's main archive, which has the backports too. The security
/// archive and those of others have no suite that is named like a release of Debian.
fn is_main_archive(suites: &str) -> bool {
    const RELEASES: [&str; 8] = [
        "bookworm",
        "trixie",
        "forky",
        "sid",
        "stable",
        "testing",
        "unstable",
        "oldstable",
    ];
    suites
        .split_whitespace()
        .any(|suite| RELEASES.contains(&suite))
}

/// The format of `*.sources`: stanzas of fields. A field goes on in lines that begin with a space.
fn in_stanzas(text: &str) -> Option<Source> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    lines
        .split(|line| line.trim().is_empty())
        .find_map(|stanza| {
            let field = |name: &str| -> Option<String> {
                let mut lines = stanza.iter().skip_while(|line| {
                    !line
                        .split_once(':')
                        .is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
                });
                let (_, first) = lines.next()?.split_once(':')?;
                let more = lines.take_while(|line| line.starts_with([' ', '\t']));
                let value: Vec<&str> = std::iter::once(first.trim()).chain(more.copied()).collect();
                Some(value.join("\n"))
            };
            let off = field("Enabled").is_some_and(|value| value == "no");
            let binary = field("Types")?.split_whitespace().any(|kind| kind == "deb");
            if off
                || !binary
                || !is_main_archive(&field("Suites")?)
                || !field("Components")?.contains("main")
            {
                return None;
            }
            Some(Source {
                uri: field("URIs")?.split_whitespace().next()?.to_string(),
                signed_by: field("Signed-By"),
                trusted: field("Trusted"),
            })
        })
}

/// The format of `*.list`: `deb [options] uri suite components…`.
fn in_lines(text: &str) -> Option<Source> {
    text.lines().find_map(|line| {
        let rest = line
            .split('#')
            .next()?
            .trim()
            .strip_prefix("deb ")?
            .trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let mut words = rest.split_whitespace();
        let (uri, suite) = (words.next()?, words.next()?);
        if !is_main_archive(suite) || !words.any(|component| component == "main") {
            return None;
        }
        let option = |name: &str| {
            let mut options = options
                .split_whitespace()
                .filter_map(|option| option.split_once('='));
            options
                .find(|(found, _)| *found == name)
                .map(|(_, value)| value.replace(',', " "))
        };
        Some(Source {
            uri: uri.to_string(),
            signed_by: option("signed-by"),
            trusted: option("trusted"),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sources_file_is_read() {
        let text = "\
# security first
Types: deb
URIs: http://mirror.test/security
Suites: bookworm-security
Components: main

Types: deb deb-src
# a comment
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
";
        let source = in_stanzas(text).unwrap();
        assert_eq!(source.uri, "http://mirror.test/debian");
        assert_eq!(
            source.for_suite("x"),
            "Types: deb\nURIs: http://mirror.test/debian\nSuites: x\nComponents: main\n\
             Signed-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n"
        );
    }

    #[test]
    fn a_list_file_is_read() {
        let text = "\
deb http://mirror.test/other ./
# deb http://mirror.test/off bookworm main
deb [arch=amd64 signed-by=/keys/a.gpg,/keys/b.gpg] http://mirror.test/debian bookworm main # ours
";
        let source = in_lines(text).unwrap();
        assert_eq!(source.uri, "http://mirror.test/debian");
        assert_eq!(source.signed_by.as_deref(), Some("/keys/a.gpg /keys/b.gpg"));
        assert_eq!(
            in_lines("deb http://mirror.test/node nodistro main\n"),
            None
        );
    }

    #[test]
    fn a_disabled_source_is_ignored() {
        let text =
            "Types: deb\nURIs: http://mirror.test/\nSuites: sid\nComponents: main\nEnabled: no\n";
        assert_eq!(in_stanzas(text), None);
    }
}
