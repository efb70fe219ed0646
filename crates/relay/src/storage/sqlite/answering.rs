//! Who answers for an account: a lease with a term that grows with every change of hands.

use std::collections::HashMap;

use shopbell_wire::{AccountKind, AccountRef, Thumbprint};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{bindings::thumbprint, insert::json};
use crate::storage::{AnsweringLease, StorageError, Stored};

/// Every account somebody answers for.
pub(super) async fn all(
    connection: &mut SqliteConnection,
) -> Stored<HashMap<AccountRef, AnsweringLease>> {
    let rows = sqlx::query(
        "SELECT kind, platform_id, device, term, until_ms FROM answering WHERE device IS NOT NULL",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((account(row)?, lease(row)?)))
        .collect()
}

/// Takes or renews leases where that is allowed; answers those that hold afterwards, in the same order.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    wanted: &[(AccountRef, Thumbprint)],
    insist: bool,
    now_ms: i64,
    until_ms: i64,
) -> Stored<Vec<(AccountRef, AnsweringLease)>> {
    let rows: Vec<_> = wanted
        .iter()
        .map(|(account, device)| (account.kind.as_str(), &account.platform_id, device))
        .collect();
    let rows = json(&rows)?;
    sqlx::query(
        "INSERT INTO answering (kind, platform_id, device, term, until_ms) \
         SELECT value ->> 0, value ->> 1, value ->> 2, 1, ?4 FROM json_each(?1) WHERE true \
         ON CONFLICT DO UPDATE SET device = excluded.device, until_ms = excluded.until_ms, \
         term = term + (device IS NOT excluded.device) \
         WHERE device IS NULL OR device = excluded.device OR ?2 OR until_ms < ?3",
    )
    .bind(&rows)
    .bind(insist)
    .bind(now_ms)
    .bind(until_ms)
    .execute(&mut *connection)
    .await?;
    let held = sqlx::query(
        "SELECT kind, platform_id, device, term, until_ms FROM json_each(?1) j JOIN answering \
         ON kind = j.value ->> 0 AND platform_id = j.value ->> 1 ORDER BY j.key",
    )
    .bind(rows)
    .fetch_all(connection)
    .await?;
    held.iter()
        .map(|row| Ok((account(row)?, lease(row)?)))
        .collect()
}

/// Takes the lease from a holder that is no longer bound; answers whether there was one. The term stays: it has to grow when somebody
/// takes it.
pub(super) async fn vacate_one(
    connection: &mut SqliteConnection,
    account: &AccountRef,
    device: &Thumbprint,
) -> Stored<bool> {
    let done = sqlx::query(
        "UPDATE answering SET device = NULL, until_ms = 0 WHERE kind = ?1 AND platform_id = ?2 AND device = ?3",
    )
    .bind(account.kind.as_str())
    .bind(&account.platform_id)
    .bind(device.as_str())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The same for every holder without a binding; answers the accounts.
pub(super) async fn vacate(connection: &mut SqliteConnection) -> Stored<Vec<AccountRef>> {
    let rows = sqlx::query(
        "UPDATE answering SET device = NULL, until_ms = 0 WHERE device IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM bindings b WHERE b.kind = answering.kind AND b.platform_id = answering.platform_id \
          AND b.device = answering.device) RETURNING kind, platform_id",
    )
    .fetch_all(connection)
    .await?;
    rows.iter().map(account).collect()
}

fn lease(row: &SqliteRow) -> Stored<AnsweringLease> {
    let term: i64 = row.try_get("term")?;
    Ok(AnsweringLease {
        device: thumbprint(row)?,
        term: u64::try_from(term).map_err(|_| StorageError::Unreadable("term"))?,
        until_ms: row.try_get("until_ms")?,
    })
}

/// Columns `kind` and `platform_id`.
pub(super) fn account(row: &SqliteRow) -> Stored<AccountRef> {
    let kind: &str = row.try_get("kind")?;
    Ok(AccountRef {
        kind: AccountKind::parse(kind).ok_or(StorageError::Unreadable("account kind"))?,
        platform_id: row.try_get("platform_id")?,
    })
}
