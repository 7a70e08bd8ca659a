//! TLS: whom the host trusts, and the handshake.
//!
//! Invariant: the name that is verified is the host of the grant; there is no way to switch that off.

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::Host;
use wasmtime_wasi_http::Error;

use super::failure;

/// The machine's trust store, read when the first plugin needs it.
#[derive(Default)]
pub(super) struct Roots(OnceLock<RootCertStore>);

fn system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    let (added, _unreadable) = store.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!(
            "this machine has no certificate authorities; install its package `ca-certificates`, or name a file with `ca` in an http grant"
        );
    }
    store
}

/// The settings of a grant: the machine's authorities, and the one that the grant names. Reads files.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn settings(roots: &Roots, ca: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let mut store = roots.0.get_or_init(system_roots).clone();
    if let Some(file) = ca {
        let at =
            |what: String| format!("the certificate authority {} of an http grant: {what}", file.display());
        let pem = fs::read(file).map_err(|error| at(error.to_string()))?;
        add(&mut store, &pem).map_err(at)?;
    }
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    let mut settings = builder.with_root_certificates(store).with_no_client_auth();
    settings.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(settings))
}

fn add(store: &mut RootCertStore, pem: &[u8]) -> Result<(), String> {
    let before = store.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        store.add(certificate).map_err(|error| error.to_string())?;
    }
    if store.len() == before { Err("no certificate in PEM form is in it".to_owned()) } else { Ok(()) }
}

/// Speaks TLS on a connection.
pub(super) async fn handshake(
    settings: Arc<ClientConfig>,
    host: &Host<String>,
    stream: TcpStream,
    longest: Duration,
) -> Result<TlsStream<TcpStream>, Error> {
    let name = match host {
        Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|_| Error::TlsCertificateError)?,
        Host::Ipv4(address) => ServerName::from(*address),
        Host::Ipv6(address) => ServerName::from(*address),
    };
    match timeout(longest, TlsConnector::from(settings).connect(name, stream)).await {
        Ok(done) => done.map_err(|error| failure::of_tls(&error)),
        Err(_) => Err(Error::ConnectionTimeout),
    }
}

#[cfg(test)]
mod tests {
    use super::{Roots, settings};

    #[test]
    fn an_authority_that_cannot_be_read_is_told_with_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("corp.pem");
        let roots = Roots::default();
        let told = settings(&roots, Some(&file)).unwrap_err();
        assert!(told.contains("corp.pem") && told.contains("No such file"), "{told}");
        std::fs::write(&file, "no certificate").unwrap();
        let told = settings(&roots, Some(&file)).unwrap_err();
        assert!(told.ends_with("no certificate in PEM form is in it"), "{told}");
    }
}
