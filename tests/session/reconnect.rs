//! How long a session waits between attempts, and which losses are final.

use super::{Simple, connected, lost, opened};
use crate::support::page::events;
use signal_wasm::protocol::Millis;
use signal_wasm::session::{Config, Event, Input, OpenWhen, ReconnectPolicy, State};

/// The wait before the next attempt, which then is made.
fn wait(session: &mut Simple, now: &mut Millis) -> Millis {
    lost(session, *now, 1006);
    let delay = events(session).into_iter().find_map(|event| match event {
        Event::State { retry_in, .. } => retry_in,
        _ => None,
    });
    *now = session.poll_timeout().unwrap();
    session.handle(*now, Input::Timeout);
    delay.unwrap()
}

fn one_attempt() -> Config {
    Config {
        reconnect: ReconnectPolicy {
            attempts: 1.0,
            ..ReconnectPolicy::default()
        },
        ..Config::default()
    }
}

#[test]
fn final_close_codes() {
    let state = |code: u16| {
        let mut session = opened(Config::default(), 1);
        connected(&mut session, 0.0);
        lost(&mut session, 1.0, code);
        session.state().name()
    };
    for code in 0..=6000 {
        let expected = match code {
            3500..=3999 | 4500..=4999 => "closed",
            _ => "waiting",
        };
        assert_eq!(state(code), expected, "{code}");
    }
    assert_eq!(state(u16::MAX), "waiting");
}

#[test]
fn waits_double_up_to_the_cap_and_fill_their_range() {
    let seeds = 0..300;
    let waits: Vec<Vec<Millis>> = seeds
        .map(|seed| {
            let config = Config {
                open_when: OpenWhen::Connected,
                ..Config::default()
            };
            let mut session = opened(config, seed);
            let mut now = 0.0;
            (0..9).map(|_| wait(&mut session, &mut now)).collect()
        })
        .collect();
    for attempt in 0..9 {
        let longest = (500.0 * 2f64.powi(attempt)).min(20_000.0);
        let waits = waits.iter().map(|waits| waits[attempt as usize]);
        let (least, most) = waits.fold((f64::MAX, 0f64), |(least, most), wait| {
            (least.min(wait), most.max(wait))
        });
        assert!(
            most < longest && most > 0.9 * longest,
            "attempt {attempt}: {most}"
        );
        assert!(
            least >= 0.0 && least < 0.1 * longest,
            "attempt {attempt}: {least}"
        );
    }
}

#[test]
fn pages_whose_attempts_come_to_nothing_do_not_stay_together() {
    let second_attempt = |seed, cap| {
        let reconnect = ReconnectPolicy {
            cap,
            ..ReconnectPolicy::default()
        };
        let mut session = opened(
            Config {
                reconnect,
                open_when: OpenWhen::Connected,
                ..Config::default()
            },
            seed,
        );
        let given_up = session.poll_timeout().unwrap();
        session.handle(given_up, Input::Timeout);
        assert!(matches!(session.state(), State::Waiting { .. }));
        session.poll_timeout().unwrap() - given_up
    };
    let longest = |cap| {
        let waits = (0..300).map(|seed| second_attempt(seed, cap));
        waits.fold(0.0, Millis::max)
    };
    // The attempt takes ten seconds.
    assert!((9_000.0..10_000.0).contains(&longest(20_000.0)));
    assert!((900.0..1_000.0).contains(&longest(1_000.0)));
}

#[test]
fn only_a_connection_of_five_seconds_resets_the_backoff() {
    // With one attempt allowed, the loss after it tells whether it was counted.
    let after = |time: Millis| {
        let mut session = opened(one_attempt(), 3);
        let mut now = 0.0;
        wait(&mut session, &mut now);
        connected(&mut session, now);
        lost(&mut session, now + time, 1006);
        session.state().name()
    };
    assert_eq!(after(0.0), "closed");
    assert_eq!(after(4_999.0), "closed");
    assert_eq!(after(5_000.5), "waiting");
    assert_eq!(after(1e9), "waiting");
}

#[test]
fn a_connection_that_never_opened_does_not_reset_the_backoff() {
    let mut session = opened(one_attempt(), 3);
    let mut now = 0.0;
    wait(&mut session, &mut now);
    lost(&mut session, now + 60_000.0, 1006);
    assert_eq!(session.state(), State::Closed);
}
