//! What a control frame is: an object without the member `channel` that has one of the members by
//! which the relay and its clients recognise their own frames.
//!
//! Both sides decide it here. The relay never hands such a text on for a client, so a client can
//! trust that each one which it receives was made by the relay. Names are compared as
//! `JSON.parse` reads them: white space, escapes and repeated members make no difference.

use alloc::vec::Vec;

use crate::json::{self, Member};

/// The members that make an object without a channel a control frame.
const MEMBERS: [&str; 10] = [
    "signal", "open", "close", "token", "ack", "gap", "expires", "refused", "ping", "pong",
];

/// Whether an object with these members is a control frame.
pub(crate) fn is_control(members: &[Member<'_>]) -> bool {
    let has = |name: &str| members.iter().any(|member| member.name == name);
    !has("channel") && MEMBERS.into_iter().any(has)
}

/// The members of a control frame. `None`: the text is something else.
pub(crate) fn members(text: &str) -> Option<Vec<Member<'_>>> {
    json::members(text).filter(|members| is_control(members))
}

/// Whether a text is a control frame, or one of its lines is. Clients take a frame with several
/// JSON texts, each on a line, for several frames.
#[must_use]
pub fn contains_control(text: &str) -> bool {
    let is_control = |text| members(text).is_some();
    is_control(text) || (text.contains('\n') && text.split('\n').any(is_control))
}
