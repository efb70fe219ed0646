//! Which computer answers for an account (decision T15): what the relay says last, kept for showing and for whoever acts by itself later.

use crate::{
    Profile,
    api::types::Change,
    domain::{AccountId, Channel},
    store::{Priority, StoreError},
};
use shopbell_wire::{AccountKind, AccountRef, Answering};

/// What became of the wish to answer here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerHere {
    /// The relay was asked; its word comes on the stream.
    Asked,
    /// No such connected account.
    NoAccount,
    /// There is no connection.
    NotConnected,
}

/// Keeps the relay's word about all of our accounts.
pub(super) async fn keep(profile: &Profile, told: &[Answering]) -> Result<(), StoreError> {
    let mut tx = profile.store.write(Priority::Background).await?;
    let before = sqlx::query!("SELECT account_id, device, term FROM answering")
        .fetch_all(&mut *tx)
        .await?;
    let mut changed = false;
    let mut known = Vec::with_capacity(told.len());
    for answering in told {
        let (channel, platform_id) = (
            channel(answering.account.kind).as_str(),
            &answering.account.platform_id,
        );
        let Some(account) = sqlx::query_scalar!(
            r#"SELECT id AS "id!: i64" FROM accounts WHERE channel = ? AND platform_id = ? AND state <> 'disconnected'"#,
            channel,
            platform_id
        )
        .fetch_optional(&mut *tx)
        .await?
        else {
            continue;
        };
        known.push(account);
        let device = answering.device.as_str();
        let term = i64::try_from(answering.term).unwrap_or(i64::MAX);
        changed |= !before
            .iter()
            .any(|row| row.account_id == account && row.device == device && row.term == term);
        sqlx::query!(
            "INSERT INTO answering (account_id, device, mine, term, until_ms) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (account_id) DO UPDATE SET device = ?2, mine = ?3, term = ?4, until_ms = ?5",
            account,
            device,
            answering.mine,
            term,
            answering.until_ms
        )
        .execute(&mut *tx)
        .await?;
    }
    for row in before.iter().filter(|row| !known.contains(&row.account_id)) {
        changed = true;
        sqlx::query!("DELETE FROM answering WHERE account_id = ?", row.account_id)
            .execute(&mut *tx)
            .await?;
    }
    if changed {
        tx.tell(Change::Accounts);
    }
    tx.commit().await
}

/// How the relay calls an account.
pub(super) async fn account(
    profile: &Profile,
    account: AccountId,
) -> Result<Option<AccountRef>, StoreError> {
    let mut read = profile.store.read().await?;
    let row = sqlx::query!(
        "SELECT channel, platform_id FROM accounts WHERE id = ? AND state <> 'disconnected'",
        account.0
    )
    .fetch_optional(&mut *read)
    .await?;
    Ok(row.and_then(|row| {
        let kind = match Channel::parse(&row.channel)? {
            Channel::Messenger => AccountKind::Page,
            Channel::Instagram => AccountKind::Instagram,
        };
        Some(AccountRef {
            kind,
            platform_id: row.platform_id,
        })
    }))
}

fn channel(kind: AccountKind) -> Channel {
    match kind {
        AccountKind::Page => Channel::Messenger,
        AccountKind::Instagram => Channel::Instagram,
    }
}
