//! Changing settings while a relay runs.

use std::sync::{Arc, PoisonError, RwLock};

use crate::config::Config;
use crate::origin::Policy;
use crate::relay::Relay;
use crate::server::{StartError, check};
use crate::tls::Tls;

/// Changes the settings of a running relay.
#[derive(Clone, Debug)]
pub struct Reloader {
    relay: Arc<Relay>,
    policy: Arc<RwLock<Policy>>,
    tls: Option<Arc<Tls>>,
    loopback: bool,
}

impl Reloader {
    pub(crate) fn new(
        relay: Arc<Relay>,
        policy: Arc<RwLock<Policy>>,
        tls: Option<Arc<Tls>>,
        loopback: bool,
    ) -> Self {
        Self {
            relay,
            policy,
            tls,
            loopback,
        }
    }

    /// Changes what [`Config::reloaded`] takes from `new`, and reads the certificate's files again.
    /// Everything changes or nothing does.
    ///
    /// # Errors
    /// The settings are impossible. The relay keeps the old ones.
    pub fn reload(&self, new: &Config) -> Result<(), StartError> {
        let config = self.relay.config().reloaded(new);
        check(&config)?;
        if let Some(tls) = &self.tls {
            tls.reload().map_err(StartError::Tls)?;
        }
        let policy = Policy::new(self.loopback, config.origins.clone(), config.hosts.clone());
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
        self.relay.set_config(config);
        Ok(())
    }
}
