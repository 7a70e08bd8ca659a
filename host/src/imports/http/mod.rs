//! `wasi:http/outgoing-handler`: requests of guests to what was granted.
//!
//! Invariant: everything that a request costs is bounded before anything is started for it, and all of it
//! ends with the call: the store holds the tasks, the tasks hold the sockets.

mod address;
mod body;
mod dial;
mod egress;
mod failure;
mod grant;
mod headers;
mod pool;
mod resolve;
mod send;
mod target;
#[cfg(test)]
mod tests;
mod times;
mod tls;

pub(crate) use address::special;
pub(crate) use egress::{Egress, Network};
pub(crate) use target::{Target, path};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use http::{HeaderName, Method, Request, Response, header};
use tokio::sync::Semaphore;
use tracing::Instrument;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::p2::bindings::io::error::Error as IoError;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{
    Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
};

use crate::imports::{HasImports, Imports};
use body::{MAX_BODY, Upload};
use pool::Key;
use send::Job;

/// Bytes of the headers of a request, as the host holds them, and of an answer, as they come.
const MAX_HEADERS: usize = 64 << 10;
/// Bytes of a body that a guest hands over at once. Two such pieces wait for each request in flight.
const PIECE: usize = 64 << 10;
/// Requests of one call that are in flight at once.
const MAX_IN_FLIGHT: usize = 6;
/// Requests of one call in all.
const MAX_REQUESTS: u32 = 64;

/// HTTP of one call.
pub(crate) struct Http {
    context: WasiHttpCtx,
    hooks: Hooks,
}

impl Http {
    /// With the grants of a plugin.
    pub(crate) fn new(egress: Arc<Egress>) -> Self {
        let mut context = WasiHttpCtx::new();
        context.set_field_size_limit(MAX_HEADERS);
        Self { context, hooks: Hooks::new(egress) }
    }

    /// Whether the call sent a request, and whether one had a secret in it.
    pub(super) fn used(&self) -> (bool, bool) {
        (self.hooks.has_sent, self.hooks.has_sent_a_secret)
    }
}

/// Puts our own `http-error-code` in the place of the library's. That one knows no error of a body: it looks
/// for another type than bodies end with.
pub(super) fn replace_error_code<T: HasImports>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let replaced = linker.instance("wasi:http/types@0.2.12")?.func_wrap("http-error-code", error_code::<T>);
    linker.allow_shadowing(false);
    replaced
}

/// What a stream's error means, where it is one of HTTP.
fn error_code<T: HasImports>(
    mut store: StoreContextMut<'_, T>,
    (error,): (Resource<IoError>,),
) -> wasmtime::Result<(Option<ErrorCode>,)> {
    let error = store.data_mut().imports().table.get(&error)?;
    Ok((error.downcast_ref().and_then(failure::code),))
}

/// What `wasi:http` works on.
pub(super) fn view<T: HasImports>(state: &mut T) -> WasiHttpCtxView<'_> {
    let Imports { http, table, .. } = state.imports();
    WasiHttpCtxView { ctx: &mut http.context, table, hooks: &mut http.hooks }
}

/// Where the requests of one call pass.
struct Hooks {
    egress: Arc<Egress>,
    left: u32,
    has_sent: bool,
    has_sent_a_secret: bool,
    in_flight: Arc<Semaphore>,
    over: Arc<AtomicBool>,
}

impl Drop for Hooks {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
    }
}

impl Hooks {
    fn new(egress: Arc<Egress>) -> Self {
        Self {
            egress,
            left: MAX_REQUESTS,
            has_sent: false,
            has_sent_a_secret: false,
            in_flight: Arc::new(Semaphore::new(MAX_IN_FLIGHT)),
            over: Arc::default(),
        }
    }

    /// Decides about a request, and gives it its place.
    fn admit(&mut self, request: Request<WasiBody>, options: Option<RequestOptions>) -> Result<Job, Error> {
        self.left = self.left.checked_sub(1).ok_or(Error::ConnectionLimitReached)?;
        let target = Target::of(request.uri()).ok_or(Error::HttpRequestUriInvalid)?;
        let path = path(request.uri()).ok_or(Error::HttpRequestUriInvalid)?;
        let grant = self.granted(&target, request.method())?;
        let (mut head, body) = request.into_parts();
        if head.headers.keys().any(headers::is_forbidden) {
            return Err(Error::HttpRequestDenied);
        }
        let declared = declared(&head)?;
        let has_secret = headers::complete(&mut head.headers, &target, &self.egress.secrets)
            .ok_or(Error::HttpRequestUriInvalid)?;
        head.uri = path.into();
        let place = Arc::clone(&self.in_flight).try_acquire_owned();
        self.has_sent |= place.is_ok();
        self.has_sent_a_secret |= has_secret && place.is_ok();
        Ok(Job {
            egress: Arc::clone(&self.egress),
            key: Key { grant, target },
            request: Request::from_parts(head, Upload::new(body, declared, Arc::clone(&self.over))),
            times: self.egress.network.times.asked(options),
            place: place.map_err(|_| Error::ConnectionLimitReached)?,
        })
    }

    /// The number of the grant that covers the request.
    fn granted(&self, target: &Target, method: &Method) -> Result<usize, Error> {
        if grant::is_forbidden(method) {
            return Err(Error::HttpRequestMethodInvalid);
        }
        let grants = &self.egress.grants;
        grants.iter().position(|grant| grant::covers(grant, target, method)).ok_or_else(|| {
            let Egress { plugin, secrets, .. } = &*self.egress;
            // Here already: a part of a secret would not be found in what is cut.
            let denied = grant::denied(plugin, target, &secrets.redacted(method.as_str()));
            tracing::warn!(target: "hubcap::http", "{}", secrets.redacted(&denied));
            Error::HttpRequestDenied
        })
    }
}

/// The length that the guest announced; `wasmtime-wasi-http` has checked its form.
fn declared(head: &http::request::Parts) -> Result<Option<u64>, Error> {
    let Some(value) = head.headers.get(header::CONTENT_LENGTH) else { return Ok(None) };
    let length = value.to_str().ok().and_then(|text| text.parse().ok()).ok_or(Error::HttpProtocolError)?;
    if length > MAX_BODY { Err(Error::HttpRequestBodySize(Some(length))) } else { Ok(Some(length)) }
}

/// What becomes of a request: the head of its answer, and what goes on beside its body, which is nothing.
type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

async fn sent(job: Job) -> Sent {
    let target = job.egress.secrets.redacted(&job.key.target.to_string()).into_owned();
    let method = job.request.method().clone();
    let start = Instant::now();
    let answer = job.send().await;
    let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    match &answer {
        Ok(answer) => {
            tracing::debug!(target: "hubcap::http", %method, %target, status = answer.status().as_u16(), ms, "answered");
        }
        Err(error) => tracing::info!(target: "hubcap::http", %target, ms, "no answer: {error}"),
    }
    let answer = answer?;
    Ok((answer, Box::new(async { Ok(()) })))
}

impl WasiHttpHooks for Hooks {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name: &HeaderName| headers::is_forbidden(name))
    }

    fn set_host_header(&mut self) -> bool {
        false
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        PIECE
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        match self.admit(request, options) {
            Ok(job) => Box::new(sent(job).in_current_span()),
            Err(error) => Box::new(std::future::ready(Err(error))),
        }
    }
}
