//! The command that makes a token.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use signal_relay::auth::claims::Claims;
use signal_relay::auth::issue::{IssueError, issue};

use super::values::time;

/// What a token is made of.
#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    /// A space that may be entered, a path such as /my-room, or a pattern; may be given more than
    /// once
    #[arg(long = "space", value_name = "PATTERN", required = true)]
    spaces: Vec<String>,

    /// The user's id
    #[arg(long, value_name = "ID")]
    user: String,

    /// How long the token is good; a time as for --session-age
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = time)]
    expires: Duration,

    /// A channel that may be published on, or a pattern; may be given more than once [default: all]
    #[arg(long, value_name = "PATTERN")]
    publish: Vec<String>,

    /// A channel that may be received, or a pattern; may be given more than once [default: all]
    #[arg(long, value_name = "PATTERN")]
    subscribe: Vec<String>,

    /// The file with the secret or the private key (PEM) that signs it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

impl TokenArguments {
    /// Makes the token.
    pub(crate) fn issue(self) -> Result<String, IssueError> {
        let given = |patterns: Vec<String>| (!patterns.is_empty()).then_some(patterns);
        let claims = Claims {
            sub: self.user,
            spaces: self.spaces,
            publish: given(self.publish),
            subscribe: given(self.subscribe),
            ..Claims::default()
        };
        issue(claims, self.expires, &self.key)
    }
}
