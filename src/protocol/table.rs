//! The one table of protocols.

use super::{InvalidOption, Protocol, ProtocolOptions, Text};

/// A row of the table.
#[derive(Debug)]
pub struct Entry {
    /// The protocol's name, as the option `protocol` has it.
    pub name: &'static str,
    /// The cargo feature that it needs.
    pub feature: Option<&'static str>,
    /// Makes it; `None`: this build left it out.
    pub make: Option<fn(ProtocolOptions) -> Result<AnyProtocol, InvalidOption>>,
}

/// The protocol that is used if the page names none.
pub const DEFAULT: &str = "auto";

/// The protocol of a transport of the page's, if the page names none.
pub const PLAIN: &str = "websocket";

/// `Some` of a value, or `None` of nothing.
macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

/// Makes of the rows the enum [`AnyProtocol`] and the constant [`PROTOCOLS`].
macro_rules! protocols {
    ($($(#[$doc:meta])* $name:literal $(needs $feature:literal)? => $variant:ident($type:ty),)*) => {
        /// Any of the protocols.
        #[derive(Debug)]
        pub enum AnyProtocol {
            $(
                $(#[$doc])*
                #[cfg(all($(feature = $feature)?))]
                $variant($type),
            )*
        }

        impl AnyProtocol {
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

            /// The protocol itself, to tell it something.
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
    /// Our own relay where the server is one, which its first frame tells; else as `websocket`.
    "auto" needs "relay" => Auto(super::auto::Auto),
    /// Our own relay.
    "relay" needs "relay" => Relay(super::relay::Relay),
    /// Each text frame is one envelope, and the server hands it to every other page.
    "websocket" => WebSocket(super::plain::Plain),
    /// Socket.IO 1 to 4: an event whose one argument is the envelope.
    "socket.io" needs "socket-io" => SocketIo(super::socket_io::SocketIo),
    /// ASP.NET Core SignalR, JSON hub protocol: an invocation whose one argument is the envelope's text.
    "signalr" needs "signalr" => SignalR(super::signalr::SignalR),
    /// ASP.NET SignalR 2, the `$.connection` one: likewise.
    "signalr-classic" needs "signalr-classic" => SignalRClassic(super::signalr_classic::SignalRClassic),
}

/// The row of that name.
pub fn find(name: &str) -> Option<&'static Entry> {
    PROTOCOLS.iter().find(|entry| entry.name == name)
}
