//! `--help`, and the answers to an invalid command line and to a port or folder that isn't
//! available.

use std::net::TcpListener;

use super::support::program::{Program, run};

#[test]
fn a_taken_port_is_named_with_the_way_out() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let (code, stdout, stderr) = run(&["--listen", &address.to_string()]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert_eq!(
        stderr,
        format!(
            "signal-relay: {address} is taken by another program, perhaps another signal-relay: \
             stop the other or choose --listen 127.0.0.1:0 for any free port\n"
        )
    );
}

#[test]
fn what_is_not_available_ends_it_with_code_1() {
    for (arguments, told) in [
        // An address of the block that is kept for documentation.
        (
            &["--listen", "192.0.2.1:8888", "--open"][..],
            "this machine has no address 192.0.2.1; --listen 0.0.0.0:8888 takes all it has",
        ),
        (
            &["--mount", "/=no-such-folder"],
            "can't serve --mount /=no-such-folder: ",
        ),
    ] {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, stdout.as_str()), (1, ""), "{arguments:?}: {stderr}");
        assert!(
            stderr.starts_with("signal-relay: ") && stderr.contains(told),
            "{arguments:?}: {stderr}"
        );
    }
}

#[test]
fn an_address_that_others_reach_needs_consent() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"] {
        let (code, stdout, stderr) = run(&["--listen", address]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{address}");
        let told = format!("signal-relay: --listen {address} can be reached from other machines");
        assert!(stderr.starts_with(&told), "{stderr}");
        assert!(stderr.contains("--open"), "{stderr}");
    }
}

#[test]
fn with_consent_it_listens_where_others_reach_it() {
    let relay = Program::start(&["--listen", "0.0.0.0:0", "--open"]);
    assert!(relay.address.ip().is_unspecified());
    for address in ["127.0.0.2:0", "[::ffff:127.0.0.1]:0"] {
        let relay = Program::start(&["--listen", address]);
        assert!(relay.address.ip().to_canonical().is_loopback());
    }
}

#[test]
fn an_invalid_command_line_ends_it_with_code_2() {
    for (arguments, told) in [
        (
            &["--listen", "localhost:9000"][..],
            "invalid value 'localhost:9000' for '--listen <IP:PORT>': not an IP address and port; this machine only: 127.0.0.1:9000",
        ),
        (&["--listen", "8888"], "all its addresses: 0.0.0.0:8888"),
        (&["--listen", "127.0.0.1"], "not an IP address and port"),
        (
            &["--listen", "127.0.0.1:65536"],
            "not an IP address and port",
        ),
        (
            &["--mount", "www"],
            "for '--mount </PREFIX=DIR>': a mount is /PREFIX=FOLDER, for example /=www",
        ),
        (
            &["--mount", "/=.", "--mount", "/=src"],
            "--mount /=. and --mount /=src are for the same path",
        ),
        (
            &["--origin", "example.org"],
            "for '--origin <ORIGIN>': an origin is SCHEME://HOST[:PORT]; did you mean https://example.org?",
        ),
        (
            &["--max-frame", "big"],
            "for '--max-frame <BYTES>': give a number of bytes from 1 up",
        ),
        (
            &["--max-frame", "0"],
            "for '--max-frame <BYTES>': give a number of bytes from 1 up",
        ),
        (
            &["--max-frame", "99999999999999999999"],
            "give a number of bytes",
        ),
        (
            &["--max-frame", "18446744073709551615K"],
            "give a number of bytes",
        ),
        (
            &["--max-frame", "2M", "--queue-bytes", "1M"],
            "raise --queue-bytes to at least 2097152 or lower --max-frame",
        ),
        (&["--queue", "0"], "for '--queue <FRAMES>'"),
        (&["--queue", "-1"], "--queue"),
        (&["--connections", "0"], "for '--connections <NUMBER>'"),
        (
            &["--log", "loud"],
            "[possible values: off, error, warn, info, debug]",
        ),
        (
            &["--session-age", "soon"],
            "give a time of up to a year, for example 90, 500ms, 10s, 5m or 2h",
        ),
        (&["--history-age", "0"], "give a time of up to a year"),
        (&["--history-age", "1d"], "give a time of up to a year"),
        (
            &["--history-age", "18446744073709551615h"],
            "give a time of up to a year",
        ),
        (
            &["--ping-interval", "0"],
            "invalid value '0' for '--ping-interval <TIME>': give a time from 1s to 24h, for example 10, 1500ms, 10s, 5m or 2h",
        ),
        (
            &["--ping-interval", "1ms"],
            "'1ms' for '--ping-interval <TIME>': give a time",
        ),
        (&["--ping-interval", "999ms"], "give a time from 1s to 24h"),
        (
            &["--ping-interval", "86400001ms"],
            "give a time from 1s to 24h",
        ),
        (&["--ping-interval", "never"], "give a time from 1s to 24h"),
        (
            &["--ping-interval", "-1"],
            "'-1' for '--ping-interval <TIME>'",
        ),
        (
            &["--ping-timeout", "500ms"],
            "'500ms' for '--ping-timeout <TIME>': give a time from 1s to 24h",
        ),
        (&["--ping-timeout", "25h"], "give a time from 1s to 24h"),
        (&["--channels", "0"], "0 is not in 1.."),
        (&["--mont", "/=www"], "a similar argument exists: '--mount'"),
        (&["www"], "unrecognized subcommand 'www'"),
        (
            &["--drain", "2h"],
            "'2h' for '--drain <TIME>': give a time from 0s to 1h",
        ),
        (&["--tls-cert", "cert.pem"], "--tls-key <FILE>"),
        (&["--tls-key", "key.pem"], "--tls-cert <FILE>"),
        (
            &["--metrics", "9464"],
            "not an IP address and port; for example 127.0.0.1:9464",
        ),
        (&["--log-format", "xml"], "[possible values: text, json]"),
    ] {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(told), "{arguments:?}: {stderr}");
    }
}

