//! What is on its way to the configured callback. Here: which subscription carries an event and in which
//! envelope it goes. Building events is `events` (conversations) and `content` (posts and comments), waiting
//! is `mailbox`, signing `sign`, sending `deliver`.

pub(crate) mod content;
pub(crate) mod deliver;
pub(crate) mod events;
pub(crate) mod mailbox;
mod parts;
pub(crate) mod sign;
pub(crate) mod thread_events;
pub(crate) mod verify;

use serde_json::{Value, json};

pub(crate) use mailbox::Mailbox;
pub use mailbox::{Delivery, Dropped};

use crate::switches::ContentForm;
use crate::world::World;
use crate::world::people::{Account, Platform};
use mailbox::{Addressed, Signer};

/// Whom an event is between, without the messages themselves.
#[derive(Clone, Debug)]
pub(crate) struct Between {
    pub(crate) account: Account,
    pub(crate) customer: String,
    /// Another app owns the thread: the event is only to be listened to.
    pub(crate) standby: bool,
}

impl World {
    /// Whom a conversation is between.
    pub(crate) fn between(&self, conversation: &str) -> Option<Between> {
        self.conversations.get(conversation).map(|thread| Between {
            account: thread.account.clone(),
            customer: thread.customer.clone(),
            standby: thread.owned_by_other,
        })
    }

    /// Sends an event of a conversation, as `messaging` or, when another app owns the thread, as `standby`.
    pub(crate) fn tell(&mut self, between: &Between, field: &str, mut event: Value) {
        if !between.standby {
            self.emit(&between.account, field, event);
            return;
        }
        if let Some(postback) = event.get_mut("postback").and_then(Value::as_object_mut) {
            postback.remove("payload");
        }
        let entry = json!({"id": between.account.id, "time": self.now_ms(), "standby": [event]});
        self.emit_entry(&between.account, "standby", entry);
    }

    /// Sends an event of an account through both subscription layers, or notes why not.
    pub(crate) fn emit(&mut self, account: &Account, field: &str, messaging: Value) {
        let entry = json!({"id": account.id, "time": self.now_ms(), "messaging": [messaging]});
        self.emit_entry(account, field, entry);
    }

    /// The same for a whole entry.
    pub(crate) fn emit_entry(&mut self, account: &Account, field: &str, entry: Value) {
        if let Some((url, subscriber, signer)) = self.way_of(account, field) {
            self.address(account, field, url, subscriber, signer, entry);
        }
    }

    /// Sends a change of content, in `changes[]` or flat as the way and the switch have it.
    pub(crate) fn emit_change(&mut self, account: &Account, field: &str, value: Value) {
        let Some((url, subscriber, signer)) = self.way_of(account, field) else {
            return;
        };
        let flat = match (account.platform, self.switches.ig_content_form) {
            (Platform::Messenger, _) | (_, ContentForm::Changes) => false,
            (_, ContentForm::Flat) => true,
            (_, ContentForm::ByRoute) => signer == Signer::Instagram,
        };
        let mut entry = json!({"id": account.id, "time": self.now_ms() / 1_000});
        if flat {
            entry["field"] = field.into();
            entry["value"] = value;
        } else {
            entry["changes"] = json!([{"field": field, "value": value}]);
        }
        self.address(account, field, url, subscriber, signer, entry);
    }

    fn address(
        &mut self,
        account: &Account,
        field: &str,
        url: String,
        subscriber: String,
        signer: Signer,
        entry: Value,
    ) {
        let now = self.now_ms();
        let event = Addressed {
            subscriber,
            field: field.to_owned(),
            object: object_of(account),
            signer,
            url,
            entry,
        };
        self.mailbox.post(event, &self.switches, now);
    }

    /// Callback, subscriber and secret of an event; notes why not when there is no way.
    fn way_of(&mut self, account: &Account, field: &str) -> Option<(String, String, Signer)> {
        let Some(url) = self.mailbox.callback(object_of(account), field) else {
            self.mailbox.drop_letter(
                &account.id,
                field,
                "the app is not subscribed to this field",
            );
            return None;
        };
        let Some((subscriber, signer)) = self.route_of(account, field) else {
            self.mailbox
                .drop_letter(&account.id, field, "the account is not subscribed");
            return None;
        };
        Some((url, subscriber, signer))
    }

    /// Which subscription carries an event. An Instagram account's own wins over its Page's; either brings
    /// every field, because selection per account is not honoured there.
    pub(crate) fn route_of(&self, account: &Account, field: &str) -> Option<(String, Signer)> {
        match account.platform {
            Platform::Messenger => self
                .page_wants(&account.id, field)
                .then(|| (account.id.clone(), Signer::Facebook)),
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

    /// Whether a Page's subscription names this field.
    pub(crate) fn page_wants(&self, page: &str, field: &str) -> bool {
        self.mailbox
            .subscription(page)
            .is_some_and(|fields| fields.iter().any(|name| name == field))
    }
}

fn object_of(account: &Account) -> &'static str {
    match account.platform {
        Platform::Messenger => "page",
        Platform::Instagram => "instagram",
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
