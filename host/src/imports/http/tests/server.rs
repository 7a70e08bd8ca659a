//! Servers that follow a script, and remember what came.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::SOON;

/// A server on loopback.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    over: watch::Sender<usize>,
    heard: Arc<Mutex<Vec<String>>>,
}

/// What a script does with one connection.
pub(super) struct Peer<S = TcpStream> {
    pub(super) stream: S,
    /// Counts connections from 1.
    pub(super) number: usize,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Runs the script for every connection.
    pub(super) async fn start<F, R>(script: F) -> Self
    where
        F: Fn(Peer) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            accepted: Arc::default(),
            over: watch::channel(0).0,
            heard: Arc::default(),
        };
        let (accepted, over, heard) =
            (Arc::clone(&server.accepted), server.over.clone(), Arc::clone(&server.heard));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = accepted.fetch_add(1, Ordering::SeqCst) + 1;
                let work = script(Peer { stream, number, heard: Arc::clone(&heard) });
                let over = over.clone();
                tokio::spawn(async move {
                    work.await;
                    over.send_modify(|over| *over += 1);
                });
            }
        });
        server
    }

    /// Answers every request of a connection with these bytes.
    pub(super) async fn answering(answer: &'static str) -> Self {
        Self::start(move |mut peer| async move { while peer.answer(answer.as_bytes()).await {} }).await
    }

    /// Connections that came.
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// What came, request by request.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// Waits until the scripts of so many connections have come to their end.
    pub(super) async fn until_over(&self, count: usize) {
        let mut over = self.over.subscribe();
        tokio::time::timeout(SOON, over.wait_for(|over| *over >= count)).await.expect("it ends").unwrap();
    }
}

impl Peer {
    /// The same connection over TLS; nothing where the handshake fails.
    pub(super) async fn secured(self, acceptor: &TlsAcceptor) -> Option<Peer<TlsStream<TcpStream>>> {
        let stream = acceptor.accept(self.stream).await.ok()?;
        Some(Peer { stream, number: self.number, heard: self.heard })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    /// Reads a request up to the end of its head and remembers it; nothing where the connection ends.
    pub(super) async fn head(&mut self) -> Option<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap();
        self.heard.lock().unwrap().push(head.clone());
        Some(head)
    }

    /// Reads a request without a body and answers it. False at the end of the connection.
    pub(super) async fn answer(&mut self, answer: &[u8]) -> bool {
        self.head().await.is_some() && self.write(answer).await
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok() && self.stream.flush().await.is_ok()
    }

    /// Reads to the end of the connection, however it comes, and returns what came.
    pub(super) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest).await;
        rest
    }
}

/// An answer with a body of this length.
pub(super) fn ok(length: usize) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into_bytes();
    answer.resize(answer.len() + length, b'x');
    answer
}
