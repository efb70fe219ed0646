//! `PUT /v1/media/{random}` and `GET /media/{random}`: a picture, film or voice message on its way to Meta, which takes nothing but a
//! public address from accounts that signed in with Instagram (T20).
//!
//! Invariant: given out once and then gone, gone after ten minutes in any case. The address is chosen by the app and not to be guessed;
//! the storage knows neither the address nor the picture (`picture`). What does not begin like the type it claims is not kept, so that
//! nobody serves pages from here.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::StreamExt as _;
use shopbell_wire::{MEDIA_LIFE_MS, MEDIA_MAX_BYTES, MediaView, Refusal, Thumbprint};

use super::{body::declared, picture, signature::only};
use crate::{
    app::{App, CallerAddress},
    caller::Caller,
    failure::Failure,
    metrics::{Limit, MediaOutcome},
    storage::Media,
};

/// The app's random part of the address: 192 bits at least.
const RANDOM_MIN: usize = 32;
const RANDOM_MAX: usize = 128;
/// Uploads at the same time, of one device and of all: each may hold 25 MB twice.
const UPLOADS_PER_DEVICE: usize = 2;
const UPLOADS: usize = 6;
/// A slow line gets as long as any request may take.
const UPLOAD_WITHIN: Duration = Duration::from_secs(80);
/// The first bytes tell the type.
const SNIFFED: usize = 64;
/// When trying again makes sense, milliseconds.
const BUSY_MS: i64 = 2_000;

/// Uploads under way.
#[derive(Default)]
pub(crate) struct Uploads(Mutex<HashMap<Thumbprint, usize>>);

impl Uploads {
    /// A place for one; given back when it is dropped.
    fn begin(&self, device: &Thumbprint) -> Option<Upload<'_>> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = open.get(device).copied().unwrap_or(0);
        if mine >= UPLOADS_PER_DEVICE || open.values().sum::<usize>() >= UPLOADS {
            return None;
        }
        open.insert(device.clone(), mine + 1);
        Some(Upload {
            uploads: self,
            device: device.clone(),
        })
    }
}

struct Upload<'a> {
    uploads: &'a Uploads,
    device: Thumbprint,
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        let mut open = self
            .uploads
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = open.get_mut(&self.device) {
            *mine -= 1;
            if *mine == 0 {
                open.remove(&self.device);
            }
        }
    }
}

