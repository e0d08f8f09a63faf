//! Engine.IO, the layer below Socket.IO: packets, and the payloads in which long-polling carries
//! several of them. Pure.
//!
//! A packet is one digit for its type, and text. Over a WebSocket it is a text frame. A payload of
//! version 4 has the character U+001E between its packets; one of version 3 has each packet's
//! length before it, in UTF-16 units as JavaScript counts, and a colon. Versions 2 and 3 have also a
//! binary form. Clients of Socket.IO 1 read only that one, unless they ask for text, and for later
//! ones it does as well.

use std::time::Duration;

use tokio_tungstenite::tungstenite::Utf8Bytes;

/// The versions of the protocol that clients still speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Socket.IO 1.0. Over a WebSocket, each character of a text is a byte of its UTF-8.
    Two,
    /// Socket.IO 1.1 to 2.
    Three,
    /// Socket.IO 3 and 4.
    Four,
}

impl Version {
    /// The version that the member `EIO` of a query names.
    pub fn from_query(value: &str) -> Option<Self> {
        match value {
            "2" => Some(Self::Two),
            "3" => Some(Self::Three),
            "4" => Some(Self::Four),
            _ => None,
        }
    }

    /// The text of a WebSocket frame for this packet.
    pub fn frame(self, packet: Utf8Bytes) -> Utf8Bytes {
        if self != Self::Two || packet.is_ascii() {
            return packet;
        }
        let wide: String = packet.bytes().map(char::from).collect();
        wide.into()
    }

    /// The packet in the text of a WebSocket frame.
    pub fn unframe(self, frame: Utf8Bytes) -> Result<Utf8Bytes, Malformed> {
        if self != Self::Two || frame.is_ascii() {
            return Ok(frame);
        }
        let bytes: Result<Vec<u8>, _> = frame.chars().map(u8::try_from).collect();
        let packet = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        packet
            .map(Utf8Bytes::from)
            .ok_or(Malformed("text that isn't UTF-8"))
    }
}

/// What a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// It ends the session.
    Close,
    /// It asks for the same text in a pong.
    Ping(&'a str),
    /// It is alive.
    Pong,
    /// A packet of Socket.IO.
    Message(&'a str),
    /// It has changed to this WebSocket.
    Upgrade,
    /// No operation.
    Noop,
    /// An attachment of a binary event.
    Binary,
}

/// Why something isn't Engine.IO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub(crate) &'static str);

/// The packet that ends a session.
pub const CLOSE: &str = "1";
/// The packet that asks a client of version 4 whether it is alive.
pub const PING: &str = "2";
/// What a client sends over a new WebSocket before it changes to it, and the answer.
pub const PROBE: &str = "probe";
/// The packet without meaning.
pub const NOOP: &str = "6";
/// The longest text of a ping, in bytes. The pong returns it.
const LONGEST_PING: usize = 125;

impl<'a> Packet<'a> {
    /// Reads a packet.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let kind = text.chars().next().ok_or(Malformed("an empty packet"))?;
        let rest = text.get(kind.len_utf8()..).unwrap_or_default();
        match kind {
            '1' => Ok(Self::Close),
            '2' if rest.len() > LONGEST_PING => Err(Malformed("a ping over 125 bytes")),
            '2' => Ok(Self::Ping(rest)),
            '3' => Ok(Self::Pong),
            '4' => Ok(Self::Message(rest)),
            '5' => Ok(Self::Upgrade),
            '6' => Ok(Self::Noop),
            'b' => Ok(Self::Binary),
            _ => Err(Malformed("a packet of no known type")),
        }
    }
}

