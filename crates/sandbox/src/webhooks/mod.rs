//! What is on its way to the configured callback: subscriptions, waiting events, what was delivered and
//! what was dropped and why. Building events is `events`, signing `sign`, sending `deliver`.

pub(crate) mod deliver;
pub(crate) mod events;
pub(crate) mod sign;
pub(crate) mod verify;

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::{HOUR, MINUTE, SECOND};
use crate::config::Config;
use crate::world::World;
use crate::world::people::{Account, Platform};

/// After this much failing the account is unsubscribed.
const PATIENCE_MS: i64 = HOUR;

/// Whose secret signs an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Signer {
    /// Messenger, and Instagram through a Page.
    Facebook,
    /// Instagram by Instagram Login.
    Instagram,
}

/// One event that waits.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) number: u64,
    /// The id whose `subscribed_apps` lets it through.
    pub(crate) subscriber: String,
    pub(crate) object: String,
    pub(crate) signer: Signer,
    pub(crate) url: String,
    pub(crate) entry: Value,
    pub(crate) next_ms: i64,
    pub(crate) tries: u32,
}

/// One POST that was made.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    /// The numbers of the events in it.
    pub events: Vec<u64>,
    /// Sandbox clock, UTC milliseconds.
    pub at_ms: i64,
    /// HTTP status of the callback; 0 when nobody answered.
    pub status: u16,
    /// The exact body.
    pub body: String,
    /// The value of `X-Hub-Signature-256`.
    pub signature: String,
}

/// One event that never left.
#[derive(Clone, Debug, Serialize)]
pub struct Dropped {
    /// Page or Instagram account id.
    pub account: String,
    /// The webhook field.
    pub field: String,
    /// Why.
    pub reason: &'static str,
}

#[derive(Clone, Debug)]
struct AppSubscription {
    callback: String,
    /// Empty means every field.
    fields: Vec<String>,
}

/// Everything about webhooks that has state.
#[derive(Debug)]
pub(crate) struct Mailbox {
    app: BTreeMap<String, AppSubscription>,
    accounts: BTreeMap<String, Vec<String>>,
    waiting: VecDeque<Letter>,
    in_flight: usize,
    failing_since: HashMap<String, i64>,
    count: u64,
    pub(crate) delivered: Vec<Delivery>,
    pub(crate) dropped: Vec<Dropped>,
}

impl Mailbox {
    pub(crate) fn new(config: &Config) -> Self {
        let mut mailbox = Mailbox {
            app: BTreeMap::new(),
            accounts: BTreeMap::new(),
            waiting: VecDeque::new(),
            in_flight: 0,
            failing_since: HashMap::new(),
            count: 0,
            delivered: Vec::new(),
            dropped: Vec::new(),
        };
        if let Some(url) = &config.webhook_url {
            mailbox.point_at(url);
        }
        mailbox
    }

    /// As if the dashboard had been saved with this callback and every field of both objects.
    pub(crate) fn point_at(&mut self, url: &str) {
        for object in ["page", "instagram"] {
            self.app_subscribe(object, url, Vec::new());
        }
    }

    pub(crate) fn app_subscribe(&mut self, object: &str, callback: &str, fields: Vec<String>) {
        self.app.insert(
            object.into(),
            AppSubscription {
                callback: callback.into(),
                fields,
            },
        );
    }

    pub(crate) fn app_unsubscribe(&mut self, object: Option<&str>) {
        match object {
            Some(object) => {
                self.app.remove(object);
            }
            None => self.app.clear(),
        }
    }

    pub(crate) fn app_subscriptions(&self) -> Vec<Value> {
        self.app
            .iter()
            .map(|(object, subscription)| {
                let fields: Vec<Value> = subscription
                    .fields
                    .iter()
                    .map(|name| json!({"name": name, "version": crate::graph::CURRENT_VERSION}))
                    .collect();
                json!({"object": object, "callback_url": subscription.callback, "active": true, "fields": fields})
            })
            .collect()
    }

    pub(crate) fn subscription(&self, account: &str) -> Option<&[String]> {
        self.accounts.get(account).map(Vec::as_slice)
    }

    pub(crate) fn subscriptions(&self) -> &BTreeMap<String, Vec<String>> {
        &self.accounts
    }

    pub(crate) fn subscribe(&mut self, account: &str, fields: Vec<String>) {
        self.failing_since.remove(account);
        self.accounts.insert(account.into(), fields);
    }

    pub(crate) fn unsubscribe(&mut self, account: &str) {
        self.accounts.remove(account);
    }

    /// Nothing in flight and nothing due.
    pub(crate) fn settled(&self, now_ms: i64) -> bool {
        self.in_flight == 0 && self.waiting.iter().all(|letter| letter.next_ms > now_ms)
    }

    /// When the next waiting event wants to be tried.
    pub(crate) fn next_ms(&self) -> Option<i64> {
        self.waiting.iter().map(|letter| letter.next_ms).min()
    }

    /// Takes the events of one POST: up to `batch` that are due, for one callback and one secret.
    pub(crate) fn take(&mut self, now_ms: i64, batch: usize) -> Vec<Letter> {
        let mut taken: Vec<Letter> = Vec::new();
        let mut left = VecDeque::new();
        for letter in self.waiting.drain(..) {
            let fits = taken.first().is_none_or(|first| {
                first.url == letter.url
                    && first.signer == letter.signer
                    && first.object == letter.object
            });
            if letter.next_ms <= now_ms && fits && taken.len() < batch.max(1) {
                taken.push(letter);
            } else {
                left.push_back(letter);
            }
        }
        self.waiting = left;
        self.in_flight += taken.len();
        taken
    }