fn is_random(text: &str) -> bool {
    (RANDOM_MIN..=RANDOM_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// `PUT`: keeps a picture.
pub(crate) async fn keep(
    State(app): State<Arc<App>>,
    Path(random): Path<String>,
    Caller(proof): Caller,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let outcome = take(&app, &random, &proof.thumbprint, &headers, body).await;
    app.metrics.media.one(match &outcome {
        Ok(_) => MediaOutcome::Kept,
        Err(Failure::Refused(Refusal::RateLimited, _)) => MediaOutcome::OverQuota,
        Err(Failure::Refused(..)) => MediaOutcome::Refused,
        Err(Failure::Fault(_)) => MediaOutcome::NotStored,
    });
    app.respond(outcome.map(|view| Json(view).into_response()))
}

async fn take(
    app: &App,
    random: &str,
    device: &Thumbprint,
    headers: &HeaderMap,
    body: Body,
) -> Result<MediaView, Failure> {
    app.gate.by_device(Limit::Media, device)?;
    let claimed = only(headers, header::CONTENT_TYPE.as_str())
        .and_then(|value| value.to_str().ok())
        .and_then(kind_of)
        .filter(|_| is_random(random))
        .ok_or(Refusal::InvalidRequest)?;
    if declared(headers).is_some_and(|length| length > MEDIA_MAX_BYTES as u64) {
        return Err(Refusal::TooLarge.into());
    }
    let now_ms = app.now_ms();
    if app.storage.bindings_of(device, now_ms).await?.is_empty() {
        return Err(Refusal::NotBound.into());
    }
    let busy = || Failure::Refused(Refusal::RateLimited, Some(BUSY_MS));
    let _place = app.events_in.uploads.begin(device).ok_or_else(busy)?;
    let bytes = tokio::time::timeout(UPLOAD_WITHIN, read(body, claimed))
        .await
        .unwrap_or(Err(Refusal::InvalidRequest))?;
    let expires_at_ms = app.now_ms().saturating_add(MEDIA_LIFE_MS);
    let media = Media {
        mime: claimed.mime.to_owned(),
        bytes: picture::seal(random, claimed.mime, bytes, app.entropy.as_ref()).await?,
    };
    let kept = app
        .storage
        .put_media(&picture::id_of(random), device, &media, expires_at_ms)
        .await?;
    if !kept {
        return Err(Failure::Refused(Refusal::RateLimited, Some(MEDIA_LIFE_MS)));
    }
    Ok(MediaView {
        url: app.url(&format!("/media/{random}")).into(),
        expires_at_ms,
    })
}

/// A type that is taken, with what its first bytes may be.
struct Kind {
    mime: &'static str,
    looks: &'static [&'static str],
    file: &'static str,
}

/// What Meta's message endpoints take (facts sheet §5). The second column is how `infer` names what it sees.
const KINDS: &[Kind] = &[
    kind("image/jpeg", &["image/jpeg"], "picture.jpg"),
    kind("image/png", &["image/png"], "picture.png"),
    kind("image/gif", &["image/gif"], "picture.gif"),
    kind("image/webp", &["image/webp"], "picture.webp"),
    kind("video/mp4", &["video/mp4", "video/x-m4v"], "film.mp4"),
    kind("audio/mpeg", &["audio/mpeg"], "voice.mp3"),
    kind("audio/mp3", &["audio/mpeg"], "voice.mp3"),
    kind("audio/mp4", &["audio/m4a", "video/mp4"], "voice.m4a"),
    kind("audio/m4a", &["audio/m4a", "video/mp4"], "voice.m4a"),
    kind("audio/x-m4a", &["audio/m4a", "video/mp4"], "voice.m4a"),
    kind("audio/aac", &["audio/aac"], "voice.aac"),
    kind("audio/wav", &["audio/x-wav"], "voice.wav"),
    kind("audio/x-wav", &["audio/x-wav"], "voice.wav"),
    kind("audio/ogg", &["audio/ogg", "audio/opus"], "voice.ogg"),
    kind("audio/opus", &["audio/opus"], "voice.ogg"),
    kind("audio/amr", &["audio/amr"], "voice.amr"),
];

const fn kind(mime: &'static str, looks: &'static [&'static str], file: &'static str) -> Kind {
    Kind { mime, looks, file }
}

/// The type of a `Content-Type`, parameters aside.
fn kind_of(content_type: &str) -> Option<&'static Kind> {
    let essence = content_type.split(';').next()?.trim();
    KINDS
        .iter()
        .find(|kind| kind.mime.eq_ignore_ascii_case(essence))
}

/// Reads up to the limit, and no further than its beginning when that is of another type.
async fn read(body: Body, claimed: &Kind) -> Result<Vec<u8>, Refusal> {
    let mut pieces = body.into_data_stream();
    let mut whole = Vec::new();
    let mut sniffed = false;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Refusal::InvalidRequest)?;
        if whole.len() + piece.len() > MEDIA_MAX_BYTES {
            return Err(Refusal::TooLarge);
        }
        whole.extend_from_slice(&piece);
        if !sniffed && whole.len() >= SNIFFED {
            sniffed = true;
            looks_like(&whole, claimed)?;
        }
    }
    if !sniffed {
        looks_like(&whole, claimed)?;
    }
    Ok(whole)
}

fn looks_like(bytes: &[u8], claimed: &Kind) -> Result<(), Refusal> {
    infer::get(bytes)
        .filter(|seen| claimed.looks.contains(&seen.mime_type()))
        .map(|_| ())
        .ok_or(Refusal::InvalidRequest)
}

/// `GET`: gives a picture out, once. Asking by HEAD is not fetching, and is refused so that it cannot be taken for it.
pub(crate) async fn give(
    State(app): State<Arc<App>>,
    CallerAddress(ip): CallerAddress,
    Path(random): Path<String>,
    method: axum::http::Method,
) -> Response {
    if let Err(failure) = app.gate.by_address(Limit::MediaFetch, ip) {
        return failure.answer(app.now_ms());
    }
    if method != axum::http::Method::GET {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")]).into_response();
    }
    let found = find(&app, &random).await;
    app.metrics.media.one(match &found {
        Ok(_) => MediaOutcome::Fetched,
        Err(Failure::Refused(..)) => MediaOutcome::Missing,
        Err(Failure::Fault(_)) => MediaOutcome::NotStored,
    });
    app.respond(found.map(served))
}

async fn find(app: &App, random: &str) -> Result<Media, Failure> {
    if !is_random(random) {
        return Err(Refusal::NotFound.into());
    }
    let id = picture::id_of(random);
    let Media { mime, bytes } = app
        .storage
        .take_media(&id, app.now_ms())
        .await?
        .ok_or(Refusal::NotFound)?;
    let bytes = picture::open(random, &mime, bytes).await?;
    Ok(Media { mime, bytes })
}

fn served(media: Media) -> Response {
    let kind = kind_of(&media.mime);
    let mime = kind.map_or("application/octet-stream", |kind| kind.mime);
    let file = kind.map_or("file", |kind| kind.file);
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{file}\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(mime)),
        (header::CONTENT_DISPOSITION, disposition),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; sandbox"),
        ),
    ];
    (headers, media.bytes).into_response()
}

#[cfg(test)]
#[path = "media_tests.rs"]
mod tests;
