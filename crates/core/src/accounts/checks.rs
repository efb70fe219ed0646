//! What is looked at again without anybody asking: tokens and subscriptions at start and daily, renewals in time, the relay's lease,
//! sign-ins that a restart interrupted.

use super::{
    Access, picture,
    renewal::{self, Kind, RenewError},
    report, rows, sign_in, subscription,
};
use crate::{
    Profile,
    domain::{AccountId, Channel},
    jobs::{self, JobOutcome},
    platform::{Call, GraphError},
    relay_client::{RelayError, wire_provider},
    store::{Priority, StoreError, WriteTx},
};
use serde_json::json;
use shopbell_wire::{AccountKind, AccountRef, ShowToken};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const DAY_MS: i64 = 24 * 3_600_000;
/// An Instagram token can be renewed from its second day on; early is wise (facts sheet §2.1).
const RENEW_INSTAGRAM_BELOW_MS: i64 = 50 * DAY_MS;
/// A Facebook user token is exchanged with a month to go.
const RENEW_FACEBOOK_BELOW_MS: i64 = 30 * DAY_MS;

/// Runs once at start: has every account looked at, and goes on with sign-ins that were under way.
pub async fn run(profile: Arc<Profile>, _stop: CancellationToken) {
    if let Err(error) = start(&profile).await {
        tracing::warn!(%error, "the checks at start could not be scheduled");
    }
}

async fn start(profile: &Profile) -> Result<(), StoreError> {
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Background).await?;
    for account in rows::connected(&mut tx).await? {
        schedule(&mut tx, account, now_ms).await?;
    }
    sign_in::resume_all(&mut tx, now_ms).await?;
    tx.commit().await
}

/// Has token and subscription looked at, from `due_at_ms` on daily.
pub(super) async fn schedule(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    due_at_ms: i64,
) -> Result<(), StoreError> {
    let payload = json!({ "account": account.0 });
    jobs::schedule(tx, &format!("check-token:{account}"), due_at_ms, &payload).await?;
    schedule_subscription(tx, account, due_at_ms).await
}

/// Has the subscription read back.
pub(super) async fn schedule_subscription(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    due_at_ms: i64,
) -> Result<(), StoreError> {
    let payload = json!({ "account": account.0 });
    jobs::schedule(
        tx,
        &format!("check-subscription:{account}"),
        due_at_ms,
        &payload,
    )
    .await
}

/// Has the token looked at now: brings the account's picture, too.
pub(super) async fn schedule_token(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    due_at_ms: i64,
) -> Result<(), StoreError> {
    let payload = json!({ "account": account.0 });
    jobs::schedule(tx, &format!("check-token:{account}"), due_at_ms, &payload).await
}

/// Ends the daily looks.
pub(super) async fn cancel(tx: &mut WriteTx<'_>, account: AccountId) -> Result<(), StoreError> {
    jobs::cancel(tx, &format!("check-token:{account}")).await?;
    jobs::cancel(tx, &format!("check-subscription:{account}")).await
}

pub(super) fn account_of(payload: &str) -> Option<AccountId> {
    #[derive(serde::Deserialize)]
    struct Payload {
        account: i64,
    }
    serde_json::from_str::<Payload>(payload)
        .ok()
        .map(|payload| AccountId(payload.account))
}

/// Paused and signed-out accounts are left alone; the look is made again tomorrow.
fn tomorrow(profile: &Profile) -> JobOutcome {
    JobOutcome::Again {
        due_at_ms: profile.now_ms() + DAY_MS,
    }
}

/// Job `check-subscription:{account}`.
pub(crate) async fn subscription(profile: &Profile, payload: &str) -> JobOutcome {
    let Some(account) = account_of(payload) else {
        return JobOutcome::Done;
    };
    match subscription::check(profile, account).await {
        Err(subscription::SubscriptionError::Access(
            super::AccessError::NotFound | super::AccessError::Disconnected,
        )) => JobOutcome::Done,
        Err(error) if error.passes() => JobOutcome::Failed,
        _ => tomorrow(profile),
    }
}

