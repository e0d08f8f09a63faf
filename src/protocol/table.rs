//! The one table of protocols.

use super::{InvalidOption, Protocol, ProtocolOptions, Text};

/// A row of the table.
#[derive(Debug)]
pub struct Entry {
    /// The value of the option `protocol`.
    pub name: &'static str,
    /// The cargo feature that it needs.
    pub feature: Option<&'static str>,
    /// The constructor; `None`: this build doesn't include the protocol.
    pub make: Option<Make>,
}

/// Makes a protocol with these options.
pub type Make = fn(&ProtocolOptions) -> Result<AnyProtocol, InvalidOption>;

/// The default of the option `protocol`.
pub const DEFAULT: &str = "auto";

/// The default with the page's own transport.
pub const PLAIN: &str = "websocket";

/// `Some(value)`, or `None` without a value.
macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

/// Generates the enum [`AnyProtocol`] and the constant [`PROTOCOLS`] from the rows. (In a row
/// without a feature, `cfg(all())` is true.)
macro_rules! protocols {
    ($($(#[$doc:meta])* $name:literal $(needs $feature:literal)? => $variant:ident($type:ty),)*) => {
        /// Any of the protocols.
        #[derive(Debug)]
        #[allow(clippy::large_enum_variant, reason = "a session has only one")]
        pub enum AnyProtocol {
            $(
                $(#[$doc])*
                #[cfg(all($(feature = $feature)?))]
                $variant($type),
            )*
        }

        impl AnyProtocol {
            /// The value of the option `protocol`.
            pub fn name(&self) -> &'static str {
                match self {
                    $(
                        #[cfg(all($(feature = $feature)?))]
                        AnyProtocol::$variant(_) => $name,
                    )*
                }
            }

            /// The protocol itself.
            #[inline]
            pub fn get<T: Text>(&self) -> &dyn Protocol<T> {
                match self {
                    $(
                        #[cfg(all($(feature = $feature)?))]
                        AnyProtocol::$variant(protocol) => protocol,
                    )*
                }
            }

            /// The protocol itself, mutable.
            #[inline]
            pub fn get_mut<T: Text>(&mut self) -> &mut dyn Protocol<T> {
                match self {
                    $(
                        #[cfg(all($(feature = $feature)?))]
                        AnyProtocol::$variant(protocol) => protocol,
                    )*
                }
            }
        }

        /// Every protocol, in the order in which errors and documentation list them.
        pub const PROTOCOLS: &[Entry] = &[
            $(Entry {
                name: $name,
                feature: optional!($($feature)?),
                make: {
                    #[cfg(all($(feature = $feature)?))]
                    {
                        Some(|options| <$type>::new(options).map(AnyProtocol::$variant))
                    }
                    #[cfg(not(all($(feature = $feature)?)))]
                    {
                        None
                    }
                },
            },)*
        ];
    };
}

protocols! {
    /// `relay` if the server is our relay, which its first frame shows; otherwise `websocket`.
    "auto" needs "relay" => Auto(super::auto::Auto),
    /// Our own relay.
    "relay" needs "relay" => Relay(super::relay::Relay),
    /// Each text frame is one envelope, and the server hands it to every other page.
    "websocket" => WebSocket(super::plain::Plain),
    /// Socket.IO 1 to 4: an event whose one argument is the envelope.
    "socket.io" needs "socket-io" => SocketIo(super::socket_io::SocketIo),
    /// ASP.NET Core SignalR, JSON hub protocol: an invocation whose one argument is the envelope's
    /// text.
    "signalr" needs "signalr" => SignalR(super::signalr::SignalR),
    /// ASP.NET SignalR 2, the `$.connection` one: likewise.
    "signalr-classic" needs "signalr-classic" => SignalRClassic(super::signalr_classic::SignalRClassic),
    /// An HTTP server that broadcasts: server-sent events to receive, POST requests to send.
    "sse" needs "sse" => Sse(super::sse::Sse),
}

/// The row of that name.
pub fn find(name: &str) -> Option<&'static Entry> {
    PROTOCOLS.iter().find(|entry| entry.name == name)
}
