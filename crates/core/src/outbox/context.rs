//! What decides whether a text may leave: the account's state, the reply window, the person.

use super::rules::{self, Window};
use crate::{
    api::types::Reason,
    domain::{AccountId, Author, Channel, ConversationId},
    store::StoreError,
};
use sqlx::SqliteConnection;

/// Meta's name of the reviewed feature that lets people answer for 7 days, as listed among the granted permissions.
pub const HUMAN_AGENT: &str = "human_agent";

/// A conversation as sending sees it.
pub struct Context {
    /// Conversation.
    pub conversation: ConversationId,
    /// Its account.
    pub account: AccountId,
    /// Its channel.
    pub channel: Channel,
    /// The customer's platform id.
    pub person: String,
    customer_at_ms: Option<i64>,
    human_agent: bool,
    state: String,
    paused: bool,
}

impl Context {
    /// Reads it. `None` when there is no such conversation.
    ///
    /// # Errors
    /// What the database says.
    pub async fn of(
        connection: &mut SqliteConnection,
        conversation: ConversationId,
    ) -> Result<Option<Self>, StoreError> {
        let row = sqlx::query!(
            r#"SELECT c.account_id, c.customer_at_ms, i.platform_id AS person, a.channel, a.state, a.paused,
                 k.granted AS "granted?: String"
               FROM conversations c JOIN identities i ON i.id = c.identity_id JOIN accounts a ON a.id = c.account_id
               LEFT JOIN credentials k ON k.id = a.credential_id WHERE c.id = ?"#,
            conversation.0
        )
        .fetch_optional(connection)
        .await?;
        Ok(row.and_then(|row| {
            let granted: Vec<String> = row
                .granted
                .and_then(|json| serde_json::from_str(&json).ok())
                .unwrap_or_default();
            Some(Self {
                conversation,
                account: AccountId(row.account_id),
                channel: Channel::parse(&row.channel)?,
                person: row.person,
                customer_at_ms: row.customer_at_ms,
                human_agent: granted.iter().any(|name| name == HUMAN_AGENT),
                state: row.state,
                paused: row.paused != 0,
            })
        }))
    }

    /// Why nothing may be sent from this account now, whatever the window says.
    pub fn account_lock(&self) -> Option<Reason> {
        let word = match self.state.as_str() {
            "disconnected" => "disconnected",
            _ if self.paused => "paused",
            "paused" => "paused",
            "reconnect_now" => "signed_out",
            "blocked" => "blocked",
            _ => return None,
        };
        Some(Reason::new(word))
    }

    /// The reply window for a text of `author`, by the platform's clock. `None` = closed for it.
    pub fn window(&self, author: Author, platform_now_ms: i64) -> Option<Window> {
        match rules::window(self.customer_at_ms, platform_now_ms) {
            Window::Closed => None,
            // Only what a person typed, and only with the reviewed feature (meta-platform §5.3).
            Window::HumanOnly if author != Author::You || !self.human_agent => None,
            open => Some(open),
        }
    }
}
