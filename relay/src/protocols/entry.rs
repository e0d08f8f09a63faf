//! How a client of a plain WebSocket enters its space, if the relay asks for tokens.
//!
//! The token is in the request, or in the client's first frame, an `open`. A page can't read the
//! status of a WebSocket's request that is refused, so a page is refused by a close code.

use std::time::Duration;

use axum::extract::Request;
use axum::http::header::ORIGIN;
use axum::response::Response;
use signal_wire::ClientFrame;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::auth::access::Access;
use crate::auth::admission::Admission;
use crate::auth::refusal::Refusal;
use crate::connection::{CloseReason, Connection};

/// How long the first frame may take, if it must have the token.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(10);

/// How a client enters.
#[derive(Debug)]
pub(super) enum Entry {
    /// It may.
    Open(Access),
    /// Its first frame must have the token.
    Asked(Admission),
    /// It may not, and learns it when the WebSocket is open.
    Refused(Refusal),
}

/// A client that has entered.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) access: Access,
    /// The greeting, if it wasn't sent yet.
    pub(super) greeting: Option<String>,
    /// The client's first frame, if it was read already.
    pub(super) first: Option<Utf8Bytes>,
}

impl Entry {
    /// How the client of a request enters a space. An error is the answer to a request that is
    /// refused.
    pub(super) fn of(request: &Request, space: &str) -> Result<Self, Box<Response>> {
        let admission = Admission::of(request.extensions());
        match admission.enter(space) {
            Ok(access) => Ok(Self::Open(access)),
            Err(refusal) if refusal.is_missing() => Ok(Self::Asked(admission)),
            Err(refusal) if request.headers().contains_key(ORIGIN) => Ok(Self::Refused(refusal)),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Waits for the token, where it is still to come.
    pub(super) async fn enter(
        &self,
        connection: &mut Connection,
        space: &str,
        greeting: String,
    ) -> Result<Entered, CloseReason> {
        let admission = match self {
            Self::Open(access) => {
                return Ok(Entered {
                    access: access.clone(),
                    greeting: Some(greeting),
                    first: None,
                });
            }
            Self::Refused(refusal) => return Err(refusal.clone().into()),
            Self::Asked(admission) => admission,
        };
        let first = async {
            connection.send_text(greeting).await?;
            connection.read_text().await
        };
        let missing = || CloseReason::from(Refusal::MISSING);
        let first = timeout(TOKEN_TIMEOUT, first)
            .await
            .map_err(|_| missing())??;
        let ClientFrame::Open(open) = ClientFrame::decode_first(&first) else {
            return Err(missing());
        };
        let access = admission.enter_with(open.token.as_deref(), space).await?;
        drop(open);
        Ok(Entered {
            access,
            greeting: None,
            first: Some(first),
        })
    }
}
