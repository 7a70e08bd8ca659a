//! TLS: who is trusted, and under which name.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::header::{AUTHORIZATION, HeaderValue};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::server::{Peer, Server, ok};
use super::{Answers, Egress, Network, Times, call, egress, fetch, get, grant, here, send, word};
use crate::config::Source;
use crate::observed::observed;
use crate::origin::Origin;
use crate::policy::{Bound, HttpGrant, SecretGrant};
use crate::secrets::Secrets;

/// An authority, and its file.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        std::fs::write(directory.path().join("ca.pem"), pem).unwrap();
        Self { issuer: Issuer::new(params, key), directory }
    }

    /// A certificate for this name that ended in the year given.
    fn sign(&self, name: &str, until: i32) -> (CertificateDer<'static>, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), key)
    }

    /// The grant of a server, with this authority.
    fn grant(&self, url: &str) -> HttpGrant {
        HttpGrant { ca: Some(self.directory.path().join("ca.pem")), ..grant(url) }
    }
}

fn self_signed(name: &str) -> (CertificateDer<'static>, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.der().clone(), key)
}

/// A server with this certificate that counts handshakes.
async fn server((certificate, key): (CertificateDer<'static>, KeyPair)) -> (Server, Arc<AtomicUsize>) {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let handshakes = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&handshakes);
    let server = Server::start(move |peer: Peer| {
        let (acceptor, count) = (acceptor.clone(), Arc::clone(&count));
        async move {
            let Some(mut peer) = peer.secured(&acceptor).await else { return };
            count.fetch_add(1, Ordering::SeqCst);
            while peer.answer(&ok(2)).await {}
        }
    })
    .await;
    (server, handshakes)
}

fn url(server: &Server, host: &str) -> String {
    format!("https://{host}:{}", server.address.port())
}

#[tokio::test]
async fn a_granted_authority_is_trusted_and_a_second_request_pays_no_handshake() {
    let authority = Authority::new();
    let (server, handshakes) = server(authority.sign("server.test", 2090)).await;
    let url = url(&server, "server.test");
    let egress = egress(vec![authority.grant(&url)]);
    for _ in 0..4 {
        assert!(fetch(&mut call(&egress), get(&url)).await.is_ok());
    }
    assert_eq!(handshakes.load(Ordering::SeqCst), 1);
    assert!(server.heard()[0].starts_with("GET / HTTP/1.1\r\n"), "{:?}", server.heard());
}

#[tokio::test]
async fn an_address_can_be_what_a_certificate_is_for() {
    let authority = Authority::new();
    let (server, _) = server(authority.sign("127.0.0.1", 2090)).await;
    let url = url(&server, "127.0.0.1");
    let (status, _) = fetch(&mut call(&egress(vec![authority.grant(&url)])), get(&url)).await.unwrap();
    observed("C20", format_args!("a certificate for the address itself: {status}"));
}

#[tokio::test]
async fn what_a_certificate_does_not_say_is_not_believed() {
    let authority = Authority::new();
    let cases = [
        ("expired", authority.sign("server.test", 2021)),
        ("of another name", authority.sign("other.test", 2090)),
        ("of nobody's", Authority::new().sign("server.test", 2090)),
        ("of its own", self_signed("server.test")),
    ];
    let mut refused = Vec::new();
    for (what, certificate) in cases {
        let (server, _) = server(certificate).await;
        let url = url(&server, "server.test");
        let end = send(&mut call(&egress(vec![authority.grant(&url)])), get(&url)).await;
        assert_eq!(word(end), "TlsCertificateError", "{what}");
        assert!(server.heard().is_empty(), "{what}: a request went out");
        refused.push(what);
    }
    observed("C20", format_args!("no request to a certificate {}", refused.join(", ")));
}

#[tokio::test]
async fn without_the_grant_of_an_authority_the_machines_own_decide() {
    let authority = Authority::new();
    let (server, _) = server(authority.sign("server.test", 2090)).await;
    let url = url(&server, "server.test");
    let refused = send(&mut call(&egress(vec![grant(&url)])), get(&url)).await;
    assert_eq!(word(refused), "TlsCertificateError");
}

#[tokio::test]
async fn what_speaks_no_tls_is_told_so() {
    let server = Server::start(|mut peer| async move {
        peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        peer.rest().await;
    })
    .await;
    let url = url(&server, "server.test");
    assert_eq!(word(send(&mut call(&egress(vec![grant(&url)])), get(&url)).await), "TlsProtocolError");
    // A fatal alert: handshake failure.
    let server = Server::start(|mut peer| async move {
        peer.write(&[21, 3, 1, 0, 2, 2, 40]).await;
        peer.rest().await;
    })
    .await;
    let url = self::url(&server, "server.test");
    assert_eq!(word(send(&mut call(&egress(vec![grant(&url)])), get(&url)).await), "TlsAlertReceived");
    let server = Server::start(|_| async {}).await;
    let url = self::url(&server, "server.test");
    assert_eq!(word(send(&mut call(&egress(vec![grant(&url)])), get(&url)).await), "ConnectionTerminated");
}

#[tokio::test]
async fn versions_before_tls_1_2_are_not_spoken() {
    let mut words = Vec::new();
    // SSL 3.0, TLS 1.0, TLS 1.1.
    for minor in [0, 1, 2] {
        let server = Server::start(move |mut peer| async move {
            // A handshake record with the server's greeting: version, 32 random bytes, no session,
            // RSA with AES-128-CBC, no compression.
            let mut greeting = vec![22, 3, minor, 0, 42, 2, 0, 0, 38, 3, minor];
            greeting.extend([7; 32]);
            greeting.extend([0, 0, 0x2f, 0]);
            peer.write(&greeting).await;
            peer.rest().await;
        })
        .await;
        let url = url(&server, "server.test");
        let word = word(send(&mut call(&egress(vec![grant(&url)])), get(&url)).await);
        assert_eq!(word, "TlsProtocolError", "3.{minor}");
        words.push(word);
    }
    observed("C20", format_args!("SSL 3.0, TLS 1.0, TLS 1.1: {}", words.join(", ")));
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_is_a_fault_of_the_configuration_and_can_be_mended() {
    let authority = Authority::new();
    let (server, _) = server(authority.sign("server.test", 2090)).await;
    let url = url(&server, "server.test");
    let file = authority.directory.path().join("ca.pem");
    let pem = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let mut call = call(&egress(vec![authority.grant(&url)]));
    assert_eq!(word(send(&mut call, get(&url)).await), "ConfigurationError");
    std::fs::write(&file, pem).unwrap();
    assert!(fetch(&mut call, get(&url)).await.is_ok());
}

/// A secret that requests to an origin carry.
async fn bound_to(url: &str, directory: &Path) -> Secrets {
    let file = directory.join("token");
    std::fs::write(&file, "canary-of-32-bytes").unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let header = serde_json::from_value("authorization".into()).unwrap();
    let bound = Bound {
        origin: Origin::parse(url).unwrap(),
        header,
        prefix: serde_json::from_value("Bearer ".into()).unwrap(),
    };
    let source = Source::File(file);
    let granted = SecretGrant { name: "token".to_owned(), source, bound: Some(bound), reveal: false };
    Secrets::read(&[granted]).await.unwrap()
}

#[tokio::test]
async fn a_secret_replaces_what_the_guest_wrote_at_its_origin_and_is_nowhere_else() {
    let authority = Authority::new();
    let (home, _) = server(authority.sign("server.test", 2090)).await;
    let (other, _) = server(authority.sign("server.test", 2090)).await;
    let [at_home, elsewhere] = [&home, &other].map(|server| url(server, "server.test"));
    let secrets = Arc::new(bound_to(&at_home, authority.directory.path()).await);
    let grants = [&at_home, &elsewhere].map(|url| authority.grant(url)).to_vec();
    let network = Network::new(Arc::new(Answers(here)), Times::default());
    let egress = Egress::new("test", grants, secrets, network);
    let mut told = Vec::new();
    for (url, server, expected) in
        [(at_home, home, ["Bearer canary-of-32-bytes", ""]), (elsewhere, other, ["of the guest", "again"])]
    {
        let mut asked = get(&url);
        asked.headers_mut().append(AUTHORIZATION, HeaderValue::from_static("of the guest"));
        asked.headers_mut().append(AUTHORIZATION, HeaderValue::from_static("again"));
        assert!(fetch(&mut call(&egress), asked).await.is_ok());
        let heard = server.heard().concat();
        let sent: Vec<&str> = heard.lines().filter_map(|line| line.strip_prefix("authorization: ")).collect();
        assert_eq!(sent, expected.into_iter().filter(|sent| !sent.is_empty()).collect::<Vec<_>>());
        told.push(sent.iter().filter(|sent| sent.contains("canary")).count());
    }
    observed(
        "C37",
        format_args!("bound to A: in {} header of requests to A, in {} of those to B", told[0], told[1]),
    );
}
