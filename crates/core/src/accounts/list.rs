//! The accounts as the owner sees them, and the two switches.

use super::{report, state};
use crate::{
    Profile,
    api::types::{AccountSet, AccountView, AnsweringView, Change},
    domain::{AccountId, Channel, Provider},
    store::{Priority, StoreError},
};
use sqlx::SqliteConnection;

fn names(json: Option<String>) -> Vec<String> {
    json.and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

/// Every account, in the order they were connected.
///
/// # Errors
/// What SQLite says.
pub async fn all(connection: &mut SqliteConnection) -> Result<Vec<AccountView>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT a.id, a.channel, a.provider, a.platform_id, a.name, a.username, a.state, a.reason, a.state_since_ms, a.auto_sync,
             a.paused, a.subscribed_fields, a.subscribed_at_ms, a.subscription_checked_at_ms,
             a.webhook_at_ms, a.erase_at_ms, w.device AS "answering_device?: String", w.mine AS "answering_here?: bool",
             w.until_ms AS "answering_until_ms?: i64",
             p.media_id AS "picture?: String",
             c.expires_at_ms AS "expires_at_ms?: i64", c.expiry AS "expiry?: String", c.checked_at_ms AS "checked_at_ms?: i64",
             c.granted AS "granted?: String", c.declined AS "declined?: String",
             s.last_poll_at_ms AS "last_poll_at_ms?: i64",
             (SELECT count(*) FROM conversations v WHERE v.account_id = a.id) AS "conversations!: i64",
             (SELECT coalesce(sum(v.messages), 0) FROM conversations v WHERE v.account_id = a.id) AS "messages!: i64"
           FROM accounts a LEFT JOIN credentials c ON c.id = a.credential_id
           LEFT JOIN account_pictures p ON p.account_id = a.id LEFT JOIN sync_cursors s ON s.account_id = a.id
           LEFT JOIN answering w ON w.account_id = a.id
           ORDER BY a.id"#
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(AccountView {
                id: row.id,
                channel: Channel::parse(&row.channel)?,
                provider: Provider::parse(&row.provider)?,
                platform_id: row.platform_id,
                name: row.name,
                username: row.username,
                picture: row.picture,
                state: state::parse(&row.state),
                reason: row.reason.and_then(|text| serde_json::from_str(&text).ok()),
                state_since_ms: row.state_since_ms,
                auto_sync: row.auto_sync != 0,
                paused: row.paused != 0,
                token_expires_at_ms: row.expires_at_ms,
                token_expiry: row.expiry.unwrap_or_else(|| "unknown".into()),
                token_checked_at_ms: row.checked_at_ms,
                subscribed_fields: names(Some(row.subscribed_fields)),
                subscribed_at_ms: row.subscribed_at_ms,
                subscription_checked_at_ms: row.subscription_checked_at_ms,
                last_event_at_ms: row.webhook_at_ms,
                answering: row.answering_device.map(|device| AnsweringView {
                    here: row.answering_here.unwrap_or(false),
                    device: device.chars().take(4).collect(),
                    until_ms: row.answering_until_ms.unwrap_or(0),
                }),
                granted: names(row.granted),
                declined: names(row.declined),
                conversations: row.conversations,
                messages: row.messages,
                erase_at_ms: row.erase_at_ms,
                last_sync_at_ms: row.last_poll_at_ms,
            })
        })
        .collect())
}

/// One account; `None` when there is none.
///
/// # Errors
/// What SQLite says.
pub async fn one(profile: &Profile, account: AccountId) -> Result<Option<AccountView>, StoreError> {
    let mut read = profile.store.read().await?;
    Ok(all(&mut read)
        .await?
        .into_iter()
        .find(|view| view.id == account.0))
}

/// Turns fetching on or off, pauses or goes on. False when there is no such connected account.
///
/// # Errors
/// What SQLite says.
pub async fn set(profile: &Profile, ask: &AccountSet) -> Result<bool, StoreError> {
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Owner).await?;
    let changed = sqlx::query!(
        "UPDATE accounts SET auto_sync = coalesce(?, auto_sync), paused = coalesce(?, paused) WHERE id = ? AND state <> 'disconnected'",
        ask.auto_sync,
        ask.paused,
        ask.id
    )
    .execute(&mut *tx)
    .await?
    .rows_affected()
        > 0;
    if ask.paused.is_some() {
        report::rest(&mut tx, AccountId(ask.id), now_ms).await?;
    }
    tx.tell(Change::Accounts);
    tx.commit().await?;
    if changed {
        crate::sync::wake(profile, AccountId(ask.id));
    }
    Ok(changed)
}
