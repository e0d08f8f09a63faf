//! Signals: SIGHUP reads the settings again, SIGUSR1 logs figures, SIGTERM drains, a second one
//! ends the relay at once.

use super::support::program::{Program, command};
use super::support::{Client, LIMIT, status};

const FOREIGN: &[(&str, &str)] = &[("origin", "https://example.org")];

#[tokio::test]
async fn a_hang_up_reads_the_settings_again() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let write = |text: &str| std::fs::write(file.path(), text).unwrap();
    write("queue = 10\ncompressed-files = 10\n");
    let mut program = Program::start(&["--config", file.path().to_str().unwrap()]);
    let mut before = Client::open(program.address, "/").await.unwrap();
    before.greeted().await;
    let refused = Client::open_with(program.address, "/", FOREIGN).await;
    assert_eq!(status(refused), 403);

    write(
        "queue = 20\ncompressed-files = 20\norigin = [\"https://example.org\"]\nping-interval = 9\n",
    );
    program.signal("HUP");
    // In the order in which --help has them.
    program
        .logged("SIGHUP: compressed-files stays \"10\"; \"20\" needs a restart")
        .await;
    program
        .logged("SIGHUP: origin was not set, is [\"https://example.org\"]")
        .await;
    program.logged("SIGHUP: queue was \"10\", is \"20\"").await;
    program
        .logged("SIGHUP: ping-interval was \"25s\", is \"9\"")
        .await;
    let mut page = Client::open_with(program.address, "/", FOREIGN)
        .await
        .unwrap();
    let hello = page.greeted().await;
    assert!(hello.ends_with(",\"ping\":9000}"), "{hello}");

    write("origin = 'nonsense'\n");
    program.signal("HUP");
    let line = program.logged("SIGHUP: the old settings stay: ").await;
    assert!(
        line.contains(" line 1: invalid value 'nonsense' for '--origin"),
        "{line}"
    );
    write("max-frame = '64M'\n");
    program.signal("HUP");
    program.logged("SIGHUP: the old settings stay: ").await;
    let mut page = Client::open_with(program.address, "/", FOREIGN)
        .await
        .unwrap();
    page.greeted().await;
    // The connection from before is still there.
    page.send("after").await;
    assert_eq!(before.text().await, "after");

    let same = "queue = 20\norigin = [\"https://example.org\"]\nping-interval = 9\n";
    write(&format!("{same}compressed-files = 20\n"));
    program.signal("HUP");
    program.logged("SIGHUP: compressed-files stays").await;
    write(&format!("{same}compressed-files = 10\n"));
    program.signal("HUP");
    program.logged("SIGHUP: no setting has changed").await;
}

#[test]
fn systemd_is_told_what_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let told = || {
        let mut text = [0; 1024];
        let length = socket.recv(&mut text).unwrap();
        String::from_utf8(text[..length].to_vec()).unwrap()
    };
    let arguments = ["--listen", "127.0.0.1:0"];
    let program = Program::spawn(command(&arguments).env("NOTIFY_SOCKET", &path));
    assert_eq!(told(), "READY=1\n");
    program.signal("HUP");
    let reloading = told();
    assert!(
        reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
        "{reloading}"
    );
    assert_eq!(told(), "READY=1\n");
    program.signal("TERM");
    assert_eq!(told(), "STOPPING=1\n");
    assert_eq!(program.end().0, Some(0));
}

#[tokio::test]
async fn a_user_signal_logs_figures() {
    let mut program = Program::start(&[]);
    let mut client = Client::open(program.address, "/").await.unwrap();
    client.greeted().await;
    program.signal("USR1");
    program
        .logged("Connected now: 1 clients (plain 1) in 1 spaces")
        .await;
}

#[tokio::test]
async fn the_next_relay_takes_the_port_while_the_clients_of_the_first_leave() {
    let first = Program::start(&["--drain", "1h"]);
    let mut early = Client::open(first.address, "/").await.unwrap();
    early.greeted().await;
    let mut late = [
        Client::open(first.address, "/").await.unwrap(),
        Client::open(first.address, "/").await.unwrap(),
    ];
    for client in &mut late {
        client.greeted().await;
    }
    first.signal("TERM");
    assert_eq!(early.closed().await.0, 1001);
    let listen = first.address.to_string();
    let next = Program::spawn(&mut command(&["--listen", &listen]));
    assert_eq!(next.address, first.address);
    let mut back = Client::open(next.address, "/").await.unwrap();
    back.greeted().await;
    let [one, other] = &mut late;
    one.send("still on the first").await;
    assert_eq!(other.text().await, "still on the first");
    drop(late);
    let ended = tokio::time::timeout(LIMIT, tokio::task::spawn_blocking(|| first.end()))
        .await
        .expect("it waits for nobody")
        .unwrap();
    assert_eq!(ended.0, Some(0), "{}", ended.2);
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut program = Program::start(&["--drain", "1h"]);
    let mut first = Client::open(program.address, "/").await.unwrap();
    first.greeted().await;
    let mut second = Client::open(program.address, "/").await.unwrap();
    second.greeted().await;
    program.signal("TERM");
    assert_eq!(first.closed().await.0, 1001);
    program.logged("SIGTERM: stopping").await;
    program.signal("TERM");
    let ended = tokio::time::timeout(LIMIT, tokio::task::spawn_blocking(|| program.end()))
        .await
        .expect("it goes on")
        .unwrap();
    assert_eq!(ended.0, Some(0), "{}", ended.2);
    assert!(
        ended.2.contains("SIGTERM again: stopping at once"),
        "{}",
        ended.2
    );
    while let Some(Ok(_)) = second.next().await {}
}
