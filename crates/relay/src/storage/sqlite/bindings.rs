//! Devices and their leases on accounts.

use shopbell_wire::{
    AccountKind, AccountRef, Binding, DevicePublic, LEASE_MS, Provider, Thumbprint,
};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::Storage;

const COLUMNS: &str =
    "kind, platform_id, device, provider, bound_at_ms, proved_at_ms, lease_until_ms";

impl Storage {
    /// Binds accounts to a device or renews its leases, in one transaction.
    pub(crate) async fn bind(
        &self,
        device: &DevicePublic,
        provider: Provider,
        user_id: &str,
        accounts: &[AccountRef],
        now_ms: i64,
    ) -> Result<(), sqlx::Error> {
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
        tx.commit().await
    }

    /// Live bindings of one device, oldest first.
    pub(crate) async fn bindings_of(
        &self,
        device: &Thumbprint,
        now_ms: i64,
    ) -> Result<Vec<Binding>, sqlx::Error> {
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM bindings WHERE device = ?1 AND lease_until_ms >= ?2 \
             ORDER BY bound_at_ms, kind DESC, platform_id"
        )))
        .bind(device.as_str())
        .bind(now_ms)
        .try_map(|row| read(&row, device))
        .fetch_all(&self.pool)
        .await
    }

    /// Live bindings of one account, oldest first; `asking` is marked as the caller's own.
    pub(crate) async fn bindings_for(
        &self,
        account: &AccountRef,
        asking: &Thumbprint,
        now_ms: i64,
    ) -> Result<Vec<Binding>, sqlx::Error> {
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM bindings WHERE kind = ?1 AND platform_id = ?2 AND lease_until_ms >= ?3 \
             ORDER BY bound_at_ms, device"
        )))
        .bind(account.kind.as_str())
        .bind(&account.platform_id)
        .bind(now_ms)
        .try_map(|row| read(&row, asking))
        .fetch_all(&self.pool)
        .await
    }

    /// Removes a device from an account; `false` when it was not bound.
    pub(crate) async fn unbind(
        &self,
        account: &AccountRef,
        device: &Thumbprint,
    ) -> Result<bool, sqlx::Error> {
        let done = sqlx::query(
            "DELETE FROM bindings WHERE kind = ?1 AND platform_id = ?2 AND device = ?3",
        )
        .bind(account.kind.as_str())
        .bind(&account.platform_id)
        .bind(device.as_str())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }
}

fn read(row: &SqliteRow, asking: &Thumbprint) -> Result<Binding, sqlx::Error> {
    let odd =
        |what: &str| sqlx::Error::Decode(format!("a binding has an unreadable {what}").into());
    let kind: String = row.try_get("kind")?;
    let device: String = row.try_get("device")?;
    let provider: String = row.try_get("provider")?;
    let device = Thumbprint::parse(&device).map_err(|_| odd("device"))?;
    Ok(Binding {
        account: AccountRef {
            kind: AccountKind::parse(&kind).ok_or_else(|| odd("kind"))?,
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
