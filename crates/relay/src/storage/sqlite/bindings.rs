//! Devices, their leases on accounts, and who answers for an account.

use std::sync::Arc;

use async_trait::async_trait;
use shopbell_wire::{
    AccountKind, AccountRef, Binding, DevicePublic, LEASE_MS, Provider, Thumbprint,
};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use tokio::sync::watch;

use super::Sqlite;
use crate::storage::{AnsweringLease, Bindings, Receiver, StorageError, Stored};

/// A device is noted as seen at most this often, milliseconds.
const SEEN_EVERY_MS: i64 = 3_600_000;

const COLUMNS: &str =
    "kind, platform_id, device, provider, bound_at_ms, proved_at_ms, lease_until_ms";

#[async_trait]
impl Bindings for Sqlite {
    async fn bind(
        &self,
        device: &DevicePublic,
        provider: Provider,
        user_id: &str,
        accounts: &[AccountRef],
        now_ms: i64,
    ) -> Stored<()> {
        let thumbprint = device.thumbprint();
        let mut tx = self.pool.begin().await?;
        sqlx::query(
            "INSERT INTO devices (thumbprint, seal_key, sign_key, first_seen_ms, last_seen_ms) VALUES (?1, ?2, ?3, ?4, ?4) \
             ON CONFLICT (thumbprint) DO UPDATE SET last_seen_ms = max(last_seen_ms, excluded.last_seen_ms)",
        )
        .bind(thumbprint.as_str())
        .bind(&device.seal_key()[..])
        .bind(&device.sign_key()[..])
        .bind(now_ms)
        .execute(&mut *tx)
        .await?;
        for account in accounts {
            sqlx::query(
                "INSERT INTO bindings (kind, platform_id, device, provider, user_id, bound_at_ms, proved_at_ms, lease_until_ms) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7) \
                 ON CONFLICT (kind, platform_id, device) DO UPDATE SET provider = excluded.provider, \
                 user_id = excluded.user_id, proved_at_ms = excluded.proved_at_ms, lease_until_ms = excluded.lease_until_ms",
            )
            .bind(account.kind.as_str())
            .bind(&account.platform_id)
            .bind(thumbprint.as_str())
            .bind(provider.as_str())
            .bind(user_id)
            .bind(now_ms)
            .bind(now_ms.saturating_add(LEASE_MS))
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        self.bindings_changed();
        Ok(())
    }

    async fn bindings_of(&self, device: &Thumbprint, now_ms: i64) -> Stored<Vec<Binding>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM bindings WHERE device = ?1 AND lease_until_ms >= ?2 \
             ORDER BY bound_at_ms, kind DESC, platform_id"
        )))
        .bind(device.as_str())
        .bind(now_ms)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| read(row, device)).collect()
    }

    async fn bindings_for(
        &self,
        account: &AccountRef,
        asking: &Thumbprint,
        now_ms: i64,
    ) -> Stored<Vec<Binding>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM bindings WHERE kind = ?1 AND platform_id = ?2 AND lease_until_ms >= ?3 \
             ORDER BY bound_at_ms, device"
        )))
        .bind(account.kind.as_str())
        .bind(&account.platform_id)
        .bind(now_ms)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| read(row, asking)).collect()
    }

    async fn unbind(&self, account: &AccountRef, device: &Thumbprint) -> Stored<bool> {
        let mut tx = self.pool.begin().await?;
        let done = sqlx::query(
            "DELETE FROM bindings WHERE kind = ?1 AND platform_id = ?2 AND device = ?3",
        )
        .bind(account.kind.as_str())
        .bind(&account.platform_id)
        .bind(device.as_str())
        .execute(&mut *tx)
        .await?;
        vacate(&mut tx).await?;
        tx.commit().await?;
        self.bindings_changed();
        Ok(done.rows_affected() > 0)
    }

    async fn receivers(&self, account: &AccountRef, now_ms: i64) -> Stored<Arc<[Receiver]>> {
        let rows = sqlx::query(
            "SELECT seal_key, sign_key, lease_until_ms FROM bindings JOIN devices ON thumbprint = device \
             WHERE kind = ?1 AND platform_id = ?2 AND lease_until_ms >= ?3 ORDER BY bound_at_ms, device",
        )
        .bind(account.kind.as_str())
        .bind(&account.platform_id)
        .bind(now_ms)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(receiver).collect()
    }

    async fn receivers_of_user(
        &self,
        provider: Provider,
        user_id: &str,
        now_ms: i64,
    ) -> Stored<Vec<Receiver>> {
        let rows = sqlx::query(
            "SELECT seal_key, sign_key, max(lease_until_ms) AS lease_until_ms FROM bindings JOIN devices ON thumbprint = device \
             WHERE provider = ?1 AND user_id = ?2 AND lease_until_ms >= ?3 GROUP BY device ORDER BY min(bound_at_ms), device",
        )
        .bind(provider.as_str())
        .bind(user_id)
        .bind(now_ms)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(receiver).collect()
    }

    async fn unbind_user(&self, provider: Provider, user_id: &str) -> Stored<()> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("DELETE FROM bindings WHERE provider = ?1 AND user_id = ?2")
            .bind(provider.as_str())
            .bind(user_id)
            .execute(&mut *tx)
            .await?;
        vacate(&mut tx).await?;
        tx.commit().await?;
        self.bindings_changed();
        Ok(())
    }

    async fn unbind_silent(&self, silent_since_ms: i64) -> Stored<u64> {
        let mut tx = self.pool.begin().await?;
        let devices: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM devices WHERE last_seen_ms < ?1 AND thumbprint IN (SELECT device FROM bindings)",
        )
        .bind(silent_since_ms)
        .fetch_one(&mut *tx)
        .await?;
        sqlx::query(
            "DELETE FROM bindings WHERE device IN (SELECT thumbprint FROM devices WHERE last_seen_ms < ?1)",
        )
        .bind(silent_since_ms)
        .execute(&mut *tx)
        .await?;
        vacate(&mut tx).await?;
        tx.commit().await?;
        self.bindings_changed();
        Ok(devices.unsigned_abs())
    }

    async fn seen(&self, device: &Thumbprint, now_ms: i64) -> Stored<()> {
        sqlx::query(
            "UPDATE devices SET last_seen_ms = ?2 WHERE thumbprint = ?1 AND last_seen_ms < ?3",
        )
        .bind(device.as_str())
        .bind(now_ms)
        .bind(now_ms.saturating_sub(SEEN_EVERY_MS))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn answering(&self, account: &AccountRef) -> Stored<Option<AnsweringLease>> {
        let row = sqlx::query(
            "SELECT device, term, until_ms FROM answering WHERE kind = ?1 AND platform_id = ?2 AND device IS NOT NULL",
        )
        .bind(account.kind.as_str())
        .bind(&account.platform_id)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(lease).transpose()
    }

    async fn answer(
        &self,
        account: &AccountRef,
        device: &Thumbprint,
        insist: bool,
        now_ms: i64,
        until_ms: i64,
    ) -> Stored<AnsweringLease> {
        let mut tx = self.pool.begin().await?;
        let before: Option<Option<String>> =
            sqlx::query_scalar("SELECT device FROM answering WHERE kind = ?1 AND platform_id = ?2")
                .bind(account.kind.as_str())
                .bind(&account.platform_id)
                .fetch_optional(&mut *tx)
                .await?;
        sqlx::query(
            "INSERT INTO answering (kind, platform_id, device, term, until_ms) VALUES (?1, ?2, ?3, 1, ?6) \
             ON CONFLICT DO UPDATE SET device = excluded.device, until_ms = excluded.until_ms, term = term + (device IS NOT excluded.device) \
             WHERE device IS NULL OR device = excluded.device OR ?4 OR until_ms < ?5",
        )
        .bind(account.kind.as_str())
        .bind(&account.platform_id)
        .bind(device.as_str())
        .bind(insist)
        .bind(now_ms)
        .bind(until_ms)
        .execute(&mut *tx)
        .await?;
        let row = sqlx::query(
            "SELECT device, term, until_ms FROM answering WHERE kind = ?1 AND platform_id = ?2",
        )
        .bind(account.kind.as_str())
        .bind(&account.platform_id)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        let after = lease(&row)?;
        if before.flatten().as_deref() != Some(after.device.as_str()) {
            self.bindings_changed();
        }
        Ok(after)
    }

    fn binding_changes(&self) -> watch::Receiver<u64> {
        self.bindings.subscribe()
    }
}

