//! The chosen accounts: rows, tokens and the sign-in's next step in one transaction; then subscribe, read back, fetch (decision T1).

use super::{SignInError, losses, record, record::Summary};
use crate::{
    Profile,
    accounts::{
        checks,
        events::{self, TokenStory},
        picture,
        renewal::{self, Fresh, Kind},
        report, subscription,
    },
    api::types::{Change, Reason, SignIn, SignInChoose, SignInStep},
    domain::{AccountId, CredentialId, Provider},
    jobs,
    store::{Priority, StoreError, WriteTx},
};
use shopbell_wire::{AccountKind, Grant, GrantedAccount};
use std::{collections::BTreeMap, sync::Arc};

const DAY_MS: i64 = 24 * 3_600_000;
/// A subscription that failed for the moment is tried again after this.
const SUBSCRIBE_AGAIN_MS: i64 = 60_000;

pub(super) async fn choose(
    profile: &Arc<Profile>,
    ask: &SignInChoose,
) -> Result<SignIn, SignInError> {
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Owner).await?;
    let mut record = record::by_id(&mut tx, &profile.vault, ask.id)
        .await?
        .ok_or(SignInError::NotFound)?;
    match record.step {
        SignInStep::Choosing => {}
        // Clicked twice.
        SignInStep::Subscribing | SignInStep::Done => return Ok(record.view(&mut tx).await?),
        _ => return Err(SignInError::WrongStep),
    }
    record.step = SignInStep::Subscribing;
    // Before the rows are there: it says which accounts were known already.
    let view = record.view(&mut tx).await?;
    let grant = record.inside.grant.take().ok_or(SignInError::WrongStep)?;
    let chosen: Vec<&GrantedAccount> = grant
        .accounts
        .iter()
        .filter(|account| ask.platform_ids.contains(&account.platform_id))
        .collect();
    let all_found = ask
        .platform_ids
        .iter()
        .all(|id| chosen.iter().any(|account| account.platform_id == *id));
    if chosen.is_empty()
        || !all_found
        || chosen
            .iter()
            .any(|account| losses::obstacle(&grant, account).is_some())
    {
        return Err(SignInError::NotChoosable);
    }
    let user = put_user(&mut tx, profile, &grant, now_ms).await?;
    for account in &chosen {
        put_account(&mut tx, profile, &grant, account, user, now_ms).await?;
    }
    record.inside.chosen = chosen
        .iter()
        .map(|account| account.platform_id.clone())
        .collect();
    // From here on the tokens are in their own place; the sign-in keeps only what is shown.
    record.inside.summary = Some(Summary {
        granted: view.granted,
        declined: view.declined,
        found: view.found,
    });
    record.save(&mut tx, &profile.vault).await?;
    super::schedule(&mut tx, record.id, now_ms + SUBSCRIBE_AGAIN_MS).await?;
    tx.tell(Change::Accounts);
    tx.commit().await?;
    subscribe(profile, ask.id).await
}

/// Facebook's user token; none with Instagram Login.
async fn put_user(
    tx: &mut WriteTx<'_>,
    profile: &Profile,
    grant: &Grant,
    now_ms: i64,
) -> Result<Option<CredentialId>, StoreError> {
    let Some(user) = &grant.user_token else {
        return Ok(None);
    };
    let credential =
        renewal::credential(tx, Kind::FacebookUser, &grant.user.id, None, now_ms).await?;
    let fresh = Fresh {
        token: &user.token,
        proof: user.appsecret_proof.as_ref(),
        expires_at_ms: user.expires_at_ms,
        data_access_expires_at_ms: user.data_access_expires_at_ms,
    };
    renewal::put(tx, profile, credential, Kind::FacebookUser, &fresh, now_ms).await?;
    permissions(tx, credential, grant).await?;
    Ok(Some(credential))
}

