//! Addresses the relay listens on for one owner's shop and website, pictures on their way out, and what Meta says about the owner.

use serde::{Deserialize, Serialize};

use crate::{Provider, Secret};

/// Hooks of one device at most.
pub const HOOKS_PER_DEVICE: usize = 50;
/// Largest body of a shop's webhook.
pub const SHOP_BODY_MAX: usize = 2 * 1024 * 1024;
/// Largest body of `/collect`.
pub const COLLECT_BODY_MAX: usize = 16 * 1024;
/// Largest picture to send (T20).
pub const MEDIA_MAX_BYTES: usize = 25 * 1024 * 1024;
/// How long a picture waits for its one fetch, milliseconds.
pub const MEDIA_LIFE_MS: i64 = 10 * 60 * 1000;
/// Pictures of one device that wait at the same time.
pub const MEDIA_PER_DEVICE: usize = 20;

/// Who posts to a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookKind {
    /// Shopify: `X-Shopify-Hmac-Sha256`, base64.
    Shopify,
    /// WooCommerce: `X-WC-Webhook-Signature`, base64; its ping is unsigned.
    Woocommerce,
    /// The owner's website, from visitors' browsers.
    Collect,
}

impl HookKind {
    /// The word in paths and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shopify => "shopify",
            Self::Woocommerce => "woocommerce",
            Self::Collect => "collect",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Shopify, Self::Woocommerce, Self::Collect]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// `POST /v1/hooks`: make one. Answers [`HookView`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HookCreate {
    /// Who will post.
    pub kind: HookKind,
    /// The shop's signing secret; none for `collect`.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// `collect`: origins of the owner's website (`https://shop.example`), at least one.
    #[serde(default)]
    pub origins: Vec<String>,
}

/// `POST /v1/hooks/{id}`: change one; what is missing stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct HookChange {
    /// Answers 200 and passes nothing on (T23).
    #[serde(default)]
    pub paused: Option<bool>,
    /// New signing secret.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// New origins.
    #[serde(default)]
    pub origins: Option<Vec<String>>,
}

/// A hook as its owner's device sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookView {
    /// Unguessable; part of the address.
    pub id: String,
    /// Who posts.
    pub kind: HookKind,
    /// The address to enter at the shop or in the website.
    pub url: String,
    /// Paused by the owner.
    pub paused: bool,
    /// Allowed origins.
    pub origins: Vec<String>,
    /// Made, UTC ms.
    pub created_at_ms: i64,
    /// Last time something was accepted, UTC ms.
    pub last_ms: Option<i64>,
}

/// Answer of `GET /v1/hooks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookList {
    /// Oldest first.
    pub hooks: Vec<HookView>,
}

/// What a shop or website posted, as it lies inside a sealed event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookEvent {
    /// The hook.
    pub hook: String,
    /// Who posted.
    pub kind: HookKind,
    /// `X-Shopify-Topic`, `X-WC-Webhook-Topic`.
    #[serde(default)]
    pub topic: Option<String>,
    /// `X-Shopify-Webhook-Id`, `X-WC-Webhook-Delivery-ID`: the same on a repeated delivery.
    #[serde(default)]
    pub delivery: Option<String>,
    /// `X-Shopify-Shop-Domain`, `X-WC-Webhook-Source`, or the page's origin.
    #[serde(default)]
    pub source: Option<String>,
    /// `collect` only: the visitor's address and browser, which the owner passes on to Meta with a conversion.
    #[serde(default)]
    pub visitor: Option<Visitor>,
    /// The body as it came; what is not UTF-8 was refused.
    pub body: String,
}

/// A visitor of the owner's website.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// IP address.
    pub address: String,
    /// `User-Agent`, at most 512 characters.
    pub agent: String,
}

/// Deauthorize and data deletion: they name the owner, not a customer (C1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerNotice {
    /// Whose app: decides which login is meant.
    pub provider: Provider,
    /// App-scoped user id.
    pub user_id: String,
    /// As Meta dated it, UTC ms.
    pub issued_at_ms: Option<i64>,
    /// Deletion only: the code of the public status page.
    #[serde(default)]
    pub code: Option<String>,
}

/// `POST /v1/deletions/{code}`: what the owner decided, for the status page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionOutcome {
    /// Erased on the owner's computer.
    Erased,
    /// The owner keeps the data on their own computer.
    Kept,
}

/// Body of [`crate::paths::DELETIONS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionReport {
    /// What happened.
    pub outcome: DeletionOutcome,
}

/// Answer of `PUT /v1/media/{random}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaView {
    /// Public, good for one fetch.
    pub url: String,
    /// Gone after this, UTC ms.
    pub expires_at_ms: i64,
}
