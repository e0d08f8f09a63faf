//! URLs (RFC 3986): the server's address in parts, and addresses with more query members.

/// The address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    /// The schemes are `wss:` and `https:`, not `ws:` and `http:`.
    is_secure: bool,
    /// The host, and the port if it isn't the scheme's.
    host: String,
    /// It begins with a slash, or is empty.
    path: String,
    /// Without its question mark.
    query: String,
}

impl ServerUrl {
    /// The server at `url`, which is absolute and begins with `ws:` or `wss:`.
    pub fn new(url: &str) -> ServerUrl {
        ServerUrl::of(url.strip_prefix("ws").unwrap_or(url))
    }

    /// The target of a redirection; `None` if it isn't an HTTP address.
    pub fn redirected(url: &str) -> Option<ServerUrl> {
        let is_http = url.starts_with("http://") || url.starts_with("https://");
        let rest = url.strip_prefix("http").filter(|_| is_http)?;
        Some(ServerUrl::of(rest))
    }

    /// `rest` follows `ws` or `http`.
    fn of(rest: &str) -> ServerUrl {
        let is_secure = rest.starts_with('s');
        let rest = rest.strip_prefix('s').unwrap_or(rest);
        let rest = rest.strip_prefix("://").unwrap_or(rest);
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = match place.split_once('/') {
            Some((host, path)) => (host, format!("/{path}")),
            None => (place, String::new()),
        };
        ServerUrl {
            is_secure,
            host: host.into(),
            path,
            query: query.into(),
        }
    }

    /// The same address with a slash at the end of its path.
    pub fn with_last_slash(mut self) -> ServerUrl {
        if !self.path.ends_with('/') {
            self.path.push('/');
        }
        self
    }

    /// The path, which begins with a slash. It is percent-encoded.
    pub fn path(&self) -> &str {
        if self.path.is_empty() {
            "/"
        } else {
            &self.path
        }
    }

    /// Whether both have the same origin: scheme, host and port. Hosts that are written
    /// differently count as different, except for capitals and a default port.
    pub fn has_origin_of(&self, other: &ServerUrl) -> bool {
        let default_port = if self.is_secure { ":443" } else { ":80" };
        let host = |server: &ServerUrl| {
            let host = server.host.to_ascii_lowercase();
            String::from(host.strip_suffix(default_port).unwrap_or(&host))
        };
        self.is_secure == other.is_secure && host(self) == host(other)
    }

    /// The same server with another path, which may be relative to the current one. `None` if it
    /// would lead to another server.
    pub fn with_path(&self, path: &str) -> Option<ServerUrl> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let first = path.split(['/', '\\']).next().unwrap_or_default();
        if first.contains(':') || path.starts_with("//") || path.starts_with("/\\") {
            return None;
        }
        let mut whole = String::new();
        if !path.starts_with('/') {
            let folder = self.path().rsplit_once('/');
            whole.push_str(folder.map_or("", |(folder, _)| folder));
            whole.push('/');
        }
        whole.push_str(path);
        Some(ServerUrl {
            path: whole,
            ..self.clone()
        })
    }

    /// A WebSocket address: the server's, with `below` after its path, with its own query and
    /// `query` (`a=b&c=d`). `below` is empty, or begins with a slash, which replaces one at the end
    /// of the path.
    pub fn web_socket(&self, below: &str, query: &str) -> Address {
        self.address("ws", below, query)
    }

    /// An HTTP address, built in the same way.
    pub fn http(&self, below: &str, query: &str) -> Address {
        self.address("http", below, query)
    }

    fn address(&self, scheme: &str, below: &str, query: &str) -> Address {
        let folder = match below {
            "" => &*self.path,
            _ => self.path.strip_suffix('/').unwrap_or(&self.path),
        };
        let mut text = String::from(scheme);
        text.push_str(if self.is_secure { "s://" } else { "://" });
        text.push_str(&self.host);
        text.push_str(folder);
        text.push_str(below);
        Address {
            text,
            has_query: false,
        }
        .raw(&self.query)
        .raw(query)
    }
}

/// An address, to which query members can be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    text: String,
    has_query: bool,
}

impl Address {
    /// Adds members that are already encoded, `a=b&c=d`.
    pub fn raw(mut self, members: &str) -> Address {
        if !members.is_empty() {
            self.text.push(if self.has_query { '&' } else { '?' });
            self.has_query = true;
            self.text.push_str(members);
        }
        self
    }

    /// Adds a member.
    pub fn with(self, name: &str, value: &str) -> Address {
        let mut member = String::from(name);
        member.push('=');
        write_encoded(&mut member, value);
        self.raw(&member)
    }

    /// Adds a member, if it has a value.
    pub fn with_optional(self, name: &str, value: Option<&str>) -> Address {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The complete address.
    pub fn into_string(self) -> String {
        self.text
    }
}

/// Appends `text`, encoded at least as strictly as by `encodeURIComponent`.
pub fn write_encoded(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.extend(HEX.get(usize::from(digit)).map(|digit| char::from(*digit)));
            }
        }
    }
}

