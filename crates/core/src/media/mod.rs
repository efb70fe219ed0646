//! Pictures and files behind opaque ids. The UI names an id; only this room knows addresses, and only it fetches.
//!
//! Invariant: what leaves here is one of a few picture, sound, film and document types, told by its first bytes and within limits; it came
//! from one of Meta's CDN hosts (or the profile's own list), from a public address, over a connection to exactly the address that was
//! checked. Faces and account pictures come from their tables. Stories are never stored; other files only when the owner keeps media.

mod address;
mod cache;
mod fetch;
mod found;
mod origin;
mod sniff;

pub use fetch::{Fetched, MediaError};
pub use sniff::sniff;

use crate::{
    Endpoints, Parts, Profile, accounts,
    api::types::ProfileKind,
    flight::Flights,
    platform::{Lane, adapter, posts},
    settings,
    store::Priority,
};
use bytes::Bytes;
use cache::Cache;
use found::{Found, Remote};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes kept in memory at most.
const MEMORY_BYTES: usize = 32 * 1024 * 1024;
/// Fetches at once.
const FETCHES: usize = 6;

/// Pictures and files behind opaque ids.
pub struct Media {
    clients: fetch::Clients,
    endpoints: Endpoints,
    cache: Mutex<Cache>,
    flights: Flights<String>,
    fetches: tokio::sync::Semaphore,
}

/// What the UI gets.
#[derive(Clone)]
pub struct MediaBytes {
    /// Type as found, never as claimed.
    pub mime: &'static str,
    /// Content.
    pub bytes: Bytes,
}

impl Media {
    /// From the profile's parts.
    pub fn new(parts: &Parts) -> Self {
        Self {
            clients: fetch::Clients::new(&parts.endpoints),
            endpoints: parts.endpoints.clone(),
            cache: Mutex::new(Cache::new(MEMORY_BYTES)),
            flights: Flights::default(),
            fetches: tokio::sync::Semaphore::new(FETCHES),
        }
    }

    /// Fetches an address that a platform gave, under all the limits of this room.
    ///
    /// # Errors
    /// [`MediaError`].
    pub async fn fetch(&self, address: &str) -> Result<Fetched, MediaError> {
        let _place = self
            .fetches
            .acquire()
            .await
            .map_err(|_| MediaError::Unreachable)?;
        fetch::fetch(&self.clients, &self.endpoints, address).await
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Loads what is behind an id.
///
/// # Errors
/// [`MediaError::NotFound`] for an id nobody gave out; else why it cannot be shown now.
pub async fn load(profile: &Profile, media_id: &str) -> Result<MediaBytes, MediaError> {
    if media_id.is_empty()
        || media_id.len() > 64
        || !media_id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        return Err(MediaError::NotFound);
    }
    if let Some(known) = profile.media.cache().get(media_id) {
        return Ok(known);
    }
    let _turn = profile.media.flights.turn(media_id.to_owned()).await;
    if let Some(known) = profile.media.cache().get(media_id) {
        return Ok(known);
    }
    let found = {
        let mut connection = profile.store.read().await?;
        found::find(&mut connection, media_id).await?
    };
    let media = match found {
        None => return Err(MediaError::NotFound),
        // What was stored was checked when it came; its type is told again, not believed.
        Some(Found::Stored(bytes)) => MediaBytes {
            mime: sniff(&bytes).ok_or(MediaError::NotMedia)?,
            bytes: bytes.into(),
        },
        Some(Found::Remote(remote)) => remote_bytes(profile, media_id, remote).await?,
    };
    profile.media.cache().put(media_id, &media);
    Ok(media)
}

async fn remote_bytes(
    profile: &Profile,
    media_id: &str,
    remote: Remote,
) -> Result<MediaBytes, MediaError> {
    if profile.kind == ProfileKind::Sample {
        return Err(MediaError::Unreachable);
    }
    let fetched = match profile.media.fetch(&remote.url).await {
        Err(MediaError::Expired) => {
            let url = fresh_address(profile, &remote)
                .await
                .ok_or(MediaError::Expired)?;
            let fetched = profile.media.fetch(&url).await?;
            let mut tx = profile.store.write(Priority::Background).await?;
            found::keep_address(&mut tx, media_id, &url).await?;
            tx.commit().await?;
            fetched
        }
        other => other?,
    };
    if remote.may_be_stored() && fetched.mime.starts_with("image/") {
        let keep = settings::read(&mut *profile.store.read().await?)
            .await?
            .keep_media;
        if keep {
            let mut tx = profile.store.write(Priority::Background).await?;
            found::keep_bytes(&mut tx, media_id, &fetched, profile.now_ms()).await?;
            tx.commit().await?;
        }
    }
    Ok(MediaBytes {
        mime: fetched.mime,
        bytes: fetched.bytes,
    })
}

/// Signed addresses die within days; the message or post still knows a living one, while Meta shows it.
async fn fresh_address(profile: &Profile, remote: &Remote) -> Option<String> {
    if remote.mid.is_none() && remote.post.is_none() {
        return None;
    }
    let access = accounts::access(profile, remote.account).await.ok()?;
    if profile.graph.throttled(&access) {
        return None;
    }
    if let Some(post) = &remote.post {
        let raw = profile
            .graph
            .post(&access, post, Lane::Interactive)
            .await
            .ok()?;
        let url = posts::post(&access, post, &raw, profile.now_ms()).picture;
        return url.filter(|url| *url != remote.url);
    }
    let mid = remote.mid.as_deref()?;
    let raw = profile
        .graph
        .message(&access, mid, Lane::Interactive)
        .await
        .ok()?;
    let message = adapter::message(&access, &raw)?;
    let url = if remote.position < 0 {
        message.story?.url
    } else {
        message
            .attachments
            .into_iter()
            .nth(usize::try_from(remote.position).ok()?)?
            .url
    };
    url.filter(|url| *url != remote.url)
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
