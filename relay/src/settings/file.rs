//! The configuration file: TOML whose keys are the names of options.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{Problem, SIMILAR, Source, nearest};

/// One key of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) values: Vec<String>,
}

/// Reads the file. Its keys must be among `known`.
pub(super) fn read(path: &Path, known: &[&str]) -> Result<Vec<Entry>, Problem> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| Problem::Unreadable(path.to_owned(), error))?;
    parse(&text, known).map_err(|(line, what)| {
        let path = path.to_owned();
        Problem::Invalid(Source::File { path, line }, what)
    })
}

/// The error has its line, and never a line's text: that may be a secret.
fn parse(text: &str, known: &[&str]) -> Result<Vec<Entry>, (usize, String)> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        (line(text, at), error.message().to_owned())
    })?;
    let mut entries = Vec::new();
    for (key, value) in table.into_inner() {
        let line = line(text, key.span().start);
        let name = key.into_inner().into_owned();
        if !known.contains(&&*name) {
            return Err((line, unknown(&name, known)));
        }
        let values = match value.into_inner() {
            DeValue::Array(items) => items
                .into_iter()
                .map(|item| scalar(item.get_ref()))
                .collect(),
            single => scalar(&single).map(|value| vec![value]),
        };
        let Some(values) = values else {
            return Err((
                line,
                format!("{name} must be a text, a number, true or false, or a list of texts"),
            ));
        };
        entries.push(Entry { name, line, values });
    }
    Ok(entries)
}

fn unknown(name: &str, known: &[&str]) -> String {
    let meant = nearest(name, known, SIMILAR).map(|known| format!("; did you mean {known}?"));
    let meant = meant.unwrap_or_else(|| {
        "; keys are the names of options without --, see signal-relay --help".to_owned()
    });
    format!("there is no setting {name:?}{meant}")
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The number of the line with this byte, from 1.
fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    before.filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["listen", "max-frame", "origin"];

    #[test]
    fn keys_have_their_lines_and_values() {
        let text = "# a comment\nlisten = \"127.0.0.1:1\"\n\nmax-frame = 65_536\norigin = [\n 'a',\n 'b',\n]\n";
        let mut entries = parse(text, KNOWN).unwrap_or_default();
        entries.sort_by_key(|entry| entry.line);
        let found: Vec<_> = entries
            .iter()
            .map(|entry| (&*entry.name, entry.line, entry.values.join("|")))
            .collect();
        assert_eq!(
            found,
            [
                ("listen", 2, "127.0.0.1:1".to_owned()),
                ("max-frame", 4, "65536".to_owned()),
                ("origin", 5, "a|b".to_owned()),
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, line, told) in [
            ("\nmax_frame = 1", 2, "did you mean max-frame?"),
            ("listen = 1\n[orign]", 2, "did you mean origin?"),
            ("zzz = 1", 1, "keys are the names of options"),
            ("listen = \"a\"\nlisten = \"b\"", 2, "duplicate key"),
            ("listen = \"secret", 1, "string"),
            ("\n\norigin = [[1]]", 3, "origin must be"),
            ("max-frame = 1.5", 1, "max-frame must be"),
        ] {
            let Err((at, what)) = parse(text, KNOWN) else {
                panic!("{text:?} was taken");
            };
            assert_eq!(at, line, "{text:?}: {what}");
            assert!(what.contains(told), "{text:?}: {what}");
            assert!(!what.contains("secret"), "{what}");
        }
    }
}