/// The first packet of a session.
pub fn open(
    version: Version,
    id: &str,
    upgrade: bool,
    interval: Duration,
    timeout: Duration,
    max_payload: usize,
) -> String {
    let upgrades = if upgrade { "\"websocket\"" } else { "" };
    let (interval, timeout) = (interval.as_millis(), timeout.as_millis());
    // Clients can tell the versions apart by `maxPayload`, as signal-wasm does, which knows our relay
    // by `relay`.
    let limit = match version {
        Version::Two | Version::Three => String::new(),
        Version::Four => format!(",\"maxPayload\":{max_payload}"),
    };
    format!(
        "0{{\"sid\":\"{id}\",\"upgrades\":[{upgrades}],\"pingInterval\":{interval},\"pingTimeout\":{timeout}{limit},\"relay\":true}}"
    )
}

const SEPARATOR: u8 = 0x1e;

/// The form of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadForm {
    /// Of version 4.
    Separated,
    /// Of earlier versions, as text.
    Counted,
    /// Of earlier versions.
    Binary,
}

impl PayloadForm {
    /// The form of what a client sends or receives.
    pub fn of(version: Version, binary: bool) -> Self {
        match version {
            Version::Four => Self::Separated,
            Version::Two | Version::Three if binary => Self::Binary,
            Version::Two | Version::Three => Self::Counted,
        }
    }

    /// Its content type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Separated | Self::Counted => "text/plain; charset=UTF-8",
            Self::Binary => "application/octet-stream",
        }
    }

    /// Appends a packet to a payload.
    pub fn append(self, payload: &mut Vec<u8>, packet: &str) {
        match self {
            Self::Separated => {
                if !payload.is_empty() {
                    payload.push(SEPARATOR);
                }
            }
            Self::Counted => {
                let length: usize = packet.chars().map(char::len_utf16).sum();
                payload.extend(length.to_string().bytes());
                payload.push(b':');
            }
            Self::Binary => {
                payload.push(0);
                let length = packet.len().to_string();
                payload.extend(length.bytes().map(|digit| digit.wrapping_sub(b'0')));
                payload.push(0xff);
            }
        }
        payload.extend(packet.bytes());
    }
}

/// The packets of a payload, up to the first that is malformed.
#[derive(Debug)]
pub struct Packets<'a> {
    form: PayloadForm,
    rest: &'a [u8],
    over: bool,
}

impl<'a> Packets<'a> {
    /// The packets of a payload.
    pub fn new(form: PayloadForm, payload: &'a [u8]) -> Self {
        Self {
            form,
            rest: payload,
            over: false,
        }
    }

    fn take(&mut self) -> Result<Packet<'a>, Malformed> {
        match self.form {
            PayloadForm::Separated => {
                let packet = self.until(|byte| byte == SEPARATOR);
                self.over = packet.1;
                Packet::parse(text(packet.0)?)
            }
            PayloadForm::Counted => {
                let packet = self.counted()?;
                self.over = self.rest.is_empty();
                Packet::parse(packet)
            }
            PayloadForm::Binary => {
                let packet = self.binary()?;
                self.over = self.rest.is_empty();
                packet.map_or(Ok(Packet::Binary), Packet::parse)
            }
        }
    }

    /// Takes everything up to the next end byte, and that byte. Returns also whether there was
    /// none.
    fn until(&mut self, is_end: impl Fn(u8) -> bool) -> (&'a [u8], bool) {
        let mut parts = self.rest.splitn(2, |byte| is_end(*byte));
        let part = parts.next().unwrap_or_default();
        let rest = parts.next();
        self.rest = rest.unwrap_or_default();
        (part, rest.is_none())
    }

    fn counted(&mut self) -> Result<&'a str, Malformed> {
        let (length, _) = self.until(|byte| byte == b':');
        let mut units = number(length.iter().map(|digit| digit.wrapping_sub(b'0')))?;
        let mut end = 0;
        while units > 0 {
            // One character after the other: what comes behind the packet needn't be looked at
            // twice.
            let width = match self.rest.get(end) {
                Some(0..=0x7f) => 1,
                Some(0xc2..=0xdf) => 2,
                Some(0xe0..=0xef) => 3,
                Some(0xf0..=0xf4) => 4,
                _ => return Err(Malformed("a packet shorter than its length")),
            };
            end += width;
            units = units
                .checked_sub(if width == 4 { 2 } else { 1 })
                .ok_or(Malformed("half a character"))?;
        }
        self.split(end).and_then(text)
    }

    /// A text packet, or `None` for a binary one.
    fn binary(&mut self) -> Result<Option<&'a str>, Malformed> {
        let (head, _) = self.until(|byte| byte == 0xff);
        let Some((kind, length)) = head.split_first() else {
            return Err(Malformed("a packet without a head"));
        };
        let length = number(length.iter().copied())?;
        let packet = self.split(length)?;
        match kind {
            0 => text(packet).map(Some),
            1 => Ok(None),
            _ => Err(Malformed("neither text nor binary")),
        }
    }

    fn split(&mut self, at: usize) -> Result<&'a [u8], Malformed> {
        let (packet, rest) = self
            .rest
            .split_at_checked(at)
            .ok_or(Malformed("a packet shorter than its length"))?;
        self.rest = rest;
        Ok(packet)
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let packet = self.take();
        self.over |= packet.is_err();
        Some(packet)
    }
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed("text that isn't UTF-8"))
}

