//! The shops and the website of an owner: they post their own webhooks, signed their own way, to addresses the owner
//! gave them. Here: which post comes when, and when a shop gives an address up. Posting is `send`, contents `bodies`.
//!
//! Shopify: 2xx within five seconds or it failed; eight retries over four hours with the original payload and the
//! same webhook id; then the subscription is deleted. WooCommerce: 200 to 302, no retry, disabled by the failure that
//! comes when more than five came before it. A website's visitor posts once.

pub(crate) mod bodies;
pub(crate) mod send;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::SECOND;
use crate::world::World;

/// Retries of one Shopify webhook.
const RETRIES: u32 = 8;
/// The first pause; each is twice the one before, and all eight are four hours together.
const FIRST_PAUSE_MS: i64 = 56 * SECOND;
/// WooCommerce gives up at the failure after more than this many.
const WOO_FAILURES: u32 = 5;

/// Who posts.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ShopKind {
    /// A Shopify shop.
    #[default]
    Shopify,
    /// A WooCommerce shop.
    Woocommerce,
    /// The owner's website, from a visitor's browser.
    Website,
}

/// A shop or a website posts something.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShopPost {
    /// Where to. One address is one subscription: failures are counted by it.
    pub url: String,
    /// Who.
    pub kind: ShopKind,
    /// The shop's signing secret.
    pub secret: String,
    /// `orders/create`, `order.updated`, …; left out = an order.
    pub topic: String,
    /// The payload: JSON, or text that is sent as it is; left out = a made-up one that fits the topic.
    pub body: Option<Value>,
    /// Shop domain, site address, or the website's origin; left out = a made-up one.
    pub source: String,
    /// The webhook id of an earlier post: the same event once more.
    pub again: Option<String>,
    /// Signed with another secret.
    pub forged: bool,
    /// WooCommerce's unsigned ping of a first save, instead of an event.
    pub ping: bool,
    /// `Content-Type` of a website's post; JSON makes a browser ask first (`OPTIONS`).
    pub content_type: Option<String>,
}

/// What became of a post so far.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ShopAnswer {
    /// `X-Shopify-Webhook-Id`, `X-WC-Webhook-Delivery-ID`, or nothing.
    pub id: String,
    /// HTTP status; 0 when nobody answered or nothing was posted.
    pub status: u16,
    /// What was answered.
    pub body: String,
    /// The subscription works no more: deleted, disabled, or refused by the browser's preflight.
    pub given_up: bool,
}

/// One subscription of a shop: an address.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Hook {
    pub(crate) number: u64,
    pub(crate) failures: u32,
    pub(crate) given_up: bool,
    /// Statuses in order, retries included.
    pub(crate) statuses: Vec<u16>,
}

/// One post on its way.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) order: ShopPost,
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) hook: u64,
    /// When it happened, for the headers.
    pub(crate) triggered_ms: i64,
    tries: u32,
}

/// Everything about shops that has state.
#[derive(Debug, Default)]
pub(crate) struct Shops {
    pub(crate) hooks: BTreeMap<String, Hook>,
    waiting: BTreeMap<(i64, u64), Parcel>,
    sent: BTreeMap<String, Parcel>,
    in_flight: usize,
    count: u64,
}

impl Shops {
    pub(crate) fn settled(&self, now_ms: i64) -> bool {
        self.in_flight == 0 && self.next_ms().is_none_or(|next| next > now_ms)
    }

    pub(crate) fn next_ms(&self) -> Option<i64> {
        self.waiting.keys().next().map(|(due, _)| *due)
    }

    /// A retry whose time has come.
    pub(crate) fn take(&mut self, now_ms: i64) -> Option<Parcel> {
        let key = *self.waiting.range(..=(now_ms, u64::MAX)).next()?.0;
        self.in_flight += 1;
        self.waiting.remove(&key)
    }

    /// Books an attempt: success, a retry later, or the end of the subscription.
    pub(crate) fn book(&mut self, mut parcel: Parcel, status: u16, now_ms: i64) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let hook = self.hooks.entry(parcel.order.url.clone()).or_default();
        hook.statuses.push(status);
        if parcel.order.ping {
            return;
        }
        let worked = match parcel.order.kind {
            ShopKind::Shopify => (200..300).contains(&status),
            ShopKind::Woocommerce => (200..=302).contains(&status),
            ShopKind::Website => true,
        };
        if worked {
            hook.failures = 0;
            return;
        }
        match parcel.order.kind {
            ShopKind::Woocommerce => {
                hook.given_up = hook.failures > WOO_FAILURES;
                hook.failures += 1;
            }
            _ if parcel.tries >= RETRIES => {
                hook.failures += 1;
                hook.given_up = true;
                let url = parcel.order.url;
                self.waiting.retain(|_, other| other.order.url != url);
            }
            _ => {
                hook.failures += 1;
                let due = now_ms + (FIRST_PAUSE_MS << parcel.tries);
                parcel.tries += 1;
                self.count += 1;
                self.waiting.insert((due, self.count), parcel);
            }
        }
    }
}

impl World {
    /// Makes a post ready; `None` when the shop has given this address up.
    pub(crate) fn parcel(&mut self, order: ShopPost) -> Option<Parcel> {
        let now = self.now_ms();
        let number = self.shops.hooks.len() as u64 + 1;
        let hook = self
            .shops
            .hooks
            .entry(order.url.clone())
            .or_insert_with(|| Hook {
                number,
                ..Hook::default()
            });
        if hook.given_up {
            return None;
        }
        let hook = hook.number;
        self.shops.in_flight += 1;
        if let Some(earlier) = order.again.as_ref().and_then(|id| self.shops.sent.get(id)) {
            return Some(Parcel {
                tries: 0,
                ..earlier.clone()
            });
        }
        let id = match order.kind {
            ShopKind::Shopify => self.shop_uuid(),
            ShopKind::Woocommerce => self.shop_hex(32),
            ShopKind::Website => String::new(),
        };
        let body = bodies::of(self, &order);
        let parcel = Parcel {
            order,
            id: id.clone(),
            body,
            hook,
            triggered_ms: now,
            tries: 0,
        };
        if !id.is_empty() {
            self.shops.sent.insert(id, parcel.clone());
        }
        Some(parcel)
    }

    fn shop_hex(&mut self, length: usize) -> String {
        let mut out = String::new();
        while out.len() < length {
            out.push_str(&format!("{:016x}", self.chance.next()));
        }
        out.truncate(length);
        out
    }

    fn shop_uuid(&mut self) -> String {
        let word = self.shop_hex(32);
        format!(
            "{}-{}-4{}-9{}-{}",
            &word[..8],
            &word[8..12],
            &word[13..16],
            &word[17..20],
            &word[20..]
        )
    }
}
