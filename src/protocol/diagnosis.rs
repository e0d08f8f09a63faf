//! What to ask a server to which no connection can be made, and what its answer says it is.
//!
//! The browser doesn't say why a WebSocket failed. Servers of other protocols answer HTTP requests
//! in their own ways, which tell the option that fits.

use super::secrets::{position, without_secrets};
use super::url::ServerUrl;

/// A server that couldn't be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The name of the protocol that the page has chosen.
    pub protocol: &'static str,
    /// The server's address.
    pub url: String,
    /// Why the last attempt failed.
    pub reason: String,
    /// Frames travel through the page's own transport.
    pub own_transport: bool,
}

/// An answer to a GET request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    /// Its HTTP status.
    pub status: u16,
    /// Its header `Content-Type`; empty if there is none.
    pub content_type: &'a str,
    /// The beginning of its body.
    pub text: &'a str,
}

/// What answers at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is, as a noun.
    what: String,
    /// The protocol that it speaks, if that is known.
    pub protocol: Option<&'static str>,
}

impl Trouble {
    /// The addresses to ask, one after the other, until an answer tells the protocol. A server of
    /// Socket.IO answers at no other path, and often lets pages of other origins read that alone.
    pub fn probes(&self) -> Vec<String> {
        if self.own_transport || self.url.is_empty() {
            return Vec::new();
        }
        // `fetch` refuses addresses with a user name.
        let (place, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let place = without_secrets(place);
        let scheme = if place.starts_with("ws") {
            "ws"
        } else {
            "http"
        };
        let Some(rest) = place.strip_prefix(scheme) else {
            return Vec::new();
        };
        let server = ServerUrl::new(&format!("ws{rest}"));
        let same = server.http("", query).into_string();
        let socket_io = server
            .with_path("/socket.io/")
            .map(|server| server.http("", "EIO=4&transport=polling").into_string());
        [same].into_iter().chain(socket_io).collect()
    }

    /// The sentence for the page's author.
    pub fn sentence(&self, finding: Option<&Finding>) -> String {
        let Trouble {
            protocol, reason, ..
        } = self;
        let mut sentence = if self.own_transport {
            String::from("signal-wasm can't connect through the option transport: ")
        } else {
            let url = without_secrets(&self.url);
            format!("signal-wasm can't connect to {url} with protocol '{protocol}': ")
        };
        sentence.push_str(&without_secrets(reason));
        sentence.push_str(". ");
        if let Some(Finding {
            what,
            protocol: met,
        }) = finding
        {
            sentence.push_str(&format!("What answers there is {what}"));
            sentence.push_str(&match met {
                Some(met) if is_spoken(protocol, met) => {
                    "; a proxy or the server may refuse WebSockets, or this page's origin. ".into()
                }
                Some(met) => format!("; set the option protocol to '{met}'. "),
                None => "; the option url must be the address of the signaling server. ".into(),
            });
        }
        sentence.push_str("It keeps trying; set onstatechange or onerror to follow it.");
        sentence
    }
}

/// Whether a page with that protocol talks to such a server.
fn is_spoken(protocol: &str, met: &str) -> bool {
    protocol == met || (met == "websocket" && protocol == "auto")
}

impl Finding {
    /// Reads an answer.
    pub fn of(answer: &Answer<'_>) -> Finding {
        let text = answer.text.trim_start();
        let has = |part| position(text, part).is_some();
        let finding = |what: &str, protocol| Finding {
            what: what.into(),
            protocol: Some(protocol),
        };
        if is_engine_io(text) {
            return finding("a Socket.IO server", "socket.io");
        }
        if text.starts_with("Connection ID required") || has("\"negotiateVersion\"") {
            return finding("a SignalR hub of ASP.NET Core", "signalr");
        }
        if text.starts_with("Protocol error: ") || has("\"ConnectionToken\"") {
            return finding("a server of ASP.NET SignalR 2", "signalr-classic");
        }
        if answer.content_type.starts_with("text/event-stream") {
            return finding("a server that sends events", "sse");
        }
        let names_websocket = has("websocket") || has("WebSocket");
        if answer.status == 426 || (answer.status == 400 && names_websocket) {
            return finding("a server of plain WebSockets", "websocket");
        }
        let is_page = answer.content_type.starts_with("text/html") || text.starts_with('<');
        let kind = if is_page {
            "a web page"
        } else {
            "an HTTP server"
        };
        Finding {
            what: format!("{kind}, with HTTP status {}", answer.status),
            protocol: None,
        }
    }
}

/// Whether this is the beginning of an answer of Engine.IO: an open packet (in version 3 with its
/// length before it), or its error.
fn is_engine_io(text: &str) -> bool {
    let after_length = text.trim_start_matches(|first: char| first.is_ascii_digit());
    let packet = match after_length.strip_prefix(':') {
        Some(packet) => packet,
        None => text,
    };
    packet.starts_with("0{\"sid\":")
        || (text.starts_with("{\"code\":") && position(text, "\"message\":").is_some())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    fn trouble(protocol: &'static str, url: &str) -> Trouble {
        Trouble {
            protocol,
            url: url.into(),
            reason: "no connection could be made".into(),
            own_transport: false,
        }
    }

    fn met(status: u16, content_type: &str, text: &str) -> Option<&'static str> {
        Finding::of(&Answer {
            status,
            content_type,
            text,
        })
        .protocol
    }

