//! Web servers in the test's own process, on loopback, that follow a script and remember what came.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{CertificateParams, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{SOON, holds_within};

/// What a script reads from and writes to.
pub(crate) trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

/// A server.
pub(crate) struct Web {
    address: SocketAddr,
    scheme: &'static str,
    accepted: Arc<AtomicUsize>,
    over: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<String>>>,
}

/// One connection, as a script has it.
pub(crate) struct Peer<'a> {
    stream: &'a mut dyn Stream,
    heard: &'a Mutex<Vec<String>>,
}

impl Web {
    /// Runs the script for each connection, in a thread of its own.
    pub(crate) fn start(script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        Self::run("http", move |mut stream, heard| script(&mut Peer { stream: &mut stream, heard }))
    }

    /// The same over TLS; also gives the certificate, which stands for itself, in PEM.
    pub(crate) fn secure(name: &str, script: impl Fn(&mut Peer) + Send + Sync + 'static) -> (Self, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
        let secret = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret)
            .unwrap();
        let config = Arc::new(config);
        let web = Self::run("https", move |stream, heard| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            script(&mut Peer { stream: &mut stream, heard });
        });
        (web, certificate.pem())
    }

    /// A server that begins each answer and never ends it.
    pub(crate) fn stalling() -> Self {
        Self::start(|peer| {
            peer.head();
            peer.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx");
            peer.rest();
        })
    }

    /// Answers each request with what the function makes of it.
    pub(crate) fn answering(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::start(move |peer| peer.answer_all(&answer))
    }

    /// Runs the script on the bare connection.
    pub(crate) fn bare(script: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        Self::run("http", move |stream, _| script(stream))
    }

    fn run(
        scheme: &'static str,
        script: impl Fn(TcpStream, &Mutex<Vec<String>>) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let web =
            Self { address, scheme, accepted: Arc::default(), over: Arc::default(), heard: Arc::default() };
        let (accepted, over, heard) = (web.accepted.clone(), web.over.clone(), web.heard.clone());
        let script = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                accepted.fetch_add(1, Ordering::SeqCst);
                let (script, over, heard) = (Arc::clone(&script), Arc::clone(&over), Arc::clone(&heard));
                thread::spawn(move || {
                    script(stream, &heard);
                    over.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        web
    }

    /// Its URL under a name.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("{}://{name}:{}", self.scheme, self.address.port())
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Connections that came.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Connections whose scripts have come to their end.
    pub(crate) fn over(&self) -> usize {
        self.over.load(Ordering::SeqCst)
    }

    /// The heads of the requests that came, and what scripts kept besides.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// Waits until the scripts of so many connections have come to their end.
    #[track_caller]
    pub(crate) fn until_over(&self, count: usize) {
        assert!(holds_within(SOON, || self.over() >= count), "{} of {count} are over", self.over());
    }
}

impl Peer<'_> {
    /// Reads the head of a request; nothing at the end of the connection.
    pub(crate) fn head(&mut self) -> Option<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.byte()?);
        }
        let head = String::from_utf8(head).unwrap();
        self.keep(&head);
        Some(head)
    }

    /// Reads one byte; nothing at the end of the connection.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.stream.read_exact(&mut byte).ok()?;
        Some(byte[0])
    }

    /// Reads the body that a head announces.
    pub(crate) fn body(&mut self, head: &str) -> Vec<u8> {
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.stream.read_exact(&mut body).unwrap();
        body
    }

    pub(crate) fn write(&mut self, text: &str) -> bool {
        self.send(text.as_bytes())
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok() && self.stream.flush().is_ok()
    }

    /// Reads to the end of the connection, however it comes.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest);
        rest
    }

    /// Remembers something beside the heads.
    pub(crate) fn keep(&self, text: &str) {
        self.heard.lock().unwrap().push(text.to_owned());
    }

    /// Answers requests to the end of the connection.
    pub(crate) fn answer_all(&mut self, answer: &impl Fn(&str) -> String) {
        while let Some(head) = self.head() {
            self.body(&head);
            if !self.write(&answer(&head)) {
                return;
            }
        }
    }
}

/// An answer with a text.
pub(crate) fn ok(text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{text}", text.len())
}

/// A redirect.
pub(crate) fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
}

/// The same as the last answer of its connection.
pub(crate) fn closing(answer: &str) -> String {
    answer.replacen("\r\n", "\r\nconnection: close\r\n", 1)
}
