//! An account's events at Meta: switch on, read back, store, look again (decision T1: Meta switches them off after an hour of failures).

use super::{report, rows, state};
use crate::{
    Profile,
    api::types::{AccountState, Change, Reason},
    domain::AccountId,
    platform::{Call, GraphError, RetryKind},
    store::{Priority, StoreError, WriteTx},
};

/// The one field without which nothing arrives.
const NEEDED: &str = "messages";

/// Why events are not on.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// No access.
    #[error(transparent)]
    Access(#[from] super::AccessError),
    /// Meta refused.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Meta said yes and lists nothing.
    #[error("the subscription does not show when read back")]
    NotThere,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SubscriptionError {
    /// For the owner.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Access(error) => error.reason(),
            Self::Graph(error) => error.reason(),
            Self::NotThere => Reason::new("not_subscribed"),
            Self::Store(_) => Reason::new("internal"),
        }
    }

    /// Whether it may work in a moment.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Graph(error) if error.retry_after_ms().is_some())
            || matches!(self, Self::Access(super::AccessError::Locked))
    }
}

/// Switches events on, reads them back and stores what is on.
pub(super) async fn subscribe(
    profile: &Profile,
    account: AccountId,
) -> Result<Vec<String>, SubscriptionError> {
    let access = rows::access(profile, account).await?;
    let answer = async {
        profile.graph.subscribe(&access).await?;
        profile.graph.subscribed_fields(&access).await
    }
    .await;
    finish(profile, account, answer).await
}

/// Has every connected account's subscription read back soon: events were missing, or the relay was away and Meta may have switched them
/// off.
///
/// # Errors
/// What the database says.
pub async fn check_all_soon(tx: &mut WriteTx<'_>, now_ms: i64) -> Result<(), StoreError> {
    for account in rows::connected(tx).await? {
        super::checks::schedule_subscription(tx, account, now_ms).await?;
    }
    Ok(())
}

/// Reads the subscription back; switches it on again when it is gone.
///
/// # Errors
/// [`SubscriptionError`]; the account's state tells the owner.
pub async fn check(
    profile: &Profile,
    account: AccountId,
) -> Result<Vec<String>, SubscriptionError> {
    let access = rows::access(profile, account).await?;
    let there = match profile.graph.subscribed_fields(&access).await {
        Ok(fields) => fields,
        Err(error) => return finish(profile, account, Err(error)).await,
    };
    if there.iter().any(|field| field == NEEDED) {
        return finish(profile, account, Ok(there)).await;
    }
    tracing::info!(
        account = account.0,
        "events were off; switching them on again"
    );
    subscribe(profile, account).await
}

async fn finish(
    profile: &Profile,
    account: AccountId,
    answer: Result<Vec<String>, GraphError>,
) -> Result<Vec<String>, SubscriptionError> {
    match answer {
        Ok(fields) => {
            let there = fields.iter().any(|field| field == NEEDED);
            store(profile, account, &fields).await?;
            if !there {
                let reason = Reason::new("not_subscribed").with("call", Call::Subscribe.as_str());
                limited(profile, account, &reason).await?;
                return Err(SubscriptionError::NotThere);
            }
            report::report_ok(profile, account, Call::Subscribe).await;
            Ok(fields)
        }
        Err(error) => {
            if error.kind == RetryKind::Permission {
                store(profile, account, &[]).await?;
            }
            report::report(profile, account, &error).await;
            Err(error.into())
        }
    }
}

async fn store(profile: &Profile, account: AccountId, fields: &[String]) -> Result<(), StoreError> {
    let (id, now_ms) = (account.0, profile.now_ms());
    let list = serde_json::to_string(fields).unwrap_or_else(|_| "[]".into());
    let on = !fields.is_empty();
    let mut tx = profile.store.write(Priority::Background).await?;
    sqlx::query!(
        "UPDATE accounts SET subscription_checked_at_ms = ? WHERE id = ?",
        now_ms,
        id
    )
    .execute(&mut *tx)
    .await?;
    // "Events on since …": the moment moves only when they were off before.
    let changed = sqlx::query!(
        "UPDATE accounts SET subscribed_at_ms = CASE WHEN NOT ?1 THEN NULL WHEN subscribed_at_ms IS NULL THEN ?2 ELSE subscribed_at_ms END,
           subscribed_fields = ?3 WHERE id = ?4 AND (subscribed_fields <> ?3 OR (subscribed_at_ms IS NULL) = ?1)",
        on,
        now_ms,
        list,
        id
    )
    .execute(&mut *tx)
    .await?
    .rows_affected()
        > 0;
    if changed {
        tx.tell(Change::Accounts);
    }
    tx.commit().await
}

async fn limited(profile: &Profile, account: AccountId, reason: &Reason) -> Result<(), StoreError> {
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Background).await?;
    state::set(
        &mut tx,
        account,
        AccountState::Limited,
        Some(reason),
        now_ms,
    )
    .await?;
    tx.commit().await
}
