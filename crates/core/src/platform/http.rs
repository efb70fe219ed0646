//! The one place that makes an HTTP client, and the one that reads a body: time-outs, size limits, no redirects, one TLS provider.
//!
//! The TLS provider is chosen by the `rustls` feature of reqwest alone. A sandbox profile speaks to loopback and must not be sent
//! through a proxy of the surroundings; a live one honours the proxy variables of its owner's network.

use std::time::Duration;

/// Largest answer of Meta or the relay that is read. A page of 100 threads with 20 messages each stays far below.
pub(crate) const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;
/// Whole call, from the first byte out to the last byte in.
const TOTAL: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);
/// No byte for this long means the other side is gone.
const READ: Duration = Duration::from_secs(30);

/// A client for Meta or the relay. `None` when the system gives no certificates: every call then fails as not configured.
pub(crate) fn client(sandbox: bool) -> Option<reqwest::Client> {
    build(
        reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(READ)
            .timeout(TOTAL),
        sandbox,
    )
}

/// A client for the relay's stream: a connection that lives for days, so it has no time limits of its own, and HTTP/1.1, because only
/// that is upgraded.
pub(crate) fn stream_client(sandbox: bool) -> Option<reqwest::Client> {
    build(
        reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .http1_only()
            .pool_max_idle_per_host(0),
        sandbox,
    )
}

fn build(builder: reqwest::ClientBuilder, sandbox: bool) -> Option<reqwest::Client> {
    let builder = builder
        .user_agent(concat!("Shopbell/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .https_only(!sandbox);
    let builder = if sandbox { builder.no_proxy() } else { builder };
    builder
        .build()
        .inspect_err(|error| tracing::error!(builder = error.is_builder(), "no HTTP client"))
        .ok()
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFault {
    /// More than [`MAX_BODY_BYTES`].
    TooLarge,
    /// The connection broke or fell silent.
    Broken,
}

/// Reads a body up to the limit. A length promised by a header is not believed.
pub(crate) async fn read_body(mut response: reqwest::Response) -> Result<Vec<u8>, BodyFault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| BodyFault::Broken)? {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(BodyFault::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Whether the request certainly never left: nothing was connected, so nothing was written (decision T17).
pub(crate) fn never_left(error: &reqwest::Error) -> bool {
    error.is_connect() || error.is_builder()
}

/// Whether it looks like this computer has no network at all, rather than the other side being down.
pub(crate) fn looks_offline(error: &reqwest::Error) -> bool {
    use std::io::ErrorKind::{HostUnreachable, NetworkDown, NetworkUnreachable};
    if error.is_dns() {
        return true;
    }
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<std::io::Error>()
            && matches!(
                io.kind(),
                HostUnreachable | NetworkDown | NetworkUnreachable
            )
        {
            return true;
        }
        source = inner.source();
    }
    false
}
