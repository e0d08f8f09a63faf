//! How much of a WebSocket message has arrived that isn't complete. Pure: it reads the heads of
//! frames and skips what is in them.

/// The bit of a frame's first byte that says that it is the last of its message.
const LAST: u8 = 0x80;
/// The bits of a frame's first byte that say what it is.
const KIND: u8 = 0x0f;
/// Kinds from here on are control frames. They may come between the frames of a message.
const CONTROL: u8 = 0x08;
/// The bit of a frame's second byte that says that four bytes of a mask follow.
const MASKED: u8 = 0x80;

/// Follows a stream of frames.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    head: Head,
    /// How many bytes of the frame are still to come, and how many have.
    left: u64,
    frame: u64,
    /// Whether the frame is one of a message, and not a control frame.
    of_message: bool,
    /// Whether the message is complete with this frame.
    is_last: bool,
    /// Bytes of the message in earlier frames.
    fragments: u64,
    /// Whether a message has begun that isn't complete.
    begun: bool,
}

/// How much has arrived of a message that isn't complete, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unfinished {
    /// Of the present frame.
    pub(crate) frame: u64,
    /// Of earlier frames.
    pub(crate) fragments: u64,
}

/// As much as has arrived of a frame's head.
#[derive(Debug, Default)]
struct Head {
    bytes: [u8; 14],
    len: usize,
}

impl Head {
    /// The length of the frame without its head, if that is known already.
    fn push(&mut self, byte: u8) -> Option<u64> {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
        let [_, second, rest @ ..] = &self.bytes;
        let extended = match second & !MASKED {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if second & MASKED == 0 { 0 } else { 4 };
        if self.len < 2 + extended + mask {
            return None;
        }
        let digits = rest.iter().take(extended);
        let length = digits.fold(0, |length: u64, byte| length << 8 | u64::from(*byte));
        Some(if extended == 0 {
            u64::from(second & !MASKED)
        } else {
            length
        })
    }
}

impl Progress {
    /// Takes bytes that have arrived.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let now = self.left.min(bytes.len() as u64);
                self.left -= now;
                self.frame += now;
                // No more than `bytes.len()`.
                bytes = bytes.get(now as usize..).unwrap_or_default();
                if self.left == 0 {
                    self.end_frame();
                }
                continue;
            }
            bytes = rest;
            if let Some(length) = self.head.push(*first) {
                let [first, ..] = self.head.bytes;
                self.head = Head::default();
                self.of_message = first & KIND < CONTROL;
                self.is_last = first & LAST != 0;
                self.begun |= self.of_message;
                self.left = length;
                if length == 0 {
                    self.end_frame();
                }
            }
        }
    }

    fn end_frame(&mut self) {
        let frame = std::mem::take(&mut self.frame);
        if self.of_message && self.is_last {
            self.fragments = 0;
            self.begun = false;
        } else if self.of_message {
            self.fragments += frame;
        }
    }

    /// How much has arrived of a message that isn't complete. `None`: there is none.
    pub(crate) fn unfinished(&self) -> Option<Unfinished> {
        let begun = self.begun || self.head.len > 0 || self.left > 0;
        let Self {
            frame, fragments, ..
        } = *self;
        begun.then_some(Unfinished { frame, fragments })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn frame(first: u8, length: usize) -> Vec<u8> {
        let mut frame = vec![first];
        match length {
            0..=125 => frame.push(MASKED | length as u8),
            126..=0xffff => {
                frame.push(MASKED | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            _ => {
                frame.push(MASKED | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend([0x81; 4]);
        frame.extend(vec![0xff; length]);
        frame
    }

    fn unfinished(frame: u64, fragments: u64) -> Option<Unfinished> {
        Some(Unfinished { frame, fragments })
    }

    #[test]
    fn pings_between_the_frames_of_a_message_do_not_complete_it() {
        let mut progress = Progress::default();
        assert_eq!(progress.unfinished(), None);
        progress.take(&frame(0x01, 1000));
        assert_eq!(progress.unfinished(), unfinished(0, 1000));
        progress.take(&frame(0x89, 125));
        assert_eq!(progress.unfinished(), unfinished(0, 1000));
        progress.take(&frame(0x00, 70_000));
        assert_eq!(progress.unfinished(), unfinished(0, 71_000));
        progress.take(&frame(0x80, 0));
        assert_eq!(progress.unfinished(), None);
    }

    #[test]
    fn a_part_of_a_frame_is_unfinished() {
        let whole = frame(0x81, 300);
        let (mut progress, mut all) = (Progress::default(), Progress::default());
        for byte in whole.get(..whole.len() - 1).unwrap_or_default() {
            progress.take(&[*byte]);
            assert!(progress.unfinished().is_some());
        }
        assert_eq!(progress.unfinished(), unfinished(299, 0));
        progress.take(&[0]);
        all.take(&whole);
        assert_eq!((progress.unfinished(), all.unfinished()), (None, None));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_does_not_matter_how_the_stream_is_cut(
            frames in vec((prop_oneof![Just(0x01_u8), Just(0x00), Just(0x80), Just(0x81), Just(0x89), Just(0x8a)], 0..400_usize), 1..20),
            cut in 1..50_usize,
        ) {
            let (mut progress, mut expected, mut begun) = (Progress::default(), 0, false);
            for (first, length) in frames {
                let length = if first & CONTROL == 0 { length } else { length.min(125) };
                for part in frame(first, length).chunks(cut) {
                    progress.take(part);
                }
                if first & CONTROL == 0 {
                    (expected, begun) = if first & LAST == 0 { (expected + length as u64, true) } else { (0, false) };
                }
                let unfinished = begun.then_some(Unfinished { frame: 0, fragments: expected });
                prop_assert_eq!(progress.unfinished(), unfinished);
            }
        }

        #[test]
        fn no_bytes_panic(parts: Vec<Vec<u8>>) {
            let mut progress = Progress::default();
            for part in parts {
                progress.take(&part);
            }
        }
    }
}
