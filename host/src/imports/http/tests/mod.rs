//! The whole way of a request against servers that do what they like, with times made short.
//!
//! Invariant: every server is on loopback, which each grant has to name; a test that waits has a bound far
//! above what it waits for.

mod bounds;
mod faults;
mod policy;
mod pooling;
mod secure;
mod server;
mod waits;

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use http::{Method, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use wasmtime_wasi_http::{Error, WasiBody};

use super::Hooks;
use super::egress::{Egress, Network};
use super::resolve::Resolver;
use super::times::Times;
use crate::origin::{Method as GrantedMethod, Origin};
use crate::policy::HttpGrant;

/// Far longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);
/// Where the servers are.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Short, where a test waits for the end of it.
const SHORT: Duration = Duration::from_millis(150);

/// A resolver that is a function.
struct Answers<F>(F);

impl<F: Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync> Resolver for Answers<F> {
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        (self.0)(name)
    }
}

/// All names are here.
fn here(_: &str) -> io::Result<Vec<IpAddr>> {
    Ok(vec![HERE])
}

/// A grant of a server on this machine, for all methods that the tests use.
fn grant(url: &str) -> HttpGrant {
    let origin = Origin::parse(url).unwrap();
    HttpGrant {
        origin,
        methods: methods(&["GET", "HEAD", "POST", "PUT"]),
        ca: None,
        addresses: [HERE].into(),
    }
}

fn methods(names: &[&str]) -> BTreeSet<GrantedMethod> {
    names.iter().map(|name| serde_json::from_value((*name).into()).unwrap()).collect()
}

/// The way out with these grants, where all names are here.
fn egress(grants: Vec<HttpGrant>) -> Arc<Egress> {
    egress_with(grants, Times::default(), here)
}

fn egress_with(
    grants: Vec<HttpGrant>,
    times: Times,
    resolver: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
) -> Arc<Egress> {
    Egress::new("test", grants, Arc::default(), Network::new(Arc::new(Answers(resolver)), times))
}

/// A call's hooks.
fn call(egress: &Arc<Egress>) -> Hooks {
    Hooks::new(Arc::clone(egress))
}

/// A call with one grant: of this server under the name `server.test`.
fn call_to(server: SocketAddr) -> (Hooks, String) {
    let url = format!("http://server.test:{}", server.port());
    (call(&egress(vec![grant(&url)])), url)
}

fn request(method: Method, url: &str, body: WasiBody) -> Request<WasiBody> {
    Request::builder().method(method).uri(url).body(body).unwrap()
}

fn get(url: &str) -> Request<WasiBody> {
    request(Method::GET, url, nothing())
}

fn nothing() -> WasiBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body that is there at once.
fn whole(bytes: impl Into<Bytes>) -> WasiBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body in pieces.
fn pieces(pieces: impl Stream<Item = Bytes> + Send + 'static) -> WasiBody {
    use futures::StreamExt;
    StreamBody::new(pieces.map(|piece| Ok(Frame::data(piece)))).boxed_unsync()
}

/// Sends a request; the answer's body is still to come.
async fn send(call: &mut Hooks, request: Request<WasiBody>) -> Result<Response<WasiBody>, Error> {
    let job = call.admit(request, None)?;
    tokio::time::timeout(SOON, job.send()).await.expect("a request ends")
}

/// Sends a request and reads the answer.
async fn fetch(call: &mut Hooks, request: Request<WasiBody>) -> Result<(u16, Bytes), Error> {
    let answer = send(call, request).await?;
    let status = answer.status().as_u16();
    Ok((status, read(answer).await?))
}

async fn read(answer: Response<WasiBody>) -> Result<Bytes, Error> {
    let body = tokio::time::timeout(SOON, answer.into_body().collect()).await.expect("a body ends");
    body.map(http_body_util::Collected::to_bytes)
}

/// The word for an end without an answer.
fn word<T: std::fmt::Debug>(end: Result<T, Error>) -> String {
    let error = end.expect_err("there should be no answer");
    let word = format!("{error:?}");
    word.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
}
