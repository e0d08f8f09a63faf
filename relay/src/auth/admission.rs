//! What a request may do, before its protocol knows the space.

use std::sync::Arc;

use axum::http::Extensions;
use axum::http::request::Parts;

use super::access::Access;
use super::claims::Grant;
use super::refusal::Refusal;
use super::{Auth, Token, bearer};

/// What the token of a request allows. Each request carries it as an extension.
#[derive(Clone, Debug)]
pub struct Admission {
    auth: Option<Arc<Auth>>,
    token: Result<Option<Arc<Grant>>, Refusal>,
}

impl Admission {
    /// Checks the token of a request, if the relay asks for one.
    pub(crate) async fn examine(auth: Option<&Arc<Auth>>, request: &Parts) -> Self {
        let token = match auth {
            None => Ok(None),
            Some(auth) => match bearer::token(request) {
                None => Err(Refusal::MISSING),
                Some(token) => auth.grant(&Token::new(&token)).await.map(Some),
            },
        };
        Self {
            auth: auth.cloned(),
            token,
        }
    }

    /// That of a request with these extensions. Without one, nothing is allowed.
    pub(crate) fn of(request: &Extensions) -> Self {
        request.get().cloned().unwrap_or(Self {
            auth: None,
            token: Err(Refusal::MISSING),
        })
    }

    /// What may be done in a space.
    ///
    /// # Errors
    /// There is no token, or it is refused, or isn't for this space.
    pub(crate) fn enter(&self, space: &str) -> Result<Access, Refusal> {
        match (&self.auth, self.token.clone()?) {
            (None, _) => Ok(Access::open()),
            (Some(auth), Some(grant)) => Access::enter(auth, grant, space),
            (Some(_), None) => Err(Refusal::MISSING),
        }
    }

    /// The same for a client that shows its token after the request, if it has one.
    ///
    /// # Errors
    /// As [`Admission::enter`].
    pub(crate) async fn enter_with(
        &self,
        token: Option<&str>,
        space: &str,
    ) -> Result<Access, Refusal> {
        match (&self.auth, token) {
            (Some(auth), Some(token)) => {
                let grant = auth.grant(&Token::new(token)).await?;
                Access::enter(auth, grant, space)
            }
            _ => self.enter(space),
        }
    }
}
