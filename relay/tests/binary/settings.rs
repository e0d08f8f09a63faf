//! Settings by file, environment and options; `--check`.

use std::process::Output;

use super::support::program::{command, run};

/// A configuration file, which is removed with this.
struct File(tempfile::NamedTempFile);

impl File {
    fn new(text: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Self(file)
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }
}

fn run_with(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command(arguments)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    (
        status.code().unwrap(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

/// The line that `--check` prints for a setting, as its two halves.
fn line<'a>(checked: &'a str, name: &str) -> (&'a str, &'a str) {
    let line = checked
        .lines()
        .find(|line| {
            let line = line.trim_start_matches("# ");
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with([' ', ':']))
        })
        .unwrap_or_else(|| panic!("no {name} in {checked}"));
    let (value, source) = line.rsplit_once(" # ").unwrap();
    (value.trim_end(), source)
}

#[test]
fn an_option_comes_before_the_environment_the_file_and_the_default() {
    let file = File::new(
        "max-frame = \"1K\"\nqueue = 7\n\nchannels = 5\norigin = [\"https://a.example\", 'https://b.example']\n",
    );
    let path = file.path();
    let variables = [
        ("SIGNAL_RELAY_QUEUE", "8"),
        ("SIGNAL_RELAY_CHANNELS", "6"),
        ("SIGNAL_RELAY_MOUNT", "/=., /src=src"),
        ("SIGNAL_RELAY_CONFIG", path),
    ];
    let (code, checked, stderr) = run_with(&["--check", "--channels", "9"], &variables);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let file_line = |number: usize| format!("{path} line {number}");
    for (name, value, source) in [
        ("channels", "channels = \"9\"", "option".to_owned()),
        ("queue", "queue = \"8\"", "SIGNAL_RELAY_QUEUE".to_owned()),
        ("max-frame", "max-frame = \"1K\"", file_line(1)),
        (
            "origin",
            "origin = [\"https://a.example\", \"https://b.example\"]",
            file_line(5),
        ),
        (
            "mount",
            "mount = [\"/=.\", \"/src=src\"]",
            "SIGNAL_RELAY_MOUNT".to_owned(),
        ),
        (
            "listen",
            "listen = \"127.0.0.1:8888\"",
            "default".to_owned(),
        ),
        (
            "queue-bytes",
            "queue-bytes = \"4194304\"",
            "default".to_owned(),
        ),
        ("metrics", "# metrics: not set", "default".to_owned()),
    ] {
        assert_eq!(line(&checked, name), (value, &*source), "{checked}");
    }
}

#[test]
fn what_check_prints_is_a_file_with_the_same_settings() {
    let (_, checked, _) = run(&["--check", "--origin", "https://a.example", "--drain", "30s"]);
    let file = File::new(&checked);
    let (code, again, stderr) = run(&["--check", "--config", file.path()]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let values = |text: &str| -> Vec<_> {
        let lines = text.lines().map(|line| line.rsplit_once(" # ").unwrap().0);
        lines.map(|line| line.trim_end().to_owned()).collect()
    };
    assert_eq!(values(&again), values(&checked));
}

#[test]
fn every_option_is_a_setting_of_all_three_kinds() {
    let (_, help, _) = run(&["--help"]);
    let (_, checked, _) = run(&["--check"]);
    let names = help
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("--"))
        .filter_map(|rest| rest.split(' ').next())
        // Not where a sentence mentions an option at the beginning of a line.
        .filter(|name| {
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        });
    let mut count = 0;
    for name in names {
        if ["config", "check", "help", "version"].contains(&name) {
            continue;
        }
        count += 1;
        line(&checked, name);
        if name.starts_with("tls-") || ["auth-key", "store-credentials"].contains(&name) {
            // Any text may be the name of a file.
            continue;
        }
        // A value that no option has: all three refuse it, each in its own words.
        let wrong = "no such value";
        let by_option = run(&[&format!("--{name}={wrong}")]);
        assert_eq!(by_option.0, 2, "{name}: {by_option:?}");
        let variable = format!("SIGNAL_RELAY_{}", name.replace('-', "_").to_uppercase());
        let (code, _, stderr) = run_with(&[], &[(&variable, wrong)]);
        assert_eq!(code, 2, "{stderr}");
        assert!(
            stderr.starts_with(&format!("signal-relay: {variable}: ")),
            "{stderr}"
        );
        let file = File::new(&format!("\n{name} = \"{wrong}\"\n"));
        let (code, _, stderr) = run(&["--config", file.path()]);
        assert_eq!(code, 2, "{stderr}");
        let start = format!("signal-relay: {} line 2: ", file.path());
        assert!(stderr.starts_with(&start), "{stderr}");
    }
    assert!(count > 15, "{help}");
}

#[test]
fn who_may_use_the_relay_is_a_setting_of_all_three_kinds() {
    let file = File::new("auth = \"jwt\"\nauth-key = \"keys.pem\"\nlisten = \"0.0.0.0:8888\"\n");
    let (code, checked, stderr) = run(&["--check", "--config", file.path()]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(line(&checked, "auth").0, "auth = \"jwt\"");
    assert_eq!(line(&checked, "auth-key").0, "auth-key = \"keys.pem\"");
    let listen = [("SIGNAL_RELAY_LISTEN", "0.0.0.0:8888")];
    let (code, _, stderr) = run_with(&["--check"], &listen);
    assert!(code == 2 && stderr.contains("--open"), "{code} {stderr}");
    let open = [("SIGNAL_RELAY_OPEN", "true"), listen[0]];
    let (code, checked, stderr) = run_with(&["--check"], &open);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(
        line(&checked, "open"),
        ("open = \"true\"", "SIGNAL_RELAY_OPEN")
    );
    // The listener of the metrics needs no consent.
    let (code, _, stderr) = run(&["--check", "--metrics", "0.0.0.0:9464"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
}

#[test]
fn a_wrong_file_is_refused_with_its_line() {
    for (text, told) in [
        (
            "max_frame = 1",
            "line 1: there is no setting \"max_frame\"; did you mean max-frame?",
        ),
        (
            "\n\nping-intervall = 1",
            "line 3: there is no setting \"ping-intervall\"; did you mean ping-interval?",
        ),
        (
            "frobnicate = 1",
            "line 1: there is no setting \"frobnicate\"; keys are the names of options",
        ),
        ("check = true", "line 1: there is no setting \"check\""),
        ("listen = ", "line 1: "),
        ("queue = 1\nqueue = 2", "line 2: duplicate key"),
        (
            "queue = 0",
            "line 1: invalid value '0' for '--queue <FRAMES>': 0 is not in 1..",
        ),
        (
            "log = \"loud\"",
            "line 1: invalid value 'loud' for '--log <LEVEL>' [possible values: off, error, warn, info, debug]",
        ),
        ("listen = [\"127.0.0.1:1\", \"127.0.0.1:2\"]", "line 1: "),
        (
            "max-frame = \"2M\"\nqueue-bytes = \"1M\"",
            "raise --queue-bytes to at least 2097152",
        ),
    ] {
        let file = File::new(text);
        for arguments in [
            &["--config", file.path()][..],
            &["--config", file.path(), "--check"],
        ] {
            let (code, stdout, stderr) = run(arguments);
            assert_eq!((code, stdout.as_str()), (2, ""), "{text:?}: {stderr}");
            assert!(stderr.contains(told), "{text:?}: {stderr}");
        }
    }
    let (code, _, stderr) = run(&["--config", "no-such-file.toml"]);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("can't read --config no-such-file.toml: "),
        "{stderr}"
    );
}

/// The unit for systemd starts the program with its own name of the settings' file.
#[test]
fn the_unit_for_systemd_has_a_command_line_that_is_valid() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/signal-relay.service");
    let unit = std::fs::read_to_string(path).unwrap();
    let start = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="));
    let mut words = start.unwrap().split(' ');
    assert!(words.next().unwrap().ends_with("/signal-relay"));
    let file = File::new("drain = \"30s\"\n");
    let arguments: Vec<_> = words
        .map(|word| {
            if word.ends_with(".toml") {
                file.path()
            } else {
                word
            }
        })
        .chain(["--check"])
        .collect();
    let (code, checked, stderr) = run(&arguments);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(line(&checked, "drain").0, "drain = \"30s\"");
}

#[test]
fn a_misspelt_variable_is_pointed_out_and_others_are_left_alone() {
    let variables = [
        ("SIGNAL_RELAY_MAX_FRAM", "1K"),
        // As Kubernetes sets for a service of that name.
        ("SIGNAL_RELAY_SERVICE_HOST", "10.0.0.1"),
        ("SIGNAL_RELAY_PORT_8888_TCP_ADDR", "10.0.0.1"),
    ];
    let (code, _, stderr) = run_with(&["--check"], &variables);
    assert_eq!(
        (code, stderr.as_str()),
        (
            0,
            "signal-relay: SIGNAL_RELAY_MAX_FRAM isn't a setting; did you mean SIGNAL_RELAY_MAX_FRAME?\n"
        )
    );
}
