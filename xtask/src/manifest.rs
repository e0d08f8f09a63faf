//! Reads the few things that the commands need from a Cargo.toml. It is no parser of TOML: it finds
//! `name = "text"` and `name = ["text", …]` at the beginning of a line.

/// The first string of that name.
pub fn string<'text>(manifest: &'text str, name: &str) -> Option<&'text str> {
    value(manifest, name)?.strip_prefix('"')?.split('"').next()
}

/// The strings of the first array of that name.
pub fn strings<'text>(manifest: &'text str, name: &str) -> Option<Vec<&'text str>> {
    let inside = value(manifest, name)?
        .strip_prefix('[')?
        .split(']')
        .next()?;
    Some(inside.split('"').skip(1).step_by(2).collect())
}

/// What follows `name = `.
fn value<'text>(manifest: &'text str, name: &str) -> Option<&'text str> {
    let mut rest = manifest;
    loop {
        let after = rest.strip_prefix(name).map(str::trim_start);
        if let Some(value) = after.and_then(|after| after.strip_prefix('=')) {
            return Some(value.trim_start());
        }
        rest = rest.split_once('\n')?.1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "\
[package]
name = \"a\"
names = \"b\"

[features]
default = [\"x\", \"y-z\"]
long = [
  \"x\",
]
";

    #[test]
    fn strings_and_arrays_are_read() {
        assert_eq!(string(MANIFEST, "name"), Some("a"));
        assert_eq!(string(MANIFEST, "names"), Some("b"));
        assert_eq!(strings(MANIFEST, "default"), Some(vec!["x", "y-z"]));
        assert_eq!(strings(MANIFEST, "long"), Some(vec!["x"]));
        assert_eq!(string(MANIFEST, "default"), None);
        assert_eq!(strings(MANIFEST, "none"), None);
    }
}