/// `text` without its percent-encoding. `text` itself if that wouldn't be UTF-8.
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let digits = after.get(..2).filter(|digits| !digits.starts_with('+'));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(b'%'));
        rest = after.get(2..).filter(|_| byte.is_some()).unwrap_or(after);
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).unwrap_or_else(|_| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_put_together() {
        let server = ServerUrl::new("wss://h:1/x/?a=b");
        assert_eq!(server.web_socket("", "").into_string(), "wss://h:1/x/?a=b");
        assert_eq!(
            server
                .http("/negotiate", "c=d")
                .with("e", "f g&h")
                .with_optional("i", None)
                .into_string(),
            "https://h:1/x/negotiate?a=b&c=d&e=f%20g%26h"
        );
        for (url, own, below, slashed) in [
            ("ws://h", "ws://h", "http://h/y?z=", "ws://h/"),
            ("ws://h/", "ws://h/", "http://h/y?z=", "ws://h/"),
            ("ws://h/x", "ws://h/x", "http://h/x/y?z=", "ws://h/x/"),
            ("ws://h/x/", "ws://h/x/", "http://h/x/y?z=", "ws://h/x/"),
        ] {
            let server = ServerUrl::new(url);
            assert_eq!(server.web_socket("", "").into_string(), own);
            assert_eq!(server.http("/y", "").with("z", "").into_string(), below);
            let server = server.with_last_slash();
            assert_eq!(server.web_socket("", "").into_string(), slashed);
        }
    }

    #[test]
    fn origins_are_compared() {
        let server = ServerUrl::new("wss://h:1/x");
        for (url, same) in [
            ("https://h:1/y?z", true),
            ("https://H:1", true),
            ("http://h:1/x", false),
            ("https://h/x", false),
            ("https://h:11/x", false),
            ("https://h:1@evil/x", false),
            ("https://h:1\\@evil/x", false),
            ("https://h:1.evil/x", false),
            ("https:///h:1/x", false),
        ] {
            let other = ServerUrl::redirected(url).unwrap();
            assert_eq!(server.has_origin_of(&other), same, "{url}");
        }
        for (url, other, same) in [
            ("wss://h/x", "https://h:443/x", true),
            ("wss://h/x", "https://h:80/x", false),
            ("ws://h/x", "http://h:80/x", true),
            ("ws://h/x", "http://h:443/x", false),
        ] {
            let other = ServerUrl::redirected(other).unwrap();
            assert_eq!(ServerUrl::new(url).has_origin_of(&other), same, "{url}");
        }
    }

    #[test]
    fn redirections_lead_to_http_addresses() {
        let server = ServerUrl::redirected("https://elsewhere/hub?a=b").unwrap();
        assert_eq!(
            server.web_socket("", "").into_string(),
            "wss://elsewhere/hub?a=b"
        );
        for url in [
            "ftp://x/",
            "/hub",
            "",
            "javascript:alert(1)",
            "https:",
            "httpx://y/",
        ] {
            assert_eq!(ServerUrl::redirected(url), None, "{url}");
        }
    }

    #[test]
    fn paths_stay_on_their_server() {
        let server = ServerUrl::new("wss://h:1/app/room?a=b");
        assert_eq!(server.path(), "/app/room");
        assert_eq!(ServerUrl::new("ws://h").path(), "/");
        for (path, address) in [
            ("/socket.io/", "wss://h:1/socket.io/?a=b"),
            ("socket.io/", "wss://h:1/app/socket.io/?a=b"),
            ("./x", "wss://h:1/app/./x?a=b"),
            ("/x?y#z", "wss://h:1/x?a=b"),
            ("/a:b/", "wss://h:1/a:b/?a=b"),
        ] {
            let found = server.with_path(path).unwrap();
            assert_eq!(found.web_socket("", "").into_string(), address, "{path}");
        }
        for path in [
            "//",
            "//other/",
            "/\\other",
            "http://other/",
            "data:x",
            "x:y/z",
        ] {
            assert_eq!(server.with_path(path), None, "{path}");
        }
    }

    #[test]
    fn what_a_query_cannot_hold_is_encoded() {
        let mut out = String::new();
        write_encoded(&mut out, "a-Z_0.~[{\"é\"+& /?#%");
        assert_eq!(out, "a-Z_0.~%5b%7b%22%c3%a9%22%2b%26%20%2f%3f%23%25");
    }
    #[test]
    fn encoded_paths_are_decoded() {
        for (encoded, text) in [
            ("/R%C3%A4ume", "/Räume"),
            ("/my%20room", "/my room"),
            ("/%e6%bc%A2/%f0%9f%a6%80", "/漢/🦀"),
            ("/100%", "/100%"),
            ("/%zz%4", "/%zz%4"),
            ("/%+1%é", "/%+1%é"),
            ("/%%41", "/%A"),
            ("/%ff%20", "/%ff%20"),
            ("/plain", "/plain"),
        ] {
            assert_eq!(decode(encoded), text, "{encoded}");
        }
    }
}