    #[test]
    fn the_same_address_is_asked_and_then_socket_ios() {
        assert_eq!(
            trouble("auto", "wss://user:pass@h:1/a/b?c=d").probes(),
            [
                "https://h:1/a/b?c=d",
                "https://h:1/socket.io/?EIO=4&transport=polling"
            ]
        );
        let http = trouble("signalr", "http://h/hub").probes();
        assert_eq!(http.first().map(String::as_str), Some("http://h/hub"));
        // Nothing is known of an address that the page has yet to give.
        assert_eq!(trouble("auto", "").probes(), [""; 0]);
        let transport = Trouble {
            own_transport: true,
            ..trouble("websocket", "ws://h/")
        };
        assert_eq!(transport.probes(), [""; 0]);
    }

    #[test]
    fn servers_are_known_by_their_answers() {
        let json = "application/json";
        for text in [
            "{\"code\":0,\"message\":\"Transport unknown\"}",
            "0{\"sid\":\"a\",\"upgrades\":[\"websocket\"]}",
            "96:0{\"sid\":\"a\",\"upgrades\":[\"websocket\"]}2:40",
        ] {
            assert_eq!(met(200, "text/plain", text), Some("socket.io"), "{text}");
        }
        assert_eq!(met(400, "", "Connection ID required"), Some("signalr"));
        assert_eq!(met(200, json, "{\"negotiateVersion\":1}"), Some("signalr"));
        let classic = "Protocol error: Unknown transport.";
        assert_eq!(met(400, "text/html", classic), Some("signalr-classic"));
        assert_eq!(
            met(200, "text/event-stream; charset=utf-8", ""),
            Some("sse")
        );
        assert_eq!(
            met(426, "text/plain", "Upgrade Required"),
            Some("websocket")
        );
        let gorilla = "Bad Request\nwebsocket: the client is not using the websocket protocol";
        assert_eq!(met(400, "text/plain", gorilla), Some("websocket"));
        for (status, text) in [
            (200, "<!doctype html>"),
            (404, ""),
            (200, "{\"sid\":1}"),
            (400, "no"),
        ] {
            assert_eq!(met(status, "", text), None, "{text}");
        }
    }

    #[test]
    fn the_sentence_names_the_address_and_the_option() {
        let says = |protocol, status, content_type, text: &str| {
            let answer = Answer {
                status,
                content_type,
                text,
            };
            trouble(protocol, "ws://u:secret@h/x?token=secret")
                .sentence(Some(&Finding::of(&answer)))
        };
        let socket_io = "{\"code\":0,\"message\":\"Transport unknown\"}";
        let sentence = says("auto", 400, "application/json", socket_io);
        assert!(sentence.contains("ws://h/x with protocol 'auto': no connection could be made"));
        assert!(sentence.contains("a Socket.IO server; set the option protocol to 'socket.io'"));
        assert!(!sentence.contains("secret"), "{sentence}");
        assert!(says("socket.io", 400, "", socket_io).contains("may refuse WebSockets"));
        assert!(says("auto", 426, "", "").contains("may refuse WebSockets"));
        assert!(says("sse", 426, "", "").contains("set the option protocol to 'websocket'"));
        let page = says("auto", 200, "text/html", "<html>");
        assert!(
            page.contains("a web page, with HTTP status 200; the option url must be"),
            "{page}"
        );
        let unknown = trouble("auto", "ws://h/").sentence(None);
        assert!(!unknown.contains("What answers"), "{unknown}");
        let transport = Trouble {
            own_transport: true,
            ..trouble("websocket", "")
        };
        assert!(
            transport
                .sentence(None)
                .contains("through the option transport")
        );
    }
}
