//! One guarded fetch: allowed origin, public address, no redirect off the list, limits on bytes and pixels, type by content.

use super::{
    address::is_public,
    origin::{Reach, allow},
    sniff::sniff,
};
use crate::{Endpoints, store::StoreError};
use bytes::Bytes;
use reqwest::{
    Client, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header,
};
use std::{io::Cursor, net::SocketAddr, sync::Arc, time::Duration};
use url::Url;

/// Largest picture.
pub(super) const MAX_PICTURE: usize = 10 * 1024 * 1024;
/// Largest other file (meta-platform §5: what Meta takes itself).
pub(super) const MAX_FILE: usize = 25 * 1024 * 1024;
/// Largest picture in pixels: a small file can unfold into gigabytes.
pub(super) const MAX_PIXELS: u64 = 40_000_000;
/// Redirects followed, each under the same rules.
const REDIRECTS: usize = 3;

/// Why a medium cannot be shown. Holds no address: it is signed.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// Nobody gave out this id.
    #[error("there is no such medium")]
    NotFound,
    /// The address or its host is not one we may ask.
    #[error("the address is not allowed")]
    Refused,
    /// The signed address has expired, and Meta shows no new one.
    #[error("the address has expired")]
    Expired,
    /// Not a picture, sound, film or document of the known kinds.
    #[error("not a known kind of medium")]
    NotMedia,
    /// Too many bytes or pixels.
    #[error("too large")]
    TooLarge,
    /// No network, or no answer.
    #[error("not reachable now")]
    Unreachable,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was fetched.
#[derive(Clone)]
pub struct Fetched {
    /// Type by content.
    pub mime: &'static str,
    /// Content.
    pub bytes: Bytes,
}

/// One client that only reaches public addresses, and for a sandbox profile one for its own origin.
pub(super) struct Clients {
    public: Option<Client>,
    own: Option<Client>,
}

impl Clients {
    pub(super) fn new(endpoints: &Endpoints) -> Self {
        let base = || {
            Client::builder()
                .user_agent(concat!("Shopbell/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(Duration::from_secs(10))
                .read_timeout(Duration::from_secs(20))
                .timeout(Duration::from_secs(90))
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                // A proxy would resolve the name itself, past the check.
                .no_proxy()
        };
        let public = base()
            .https_only(true)
            .dns_resolver(Arc::new(PublicOnly))
            .build()
            .ok();
        let own = endpoints.sandbox.then(|| base().build().ok()).flatten();
        Self { public, own }
    }
}

/// Resolves names and keeps only public addresses. The connection goes to exactly what comes out of here, so a name that answers
/// differently the second time gains nothing.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 443)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(
                    std::io::Error::new(std::io::ErrorKind::PermissionDenied, NotPublic).into(),
                );
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the name has no public address")]
struct NotPublic;

/// Fetches `address`.
pub(super) async fn fetch(
    clients: &Clients,
    endpoints: &Endpoints,
    address: &str,
) -> Result<Fetched, MediaError> {
    let (mut url, mut reach) = allow(endpoints, address).ok_or(MediaError::Refused)?;
    for _ in 0..=REDIRECTS {
        let client = match reach {
            Reach::Public => &clients.public,
            Reach::Own => &clients.own,
        };
        let client = client.as_ref().ok_or(MediaError::Unreachable)?;
        let response = client
            .get(url.clone())
            .send()
            .await
            .map_err(|error| failure(&error))?;
        let status = response.status();
        if status.is_redirection() {
            let next = response
                .headers()
                .get(header::LOCATION)
                .and_then(|to| to.to_str().ok())
                .ok_or(MediaError::Refused)?;
            let next = url.join(next).map_err(|_| MediaError::Refused)?;
            (url, reach) = step(endpoints, reach, &next)?;
            continue;
        }
        if matches!(
            status,
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE
        ) {
            return Err(MediaError::Expired);
        }
        if !status.is_success() {
            return Err(MediaError::Unreachable);
        }
        return read(response).await;
    }
    Err(MediaError::Refused)
}

/// The public internet never redirects into the sandbox's own origin.
fn step(endpoints: &Endpoints, from: Reach, next: &Url) -> Result<(Url, Reach), MediaError> {
    let (url, reach) = allow(endpoints, next.as_str()).ok_or(MediaError::Refused)?;
    if from == Reach::Public && reach == Reach::Own {
        return Err(MediaError::Refused);
    }
    Ok((url, reach))
}

fn failure(error: &reqwest::Error) -> MediaError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(inner) = source {
        let wrapped = inner
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        if inner.is::<NotPublic>() || wrapped.is_some_and(|inside| inside.is::<NotPublic>()) {
            return MediaError::Refused;
        }
        source = inner.source();
    }
    MediaError::Unreachable
}

async fn read(mut response: reqwest::Response) -> Result<Fetched, MediaError> {
    if response
        .content_length()
        .is_some_and(|length| length > MAX_FILE as u64)
    {
        return Err(MediaError::TooLarge);
    }
    let mut bytes = Vec::new();
    let mut mime = None;
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|_| MediaError::Unreachable)?
    {
        bytes.extend_from_slice(&chunk);
        if mime.is_none() && bytes.len() >= 64 {
            mime = Some(sniff(&bytes).ok_or(MediaError::NotMedia)?);
        }
        let most = if mime.is_some_and(|mime| mime.starts_with("image/")) {
            MAX_PICTURE
        } else {
            MAX_FILE
        };
        if bytes.len() > most {
            return Err(MediaError::TooLarge);
        }
    }
    check(bytes)
}

/// The last checks, on the whole content.
pub(super) fn check(bytes: Vec<u8>) -> Result<Fetched, MediaError> {
    let mime = sniff(&bytes).ok_or(MediaError::NotMedia)?;
    if mime.starts_with("image/") {
        if bytes.len() > MAX_PICTURE {
            return Err(MediaError::TooLarge);
        }
        let reader = image::ImageReader::new(Cursor::new(&bytes))
            .with_guessed_format()
            .map_err(|_| MediaError::NotMedia)?;
        let (width, height) = reader.into_dimensions().map_err(|_| MediaError::NotMedia)?;
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(MediaError::TooLarge);
        }
    }
    Ok(Fetched {
        mime,
        bytes: bytes.into(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_name_that_means_this_computer_has_no_address() {
        let error = PublicOnly
            .resolve("localhost".parse().unwrap())
            .await
            .err()
            .unwrap();
        let inside = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        assert!(inside.is_some_and(|inside| inside.is::<NotPublic>()));
    }
}