/// Job `check-token:{account}`: does it live, must it be renewed, does the relay still know us.
pub(crate) async fn token(profile: &Profile, payload: &str) -> JobOutcome {
    let Some(account) = account_of(payload) else {
        return JobOutcome::Done;
    };
    let access = match rows::access(profile, account).await {
        Ok(access) => access,
        Err(super::AccessError::NotFound | super::AccessError::Disconnected) => {
            return JobOutcome::Done;
        }
        Err(super::AccessError::Locked) => return JobOutcome::Failed,
        Err(_) => return tomorrow(profile),
    };
    match profile.graph.me(&access).await {
        Ok(me) => {
            report::report_ok(profile, account, Call::Account).await;
            if let Some(address) = me.picture_address()
                && picture::renew(profile, account.0, address).await.is_err()
            {
                return JobOutcome::Failed;
            }
        }
        Err(error) => return after(profile, account, &error).await,
    }
    if let Err(RenewError::Later { .. }) = renew(profile, account).await {
        return JobOutcome::Failed;
    }
    let Ok(access) = rows::access(profile, account).await else {
        return tomorrow(profile);
    };
    match bind(profile, access).await {
        Err(error) if error.passes() => JobOutcome::Failed,
        _ => tomorrow(profile),
    }
}

/// Shows the relay the token: renews the lease, or binds anew.
async fn bind(profile: &Profile, access: Access) -> Result<(), RelayError> {
    let kind = match access.channel {
        Channel::Messenger => AccountKind::Page,
        Channel::Instagram => AccountKind::Instagram,
    };
    let shown = ShowToken {
        account: AccountRef {
            kind,
            platform_id: access.platform_id,
        },
        provider: wire_provider(access.provider),
        token: access.token,
    };
    profile
        .relay
        .renew_binding(&profile.vault, &shown)
        .await
        .map(drop)
        .inspect_err(|error| {
            tracing::warn!(account = access.account.0, %error, "the relay does not renew the account");
        })
}

/// The relay does not know this computer: binds every account that has a working token. Answers how many.
pub(crate) async fn bind_all(profile: &Profile) -> Result<usize, StoreError> {
    let accounts = {
        let mut read = profile.store.read().await?;
        rows::connected(&mut read).await?
    };
    let mut bound = 0;
    for account in accounts {
        let Ok(access) = rows::access(profile, account).await else {
            continue;
        };
        bound += usize::from(bind(profile, access).await.is_ok());
    }
    Ok(bound)
}

async fn after(profile: &Profile, account: AccountId, error: &GraphError) -> JobOutcome {
    match report::report(profile, account, error).await {
        super::Remedy::GiveUp => tomorrow(profile),
        super::Remedy::TryAgain | super::Remedy::Wait { .. } => JobOutcome::Failed,
    }
}

/// Renews what ends before long.
async fn renew(profile: &Profile, account: AccountId) -> Result<(), RenewError> {
    let now_ms = profile.graph.platform_now_ms();
    let row = {
        let mut read = profile.store.read().await?;
        rows::load(&mut read, account).await?
    };
    let Some(row) = row else { return Ok(()) };
    if row.credential_kind == Kind::InstagramUser.as_str() {
        let old_enough = now_ms - row.token_since_ms >= DAY_MS;
        if old_enough
            && row
                .expires_at_ms
                .is_some_and(|at| at > now_ms && at - now_ms < RENEW_INSTAGRAM_BELOW_MS)
        {
            let access = rows::with_token(profile, &row).await?;
            renewal::instagram(profile, &access).await?;
        }
        return Ok(());
    }
    let Some(user) = row.parent else {
        return Ok(());
    };
    let id = user.0;
    let (expires, since) = {
        let mut read = profile.store.read().await?;
        let found = sqlx::query!(
            "SELECT expires_at_ms, updated_at_ms FROM credentials WHERE id = ? AND state <> 'none'",
            id
        )
        .fetch_optional(&mut *read)
        .await
        .map_err(StoreError::from)?;
        found.map_or((None, 0), |row| (row.expires_at_ms, row.updated_at_ms))
    };
    // Once a day at most, also when Meta gives no longer life.
    let due = expires.is_some_and(|at| at > now_ms && at - now_ms < RENEW_FACEBOOK_BELOW_MS)
        && now_ms - since >= DAY_MS;
    if due {
        renewal::user(profile, user).await?;
    }
    Ok(())
}
