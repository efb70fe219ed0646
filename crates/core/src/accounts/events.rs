//! The story of every token (decision B23), shown in Health.

use crate::{
    api::types::{Change, Reason, TokenEvent},
    domain::{AccountId, CredentialId},
    store::{StoreError, WriteTx},
};
use sqlx::SqliteConnection;

/// What happened to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenStory {
    Connected,
    Refreshed,
    RefreshFailed,
    Expired,
    Revoked,
    Forgotten,
    FlaggedShort,
}

impl TokenStory {
    fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Refreshed => "refreshed",
            Self::RefreshFailed => "refresh_failed",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Forgotten => "forgotten",
            Self::FlaggedShort => "flagged_short",
        }
    }
}

/// Events kept; older ones go.
const KEPT: i64 = 500;

/// Writes one line.
pub(super) async fn record(
    tx: &mut WriteTx<'_>,
    credential: Option<CredentialId>,
    account: Option<AccountId>,
    story: TokenStory,
    reason: Option<&Reason>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let kind = story.as_str();
    let (credential, account) = (credential.map(|c| c.0), account.map(|a| a.0));
    let reason = reason.and_then(|reason| serde_json::to_string(reason).ok());
    sqlx::query!(
        "INSERT INTO token_events (credential_id, account_id, at_ms, kind, reason) VALUES (?, ?, ?, ?, ?)",
        credential,
        account,
        now_ms,
        kind,
        reason
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "DELETE FROM token_events WHERE id <= (SELECT max(id) FROM token_events) - ?",
        KEPT
    )
    .execute(&mut **tx)
    .await?;
    // Dates, states and the story in Health: all of it is shown with the accounts.
    tx.tell(Change::Accounts);
    Ok(())
}

/// The newest lines, newest first.
///
/// # Errors
/// What SQLite says.
pub async fn recent(
    connection: &mut SqliteConnection,
    limit: i64,
) -> Result<Vec<TokenEvent>, StoreError> {
    let rows = sqlx::query!(
        "SELECT at_ms, kind, account_id, reason FROM token_events ORDER BY id DESC LIMIT ?",
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| TokenEvent {
            at_ms: row.at_ms,
            kind: row.kind,
            account_id: row.account_id,
            reason: row.reason.and_then(|text| serde_json::from_str(&text).ok()),
        })
        .collect())
}