async fn permissions(
    tx: &mut WriteTx<'_>,
    credential: CredentialId,
    grant: &Grant,
) -> Result<(), StoreError> {
    let id = credential.0;
    let list = |names: &[String]| serde_json::to_string(names).unwrap_or_else(|_| "[]".into());
    let (granted, declined) = (list(&grant.granted), list(&grant.declined));
    sqlx::query!(
        "UPDATE credentials SET granted = ?, declined = ? WHERE id = ?",
        granted,
        declined,
        id
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An account and its token. The same (channel, platform id) is the same account: its data is found again, an erasure called off.
async fn put_account(
    tx: &mut WriteTx<'_>,
    profile: &Profile,
    grant: &Grant,
    account: &GrantedAccount,
    user: Option<CredentialId>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let provider = losses::provider(grant.provider);
    let (kind, subject) = match (account.kind, provider, &account.page_id) {
        (AccountKind::Instagram, Provider::Facebook, Some(page)) => (Kind::Page, page),
        (AccountKind::Page, ..) => (Kind::Page, &account.platform_id),
        _ => (Kind::InstagramUser, &account.platform_id),
    };
    let credential = renewal::credential(tx, kind, subject, user, now_ms).await?;
    let fresh = Fresh {
        token: &account.token,
        proof: account.appsecret_proof.as_ref(),
        expires_at_ms: account.expires_at_ms,
        data_access_expires_at_ms: None,
    };
    renewal::put(tx, profile, credential, kind, &fresh, now_ms).await?;
    permissions(tx, credential, grant).await?;
    if kind == Kind::InstagramUser {
        let id = credential.0;
        sqlx::query!(
            "UPDATE credentials SET app_user_id = ? WHERE id = ?",
            grant.user.id,
            id
        )
        .execute(&mut **tx)
        .await?;
    }
    let uuid = profile.parts.entropy.uuid_v7(now_ms).to_string();
    let (channel, provider) = (losses::channel(account.kind).as_str(), provider.as_str());
    let id = sqlx::query_scalar!(
        r#"INSERT INTO accounts (uuid, channel, provider, platform_id, page_id, credential_id, name, username, picture_url,
             state, state_since_ms, created_at_ms)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'importing', ?10, ?10)
           ON CONFLICT (channel, platform_id) DO UPDATE SET provider = ?3, page_id = ?5, credential_id = ?6, name = ?7, username = ?8,
             picture_url = coalesce(?9, picture_url), erase_at_ms = NULL, paused = CASE WHEN state = 'disconnected' THEN 0 ELSE paused END,
             state = CASE WHEN state = 'disconnected' THEN 'importing' ELSE state END
           RETURNING id AS "id!: i64""#,
        uuid,
        channel,
        provider,
        account.platform_id,
        account.page_id,
        credential.0,
        account.name,
        account.username,
        account.picture_url,
        now_ms
    )
    .fetch_one(&mut **tx)
    .await?;
    let id = AccountId(id);
    jobs::cancel(tx, &format!("erase:{id}")).await?;
    jobs::cancel(tx, &format!("unbind:{id}")).await?;
    checks::schedule(tx, id, now_ms + DAY_MS).await?;
    // Not only for tomorrow: it brings the picture of a Page.
    checks::schedule_token(tx, id, now_ms).await?;
    if account.picture_url.is_some() {
        picture::schedule(tx, id.0, now_ms).await?;
    }
    report::rest(tx, id, now_ms).await?;
    events::record(
        tx,
        Some(credential),
        Some(id),
        TokenStory::Connected,
        None,
        now_ms,
    )
    .await
}

/// Subscribes the chosen accounts, notes what came of it, and has them fetched. May be repeated.
pub(super) async fn subscribe(profile: &Arc<Profile>, id: i64) -> Result<SignIn, SignInError> {
    let chosen = {
        let mut read = profile.store.read().await?;
        let record = record::by_id(&mut read, &profile.vault, id)
            .await?
            .ok_or(SignInError::NotFound)?;
        if record.step != SignInStep::Subscribing {
            return Ok(record.view(&mut read).await?);
        }
        let mut chosen = Vec::new();
        for platform_id in &record.inside.chosen {
            let accounts = sqlx::query_scalar!(
                "SELECT id FROM accounts WHERE platform_id = ? AND state <> 'disconnected'",
                platform_id
            )
            .fetch_all(&mut *read)
            .await
            .map_err(StoreError::from)?;
            chosen.extend(
                accounts
                    .into_iter()
                    .map(|account| (platform_id.clone(), AccountId(account))),
            );
        }
        chosen
    };
    let mut results = BTreeMap::new();
    let mut again = Vec::new();
    for (platform_id, account) in &chosen {
        let reason = match subscription::subscribe(profile, *account).await {
            Ok(_) => Reason::new("ok"),
            Err(error) => {
                if error.passes() {
                    again.push(*account);
                }
                error.reason()
            }
        };
        results.insert(platform_id.clone(), reason);
    }
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Owner).await?;
    let mut record = record::by_id(&mut tx, &profile.vault, id)
        .await?
        .ok_or(SignInError::NotFound)?;
    record.note_results(&results);
    record.step = SignInStep::Done;
    record.refusal = None;
    record.save(&mut tx, &profile.vault).await?;
    jobs::cancel(&mut tx, &super::job_name(id)).await?;
    for account in again {
        checks::schedule(&mut tx, account, now_ms + SUBSCRIBE_AGAIN_MS).await?;
    }
    let view = record.view(&mut tx).await?;
    tx.tell(Change::Accounts);
    profile.accounts.lock().ended.push(id);
    tx.commit().await?;
    for (_, account) in chosen {
        crate::sync::wake(profile, account);
    }
    Ok(view)
}
