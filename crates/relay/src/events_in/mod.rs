//! Events in: what Meta, shops, websites and Meta's callbacks about the owner bring, sealed to the owner's computers before anything
//! is kept; and pictures on their way out to Meta.
//!
//! Invariant: whatever comes from outside is checked (signature, origin, size, rate) before it is parsed or written; readable content
//! exists in memory for one request; "taken" is said after it is durable. How the events reach the computers is the stream's.
//!
//! | room | for |
//! |---|---|
//! | `body`, `signature` | reading what is hostile, who signed it |
//! | `envelope` | Meta's body into entries; pure |
//! | `routing`, `sealing` | entries to the devices' streams |
//! | `webhooks`, `shops`, `collect` | who posts |
//! | `hooks`, `posted` | addresses for shops and websites, and what is posted to them |
//! | `owner`, `signed_request`, `deletion` | deauthorize and data deletion |
//! | `media`, `picture` | what Meta fetches once, and how it lies in the storage |
//! | `operator` | what nobody can read |

mod body;
mod collect;
mod deletion;
mod envelope;
mod hooks;
mod media;
mod operator;
#[cfg(feature = "planted")]
pub(crate) mod outside;
mod owner;
mod picture;
mod posted;
mod routing;
mod sealing;
mod shops;
pub(crate) mod signature;
mod signed_request;
mod webhooks;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use axum::{
    Router,
    routing::{get, post, put},
};
pub use operator::{KeptWebhook, operator_public_key, read_kept};
use shopbell_wire::paths;

use self::{media::Uploads, operator::Operator, sealing::SealerCache, signature::MetaSecrets};
use crate::{Config, Entropy, app::App};

/// What this part keeps in memory between requests.
pub(crate) struct EventsIn {
    secrets: MetaSecrets,
    sealers: SealerCache,
    operator: Option<Operator>,
    uploads: Uploads,
    complaints: Rarely,
}

impl EventsIn {
    pub(crate) fn new(config: &Config, entropy: Arc<dyn Entropy>) -> Self {
        let operator = config.operator_key().ok().flatten();
        Self {
            secrets: MetaSecrets::new(config),
            sealers: SealerCache::new(entropy),
            operator: operator
                .zip(config.operator_file())
                .and_then(|(key, file)| Operator::new(&key, file)),
            uploads: Uploads::default(),
            complaints: Rarely::default(),
        }
    }

    /// Forgets what has had its time.
    pub(crate) fn purge(&self, now_ms: i64) {
        self.sealers.purge(now_ms);
    }

    /// Keeps what was signed and is no device's, where an operator wants it. Never a reason to refuse the request.
    async fn keep_for_operator(&self, app: &App, texts: &[&[u8]]) {
        let Some(operator) = self.operator.as_ref().filter(|_| !texts.is_empty()) else {
            return;
        };
        let now_ms = app.now_ms();
        let kept = operator.keep(&self.sealers, app.entropy.as_ref(), texts, now_ms);
        if let Err(error) = kept.await
            && self.complaints.may(now_ms)
        {
            tracing::warn!(%error, "a webhook that cannot be read was dropped: the operator's file does not take it");
        }
    }
}

/// Lets one of many through, once in ten seconds: for the log, where a thousand requests fail for the same reason.
#[derive(Default)]
struct Rarely(AtomicI64);

impl Rarely {
    fn may(&self, now_ms: i64) -> bool {
        let last_ms = self.0.load(Ordering::Relaxed);
        !(0..10_000).contains(&now_ms.saturating_sub(last_ms))
            && self
                .0
                .compare_exchange(last_ms, now_ms, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

/// Meta's deliveries: a router of its own, without span, extra headers and timer per request, because it is the one that is busy.
pub(crate) fn webhooks() -> Router<Arc<App>> {
    Router::new().route(
        paths::WEBHOOKS_META,
        get(webhooks::verify).post(webhooks::receive),
    )
}

/// Posts of shops and websites, Meta's callbacks and fetches of pictures, which ask the gate for limits of their own.
pub(crate) fn public() -> Router<Arc<App>> {
    Router::new()
        .route("/webhooks/shopify/{hook}", post(shops::shopify))
        .route("/webhooks/woocommerce/{hook}", post(shops::woocommerce))
        .route(
            "/collect/{hook}",
            post(collect::collect).options(collect::preflight),
        )
        .route("/media/{random}", get(media::give))
        .route(paths::DEAUTHORIZE, post(owner::deauthorize))
        .route(paths::DATA_DELETION, post(owner::data_deletion))
}

/// Calls of devices and the status page, under the limits of every other call.
pub(crate) fn calls() -> Router<Arc<App>> {
    Router::new()
        .route(paths::HOOKS, get(hooks::list).post(hooks::create))
        .route(
            &format!("{}/{{id}}", paths::HOOKS),
            post(hooks::change).delete(hooks::remove),
        )
        .route(&format!("{}/{{random}}", paths::MEDIA), put(media::keep))
        .route("/deletion/{code}", get(deletion::status))
        .route(
            &format!("{}/{{code}}", paths::DELETIONS),
            post(deletion::report),
        )
}
