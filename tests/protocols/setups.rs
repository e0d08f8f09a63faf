//! Pages whose conversations have come to where messages may be sent, and what the servers said on
//! the way.

use crate::support::host::HostText;
use crate::support::page::{Page, Setup, control};
use signal_wasm::protocol::{Credentials, Millis};
use signal_wasm::session::{Action, CredentialsSource, State};

pub type Client = Page<String>;

/// Makes a page.
pub type Make = fn() -> Client;

/// The page's own `sender`, which is the one of the transcripts' clients.
pub const OWN: u64 = 12345;

pub const EIO4: &str =
    r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
/// Of Socket.IO 2, and of 3.0 up to 4.4.
pub const NO_MAX_PAYLOAD: &str =
    r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":5000}"#;
pub const NEGOTIATED: &str =
    r#"{"negotiateVersion":1,"connectionId":"id","connectionToken":"to/ken"}"#;
pub const CLASSIC: &str = r#"{"ConnectionToken":"to/ken","ConnectionId":"id","KeepAliveTimeout":20,"DisconnectTimeout":30,"ProtocolVersion":"2.1"}"#;
pub const INIT: &str = r#"{"C":"d-1","S":1,"M":[]}"#;
pub const HANDSHAKE: &str = "{\"protocol\":\"json\",\"version\":1}\u{1e}";

pub fn socket_io() -> Setup {
    Setup::new("socket.io", "ws://h/")
}

pub fn signalr() -> Setup {
    Setup::new("signalr", "ws://h/hub")
}

pub fn classic() -> Setup {
    Setup::new("signalr-classic", "ws://h/signalr")
}

/// In this namespace of Socket.IO.
pub fn room(namespace: &str) -> Setup {
    let mut setup = socket_io();
    setup.options.namespace = Some(namespace.into());
    setup
}

/// A page that has opened nothing.
pub fn page(setup: &Setup) -> Client {
    let mut page = Page::new(setup.session(OWN, 5));
    page.session.inspect(true);
    page
}

/// A page that has opened the channel `main`, and with it the connection.
pub fn opened(setup: &Setup) -> Client {
    let mut page = page(setup);
    page.open("main", "main".into());
    page
}

/// The same, with the credentials that it gives one time after another.
pub fn renewing(mut setup: Setup, credentials: &[Option<Credentials>]) -> Client {
    setup.config.credentials = CredentialsSource::Renewable;
    let mut page = page(&setup);
    page.credentials = credentials.iter().cloned().collect();
    page.open("main", "main".into());
    page
}

pub fn token(token: &str) -> Option<Credentials> {
    Some(Credentials::Token(token.into()))
}

/// Socket.IO's.
pub fn auth() -> Option<Credentials> {
    Some(Credentials::Auth {
        json: "{\"token\":\"x\"}".into(),
        query: "token=x".into(),
    })
}

/// One whose connection is open, with nothing left to look at.
pub fn up(page: Client) -> Client {
    assert!(page.state().is_open(), "{:?}", page.states());
    assert_eq!(page.done, []);
    page
}

pub fn socket_io_4() -> Client {
    let mut page = opened(&socket_io());
    page.connects();
    page.receive(EIO4);
    page.did(control("40"));
    page.receive(r#"40{"sid":"b"}"#);
    up(page)
}

pub fn socket_io_2() -> Client {
    let mut page = opened(&socket_io());
    page.connects();
    page.receive(NO_MAX_PAYLOAD);
    page.receive("40");
    up(page)
}

/// From the request on.
pub fn negotiates(page: &mut Client) {
    let url = page.requested().url;
    assert_eq!(url, "http://h/hub/negotiate?negotiateVersion=1");
    page.is_answered(200, NEGOTIATED);
    assert_eq!(page.connects(), "ws://h/hub?id=to%2fken");
    page.did(control(HANDSHAKE));
    page.receive("{}\u{1e}");
}

pub fn signalr_up() -> Client {
    let mut page = opened(&signalr());
    negotiates(&mut page);
    up(page)
}

pub fn negotiates_classic(page: &mut Client) {
    requests(page, "http://h/signalr/negotiate?");
    page.is_answered(200, CLASSIC);
    let url = page.connects();
    assert!(url.starts_with("ws://h/signalr/connect?"), "{url}");
    page.receive(INIT);
    requests(page, "http://h/signalr/start?");
    page.is_answered(200, r#"{"Response":"started"}"#);
}

pub fn classic_up() -> Client {
    let mut page = opened(&classic());
    negotiates_classic(&mut page);
    up(page)
}

/// The next thing that it did must be a GET request to an address that begins like this; the
/// address.
pub fn requests(page: &mut Client, start: &str) -> String {
    let request = page.requested();
    assert_eq!(request.method, "GET");
    assert!(request.url.starts_with(start), "{}", request.url);
    request.url
}

/// The next thing that it did must be a POST request; its token.
pub fn posts(page: &mut Client) -> Option<String> {
    let request = page.requested();
    assert_eq!(request.method, "POST");
    request.token
}

/// The connection is lost; what was done before isn't looked at.
pub fn loses(page: &mut Client) {
    page.loses_socket(Some(1006));
    page.done.clear();
}

/// What our side sends by itself in that time, and when; to each the server answers.
pub fn sent_in(page: &mut Client, time: Millis, answer: &str) -> Vec<(Millis, String)> {
    let start = page.now;
    let mut sent = Vec::new();
    let is_due = |page: &Client| {
        let timeout = page.session.poll_timeout();
        timeout.is_some_and(|at| at <= start + time)
    };
    while is_due(page) {
        page.wakes(0.0);
        while !page.done.is_empty() {
            sent.push((page.now - start, page.sent_control()));
            page.receive(answer);
        }
    }
    page.now = start + time;
    sent
}

/// A frame or the loss of a socket may leave these.
pub fn without_disconnects(page: &mut Client) {
    page.done
        .retain(|action: &Action<HostText>| *action != Action::Disconnect);
}

/// The connection waits for its next attempt, for this reason.
pub fn waits(page: &Client, reason: &str) {
    assert_eq!(page.stands(), ("waiting", reason));
}

/// The connection was lost for good, for this reason.
pub fn failed(page: &Client, unauthorized: bool, reason: &str) {
    assert_eq!(page.state(), State::Closed);
    assert_eq!(page.failure(), Some((unauthorized, reason)));
}
