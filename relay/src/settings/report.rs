//! The effective settings in words, without secrets.

use std::fmt::Write;

use super::Setting;

/// What a secret's value is printed as.
const HIDDEN: &str = "(set, not shown)";

/// Whether a setting's value is a secret. Files that hold secrets may be named.
pub(super) fn is_secret(name: &str) -> bool {
    ["secret", "token", "password"]
        .iter()
        .any(|word| name.ends_with(word))
}

/// The settings as a configuration file, each with where its value is from.
pub(crate) fn print(settings: &[Setting]) -> String {
    let mut text = String::new();
    for setting in settings {
        let value = value(setting);
        let line = if setting.values.is_none() || value == HIDDEN {
            format!("# {}: {value}", setting.name)
        } else {
            format!("{} = {value}", setting.name)
        };
        // Writing to a String can't fail.
        let _ = writeln!(text, "{line:<48} # {}", setting.source);
    }
    text
}

/// A setting's value in TOML.
pub(super) fn value(setting: &Setting) -> String {
    let Some(values) = &setting.values else {
        return "not set".to_owned();
    };
    if is_secret(&setting.name) {
        return HIDDEN.to_owned();
    }
    let mut quoted: Vec<_> = values.iter().map(|value| quoted(shown(value))).collect();
    if setting.is_list {
        format!("[{}]", quoted.join(", "))
    } else {
        quoted.pop().unwrap_or_default()
    }
}

/// An address without what may be a password in it: the user and the query.
fn shown(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else {
        return value.to_owned();
    };
    let (rest, query) = rest
        .split_once('?')
        .map_or((rest, ""), |(rest, _)| (rest, "?…"));
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}{path}{query}")
}

/// A basic string of TOML.
fn quoted(value: String) -> String {
    let mut text = String::from('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            control if control.is_control() => {
                let _ = write!(text, "\\u{:04X}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Source;

    #[test]
    fn secrets_are_never_shown() {
        let setting = |name: &str, value: &str| Setting {
            name: name.to_owned(),
            values: Some(vec![value.to_owned()]),
            source: Source::Option,
            is_list: false,
        };
        let text = print(&[
            setting("auth-secret", "hunter2"),
            setting("auth-hook", "https://me:hunter2@example.org/in?key=hunter2"),
            setting("listen", "127.0.0.1:1"),
        ]);
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("# auth-secret: (set, not shown)"), "{text}");
        assert!(text.contains("\"https://example.org/in?…\""), "{text}");
        assert!(text.contains("listen = \"127.0.0.1:1\""), "{text}");
    }
}
