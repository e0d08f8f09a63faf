//! Changing settings while a relay runs.

use std::sync::{Arc, PoisonError, RwLock};

use crate::config::Config;
use crate::origin::Policy;
use crate::relay::Relay;
use crate::server::{StartError, check};

/// Changes the settings of a running relay.
#[derive(Clone, Debug)]
pub struct Reloader {
    relay: Arc<Relay>,
    policy: Arc<RwLock<Policy>>,
    loopback: bool,
}

impl Reloader {
    pub(crate) fn new(relay: Arc<Relay>, policy: Arc<RwLock<Policy>>, loopback: bool) -> Self {
        Self {
            relay,
            policy,
            loopback,
        }
    }

    /// Changes what [`Config::reloaded`] takes from `new`. Everything changes or nothing does.
    ///
    /// # Errors
    /// The settings are impossible. The relay keeps the old ones.
    pub fn reload(&self, new: &Config) -> Result<(), StartError> {
        let config = self.relay.config().reloaded(new);
        check(&config)?;
        let policy = Policy::new(self.loopback, config.origins.clone(), config.hosts.clone());
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
        self.relay.set_config(config);
        Ok(())
    }
}
