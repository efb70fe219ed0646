//! Orders about what happens around conversations, and many events at once. Every field has a default.

use serde::{Deserialize, Serialize};

use crate::world::threads::ReferralKind;

/// Somebody comes through a link, an ad or a product page.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Refer {
    /// Conversation id; or leave it out and name account and customer.
    pub conversation: Option<String>,
    /// Page id or name, Instagram account id or user name.
    pub account: Option<String>,
    /// Customer id, full name or user name; an unknown one becomes a new person.
    pub customer: Option<String>,
    /// Through what.
    pub from: ReferralKind,
    /// The word the link or ad carries (`ref`).
    pub word: String,
    /// Ad id; left out = a new one.
    pub ad_id: Option<String>,
    /// Ad title.
    pub ad_title: String,
    /// Product id.
    pub product: String,
    /// What they write at once: ads and products then come inside the message.
    pub text: Option<String>,
    /// They press Get Started: the referral comes inside the postback.
    pub started: bool,
}

/// Who owns a thread changes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Handover {
    /// Conversation id.
    pub conversation: String,
    /// What happens.
    pub step: HandoverStep,
    /// The app it goes to or that asks; left out = another app for `take` and `request`, this one for `pass`.
    pub app: Option<String>,
    /// Nobody owned it before.
    pub idle: bool,
    /// Free text of the other app.
    pub metadata: String,
}

/// The four events of the handover protocol.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum HandoverStep {
    /// `pass_thread_control`.
    #[default]
    Pass,
    /// `take_thread_control`.
    Take,
    /// `request_thread_control`: nothing changes yet.
    Request,
    /// `app_roles`.
    Roles,
}

/// Somebody wants notification messages, or the plugin's checkbox is ticked.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Optin {
    /// Conversation id; for the plugin leave it out and name the account.
    pub conversation: Option<String>,
    /// Page id or name, Instagram account id or user name.
    pub account: Option<String>,
    /// What the button carries; the plugin's `ref`.
    pub payload: String,
    /// What it is about.
    pub title: String,
    /// They want no more of it.
    pub stop: bool,
}

/// The platform warns, blocks or releases a Page.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Page id or name.
    pub account: String,
    /// `warning`, `block` or `unblock`.
    pub action: String,
    /// Why.
    pub reason: String,
}

/// A customer rates an answer.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Feedback {
    /// Message id.
    pub message: String,
    /// A good one.
    pub good: bool,
}

/// The owner writes to the own account. Not stored: only the event is known of these.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToSelf {
    /// Instagram account id or user name.
    pub account: String,
    /// The message, or the title of the button.
    pub text: String,
    /// A tapped button instead of a message.
    pub tapped: bool,
}

/// Many events at once.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Burst {
    /// One account more: beside `accounts`.
    pub account: Option<String>,
    /// Which accounts, in turn; none = every account that is subscribed.
    pub accounts: Vec<String>,
    /// How many events.
    pub count: usize,
    /// Which kinds, in turn: see [`BurstKind`]. Kinds that need a message make one first, silently.
    pub kinds: Vec<BurstKind>,
    /// Events (entries) in one POST.
    pub per_post: usize,
    /// People per account that write.
    pub people: usize,
    /// Texts are filled up to this many letters.
    pub letters: usize,
}

impl Default for Burst {
    fn default() -> Self {
        Burst {
            account: None,
            accounts: Vec::new(),
            count: 100,
            kinds: vec![BurstKind::Message],
            per_post: 1,
            people: 10,
            letters: 0,
        }
    }
}

/// What a burst can hold.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum BurstKind {
    /// A customer's message.
    Message,
    /// A message of the owner's phone.
    Echo,
    /// A reaction to the newest message of the conversation.
    Reaction,
    /// An edit of it.
    Edit,
    /// It is unsent (silent on Messenger).
    Unsend,
    /// The customer read.
    Read,
    /// The customer's phone received (Messenger; on Instagram a message instead).
    Delivery,
    /// A tapped button.
    Postback,
    /// A comment below the account's newest post.
    Comment,
}

/// What a burst made.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Bursted {
    /// Events handed to the mailbox.
    pub events: usize,
    /// Ids of the new messages, in order.
    pub messages: Vec<String>,
    /// Ids of the new comments, in order.
    pub comments: Vec<String>,
}
