//! The script that ASP.NET SignalR 2 makes of a server's hubs, and that pages of its time load: it gives them `$.connection.webRtcHub3`.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::or_root;
use crate::translate::quoted;

/// The script at this address, if it is that of a space's script.
#[must_use]
pub fn answer(path: &str) -> Option<Response> {
    let script = script(path)?;
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
    ];
    Some((headers, script).into_response())
}

fn script(path: &str) -> Option<String> {
    let base = path
        .strip_suffix("/hubs")
        .or_else(|| path.strip_suffix("/js"))?;
    let space = or_root(base.strip_suffix("/signalr")?.to_owned());
    Some(
        include_str!("proxy.js")
            .replace("'SPACE'", &quoted(&space))
            .replace("'BASE'", &quoted(base)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_space_has_its_script() {
        for path in ["/signalr/hubs", "/signalr/js"] {
            assert!(
                script(path)
                    .is_some_and(|script| script.contains(r#"$.hubConnection("/signalr","#))
            );
        }
        assert!(
            script("/my-room/signalr/hubs")
                .is_some_and(|script| script.contains(r#"$.hubConnection("/my-room/signalr","#))
        );
        for path in [
            "/hubs",
            "/js",
            "/signalr",
            "/signalr/",
            "/signalr/hubs/",
            "/xsignalr/js",
        ] {
            assert_eq!(script(path), None);
        }
        assert!(
            script("/a\"b/signalr/js").is_some_and(|script| script.contains(r#""/a\"b/signalr""#))
        );
    }
}
