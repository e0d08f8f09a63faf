//! The script that ASP.NET SignalR 2 generates for a server's hubs. It gives pages
//! `$.connection.webRtcHub3`.

use axum::Router;
use axum::http::Uri;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use signal_wire::json::quoted;

use crate::protocols::route::Route;

/// `<space>/signalr/hubs` and `<space>/signalr/js`, where no file has that address.
pub(crate) fn routes() -> Route {
    Route {
        matches: |request| script(request.uri.path()).is_some(),
        service: Router::new().fallback(answer),
    }
}

async fn answer(uri: Uri) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, script(uri.path()).unwrap_or_default())
}

fn script(path: &str) -> Option<String> {
    let base = path
        .strip_suffix("/hubs")
        .or_else(|| path.strip_suffix("/js"))?;
    let space = match base.strip_suffix("/signalr")? {
        "" => "/",
        space => space,
    };
    Some(
        include_str!("proxy.js")
            .replace("'SPACE'", &quoted(space))
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
