//! The envelope `{sender, channel, message}`: who sent it, and what a frame's head tells of it.

/// The `sender` of a page's messages: 53 random bits, so that it is an exact JavaScript number.
///
/// The shim's has 60,536 values, an even chance that two of 290 pages share one and are deaf to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserId(u64);

impl UserId {
    /// The largest: `Number.MAX_SAFE_INTEGER`.
    pub const MAX: UserId = UserId((1 << 53) - 1);

    /// Keeps the lowest 53 of `bits`.
    pub fn from_bits(bits: u64) -> UserId {
        UserId(bits & UserId::MAX.0)
    }

    /// The number itself.
    pub fn get(self) -> u64 {
        self.0
    }
}

/// The `sender` of a canonical frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender<'a> {
    /// A whole number, or a string of digits: JavaScript's `==` takes them for the same.
    Number(u64),
    /// A string that `==` can't take for a whole number.
    Name(&'a str),
}

impl Sender<'_> {
    /// Whether `sender == own` in JavaScript.
    #[inline]
    pub fn is(self, own: UserId) -> bool {
        self == Sender::Number(own.0)
    }
}

/// What the head of a frame tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head<'a> {
    /// A canonical envelope. Its message's JSON text runs from the UTF-16 unit `payload` to the frame's tail.
    Envelope {
        /// Who sent it.
        sender: Sender<'a>,
        /// The channel's name.
        channel: &'a str,
        /// The message's id on the channel, as our relay gives it; else empty.
        id: &'a str,
        /// Where the message's JSON text begins, in UTF-16 units, as JavaScript counts.
        payload: usize,
    },
    /// A canonical envelope whose channel name runs past the head: longer than any name that the head was cut for.
    LongName {
        /// Who sent it.
        sender: Sender<'a>,
    },
    /// The head doesn't tell (another member order, escapes, white space, no envelope at all): the whole frame must be read.
    Unclear,
}
