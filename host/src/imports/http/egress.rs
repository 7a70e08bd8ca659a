//! The way out of one plugin: its grants, its connections, its share of the host.
//!
//! Invariant: plugins share the machine's resolver and trust store, and no connection, no place and no
//! setting.

use std::sync::Arc;

use tokio::sync::{OnceCell, Semaphore};
use tokio_rustls::rustls::ClientConfig;
use wasmtime_wasi_http::Error;

use super::pool::Pool;
use super::resolve::{self, Resolver};
use super::times::Times;
use super::tls::{self, Roots};
use crate::policy::HttpGrant;
use crate::secrets::Secrets;

/// Requests of one plugin that are in flight at once, all its calls together.
const MAX_PLUGIN_IN_FLIGHT: usize = 24;

/// What all plugins share of the network.
pub(crate) struct Network {
    pub(super) resolver: Arc<dyn Resolver>,
    roots: Arc<Roots>,
    pub(super) times: Times,
}

impl Network {
    /// The machine's own.
    pub(crate) fn of_the_machine() -> Arc<Self> {
        Self::new(Arc::new(resolve::System), Times::default())
    }

    pub(super) fn new(resolver: Arc<dyn Resolver>, times: Times) -> Arc<Self> {
        Arc::new(Self { resolver, roots: Arc::default(), times })
    }
}

/// The way out of one plugin.
pub(crate) struct Egress {
    pub(super) plugin: String,
    pub(super) grants: Vec<HttpGrant>,
    pub(super) secrets: Arc<Secrets>,
    settings: Vec<OnceCell<Arc<ClientConfig>>>,
    pub(super) network: Arc<Network>,
    pub(super) pool: Arc<Pool>,
    pub(super) in_flight: Arc<Semaphore>,
    pub(super) lookups: Arc<Semaphore>,
}

impl Egress {
    /// A way out with these grants and no others. The secrets go where they are bound to.
    pub(crate) fn new(
        plugin: &str,
        grants: Vec<HttpGrant>,
        secrets: Arc<Secrets>,
        network: Arc<Network>,
    ) -> Arc<Self> {
        Arc::new(Self {
            plugin: plugin.to_owned(),
            settings: grants.iter().map(|_| OnceCell::new()).collect(),
            grants,
            secrets,
            pool: Arc::new(Pool::new(network.times.keep)),
            in_flight: Arc::new(Semaphore::new(MAX_PLUGIN_IN_FLIGHT)),
            lookups: Arc::new(Semaphore::new(resolve::MAX_LOOKUPS)),
            network,
        })
    }

    /// The TLS settings of a grant. What is wrong with its file can be put right without a new start.
    pub(super) async fn tls(&self, number: usize, grant: &HttpGrant) -> Result<Arc<ClientConfig>, Error> {
        let read = async || {
            let (roots, ca) = (Arc::clone(&self.network.roots), grant.ca.clone());
            let read = tokio::task::spawn_blocking(move || tls::settings(&roots, ca.as_deref()));
            read.await.unwrap_or_else(|error| Err(error.to_string()))
        };
        let Some(cell) = self.settings.get(number) else { return Err(Error::ConfigurationError) };
        cell.get_or_try_init(read).await.cloned().map_err(|what| {
            tracing::error!(target: "hubcap::http", "{what}");
            Error::ConfigurationError
        })
    }
}
