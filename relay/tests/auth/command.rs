//! The options of the program, its command `token`, and SIGHUP.

use super::support::Client;
use super::support::program::{Program, run};
use super::support::tokens::{KeyFile, SECRET, token};

#[test]
fn the_options_belong_together() {
    let key = KeyFile::new(SECRET);
    let file = key.path();
    let file = file.to_str().unwrap();
    for (arguments, told) in [
        (&["--auth", "jwt"][..], "--auth-key <FILE>"),
        (&["--auth-key", file], "--auth <KIND>"),
        (&["--auth", "basic"], "[possible values: jwt"),
        (
            &["--auth", "jwt", "--auth-key", file, "--open"],
            "cannot be used with",
        ),
        (
            &["--auth", "jwt", "--auth-key", "no-such-file"],
            "can't check tokens: no-such-file can't be read",
        ),
        (
            &["--auth", "jwt", "--auth-key", "Cargo.toml"],
            "can't check tokens",
        ),
        (
            &["token", "--user", "a", "--key", file],
            "--space <PATTERN>",
        ),
        (
            &[
                "token",
                "--user",
                "a",
                "--space",
                "/",
                "--key",
                "no-such-file",
            ],
            "no-such-file can't be read",
        ),
        (
            &["token", "--user", "", "--space", "/", "--key", file],
            "sub must have 1 to 256 bytes",
        ),
        (
            &["token", "--user", "a", "--space", "/a*b", "--key", file],
            "* is a whole segment",
        ),
        (
            &[
                "token",
                "--user",
                "a",
                "--space",
                "/",
                "--key",
                file,
                "--expires",
                "soon",
            ],
            "give a time",
        ),
    ] {
        let short = KeyFile::new("short");
        let short = short.path();
        let arguments: Vec<_> = arguments
            .iter()
            .map(|&argument| {
                if argument == "Cargo.toml" {
                    short.to_str().unwrap()
                } else {
                    argument
                }
            })
            .collect();
        let (code, stdout, stderr) = run(&arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(told), "{arguments:?}: {stderr}");
    }
}

fn made(key: &KeyFile, more: &[&str]) -> String {
    let file = key.path();
    let arguments = ["token", "--user", "alice", "--key", file.to_str().unwrap()];
    let (code, stdout, stderr) = run(&[&arguments, more].concat());
    assert_eq!((code, stderr.as_str()), (0, ""));
    stdout.trim_end().to_owned()
}

#[tokio::test]
async fn a_token_of_the_command_is_good_where_it_says() {
    let key = KeyFile::new(SECRET);
    let file = key.path();
    let relay = Program::start(&[
        "--listen",
        "0.0.0.0:0",
        "--auth",
        "jwt",
        "--auth-key",
        file.to_str().unwrap(),
        "--log",
        "debug",
    ]);
    let address = ([127, 0, 0, 1], relay.address.port()).into();
    let token = made(
        &key,
        &[
            "--space",
            "/room/*",
            "--expires",
            "1h",
            "--publish",
            "a",
            "--subscribe",
            "b",
        ],
    );
    let mut client = Client::open(address, &format!("/room/1?token={token}"))
        .await
        .unwrap();
    client.greeted().await;
    client
        .send(r#"{"sender":1,"channel":"b","message":1}"#)
        .await;
    assert!(client.text().await.starts_with(r#"{"refused":"b""#));
    assert!(
        Client::open(address, &format!("/other?token={token}"))
            .await
            .is_err()
    );
    assert!(
        Client::open(address, &format!("/room/1?token={token}x"))
            .await
            .is_err()
    );
    #[cfg(unix)]
    {
        drop(client);
        relay.signal("TERM");
        let (_, _, log) = relay.end();
        let secret = token.rsplit('.').next().unwrap();
        assert!(log.contains("connected") && !log.contains(secret), "{log}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn sighup_reads_the_keys_again() {
    let key = KeyFile::new(SECRET);
    let file = key.path();
    let relay = Program::start(&["--auth", "jwt", "--auth-key", file.to_str().unwrap()]);
    let (address, old) = (relay.address, token("alice", &["/"]));
    let open = async |token: &str| {
        Client::open(address, &format!("/?token={token}"))
            .await
            .is_ok()
    };
    assert!(open(&old).await);
    key.write(SECRET.replace('0', "1"));
    let new = made(&key, &["--space", "/"]);
    relay.signal("HUP");
    let reloaded = async {
        while !open(&new).await {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(super::support::LIMIT, reloaded)
        .await
        .unwrap();
    assert!(!open(&old).await);
}
