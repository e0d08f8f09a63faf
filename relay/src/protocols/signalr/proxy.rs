//! The script that ASP.NET SignalR 2 generates for a server's hubs. It gives pages
//! `$.connection.webRtcHub3`.

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use signal_wire::json::quoted;

use crate::base_path::BasePath;
use crate::protocols::route::Route;

/// `<space>/signalr/hubs` and `<space>/signalr/js`, where no file has that address.
pub(crate) fn routes(base_path: BasePath) -> Route {
    Route {
        matches: |request| hub(request.uri.path()).is_some(),
        service: Router::new().fallback(answer).with_state(base_path),
    }
}

async fn answer(State(base_path): State<BasePath>, uri: Uri) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
    ];
    let script = script(&base_path, uri.path());
    (headers, script.unwrap_or_default())
}

/// The hub that a script is for.
fn hub(path: &str) -> Option<&str> {
    let hub = path
        .strip_suffix("/hubs")
        .or_else(|| path.strip_suffix("/js"))?;
    hub.ends_with("/signalr").then_some(hub)
}

fn script(base_path: &BasePath, path: &str) -> Option<String> {
    let hub = hub(path)?;
    let space = match hub.strip_suffix("/signalr")? {
        "" => "/",
        space => space,
    };
    let base = format!("{}{hub}", base_path.prefix());
    Some(
        include_str!("proxy.js")
            .replace("'SPACE'", &quoted(space))
            .replace("'BASE'", &quoted(&base)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(path: &str) -> Option<String> {
        super::script(&BasePath::default(), path)
    }

    #[test]
    fn the_hub_is_found_under_the_base_path() {
        let base_path = "/a/b".parse().unwrap_or_default();
        let script = super::script(&base_path, "/my-room/signalr/js").unwrap_or_default();
        assert!(script.contains(r#"$.hubConnection("/a/b/my-room/signalr","#));
        assert!(script.contains(r#"space "/my-room""#));
    }

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
