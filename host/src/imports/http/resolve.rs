//! Names to addresses, once for each connection.
//!
//! Invariant: a guest's requests hold at most [`MAX_LOOKUPS`] threads, even where the machine's resolver
//! hangs: a lookup keeps its place until it is over, not until somebody stops waiting for it.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;
use wasmtime_wasi_http::Error;

/// Lookups of one plugin that run at once.
pub(super) const MAX_LOOKUPS: usize = 4;

/// Something that knows the addresses of names. Blocks.
pub(crate) trait Resolver: Send + Sync {
    /// All addresses of a name.
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's resolver.
pub(super) struct System;

impl Resolver for System {
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
    }
}

/// The addresses of a name: at least one.
pub(super) async fn resolve(
    resolver: &Arc<dyn Resolver>,
    lookups: &Arc<Semaphore>,
    name: &str,
    longest: Duration,
) -> Result<Vec<IpAddr>, Error> {
    let asked = async {
        let place = Arc::clone(lookups).acquire_owned().await.ok()?;
        let (resolver, name) = (Arc::clone(resolver), name.to_owned());
        let lookup = tokio::task::spawn_blocking(move || {
            let _place = place;
            resolver.resolve(&name)
        });
        lookup.await.ok()
    };
    match timeout(longest, asked).await {
        Err(_) => Err(Error::DnsTimeout),
        Ok(Some(Ok(addresses))) if !addresses.is_empty() => Ok(addresses),
        // What the resolver says differs from machine to machine: a guest gets one text.
        Ok(_) => Err(Error::DnsError { rcode: Some("the name has no address".to_owned()), info_code: None }),
    }
}
