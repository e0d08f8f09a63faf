//! What's tested: a relay that a proxy makes reachable under a path, whether or not the proxy removes
//! that path.
//! * spaces of each protocol: the same with and without the prefix
//! * the addresses that the relay hands out begin with it
//! * mounts, folders, checks, and paths that only look alike

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::fs;

use serde_json::Value;
use signal_relay::check::check;
use signal_relay::{Config, StartError};
use support::signalr_classic::HUBS;
use support::{Relay, config, get, request, request_with};

async fn below(base_path: &str) -> Relay {
    let base_path = base_path.parse().unwrap();
    Relay::start(Config {
        base_path,
        ..config()
    })
    .await
}

#[tokio::test]
async fn a_space_is_the_same_with_and_without_the_prefix() {
    let relay = below("/signal").await;
    for (outside, inside) in [
        ("/signal", "/"),
        ("/signal/", "/"),
        ("/signal/?a=1", "/"),
        ("/signal/my-room", "/my-room"),
        ("/signal/a/b", "/a/b"),
    ] {
        let mut one = relay.join(outside).await;
        let mut other = relay.join(inside).await;
        one.send(r#"{"sender":1,"channel":"c","message":1}"#).await;
        let heard = other.envelope().await;
        assert!(heard.contains(r#""sender":1"#), "{outside}: {heard}");
        other
            .send(r#"{"sender":2,"channel":"c","message":2}"#)
            .await;
        let heard = one.envelope().await;
        assert!(heard.contains(r#""sender":2"#), "{outside}: {heard}");
    }
    // Not the prefix, but a path like others.
    let mut like = relay.join("/signals/my-room").await;
    let mut below = relay.join("/other/signal/my-room").await;
    relay.until(|stats| stats.spaces == 2).await;
    like.heard().await;
    below.heard().await;
}

#[tokio::test]
async fn every_protocol_is_found_below_it() {
    let relay = below("/apps/signal").await;
    for prefix in ["", "/apps/signal"] {
        let core = request_with(
            relay.address,
            &format!("POST {prefix}/my-room/hub/negotiate?negotiateVersion=1"),
            &[],
            b"x",
        )
        .await;
        assert_eq!(core.status, 200);
        assert!(core.body.contains("connectionToken"), "{}", core.body);

        let line = format!("GET {prefix}/socket.io/?EIO=4&transport=polling");
        let polling = request(relay.address, &line, &[]).await;
        assert_eq!(polling.status, 200);
        assert!(polling.body.contains("\"upgrades\""), "{}", polling.body);

        let envelope = br#"{"sender":1,"channel":"c","message":1}"#;
        let line = format!("POST {prefix}/my-room/sse");
        let json = [("content-type", "application/json")];
        let posted = request_with(relay.address, &line, &json, envelope).await;
        assert_eq!(posted.status, 204, "{posted:?}");
    }
}

/// Clients of SignalR 2 go on with what they are given, which is relative to the site.
#[tokio::test]
async fn addresses_that_are_handed_out_begin_with_it() {
    let relay = below("/signal/").await;
    for prefix in ["", "/signal"] {
        for hub in ["/signalr", "/my-room/signalr", "/signalr/hubs"] {
            let path = format!("{prefix}{hub}/negotiate?clientProtocol=2.1&connectionData={HUBS}");
            let answer = get(relay.address, &path).await;
            let answer: Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(answer["Url"], format!("/signal{hub}"));
        }
        for (path, hub) in [
            ("/signalr/js", "/signal/signalr"),
            ("/signalr/hubs", "/signal/signalr"),
            ("/my-room/signalr/js", "/signal/my-room/signalr"),
        ] {
            let script = get(relay.address, &format!("{prefix}{path}")).await;
            let call = format!("$.hubConnection(\"{hub}\",");
            assert!(script.body.contains(&call), "{path}: {}", script.body);
        }
    }
}

#[tokio::test]
async fn mounts_are_below_it() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("sub")).unwrap();
    fs::write(root.path().join("index.html"), "the page").unwrap();
    fs::write(root.path().join("sub/index.html"), "sub").unwrap();
    let folder = root.path().display();
    let mounts = [format!("/={folder}"), format!("/lib={folder}")];
    let mounts = mounts.map(|mount| mount.parse().unwrap()).into();
    let base_path = "/signal".parse().unwrap();
    let relay = Relay::start(Config {
        mounts,
        base_path,
        ..config()
    })
    .await;
    for prefix in ["", "/signal"] {
        for (path, body) in [
            ("/", "the page"),
            ("/lib/sub/", "sub"),
            ("/healthz", "ok\n"),
        ] {
            let answer = get(relay.address, &format!("{prefix}{path}")).await;
            assert_eq!(
                (answer.status, &*answer.body),
                (200, body),
                "{prefix}{path}"
            );
        }
        for (path, location) in [
            ("/sub", "/signal/sub/"),
            ("/lib", "/signal/lib/"),
            ("/lib?a=1", "/signal/lib/?a=1"),
            ("/lib/sub?a=1", "/signal/lib/sub/?a=1"),
        ] {
            let answer = get(relay.address, &format!("{prefix}{path}")).await;
            let got = (answer.status, answer.header("location"));
            assert_eq!(got, (307, Some(location)), "{prefix}{path}");
        }
    }
    let folder = get(relay.address, "/signal?a=1").await;
    let got = (folder.status, folder.header("location"));
    assert_eq!(got, (307, Some("/signal/?a=1")));
    for hidden in ["/signal//etc/passwd", "/signal/../secret", "/signal/.env"] {
        assert_eq!(get(relay.address, hidden).await.status, 404, "{hidden}");
    }
}

#[tokio::test]
async fn a_proxy_can_check_the_relay_on_either_path() {
    let relay = below("/signal").await;
    for line in [
        "OPTIONS *",
        "OPTIONS /",
        "OPTIONS /signal",
        "OPTIONS /signal/",
        "GET /healthz",
        "GET /signal/healthz",
        "GET /readyz",
        "GET /signal/readyz",
    ] {
        let answer = request(relay.address, line, &[]).await;
        assert_eq!(answer.status, 200, "{line}");
    }
}

#[test]
fn a_mount_that_cant_be_reached_is_refused() {
    let base_path = "/signal".parse().unwrap();
    for (mount, fits) in [
        ("/signal=.", false),
        ("/signal/lib=.", false),
        ("/signals=.", true),
        ("/=.", true),
    ] {
        let config = Config {
            mounts: vec![mount.parse().unwrap()],
            base_path: Clone::clone(&base_path),
            ..config()
        };
        let checked = check(&config);
        let refused = matches!(checked, Err(StartError::BelowBasePath(..)));
        assert_eq!(refused, !fits, "{mount}: {checked:?}");
        if let Err(error) = checked {
            assert!(error.to_string().contains("--base-path /signal"), "{error}");
        }
    }
}