/// The number of these digits. No payload is so long that it needs more than nine.
fn number(digits: impl ExactSizeIterator<Item = u8>) -> Result<usize, Malformed> {
    if !(1..=9).contains(&digits.len()) {
        return Err(Malformed("a packet without a length"));
    }
    digits.into_iter().try_fold(0, |number, digit| match digit {
        0..=9 => Ok(number * 10 + usize::from(digit)),
        _ => Err(Malformed("a packet without a length")),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const FORMS: [PayloadForm; 3] = [
        PayloadForm::Separated,
        PayloadForm::Counted,
        PayloadForm::Binary,
    ];

    fn all(version: Version, payload: &[u8], binary: bool) -> Result<Vec<Packet<'_>>, Malformed> {
        Packets::new(PayloadForm::of(version, binary), payload).collect()
    }

    #[test]
    fn packets_are_distinguished_by_their_digit() {
        for (text, packet) in [
            ("1", Packet::Close),
            ("2", Packet::Ping("")),
            ("2probe", Packet::Ping(PROBE)),
            ("3", Packet::Pong),
            ("3probe", Packet::Pong),
            ("42[\"é\"]", Packet::Message("2[\"é\"]")),
            ("4", Packet::Message("")),
            ("5", Packet::Upgrade),
            ("6", Packet::Noop),
            ("bAAEC", Packet::Binary),
            ("b4AAEC", Packet::Binary),
        ] {
            assert_eq!(Packet::parse(text), Ok(packet), "{text}");
        }
        for text in [
            "",
            "0{}",
            "7",
            "é",
            "{}",
            "\0",
            " 4",
            &format!("2{}", "x".repeat(126)),
        ] {
            assert!(Packet::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn payloads_as_real_clients_write_them() {
        assert_eq!(
            all(
                Version::Four,
                "42[\"a\"]\u{1e}3\u{1e}bAAEC".as_bytes(),
                false
            ),
            Ok(vec![
                Packet::Message("2[\"a\"]"),
                Packet::Pong,
                Packet::Binary
            ])
        );
        assert_eq!(
            all(Version::Three, "7:42[\"é\"]6:42[\"😀1:2".as_bytes(), false),
            Ok(vec![
                Packet::Message("2[\"é\"]"),
                Packet::Message("2[\"😀"),
                Packet::Ping("")
            ])
        );
        // Made by engine.io-parser 2.2: the text packet `4é` (two bytes for é), then the bytes 1
        // and 2 behind the type 4.
        assert_eq!(
            all(
                Version::Three,
                b"\x00\x03\xff4\xc3\xa9\x01\x03\xff\x04\x01\x02",
                true
            ),
            Ok(vec![Packet::Message("é"), Packet::Binary])
        );
    }

    #[test]
    fn a_malformed_payload_ends_where_it_goes_wrong() {
        for (version, payload, binary) in [
            (Version::Four, b"".as_slice(), false),
            (Version::Four, b"3\x1e", false),
            (Version::Four, b"3\x1e\x1e3", false),
            (Version::Four, b"4\xff", false),
            (Version::Three, b"", false),
            (Version::Three, b"3", false),
            (Version::Three, b":3", false),
            (Version::Three, b"x:3", false),
            (Version::Three, b"-1:3", false),
            (Version::Three, b"2:3", false),
            (Version::Three, b"0:3", false),
            (Version::Three, b"999999999:3", false),
            (Version::Three, b"18446744073709551617:3", false),
            (Version::Three, "2:4😀".as_bytes(), false),
            (Version::Three, b"2:4\x80", false),
            (Version::Three, b"2:4\xc3", false),
            (Version::Three, b"1:3x", false),
            (Version::Three, b"", true),
            (Version::Three, b"\x00", true),
            (Version::Three, b"\x00\xff", true),
            (Version::Three, b"\x02\x01\xff3", true),
            (Version::Three, b"\x00\x02\xff3", true),
            (Version::Three, b"\x00\x0a\xff3", true),
        ] {
            let packets: Vec<_> = Packets::new(PayloadForm::of(version, binary), payload).collect();
            let (last, before) = packets.split_last().unwrap();
            assert!(last.is_err(), "{payload:?}");
            assert!(before.iter().all(Result::is_ok), "{payload:?}");
        }
    }

    #[test]
    fn a_frame_of_version_2_has_a_character_for_each_byte() {
        for (packet, wide) in [
            ("42[]", "42[]"),
            ("é", "\u{c3}\u{a9}"),
            ("4\u{1f600}", "4\u{f0}\u{9f}\u{98}\u{80}"),
        ] {
            assert_eq!(Version::Two.frame(packet.into()), wide);
            assert_eq!(Version::Two.unframe(wide.into()).unwrap(), packet);
            for version in [Version::Three, Version::Four] {
                assert_eq!(version.frame(packet.into()), packet);
                assert_eq!(version.unframe(packet.into()).unwrap(), packet);
            }
        }
        for frame in ["é", "\u{1f600}", "\u{c3}", "\u{c3}\u{a9}\u{100}"] {
            assert!(Version::Two.unframe(frame.into()).is_err(), "{frame}");
        }
    }

    #[test]
    fn the_open_packet_shows_the_version() {
        let second = Duration::from_secs(1);
        assert_eq!(
            open(Version::Four, "id", true, second, second / 2, 1000),
            r#"0{"sid":"id","upgrades":["websocket"],"pingInterval":1000,"pingTimeout":500,"maxPayload":1000,"relay":true}"#
        );
        for version in [Version::Two, Version::Three] {
            assert_eq!(
                open(version, "id", false, second, second / 2, 1000),
                r#"0{"sid":"id","upgrades":[],"pingInterval":1000,"pingTimeout":500,"relay":true}"#
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read(texts in prop::collection::vec("[^\u{1e}]{0,40}", 1..8)) {
            let packets: Vec<_> = texts.iter().map(|text| format!("4{text}")).collect();
            for form in FORMS {
                let mut payload = Vec::new();
                for packet in &packets {
                    form.append(&mut payload, packet);
                }
                let read: Vec<_> = Packets::new(form, &payload).map(Result::unwrap).collect();
                prop_assert_eq!(read, texts.iter().map(|text| Packet::Message(text)).collect::<Vec<_>>());
            }
        }

        #[test]
        fn no_bytes_panic(payload: Vec<u8>, digits in "[0-9:\u{0}\u{1}]{0,20}") {
            for payload in [payload.as_slice(), digits.as_bytes(), &[digits.as_bytes(), &payload].concat()] {
                for form in FORMS {
                    let read = Packets::new(form, payload).count();
                    prop_assert!(read <= payload.len() + 1);
                }
            }
        }
    }
}
