//! Keeps tokens out of errors, reasons and logs. Addresses carry them in the query and before the
//! host, and servers and browsers repeat addresses in what they say.

/// The shortest credential that is taken out of a text, in bytes. A shorter one may be an ordinary
/// word.
pub const SHORTEST_SECRET: usize = 8;

/// Where `part` begins in a text, in bytes. (The search of `str` takes some kilobytes of the module.)
pub fn position(text: &str, part: &str) -> Option<usize> {
    let mut windows = text.as_bytes().windows(part.len());
    windows.position(|window| window == part.as_bytes())
}

/// The text with an ellipsis in the place of each `secret`.
pub fn without_secret(text: &str, secret: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = position(rest, secret)
        && let (Some(before), Some(behind)) = (rest.get(..at), rest.get(at + secret.len()..))
    {
        out.push_str(before);
        out.push('…');
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// The text without the query, the fragment, the user name and the password of each address in it.
/// An address is anything with `://`, and a path with a query, as in `/hub?token=x`.
pub fn without_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let end = rest.find(ends_address).unwrap_or(rest.len());
        let (word, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        write_word(&mut out, word);
        let mut behind = behind.chars();
        match behind.next() {
            Some(delimiter) => out.push(delimiter),
            None => return out,
        }
        rest = behind.as_str();
    }
}

/// Whether an address ends before this character, which it holds only in an encoded form.
fn ends_address(character: char) -> bool {
    character.is_whitespace() || matches!(character, '"' | '\'' | '<' | '>' | '‘' | '’' | '“' | '”')
}

fn write_word(out: &mut String, word: &str) {
    let is_whole = position(word, "://").is_some();
    let query = word.find(['?', '#']).and_then(|at| {
        let is_query = is_whole || word.get(at..)?.contains('=');
        is_query.then_some(at)
    });
    let place = query.and_then(|at| word.get(..at)).unwrap_or(word);
    let host = position(place, "://").map(|at| at + "://".len());
    let (scheme, rest) = host
        .and_then(|at| place.split_at_checked(at))
        .unwrap_or((place, ""));
    let end = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    for part in [scheme, host, path] {
        out.push_str(part);
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_out_wherever_it_is() {
        assert_eq!(without_secret("abcab", "ab"), "…c…");
        assert_eq!(without_secret("aaa", "aa"), "…a");
        assert_eq!(without_secret("é日é", "日"), "é…é");
        assert_eq!(without_secret("abc", "abcd"), "abc");
        assert_eq!(position("abc", "c"), Some(2));
        assert_eq!(position("", "c"), None);
    }

    #[test]
    fn addresses_lose_what_may_be_secret() {
        for (text, wanted) in [
            ("ws://h/x?token=a", "ws://h/x"),
            ("wss://user:pass@h:1/x/#token", "wss://h:1/x/"),
            ("wss://token@h", "wss://h"),
            ("wss://a@b@h/c@d", "wss://h/c@d"),
            (
                "no connection to ws://h/?a=(b),c could be made",
                "no connection to ws://h/ could be made",
            ),
            (
                "The URL 'ws://h/?a=b' is invalid.",
                "The URL 'ws://h/' is invalid.",
            ),
            ("Cannot GET /hub?token=a", "Cannot GET /hub"),
            (
                "<pre>Cannot GET /hub?token=a</pre>",
                "<pre>Cannot GET /hub</pre>",
            ),
            (
                "{\"url\":\"https://u@h/?a=b\",\"n\":1}",
                "{\"url\":\"https://h/\",\"n\":1}",
            ),
            ("two: ws://h/?a=b\nwss://c@h/d", "two: ws://h/\nwss://h/d"),
            // What is no address stays.
            ("why? a=b", "why? a=b"),
            ("really? #1 user@host", "really? #1 user@host"),
            ("", ""),
            ("日本語?", "日本語?"),
            ("://?", "://"),
        ] {
            assert_eq!(without_secrets(text), wanted, "{text}");
            assert_eq!(without_secrets(wanted), wanted, "{text}");
        }
    }
}
