//! What waits to be posted: subscriptions of the app and of accounts, events in the order they are due, what
//! was delivered and what was dropped and why. Pure bookkeeping on the sandbox's clock; which subscription
//! carries an event is decided one level up, posting is `deliver`.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::{Value, json};

use crate::chance::Chance;
use crate::clock::{HOUR, MINUTE, SECOND};
use crate::config::Config;
use crate::switches::Switches;

/// After this much failing the account is unsubscribed.
const PATIENCE_MS: i64 = HOUR;
const GIVEN_UP: &str = "webhooks disabled after an hour of failures";

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
    /// The event's number; a duplicate has the same.
    pub(crate) number: u64,
    /// The id whose `subscribed_apps` lets it through.
    pub(crate) subscriber: String,
    pub(crate) field: String,
    pub(crate) object: String,
    pub(crate) signer: Signer,
    pub(crate) url: String,
    pub(crate) entry: Value,
    /// How many events the sender wants in one POST; the switch may want more.
    pub(crate) per_post: usize,
    place: u64,
    tries: u32,
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
    /// By the moment they are due, then by the order they were put in.
    waiting: BTreeMap<(i64, u64), Letter>,
    in_flight: usize,
    failing_since: HashMap<String, i64>,
    events: u64,
    places: u64,
    chance: Chance,
    /// Events in one POST while a burst is being written.
    pub(crate) per_post: usize,
    pub(crate) delivered: Vec<Delivery>,
    pub(crate) dropped: Vec<Dropped>,
}

impl Mailbox {
    pub(crate) fn new(config: &Config) -> Self {
        let mut mailbox = Mailbox {
            app: BTreeMap::new(),
            accounts: BTreeMap::new(),
            waiting: BTreeMap::new(),
            in_flight: 0,
            failing_since: HashMap::new(),
            events: 0,
            places: 0,
            chance: Chance::seeded(&format!("{}/post", config.seed)),
            per_post: 1,
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

    /// A new callback also takes over what waits for the old one.
    pub(crate) fn app_subscribe(&mut self, object: &str, callback: &str, fields: Vec<String>) {
        for letter in self.waiting.values_mut() {
            if letter.object == object {
                callback.clone_into(&mut letter.url);
            }
        }
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
                let named: Vec<&str> = if subscription.fields.is_empty() {
                    crate::graph::subscriptions::fields_of(object).to_vec()
                } else {
                    subscription.fields.iter().map(String::as_str).collect()
                };
                let fields: Vec<Value> = named
                    .into_iter()
                    .map(|name| json!({"name": name, "version": crate::graph::CURRENT_VERSION}))
                    .collect();
                json!({"object": object, "callback_url": subscription.callback, "active": true, "fields": fields})
            })
            .collect()
    }

    /// The callback of an object, when the app wants this field.
    pub(crate) fn callback(&self, object: &str, field: &str) -> Option<String> {
        let subscription = self.app.get(object)?;
        let wanted =
            subscription.fields.is_empty() || subscription.fields.iter().any(|name| name == field);
        wanted.then(|| subscription.callback.clone())
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
        self.in_flight == 0 && self.next_ms().is_none_or(|next| next > now_ms)
    }

    /// When the next waiting event wants to be tried.
    pub(crate) fn next_ms(&self) -> Option<i64> {
        self.waiting.keys().next().map(|(due, _)| *due)
    }

    /// Takes the events of one POST that are due, for one callback and one secret: up to `batch`, or as many
    /// as the first of them wants.
    pub(crate) fn take(&mut self, now_ms: i64, batch: usize) -> Vec<Letter> {
        let mut keys = Vec::new();
        let mut head: Option<&Letter> = None;
        for (key, letter) in self.waiting.range(..=(now_ms, u64::MAX)) {
            let first = *head.get_or_insert(letter);
            let fits = first.url == letter.url
                && first.signer == letter.signer
                && first.object == letter.object;
            if fits {
                keys.push(*key);
            }
            if keys.len() >= batch.max(first.per_post) {
                break;
            }
        }
        let taken: Vec<Letter> = keys
            .iter()
            .filter_map(|key| self.waiting.remove(key))
            .collect();
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
                self.disable(&letter.subscriber);
                self.drop_letter(&letter.subscriber, &letter.field, GIVEN_UP);
                continue;
            }
            if let Some(present) = self.app.get(&letter.object) {
                letter.url.clone_from(&present.callback);
            }
            letter.tries += 1;
            let due = now_ms + pause_ms(letter.tries);
            self.waiting.insert((due, letter.place), letter);
        }
    }

    /// The platform gives an account up: unsubscribed, its waiting events are gone.
    fn disable(&mut self, account: &str) {
        self.unsubscribe(account);
        let gone: Vec<(i64, u64)> = self
            .waiting
            .iter()
            .filter(|(_, letter)| letter.subscriber == account)
            .map(|(key, _)| *key)
            .collect();
        for key in gone {
            if let Some(letter) = self.waiting.remove(&key) {
                self.drop_letter(&letter.subscriber, &letter.field, GIVEN_UP);
            }
        }
    }

    pub(crate) fn drop_letter(&mut self, account: &str, field: &str, reason: &'static str) {
        self.dropped.push(Dropped {
            account: account.into(),
            field: field.into(),
            reason,
        });
    }

    /// Queues an event. Duplicates and late ones are drawn here, so that they hang on the seed and the order
    /// of events alone and never on the network.
    pub(crate) fn post(&mut self, event: Addressed, switches: &Switches, now_ms: i64) {
        self.events += 1;
        let late_ms = switches.webhook_disorder_ms.max(1);
        let mut due = now_ms;
        if drawn(&mut self.chance, switches.webhook_reorder) {
            due += self.chance.between(1, late_ms);
        }
        let letter = Letter {
            number: self.events,
            subscriber: event.subscriber,
            field: event.field,
            object: event.object.to_owned(),
            signer: event.signer,
            url: event.url,
            entry: event.entry,
            per_post: self.per_post.max(1),
            place: 0,
            tries: 0,
        };
        if drawn(&mut self.chance, switches.webhook_duplicate) {
            let again = due + self.chance.between(0, late_ms);
            self.queue(again, letter.clone());
        }
        self.queue(due, letter);
    }

    fn queue(&mut self, due: i64, mut letter: Letter) {
        self.places += 1;
        letter.place = self.places;
        self.waiting.insert((due, letter.place), letter);
    }
}

/// One event with its way.
#[derive(Debug)]
pub(crate) struct Addressed {
    pub(crate) subscriber: String,
    pub(crate) field: String,
    pub(crate) object: &'static str,
    pub(crate) signer: Signer,
    pub(crate) url: String,
    pub(crate) entry: Value,
}

/// A switch that is off draws nothing: turning it on later gives the same draws.
fn drawn(chance: &mut Chance, percent: usize) -> bool {
    percent > 0 && chance.percent(percent)
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
