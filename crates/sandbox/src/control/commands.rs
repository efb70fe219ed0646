//! The orders of a script, as they come over HTTP and as a test writes them. Every field has a default.

use serde::{Deserialize, Serialize};

use crate::world::cards::CardKind;
use crate::world::tokens::Death;

/// A customer writes, reacts to nothing, taps nothing: one message.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Say {
    /// Conversation id; or leave it out and name account and customer.
    pub conversation: Option<String>,
    /// Page id or name, Instagram account id or user name.
    pub account: Option<String>,
    /// Customer id, full name or user name; an unknown one becomes a new person.
    pub customer: Option<String>,
    /// What is said.
    pub text: String,
    /// Pictures or files: a word like `bread`, `cake`, `bike`, `dress`, `voice`, `clip`, `pdf`, or a URL.
    pub attachments: Vec<String>,
    /// A sticker.
    pub sticker: bool,
    /// Message id this answers.
    pub reply_to: Option<String>,
    /// An answer to the account's story.
    pub story_reply: bool,
    /// A story that mentions the account.
    pub story_mention: bool,
    /// A shared link.
    pub share: Option<String>,
    /// Attachments that are no file, by their words: see [`CardKind`].
    pub cards: Vec<CardKind>,
    /// The payload of a tapped quick reply.
    pub quick_reply: Option<String>,
    /// Told by nothing but a bare `message_edit` with `num_edit` 0 (Instagram).
    pub bare_edit_only: bool,
    /// Something the API cannot show.
    pub unsupported: bool,
    /// Land in the Requests folder.
    pub requests: bool,
    /// Send no webhook.
    pub silent: bool,
    /// Written this many milliseconds ago.
    pub ago_ms: i64,
}

/// The owner answers without the app.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PageSays {
    /// Conversation id.
    pub conversation: String,
    /// What is said.
    pub text: String,
    /// Pictures or files, as for customers.
    pub attachments: Vec<String>,
    /// The app that sends; left out = the platform's own inbox (a phone).
    pub app_id: Option<String>,
    /// Send no webhook.
    pub silent: bool,
}

/// What a command on messages did.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Said {
    /// Conversation id.
    pub conversation_id: String,
    /// Message id as the Conversations API shows it.
    pub message_id: String,
    /// PSID or IGSID.
    pub customer_id: String,
    /// UTC milliseconds.
    pub created_ms: i64,
}

/// A customer reacts to a message.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct React {
    /// Message id.
    pub message: String,
    /// The emoji; empty takes the reaction back.
    pub emoji: String,
}

/// One message, named.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneMessage {
    /// Message id.
    pub message: String,
    /// The new text of an edit.
    pub text: String,
}

/// A customer reads, or a phone receives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Receipt {
    /// Conversation id.
    pub conversation: String,
    /// Up to this message; left out = the newest of the business.
    pub message: Option<String>,
    /// Delivered only, not read.
    pub delivered_only: bool,
    /// Milliseconds of sandbox clock from now.
    pub after_ms: i64,
}

/// A customer taps a button.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tap {
    /// Conversation id.
    pub conversation: String,
    /// The button's title.
    pub title: String,
    /// Its payload.
    pub payload: String,
    /// An ice breaker: the event names no message.
    pub ice_breaker: bool,
}

/// Something about a person changes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// Customer id, full name or user name.
    pub customer: String,
    /// They block the business.
    pub blocked: Option<bool>,
    /// They gave (or never gave) consent to their profile.
    pub consented: Option<bool>,
    /// Name and photo come as null.
    pub nameless: Option<bool>,
    /// They have no profile at all.
    pub profile_missing: Option<bool>,
    /// New first name.
    pub first_name: Option<String>,
    /// New last name.
    pub last_name: Option<String>,
    /// New photo: any word draws another face.
    pub photo: Option<String>,
}

/// Something about an account changes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountChange {
    /// Page id or name, Instagram account id or user name.
    pub account: String,
    /// "Allow access to messages" on the phone (Instagram).
    pub messages_allowed: Option<bool>,
    /// A private account: comments and mentions are not told (Instagram).
    pub private: Option<bool>,
    /// The linked Instagram account goes (Pages).
    pub unlink: bool,
    /// A conversation that another app takes over, or gives back.
    pub thread_owned_by_other: Option<(String, bool)>,
}

/// Which tokens something happens to.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenOrder {
    /// `all`, `user`, `page`, `instagram`, or a `tok_…` hash of the journal.
    pub which: String,
    /// Only tokens of this Page or Instagram account id.
    pub account: Option<String>,
    /// What they die of; left out changes only the lives below.
    pub death: Option<Death>,
    /// A new end, this many milliseconds from now.
    pub expires_in_ms: Option<i64>,
    /// Permissions to take away.
    pub revoke_scopes: Vec<String>,
    /// Pretend they were issued this much earlier.
    pub age_ms: i64,
}

/// Moves the clock.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockOrder {
    /// Milliseconds forward.
    pub advance_ms: i64,
    /// Stop it where it is (true) or let it run on (false).
    pub standing: Option<bool>,
}

/// Where webhooks and redirects go.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Callback {
    /// The webhook callback; left out leaves it.
    pub webhook_url: Option<String>,
    /// Ask it for the challenge and answer the result.
    pub verify: bool,
    /// Redirect URIs to register beside the present ones.
    pub redirect_uris: Vec<String>,
}

/// A hand-written event, for shapes no script makes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct RawEvent {
    /// Page id or name, Instagram account id or user name.
    pub account: String,
    /// The webhook field it belongs to.
    pub field: String,
    /// The whole entry; `time` is set when it is sent.
    pub entry: serde_json::Value,
}

/// Meta's deauthorize or data-deletion callback.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignedRequest {
    /// Where to post it.
    pub url: String,
    /// The app-scoped user id.
    pub user_id: String,
    /// Sign with the Instagram secret.
    pub instagram: bool,
    /// Sign with neither app's secret.
    pub forged: bool,
    /// Issued this many milliseconds ago.
    pub age_ms: i64,
}

/// What a callback answered.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CallbackAnswer {
    /// HTTP status; 0 when nobody answered.
    pub status: u16,
    /// The body as text.
    pub body: String,
}
