//! What proves to the server who the page is.

/// Credentials for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A bearer token; the option `accessToken`.
    Token(String),
    /// The option `auth`, an object.
    Auth {
        /// The object as JSON text.
        json: String,
        /// Its members as a query, `a=b&c=d`.
        query: String,
    },
}

impl Credentials {
    /// The texts that no one else may see.
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Credentials::Token(token) => Vec::from([&**token]),
            Credentials::Auth { query, .. } => {
                let members = query.split('&').filter_map(|member| member.split_once('='));
                members.map(|(_, value)| value).collect()
            }
        }
    }

    /// The bearer token among these, if there is one. An empty one is none.
    pub fn token_of(credentials: Option<&Credentials>) -> Option<String> {
        match credentials {
            Some(Credentials::Token(token)) if !token.is_empty() => Some(token.clone()),
            _ => None,
        }
    }
}
