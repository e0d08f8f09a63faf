//! Hubs of SignalR: their addresses, the spelling of their methods, and the transports that they
//! offer.

use crate::setups::{
    CLASSIC, HANDSHAKE, NEGOTIATED, classic, failed, loses, negotiates, opened, requests, signalr,
    signalr_up, up, waits,
};
use crate::support::host::Cost;
use crate::support::page::{Setup, control};

const NO_WEBSOCKETS: &str = "the hub offers no WebSockets, and signal-wasm uses no other transport of SignalR; turn them on in the server and in each proxy before it";

fn call(target: &str) -> String {
    format!(
        r#"{{"type":1,"target":"{target}","arguments":["{{\"sender\":1,\"channel\":\"main\",\"message\":5}}"]}}{}"#,
        '\u{1e}'
    )
}

/// A reverse proxy may answer the same address without a slash with a redirection, which a
/// WebSocket doesn't follow.
#[test]
fn the_last_slash_of_a_hub_is_kept() {
    for (url, negotiate, socket) in [
        ("ws://h/rt/", "http://h/rt/negotiate?", "ws://h/rt/?id="),
        ("ws://h/rt", "http://h/rt/negotiate?", "ws://h/rt?id="),
        ("ws://h/", "http://h/negotiate?", "ws://h/?id="),
        (
            "ws://h/rt/?a=b",
            "http://h/rt/negotiate?a=b&",
            "ws://h/rt/?a=b&id=",
        ),
    ] {
        let mut page = opened(&Setup::new("signalr", url));
        let request = page.requested();
        assert!(request.url.starts_with(negotiate), "{}", request.url);
        page.is_answered(200, NEGOTIATED);
        let address = page.connects();
        assert!(address.starts_with(socket), "{address}");

        let mut page = opened(&Setup::new("signalr", url));
        page.requested();
        let redirected = url.replacen("ws://h", "https://elsewhere", 1);
        page.is_answered(200, &format!("{{\"url\":\"{redirected}\"}}"));
        let negotiate = negotiate.replacen("http://h", "https://elsewhere", 1);
        let request = page.requested();
        assert!(request.url.starts_with(&negotiate), "{}", request.url);
        page.is_answered(200, NEGOTIATED);
        let socket = socket.replacen("ws://h", "wss://elsewhere", 1);
        let address = page.connects();
        assert!(address.starts_with(&socket), "{address}");

        let mut setup = Setup::new("signalr", url);
        setup.options.skip_negotiation = true;
        assert_eq!(opened(&setup).connects(), url);
    }
    let mut page = opened(&Setup::new("signalr-classic", "ws://h/rt/"));
    requests(&mut page, "http://h/rt/negotiate?");
    page.is_answered(200, CLASSIC);
    assert!(page.connects().starts_with("ws://h/rt/connect?"));
}

/// As with the official client. The hub's spelling is learned, so that its next calls are read by
/// their heads.
#[test]
fn the_client_method_may_have_other_capitals() {
    let mut page = signalr_up();
    for (count, target) in [
        "OnMessageReceived",
        "ONMESSAGERECEIVED",
        "onmessagereceived",
    ]
    .iter()
    .enumerate()
    {
        page.receive(&call(target));
        assert_eq!(page.stats().delivered, (2 * count + 1) as f64, "{target}");
        let cost = Cost::now();
        page.receive(&call(target));
        assert_eq!(page.stats().delivered, (2 * count + 2) as f64, "{target}");
        assert_eq!(Cost::since(cost).full_parses, 0, "{target}");
    }
    page.receive(&call("onMessageReceived2"));
    assert_eq!((page.stats().delivered, page.stats().control), (6.0, 2.0));
    let asking = call("OnMessageReceived").replace("]}", "],\"invocationId\":\"7\"}");
    page.receive(&asking);
    let answer = "{\"type\":3,\"invocationId\":\"7\",\"result\":null}\u{1e}";
    page.did(control(answer));

    // Letters beyond ASCII must be as the hub writes them.
    let mut setup = signalr();
    setup.options.target = Some("Grüße".into());
    let mut page = opened(&setup);
    negotiates(&mut page);
    page = up(page);
    page.receive(&call("grüße"));
    page.receive(&call("GRÜSSE"));
    assert_eq!(page.stats().delivered, 1.0);
}

/// What a negotiation says of a hub's transports.
fn offering(transports: &str) -> String {
    NEGOTIATED.replace("{", &format!("{{\"availableTransports\":{transports},"))
}

#[test]
fn a_hub_without_web_sockets_is_an_error() {
    const OTHERS: &str = r#"{"transport":"ServerSentEvents","transferFormats":["Text"]},{"transport":"LongPolling","transferFormats":["Text","Binary"]}"#;
    for transports in [
        "[]",
        &format!("[{OTHERS}]"),
        "[1,null,{}]",
        "\"WebSockets\"",
    ] {
        let mut page = opened(&signalr());
        page.requested();
        page.is_answered(200, &offering(transports));
        assert_eq!(page.done, [], "{transports}");
        failed(&page, false, NO_WEBSOCKETS);
    }
    let web_sockets = r#"{"transport":"WebSockets","transferFormats":["Text"]}"#;
    for transports in [
        format!("[{web_sockets}]"),
        format!("[{OTHERS},{web_sockets}]"),
    ] {
        let mut page = opened(&signalr());
        page.requested();
        page.is_answered(200, &offering(&transports));
        page.connects();
        page.did(control(HANDSHAKE));
    }
    // While a server is replaced, it may be so for a moment.
    let mut page = signalr_up();
    loses(&mut page);
    page.tries_again();
    page.requested();
    page.is_answered(200, &offering("[]"));
    waits(&page, NO_WEBSOCKETS);
}

#[test]
fn a_classic_hub_without_web_sockets_is_an_error() {
    for (answer, has_web_sockets) in [("false", false), ("null", false), ("true", true)] {
        let answer = CLASSIC.replace("{", &format!("{{\"TryWebSockets\":{answer},"));
        let mut page = opened(&classic());
        requests(&mut page, "http://h/signalr/negotiate?");
        page.is_answered(200, &answer);
        if has_web_sockets {
            page.connects();
        } else {
            failed(&page, false, NO_WEBSOCKETS);
        }
    }
}
