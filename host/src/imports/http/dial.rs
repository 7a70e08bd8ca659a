//! A connection to one of several addresses that have been vetted.
//!
//! Invariant: nothing here resolves a name; what is connected to is what was vetted.

use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use wasmtime_wasi_http::Error;

use super::failure;

/// Addresses of one name that are tried.
pub(super) const MAX_ADDRESSES: usize = 8;
/// How long an address has before the next one is tried beside it (RFC 8305).
const STAGGER: Duration = Duration::from_millis(250);

/// Connects to the first address that answers.
pub(super) async fn connect(addresses: &[SocketAddr], longest: Duration) -> Result<TcpStream, Error> {
    let stream = timeout(longest, race(addresses)).await.map_err(|_| Error::ConnectionTimeout)??;
    // Requests are short; without this they would wait for each other's acknowledgements.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

async fn race(addresses: &[SocketAddr]) -> Result<TcpStream, Error> {
    let mut waiting = addresses.iter().take(MAX_ADDRESSES);
    let mut trying = FuturesUnordered::new();
    trying.extend(waiting.next().map(TcpStream::connect));
    let mut failed = Error::DestinationNotFound;
    loop {
        tokio::select! {
            ended = trying.next() => match ended {
                Some(Ok(stream)) => return Ok(stream),
                Some(Err(error)) => {
                    failed = failure::of_connect(&error);
                    trying.extend(waiting.next().map(TcpStream::connect));
                }
                None => return Err(failed),
            },
            () = sleep(STAGGER), if waiting.len() > 0 => trying.extend(waiting.next().map(TcpStream::connect)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use tokio::net::TcpListener;
    use wasmtime_wasi_http::Error;

    use super::{MAX_ADDRESSES, connect};

    /// An address where nobody listens.
    async fn closed() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
    }

    #[tokio::test]
    async fn the_eighth_address_is_tried_and_the_ninth_is_not() {
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut addresses = vec![closed().await; MAX_ADDRESSES - 1];
        addresses.push(open.local_addr().unwrap());
        assert!(connect(&addresses, Duration::from_secs(5)).await.is_ok());
        addresses.insert(0, addresses[0]);
        let refused = connect(&addresses, Duration::from_secs(5)).await;
        assert!(matches!(refused, Err(Error::ConnectionRefused)), "{refused:?}");
        assert!(matches!(connect(&[], Duration::from_secs(5)).await, Err(Error::DestinationNotFound)));
    }
}
