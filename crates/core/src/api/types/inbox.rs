//! List of conversations, one conversation's head and details, search.

use super::Reason;
use crate::domain::Channel;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Views of the inbox. A view is a query, not a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum InboxView {
    /// The customer wrote last (or a send needs a decision) and nobody finished it.
    NeedsYou,
    /// Like needs-you, only with an open reply window, soonest end first.
    ClosingSoon,
    /// We wrote last.
    WaitingOnThem,
    /// Resolved.
    Done,
    /// Everything.
    All,
}

/// Argument of `conversations_list`.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ConversationsQuery {
    /// Which view.
    pub view: InboxView,
    /// Only one account.
    pub account_id: Option<i64>,
    /// From `ConversationPage.next`.
    pub cursor: Option<String>,
    /// 1 to 200.
    pub limit: u32,
}

/// One page of the list.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ConversationPage {
    /// Rows in order.
    pub rows: Vec<ConversationRow>,
    /// Absent on the last page.
    pub next: Option<String>,
}

/// One row of the list.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ConversationRow {
    /// Internal id.
    pub id: i64,
    /// Account it belongs to.
    pub account_id: i64,
    /// Channel of that account.
    pub channel: Channel,
    /// Name to show; null = unknown person, show "Customer #id".
    pub name: Option<String>,
    /// Handle without `@`.
    pub username: Option<String>,
    /// Opaque media id of the face.
    pub picture: Option<String>,
    /// Last words, at most 160 characters.
    pub preview: String,
    /// What the last entry is when it is not text: `image`, `video`, `audio`, `file`, `share`, `story_reply`, `story_mention`, `reaction`, `deleted`, `unsupported`.
    pub preview_kind: Option<String>,
    /// Who wrote last.
    pub last_author: Option<crate::domain::Author>,
    /// UTC ms.
    pub last_at_ms: i64,
    /// Unread customer messages.
    pub unread: i64,
    /// State.
    pub state: crate::domain::ConversationState,
    /// Reply window.
    pub window: WindowView,
    /// A send failed or is unknown here.
    pub trouble: Option<crate::domain::MessageState>,
    /// A draft waits.
    pub has_draft: bool,
}

/// The reply window as the owner sees it (products.md §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WindowView {
    /// `open`, `human_only`, `closed`, `unlimited` or `never` (nobody wrote yet).
    pub state: String,
    /// End of the 24 hours, UTC ms.
    pub open_until_ms: Option<i64>,
    /// End of the 7 days, UTC ms, when the connection may use the human-agent tag.
    pub human_until_ms: Option<i64>,
    /// Why the composer is locked, when it is (`window_closed`, `signed_out`, `paused`, `disconnected`, `blocked`, `permission_missing`, `sample`).
    pub lock: Option<Reason>,
}

/// Number of conversations per view; views with 0 are present.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ViewCounts {
    /// Per view.
    pub views: Vec<(InboxView, i64)>,
    /// Per account: conversations that need you.
    pub accounts: Vec<(i64, i64)>,
}

/// Argument of `view_counts`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct CountsQuery {
    /// Only one account.
    pub account_id: Option<i64>,
}

/// Head and details of one conversation.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ConversationView {
    /// The row as in the list.
    pub row: ConversationRow,
    /// The person.
    pub person: PersonView,
    /// Draft text, if any.
    pub draft: Option<String>,
    /// Meta gave no older messages of this conversation.
    pub older_missing: bool,
    /// Our sends up to here were delivered (Messenger only), UTC ms.
    pub delivered_until_ms: Option<i64>,
    /// The customer read up to here, UTC ms.
    pub read_until_ms: Option<i64>,
    /// The platform's limit for one text: `bytes` or `characters`, and how many.
    pub text_limit: TextLimit,
}

/// How long one text may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TextLimit {
    /// `bytes` (UTF-8) or `characters`.
    pub unit: String,
    /// Highest allowed count.
    pub max: u32,
}

/// The person in the details panel.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PersonView {
    /// Contact id.
    pub contact_id: i64,
    /// Identity (person × account) id.
    pub identity_id: i64,
    /// Name, null when unknown.
    pub name: Option<String>,
    /// Handle without `@`.
    pub username: Option<String>,
    /// Opaque media id.
    pub picture: Option<String>,
    /// `instagram_api`, `facebook_api`, `conversation`, `cache`, `none`.
    pub profile_source: String,
    /// UTC ms.
    pub profile_fetched_at_ms: Option<i64>,
    /// Why the last fetch failed, if it did.
    pub profile_error: Option<Reason>,
    /// Follows us.
    pub follows_us: Option<bool>,
    /// We follow.
    pub we_follow: Option<bool>,
    /// Verified.
    pub verified: Option<bool>,
    /// Followers.
    pub followers: Option<i64>,
    /// First message here, UTC ms.
    pub first_at_ms: Option<i64>,
    /// Messages in this conversation.
    pub messages: i64,
    /// Address of the person's public profile (Instagram only: from the username).
    pub profile_url: Option<String>,
    /// Other conversations of the same contact: id, account, last time.
    pub elsewhere: Vec<(i64, i64, i64)>,
}

/// Argument of `conversation_set_unread`.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SetUnread {
    /// Conversation.
    pub id: i64,
    /// True = unread again, false = read.
    pub unread: bool,
}

/// Argument of `conversation_set_state`.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SetState {
    /// Conversation.
    pub id: i64,
    /// New state: only `open` and `resolved` for now.
    pub state: crate::domain::ConversationState,
}

/// Argument of `draft_set`. Empty text removes the draft.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct DraftSet {
    /// Conversation.
    pub id: i64,
    /// Text.
    pub text: String,
}

impl std::fmt::Debug for DraftSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DraftSet({})", self.id)
    }
}

/// Argument of `search`.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct SearchQuery {
    /// What the owner typed.
    pub text: String,
    /// Only one conversation.
    pub conversation_id: Option<i64>,
    /// Only one account.
    pub account_id: Option<i64>,
    /// From `SearchPage.next`.
    pub cursor: Option<String>,
    /// 1 to 100.
    pub limit: u32,
}

impl std::fmt::Debug for SearchQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SearchQuery(…)")
    }
}

/// Hits, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SearchPage {
    /// People whose name or handle matches (first page only, at most 5).
    pub people: Vec<ConversationRow>,
    /// Message hits.
    pub hits: Vec<SearchHit>,
    /// Absent on the last page.
    pub next: Option<String>,
    /// Nothing was found as typed; these words exist and are close.
    pub did_you_mean: Vec<String>,
}

/// One hit.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SearchHit {
    /// Message.
    pub message_id: i64,
    /// Its place, for `messages_list` with `around`.
    pub sort_key: String,
    /// Conversation.
    pub conversation_id: i64,
    /// Account.
    pub account_id: i64,
    /// Channel.
    pub channel: Channel,
    /// Person.
    pub name: Option<String>,
    /// Handle.
    pub username: Option<String>,
    /// Face.
    pub picture: Option<String>,
    /// Excerpt around the first match.
    pub excerpt: String,
    /// Matches in `excerpt` as UTF-16 offsets (start, end).
    pub marks: Vec<(u32, u32)>,
    /// Author.
    pub author: crate::domain::Author,
    /// UTC ms.
    pub sent_at_ms: i64,
}
