//! What one relay sends another: a segment of a link, as bytes.

use axum::body::Bytes;

/// The version of the form. A relay ignores segments of another one.
const VERSION: u8 = 1;
/// The bytes before the payload.
pub(super) const HEADER: usize = 35;

/// What a segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A part of a message that goes on in the next one.
    Part,
    /// The last part of a message.
    Last,
    /// It only says what has come.
    Heard,
    /// The same; and something is missing that was sent.
    Missing,
    /// The link has ended.
    Ended,
}

/// A segment of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) kind: Kind,
    /// Whether it comes from the end that keeps rooms.
    pub(super) is_keepers: bool,
    /// The relay that sends it.
    pub(super) relay: u64,
    /// The link.
    pub(super) link: u64,
    /// The number of a part. The first one is 1.
    pub(super) number: u64,
    /// Up to which number the sender has taken all parts.
    pub(super) taken: u64,
    pub(super) payload: Bytes,
}

impl Segment {
    pub(super) fn encode(&self) -> Bytes {
        let kind = match self.kind {
            Kind::Part => 0,
            Kind::Last => 1,
            Kind::Heard => 2,
            Kind::Missing => 3,
            Kind::Ended => 4,
        };
        let mut bytes = Vec::with_capacity(HEADER + self.payload.len());
        bytes.extend([VERSION, kind, u8::from(self.is_keepers)]);
        for number in [self.relay, self.link, self.number, self.taken] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(&*self.payload);
        bytes.into()
    }

    /// `None`: it is something else.
    pub(super) fn decode(bytes: &Bytes) -> Option<Self> {
        let (header, _) = bytes.split_at_checked(HEADER)?;
        let [version, kind, is_keepers, numbers @ ..] = header else {
            return None;
        };
        if *version != VERSION {
            return None;
        }
        let kind = match kind {
            0 => Kind::Part,
            1 => Kind::Last,
            2 => Kind::Heard,
            3 => Kind::Missing,
            4 => Kind::Ended,
            _ => return None,
        };
        let mut numbers = numbers.chunks_exact(8).map(|number| {
            let number = number.first_chunk().copied();
            number.map(u64::from_be_bytes).unwrap_or_default()
        });
        Some(Self {
            kind,
            is_keepers: *is_keepers != 0,
            relay: numbers.next()?,
            link: numbers.next()?,
            number: numbers.next()?,
            taken: numbers.next()?,
            payload: bytes.slice(HEADER..),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let kinds = [
            Kind::Part,
            Kind::Last,
            Kind::Heard,
            Kind::Missing,
            Kind::Ended,
        ];
        for (kind, is_keepers) in kinds.into_iter().zip([true, false].into_iter().cycle()) {
            let segment = Segment {
                kind,
                is_keepers,
                relay: 1,
                link: u64::MAX,
                number: 3,
                taken: 4,
                payload: Bytes::from_static(b"text"),
            };
            assert_eq!(Segment::decode(&segment.encode()), Some(segment));
        }
    }

    #[test]
    fn other_bytes_are_no_segments() {
        let segment = Segment {
            kind: Kind::Last,
            is_keepers: false,
            relay: 1,
            link: 2,
            number: 3,
            taken: 4,
            payload: Bytes::new(),
        };
        let bytes = segment.encode();
        for length in 0..HEADER {
            assert_eq!(Segment::decode(&bytes.slice(..length)), None);
        }
        for (place, byte) in [(0, 2), (1, 5)] {
            let mut changed = bytes.to_vec();
            if let Some(changed) = changed.get_mut(place) {
                *changed = byte;
            }
            assert_eq!(Segment::decode(&changed.into()), None);
        }
    }
}