#[test]
fn the_help_names_every_option_with_its_default() {
    let (code, help, _) = run(&["--help"]);
    assert_eq!(code, 0);
    // As one line: where lines are broken depends on the terminal.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "signal-relay [OPTIONS]",
        "--config <FILE>",
        "--check",
        "SIGNAL_RELAY_MAX_FRAME=2M",
        "--drain <TIME>",
        "[default: 0s]",
        "--tls-cert <FILE>",
        "--tls-key <FILE>",
        "--metrics <IP:PORT>",
        "--log-format <FORMAT>",
        "[default: text]",
        "stats",
        "SIGHUP",
        "SIGUSR1",
        "/readyz",
        "--listen <IP:PORT>",
        "--open",
        "[default: 127.0.0.1:8888]",
        "--mount </PREFIX=DIR>",
        "--origin <ORIGIN>",
        "--max-frame <BYTES>",
        "[default: 1M]",
        "--queue <FRAMES>",
        "[default: 1024]",
        "--queue-bytes <BYTES>",
        "[default: 4M, or --max-frame if that is more]",
        "--connections <NUMBER>",
        "[default: 10000]",
        "--ping-interval <TIME>",
        "[default: 25s]",
        "--ping-timeout <TIME>",
        "[default: 20s]",
        "from 1s to 24h",
        "code 4012",
        "--session-age <TIME>",
        "[default: 10m]",
        "--sessions <NUMBER>",
        "--channels <NUMBER>",
        "--history-messages <NUMBER>",
        "[default: 1000]",
        "--history-bytes <BYTES>",
        "--history-age <TIME>",
        "[default: 2m]",
        "--history-total <BYTES>",
        "[default: 64M]",
        "code 4501",
        "--log <LEVEL>",
        "[default: info]",
        "code 1009",
        "code 4008",
        "HTTP 503",
        "SIGTERM",
        "Examples: signal-relay ",
        "Exit codes:",
    ] {
        assert!(help.contains(told), "{told:?} is missing from:\n{help}");
    }
    let (code, short, _) = run(&["-h"]);
    assert_eq!(code, 0);
    assert!(
        short.len() < help.len() / 2 && short.contains("--queue-bytes"),
        "{short}"
    );
    assert_eq!(
        run(&["--version"]),
        (
            0,
            format!("signal-relay {}\n", env!("CARGO_PKG_VERSION")),
            String::new()
        )
    );
}
