//! An account's row with its credential, and [`access`].

use super::{Access, AccessError, tokens};
use crate::{
    Profile,
    api::types::Reason,
    domain::{AccountId, Channel, CredentialId, Provider},
    store::StoreError,
};
use sqlx::SqliteConnection;

/// What decides about an account.
#[derive(Clone)]
pub(super) struct AccountRow {
    pub id: AccountId,
    pub channel: Channel,
    pub provider: Provider,
    pub platform_id: String,
    pub page_id: Option<String>,
    pub username: Option<String>,
    pub state: String,
    pub reason: Option<Reason>,
    pub paused: bool,
    pub imported: bool,
    pub erase_at_ms: Option<i64>,
    pub credential: Option<CredentialId>,
    pub credential_state: String,
    pub credential_kind: String,
    pub generation: i64,
    pub parent: Option<CredentialId>,
    pub expires_at_ms: Option<i64>,
    /// End of data access (90 days without use), of the token or of the user token it came with.
    pub data_access_expires_at_ms: Option<i64>,
    pub token_since_ms: i64,
}

impl AccountRow {
    /// Signed out: the token is dead or gone.
    pub(super) fn signed_out(&self) -> bool {
        self.credential.is_none() || !matches!(self.credential_state.as_str(), "working" | "short")
    }
}

/// Words of the database that this program does not know (a newer one wrote them) make the account unreadable, not the program.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    account: AccountId,
) -> Result<Option<AccountRow>, StoreError> {
    let id = account.0;
    let row = sqlx::query!(
        r#"SELECT a.id, a.channel, a.provider, a.platform_id, a.page_id, a.username, a.state, a.reason, a.paused, a.erase_at_ms,
             a.credential_id AS "credential_id?: i64", c.state AS "credential_state?: String", c.kind AS "kind?: String",
             c.generation AS "generation?: i64", c.parent_id AS "parent_id?: i64", c.expires_at_ms AS "expires_at_ms?: i64",
             c.updated_at_ms AS "updated_at_ms?: i64",
             coalesce(c.data_access_expires_at_ms, u.data_access_expires_at_ms) AS "data_access?: i64",
             s.imported_at_ms AS "imported_at_ms?: i64"
           FROM accounts a LEFT JOIN credentials c ON c.id = a.credential_id LEFT JOIN credentials u ON u.id = c.parent_id
           LEFT JOIN sync_cursors s ON s.account_id = a.id WHERE a.id = ?"#,
        id
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| {
        Some(AccountRow {
            id: account,
            channel: Channel::parse(&row.channel)?,
            provider: Provider::parse(&row.provider)?,
            platform_id: row.platform_id,
            page_id: row.page_id,
            username: row.username,
            state: row.state,
            reason: row.reason.and_then(|text| serde_json::from_str(&text).ok()),
            paused: row.paused != 0,
            imported: row.imported_at_ms.is_some(),
            erase_at_ms: row.erase_at_ms,
            credential: row.credential_id.map(CredentialId),
            credential_state: row.credential_state.unwrap_or_else(|| "none".into()),
            credential_kind: row.kind.unwrap_or_default(),
            generation: row.generation.unwrap_or(0),
            parent: row.parent_id.map(CredentialId),
            expires_at_ms: row.expires_at_ms,
            data_access_expires_at_ms: row.data_access,
            token_since_ms: row.updated_at_ms.unwrap_or(0),
        })
    }))
}

/// Ids of the accounts that are not disconnected.
pub(super) async fn connected(
    connection: &mut SqliteConnection,
) -> Result<Vec<AccountId>, StoreError> {
    let ids =
        sqlx::query_scalar!("SELECT id FROM accounts WHERE state <> 'disconnected' ORDER BY id")
            .fetch_all(connection)
            .await?;
    Ok(ids.into_iter().map(AccountId).collect())
}

/// The right to speak for an account.
///
/// # Errors
/// [`AccessError`] with what the owner can do about it.
pub async fn access(profile: &Profile, account: AccountId) -> Result<Access, AccessError> {
    let row = {
        let mut read = profile.store.read().await?;
        load(&mut read, account)
            .await?
            .ok_or(AccessError::NotFound)?
    };
    match row.state.as_str() {
        "disconnected" => return Err(AccessError::Disconnected),
        "reconnect_now" => {
            return Err(AccessError::SignedOut(
                row.reason.unwrap_or_else(|| Reason::new("signed_out")),
            ));
        }
        _ if row.paused => return Err(AccessError::Paused),
        _ => {}
    }
    with_token(profile, &row).await
}

/// As [`access`], for disconnecting: paused and signed out accounts included.
pub(super) async fn with_token(profile: &Profile, row: &AccountRow) -> Result<Access, AccessError> {
    let gone = || AccessError::SignedOut(Reason::new("token_missing"));
    let credential = row.credential.ok_or_else(gone)?;
    let token = tokens::load(profile, credential).await?.ok_or_else(gone)?;
    Ok(Access {
        account: row.id,
        channel: row.channel,
        provider: row.provider,
        platform_id: row.platform_id.clone(),
        page_id: row.page_id.clone(),
        username: row.username.clone(),
        credential,
        token: token.token,
        proof: token.proof,
    })
}
