//! Server-sent events: one HTTP stream to receive, one POST for each message. For pages where
//! WebSockets are blocked.
//!
//! | request | |
//! | --- | --- |
//! | `GET <space>/sse` | a stream with one event for each envelope that others publish there |
//! | `POST <space>/sse` | publishes the envelope in its body |
//!
//! An event's data is the envelope in its canonical form, without the relay's member `id`. The
//! event's own id is `<epoch>-<id>-<proof>`. A reader that names the last one that it saw, in the
//! header `Last-Event-ID` or the query's `lastEventId`, first receives what is kept of later
//! messages. The proof shows that the relay gave that id, so nothing is replayed to readers that
//! weren't there. A stream begins with an event of the type `hello`, or `gap` if
//! messages may be missing. If nothing is replayed, its id says how far the reader has seen the
//! space; otherwise it has none. The last event of a reader whose token is refused or has expired is
//! of the type `refused`.
//!
//! A client may name itself with a random secret, the query's `client`: then it doesn't receive its
//! own messages, and it may number its POSTs with a `ref` that rises from 1, so that one that is
//! sent again isn't published again.

mod clients;
mod position;
mod publish;
mod routes;
mod stream;

pub(crate) use self::routes::routes;
