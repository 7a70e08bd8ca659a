//! One request, from its place in the queue to the head of its answer.
//!
//! Invariant: by the time anything here runs the request was granted; the only addresses that are connected
//! to are those that were vetted, resolved once for this connection.

use std::net::IpAddr;
use std::sync::Arc;

use http::{Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{sleep_until, timeout};
use url::Host;
use wasmtime_wasi_http::{Error, WasiBody};

use super::body::{Download, Held, MAX_BODY, Progress, Upload};
use super::egress::Egress;
use super::grant;
use super::pool::{Connection, Key};
use super::times::Times;
use super::{dial, failure, resolve, tls};
use crate::origin::Scheme;

/// A request that was granted.
pub(super) struct Job {
    pub(super) egress: Arc<Egress>,
    pub(super) key: Key,
    pub(super) request: Request<Upload>,
    pub(super) times: Times,
    /// Its place among the requests of its call.
    pub(super) place: OwnedSemaphorePermit,
}

impl Job {
    /// Sends it and waits for the head of the answer.
    pub(super) async fn send(self) -> Result<Response<WasiBody>, Error> {
        let Self { egress, key, request, times, place } = self;
        let seat = timeout(times.connect, Arc::clone(&egress.in_flight).acquire_owned()).await;
        let Ok(Ok(seat)) = seat else { return Err(Error::ConnectionLimitReached) };
        let upload = request.body().progress();
        let (connection, answer) = answer(&egress, &key, request, times).await?;
        let (head, body) = answer.into_parts();
        check(&head, &body)?;
        let held = Held { connection, key, pool: Arc::clone(&egress.pool), upload, places: [place, seat] };
        Ok(Response::from_parts(head, Download::new(body, times.idle, held).boxed_unsync()))
    }
}

/// What can be told from the head alone.
fn check(head: &http::response::Parts, body: &Incoming) -> Result<(), Error> {
    if head.status == http::StatusCode::SWITCHING_PROTOCOLS {
        return Err(Error::HttpUpgradeFailed);
    }
    match http_body::Body::size_hint(body).lower() {
        announced if announced > MAX_BODY => Err(Error::HttpResponseBodySize(Some(announced))),
        _ => Ok(()),
    }
}

/// An answer and the connection that it came over: a kept one where there is one, else a new one.
async fn answer(
    egress: &Egress,
    key: &Key,
    mut request: Request<Upload>,
    times: Times,
) -> Result<(Connection, Response<Incoming>), Error> {
    if let Some(mut kept) = egress.pool.take(key).await {
        let again = repeatable(&request).then(|| copy(&request));
        match exchange(&mut kept, request, times).await {
            Ok(answer) => return Ok((kept, answer)),
            Err(Unanswered { unsent: Some(unsent), .. }) => request = *unsent,
            // The server may have closed it just then. Nothing comes to harm where it did not.
            Err(Unanswered { error, .. }) => match again {
                Some(again) if matches!(error, Error::ConnectionTerminated) => request = again,
                _ => return Err(error),
            },
        }
    }
    let mut fresh = open(egress, key, times).await?;
    let answer = exchange(&mut fresh, request, times).await.map_err(|unanswered| unanswered.error)?;
    Ok((fresh, answer))
}

/// Whether a request can be sent twice and means the same as once.
fn repeatable(request: &Request<Upload>) -> bool {
    let idempotent = [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE];
    request.body().is_empty() && idempotent.contains(request.method())
}

/// A request without a body once more.
fn copy(request: &Request<Upload>) -> Request<Upload> {
    let mut again = Request::new(Upload::empty());
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    again
}

/// A request without an answer.
struct Unanswered {
    error: Error,
    /// The request itself, where nothing of it was sent.
    unsent: Option<Box<Request<Upload>>>,
}

async fn exchange(
    connection: &mut Connection,
    request: Request<Upload>,
    times: Times,
) -> Result<Response<Incoming>, Unanswered> {
    let progress = request.body().progress();
    tokio::select! {
        biased;
        answer = connection.sender.try_send_request(request) => answer.map_err(|mut failed| {
            let unsent = failed.take_message().map(Box::new);
            Unanswered { error: failure::of_exchange(failed.error()), unsent }
        }),
        () = silence(&progress, times) => Err(Unanswered { error: Error::HttpResponseTimeout, unsent: None }),
    }
}

/// Ends when neither side has moved for too long.
async fn silence(progress: &Progress, times: Times) {
    loop {
        let last = progress.last();
        sleep_until(last + times.first_byte).await;
        if progress.last() == last {
            return;
        }
    }
}

/// A new connection to where the key says.
async fn open(egress: &Egress, key: &Key, times: Times) -> Result<Connection, Error> {
    let Some(grant) = egress.grants.get(key.grant) else { return Err(Error::HttpRequestDenied) };
    let found = match &key.target.host {
        Host::Ipv4(address) => vec![IpAddr::V4(*address)],
        Host::Ipv6(address) => vec![IpAddr::V6(*address)],
        Host::Domain(name) => {
            resolve::resolve(&egress.network.resolver, &egress.lookups, name, times.dns).await?
        }
    };
    let vetted = grant::vet(grant, &found, key.target.port).map_err(|dropped| {
        let prohibited = grant::prohibited(&egress.plugin, &key.target, &dropped);
        tracing::warn!(target: "hubcap::http", "{}", egress.secrets.redacted(&prohibited));
        Error::DestinationIpProhibited
    })?;
    let stream = dial::connect(&vetted, times.connect).await?;
    match key.target.scheme {
        Scheme::Http => Connection::start(stream).await,
        Scheme::Https => {
            let settings = egress.tls(key.grant, grant).await?;
            let stream = tls::handshake(settings, &key.target.host, stream, times.tls).await?;
            Connection::start(stream).await
        }
    }
}
