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

    /// The same address without a slash at the end of its path.
    pub fn without_last_slash(mut self) -> ServerUrl {
        if self.path.ends_with('/') {
            self.path.pop();
        }
        self
    }

    /// The path, which begins with a slash.
    pub fn path(&self) -> &str {
        if self.path.is_empty() {
            "/"
        } else {
            &self.path
        }
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

    /// A WebSocket address: the server's, followed by `path`, with its own query and `query`
    /// (`a=b&c=d`).
    pub fn web_socket(&self, path: &str, query: &str) -> Address {
        self.address("ws", path, query)
    }

    /// An HTTP address, built in the same way.
    pub fn http(&self, path: &str, query: &str) -> Address {
        self.address("http", path, query)
    }

    fn address(&self, scheme: &str, path: &str, query: &str) -> Address {
        let mut text = String::from(scheme);
        text.push_str(if self.is_secure { "s://" } else { "://" });
        text.push_str(&self.host);
        text.push_str(&self.path);
        text.push_str(path);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_put_together() {
        let server = ServerUrl::new("wss://h:1/x/?a=b");
        assert_eq!(server.web_socket("", "").into_string(), "wss://h:1/x/?a=b");
        assert_eq!(
            server
                .http("negotiate", "c=d")
                .with("e", "f g&h")
                .with_optional("i", None)
                .into_string(),
            "https://h:1/x/negotiate?a=b&c=d&e=f%20g%26h"
        );
        let server = ServerUrl::new("ws://h/x/").without_last_slash();
        assert_eq!(
            server.http("/y", "").with("z", "").into_string(),
            "http://h/x/y?z="
        );
        assert_eq!(server.web_socket("", "").into_string(), "ws://h/x");
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
}
