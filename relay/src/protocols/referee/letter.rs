//! What a page says on its private channel.

use std::borrow::Cow;

use signal_wire::json::{self, find, items, string, whole_number};

/// What a page says on its private channel.
pub(super) struct Letter<'a> {
    pub(super) query: Option<Cow<'a, str>>,
    pub(super) life: Option<Cow<'a, str>>,
    pub(super) seen: u64,
    pub(super) ask: Option<u64>,
    /// It asks which of its requests have come.
    pub(super) asked: Option<u64>,
    pub(super) event: Option<(Cow<'a, str>, Vec<&'a str>)>,
}

impl<'a> Letter<'a> {
    /// Reads a message.
    pub(super) fn read(message: &'a str) -> Option<Self> {
        let members = json::members(message)?;
        let text = |name| find(&members, name).and_then(string);
        let number = |name| find(&members, name).and_then(whole_number);
        let event = find(&members, "event").and_then(items).and_then(|list| {
            let (name, arguments) = list.split_first()?;
            Some((string(name)?, arguments.to_vec()))
        });
        Some(Self {
            query: text("query"),
            life: text("life"),
            seen: number("seen").unwrap_or_default(),
            ask: number("ask"),
            asked: number("asked"),
            event,
        })
    }

    /// Whether the page leaves for good.
    pub(super) fn leaves(&self) -> bool {
        let event = self.event.as_ref();
        event.is_some_and(|(name, _)| name == "disconnect")
    }
}