/// Takes the answering lease from holders that are no longer bound. The term stays: it has to grow when somebody takes it.
pub(super) async fn vacate(connection: &mut SqliteConnection) -> Stored<()> {
    sqlx::query(
        "UPDATE answering SET device = NULL, until_ms = 0 WHERE device IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM bindings b WHERE b.kind = answering.kind AND b.platform_id = answering.platform_id AND b.device = answering.device)",
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn lease(row: &SqliteRow) -> Stored<AnsweringLease> {
    Ok(AnsweringLease {
        device: thumbprint(row)?,
        term: u64::try_from(row.try_get::<i64, _>("term")?)
            .map_err(|_| StorageError::Unreadable("term"))?,
        until_ms: row.try_get("until_ms")?,
    })
}

fn thumbprint(row: &SqliteRow) -> Stored<Thumbprint> {
    let device: String = row.try_get("device")?;
    Thumbprint::parse(&device).map_err(|_| StorageError::Unreadable("device"))
}

fn receiver(row: &SqliteRow) -> Stored<Receiver> {
    let key = |column| -> Stored<[u8; 32]> {
        row.try_get::<&[u8], _>(column)?
            .try_into()
            .map_err(|_| StorageError::Unreadable("device key"))
    };
    Ok(Receiver {
        device: DevicePublic::from_bytes(key("seal_key")?, key("sign_key")?)
            .map_err(|_| StorageError::Unreadable("device key"))?,
        lease_until_ms: row.try_get("lease_until_ms")?,
    })
}

fn read(row: &SqliteRow, asking: &Thumbprint) -> Stored<Binding> {
    let odd = StorageError::Unreadable;
    let kind: String = row.try_get("kind")?;
    let provider: String = row.try_get("provider")?;
    let device = thumbprint(row)?;
    Ok(Binding {
        account: AccountRef {
            kind: AccountKind::parse(&kind).ok_or(odd("account kind"))?,
            platform_id: row.try_get("platform_id")?,
        },
        provider: provider.parse().map_err(|_| odd("provider"))?,
        mine: device == *asking,
        device,
        bound_at_ms: row.try_get("bound_at_ms")?,
        proved_at_ms: row.try_get("proved_at_ms")?,
        lease_until_ms: row.try_get("lease_until_ms")?,
    })
}