    /// Books the result of one POST.
    pub(crate) fn book(&mut self, letters: Vec<Letter>, delivery: Delivery, now_ms: i64) {
        self.in_flight = self.in_flight.saturating_sub(letters.len());
        let worked = (200..300).contains(&delivery.status);
        self.delivered.push(delivery);
        for mut letter in letters {
            if worked {
                self.failing_since.remove(&letter.subscriber);
                continue;
            }
            let since = *self
                .failing_since
                .entry(letter.subscriber.clone())
                .or_insert(now_ms);
            if now_ms - since >= PATIENCE_MS {
                self.disable(&letter.subscriber.clone());
                self.drop_letter(
                    &letter.subscriber,
                    "",
                    "webhooks disabled after an hour of failures",
                );
                continue;
            }
            letter.tries += 1;
            letter.next_ms = now_ms + pause_ms(letter.tries);
            self.waiting.push_back(letter);
        }
        self.waiting
            .make_contiguous()
            .sort_by_key(|letter| letter.number);
    }

    /// The platform gives an account up: unsubscribed, its waiting events are gone.
    fn disable(&mut self, account: &str) {
        self.unsubscribe(account);
        let (gone, left): (VecDeque<Letter>, VecDeque<Letter>) = self
            .waiting
            .drain(..)
            .partition(|letter| letter.subscriber == account);
        self.waiting = left;
        for letter in gone {
            self.drop_letter(
                &letter.subscriber,
                "",
                "webhooks disabled after an hour of failures",
            );
        }
    }

    fn drop_letter(&mut self, account: &str, field: &str, reason: &'static str) {
        self.dropped.push(Dropped {
            account: account.into(),
            field: field.into(),
            reason,
        });
    }

    /// Queues an entry for a callback.
    fn post(
        &mut self,
        subscriber: &str,
        object: &str,
        signer: Signer,
        url: String,
        entry: Value,
        now_ms: i64,
    ) {
        self.count += 1;
        self.waiting.push_back(Letter {
            number: self.count,
            subscriber: subscriber.into(),
            object: object.into(),
            signer,
            url,
            entry,
            next_ms: now_ms,
            tries: 0,
        });
    }
}

/// A few tries at once, then with falling frequency.
fn pause_ms(tries: u32) -> i64 {
    match tries {
        0..=2 => SECOND,
        3 => 10 * SECOND,
        4 => MINUTE,
        5..=8 => 5 * MINUTE,
        _ => 15 * MINUTE,
    }
}

impl World {
    /// Sends an event of an account through both subscription layers, or notes why not.
    pub(crate) fn emit(&mut self, account: &Account, field: &str, messaging: Value) {
        let now = self.now_ms();
        let entry = json!({"id": account.id, "time": now, "messaging": [messaging]});
        self.emit_entry(account, field, entry);
    }

    /// The same for a whole entry.
    pub(crate) fn emit_entry(&mut self, account: &Account, field: &str, entry: Value) {
        let now = self.now_ms();
        let object = match account.platform {
            Platform::Messenger => "page",
            Platform::Instagram => "instagram",
        };
        let url = self.mailbox.app.get(object).and_then(|subscription| {
            let all = subscription.fields.is_empty();
            let wanted = all || subscription.fields.iter().any(|name| name == field);
            wanted.then(|| subscription.callback.clone())
        });
        let Some(url) = url else {
            self.mailbox.drop_letter(
                &account.id,
                field,
                "the app is not subscribed to this field",
            );
            return;
        };
        let Some((subscriber, signer)) = self.route_of(account, field) else {
            self.mailbox
                .drop_letter(&account.id, field, "the account is not subscribed");
            return;
        };
        self.mailbox
            .post(&subscriber, object, signer, url, entry, now);
    }

    /// Which subscription carries an event. An Instagram account's own wins over its Page's; either brings
    /// every field, because selection per account is not honoured there.
    fn route_of(&self, account: &Account, field: &str) -> Option<(String, Signer)> {
        match account.platform {
            Platform::Messenger => {
                let fields = self.mailbox.subscription(&account.id)?;
                fields
                    .iter()
                    .any(|name| name == field)
                    .then(|| (account.id.clone(), Signer::Facebook))
            }
            Platform::Instagram => {
                if self.mailbox.subscription(&account.id).is_some() {
                    return Some((account.id.clone(), Signer::Instagram));
                }
                let page = self.page_of(&account.id)?.id.clone();
                self.mailbox.subscription(&page)?;
                Some((page, Signer::Facebook))
            }
        }
    }
}

/// The two encodings of one Instagram message id that field reports describe.
const PLAIN: &str = "aWdfZAG1faXRlbT";
const OTHER: &str = "aWdfZAG1haXRlbT";

/// A message id as webhooks show it.
pub(crate) fn shown_mid(world: &World, mid: &str) -> String {
    match mid.strip_prefix(PLAIN) {
        Some(rest) if world.switches.webhook_mids_differ => format!("{OTHER}{rest}"),
        _ => mid.to_owned(),
    }
}

/// A message id as the Conversations API shows it.
pub(crate) fn plain_mid(mid: &str) -> String {
    match mid.strip_prefix(OTHER) {
        Some(rest) => format!("{PLAIN}{rest}"),
        None => mid.to_owned(),
    }
}
