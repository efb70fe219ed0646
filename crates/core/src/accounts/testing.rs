//! Accounts for tests, without a sign-in.
#![allow(clippy::unwrap_used)]

use super::renewal::{self, Fresh, Kind};
use crate::{
    Profile,
    api::types::AccountView,
    domain::{AccountId, CredentialId},
    store::Priority,
};
use shopbell_wire::Secret;

/// A credential with a token.
pub(super) async fn credential(
    profile: &Profile,
    kind: Kind,
    subject: &str,
    parent: Option<CredentialId>,
    token: &str,
) -> CredentialId {
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Owner).await.unwrap();
    let credential = renewal::credential(&mut tx, kind, subject, parent, now_ms)
        .await
        .unwrap();
    let fresh = Fresh {
        token: &Secret::new(token),
        proof: None,
        expires_at_ms: None,
        data_access_expires_at_ms: None,
    };
    renewal::put(&mut tx, profile, credential, kind, &fresh, now_ms)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    credential
}

/// A connected Page that is live.
pub(crate) async fn page(profile: &Profile, platform_id: &str) -> AccountId {
    let user = credential(profile, Kind::FacebookUser, "user-1", None, "user-token").await;
    let page = credential(profile, Kind::Page, platform_id, Some(user), "page-token").await;
    let mut tx = profile.store.write(Priority::Owner).await.unwrap();
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO accounts (uuid, channel, provider, platform_id, credential_id, name, state, state_since_ms, created_at_ms)
         VALUES (?1, 'messenger', 'facebook', ?1, ?2, 'Acme', 'live', 0, 0) RETURNING id",
    )
    .bind(platform_id)
    .bind(page.0)
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    sqlx::query("INSERT INTO sync_cursors (account_id, imported_at_ms) VALUES (?, 0)")
        .bind(id)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    AccountId(id)
}

/// The account as the owner sees it.
pub(crate) async fn view(profile: &Profile, account: AccountId) -> AccountView {
    super::list::one(profile, account).await.unwrap().unwrap()
}
