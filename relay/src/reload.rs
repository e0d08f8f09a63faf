//! Changing settings while a relay runs.

use std::sync::{Arc, PoisonError, RwLock};

use crate::auth::Auth;
use crate::check::{StartError, check};
use crate::config::Config;
use crate::limits::HttpConnections;
use crate::origin::Policy;
use crate::relay::Relay;
use crate::tls::Tls;

/// Changes the settings of a running relay.
#[derive(Clone, Debug)]
pub struct Reloader {
    /// What the relay runs with now.
    pub(crate) config: Arc<RwLock<Config>>,
    pub(crate) relay: Arc<Relay>,
    pub(crate) http: HttpConnections,
    pub(crate) policy: Arc<RwLock<Policy>>,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) auth: Option<Arc<Auth>>,
    pub(crate) loopback: bool,
}

impl Reloader {
    /// Changes what [`Config::reloaded`] takes from `new`, and reads the files of the certificate
    /// and of the keys for tokens again. Everything changes or nothing does.
    ///
    /// # Errors
    /// The settings or files are impossible. The relay keeps the old ones.
    pub fn reload(&self, new: &Config) -> Result<(), StartError> {
        let config = self.config().reloaded(new);
        check(&config)?;
        let config = config.within(self.relay.hub.longest_message());
        let keys = self
            .auth
            .as_ref()
            .map(|auth| auth.read_keys())
            .transpose()?;
        if let Some(tls) = &self.tls {
            tls.reload().map_err(StartError::Tls)?;
        }
        let policy = Policy::new(self.loopback, config.origins.clone(), config.hosts.clone());
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
        if let (Some(auth), Some(keys)) = (&self.auth, keys) {
            auth.renew(keys);
        }
        self.relay
            .set_limits(config.connection_limits(), config.hub_limits());
        self.http.set_most(config.http_connections);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// What the relay runs with now.
    pub(crate) fn config(&self) -> Config {
        self.config
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
