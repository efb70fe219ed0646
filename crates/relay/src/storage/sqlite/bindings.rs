//! Devices and their leases on accounts.

use std::sync::Arc;

use async_trait::async_trait;
use shopbell_wire::{AccountRef, Binding, DevicePublic, LEASE_MS, Provider, Thumbprint};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use tokio::sync::watch;

use super::{Sqlite, answering, lock, memory::Known, writer::Order};
use crate::storage::{AnsweringLease, Bindings, Receiver, Storage as _, StorageError, Stored};

/// Answering leases that one group renews at most, so that events do not wait behind them.
const RENEWED_AT_ONCE: usize = 500;

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
        let (device, user_id, accounts) = (*device, user_id.to_owned(), accounts.to_vec());
        let changed = accounts.clone();
        self.write_then(
            move |connection| {
                Box::pin(async move {
                    bind(connection, &device, provider, &user_id, &accounts, now_ms).await
                })
            },
            move |memory, ()| memory.bindings_changed(&changed),
        )
        .await
    }

    async fn bindings_of(&self, device: &Thumbprint, now_ms: i64) -> Stored<Vec<Binding>> {
        let device = device.clone();
        self.read_with(move |connection| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "SELECT kind, platform_id, device, provider, bound_at_ms, proved_at_ms, lease_until_ms FROM bindings \
                     WHERE device = ?1 AND lease_until_ms >= ?2 ORDER BY bound_at_ms, kind DESC, platform_id",
                )
                .bind(device.as_str())
                .bind(now_ms)
                .fetch_all(connection)
                .await?;
                rows.iter().map(|row| binding(row, &device)).collect()
            })
        })
        .await
    }

    async fn bindings_for(
        &self,
        account: &AccountRef,
        asking: &Thumbprint,
        now_ms: i64,
    ) -> Stored<Vec<Binding>> {
        let (account, asking) = (account.clone(), asking.clone());
        self.read_with(move |connection| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "SELECT kind, platform_id, device, provider, bound_at_ms, proved_at_ms, lease_until_ms FROM bindings \
                     WHERE kind = ?1 AND platform_id = ?2 AND lease_until_ms >= ?3 ORDER BY bound_at_ms, device",
                )
                .bind(account.kind.as_str())
                .bind(&account.platform_id)
                .bind(now_ms)
                .fetch_all(connection)
                .await?;
                rows.iter().map(|row| binding(row, &asking)).collect()
            })
        })
        .await
    }

    async fn unbind(&self, account: &AccountRef, device: &Thumbprint) -> Stored<bool> {
        let (account, device) = (account.clone(), device.clone());
        let changed = [account.clone()];
        let (was_bound, _) = self
            .write_then(
                move |connection| {
                    Box::pin(async move {
                        let done = sqlx::query(
                            "DELETE FROM bindings WHERE kind = ?1 AND platform_id = ?2 AND device = ?3",
                        )
                        .bind(account.kind.as_str())
                        .bind(&account.platform_id)
                        .bind(device.as_str())
                        .execute(&mut *connection)
                        .await?;
                        let answered =
                            answering::vacate_one(connection, &account, &device).await?;
                        Ok((done.rows_affected() > 0, answered))
                    })
                },
                move |memory, (was_bound, answered)| {
                    if *answered {
                        memory.vacated(&changed);
                    }
                    if *was_bound || *answered {
                        memory.bindings_changed(&changed);
                    }
                },
            )
            .await?;
        Ok(was_bound)
    }

    async fn receivers(&self, account: &AccountRef, now_ms: i64) -> Stored<Arc<[Receiver]>> {
        let all = match self.memory.receivers(account) {
            Known::Yes(all) => all,
            Known::No(asked_at) => {
                let wanted = account.clone();
                let found: Arc<[Receiver]> = self
                    .read_with(move |connection| {
                        Box::pin(async move { receivers(connection, &wanted).await })
                    })
                    .await?;
                self.memory.looked_up(account, asked_at, &found);
                found
            }
        };
        let lives = |receiver: &Receiver| receiver.lease_until_ms >= now_ms;
        Ok(if all.iter().all(lives) {
            all
        } else {
            all.iter().copied().filter(lives).collect()
        })
    }

    async fn receivers_of_user(
        &self,
        provider: Provider,
        user_id: &str,
        now_ms: i64,
    ) -> Stored<Vec<Receiver>> {
        let user_id = user_id.to_owned();
        self.read_with(move |connection| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "SELECT seal_key, sign_key, max(lease_until_ms) AS lease_until_ms FROM bindings \
                     JOIN devices ON thumbprint = device WHERE provider = ?1 AND user_id = ?2 AND lease_until_ms >= ?3 \
                     GROUP BY device ORDER BY min(bound_at_ms), device",
                )
                .bind(provider.as_str())
                .bind(user_id)
                .bind(now_ms)
                .fetch_all(connection)
                .await?;
                rows.iter().map(receiver).collect()
            })
        })
        .await
    }

    async fn unbind_user(&self, provider: Provider, user_id: &str) -> Stored<()> {
        let user_id = user_id.to_owned();
        self.unbind_where(move |connection| {
            Box::pin(async move {
                let done = sqlx::query("DELETE FROM bindings WHERE provider = ?1 AND user_id = ?2")
                    .bind(provider.as_str())
                    .bind(user_id)
                    .execute(connection)
                    .await?;
                Ok(done.rows_affected())
            })
        })
        .await
        .map(|_| ())
    }

    async fn unbind_silent(&self, silent_since_ms: i64) -> Stored<u64> {
        // Signs of life may still wait to be written.
        self.flush().await?;
        self.unbind_where(move |connection| {
            Box::pin(async move {
                let devices: i64 = sqlx::query_scalar(
                    "SELECT count(*) FROM devices WHERE last_seen_ms < ?1 \
                     AND thumbprint IN (SELECT device FROM bindings)",
                )
                .bind(silent_since_ms)
                .fetch_one(&mut *connection)
                .await?;
                sqlx::query(
                    "DELETE FROM bindings WHERE device IN \
                     (SELECT thumbprint FROM devices WHERE last_seen_ms < ?1)",
                )
                .bind(silent_since_ms)
                .execute(connection)
                .await?;
                Ok(devices.unsigned_abs())
            })
        })
        .await
    }

    async fn seen(&self, device: &Thumbprint, now_ms: i64) -> Stored<()> {
        if lock(&self.later).seen(device, now_ms) {
            self.order(Order::Later).await?;
        }
        Ok(())
    }

    async fn answering(&self, account: &AccountRef) -> Stored<Option<AnsweringLease>> {
        Ok(self.memory.answering(account))
    }

    async fn answer(
        &self,
        account: &AccountRef,
        device: &Thumbprint,
        insist: bool,
        now_ms: i64,
        until_ms: i64,
    ) -> Stored<AnsweringLease> {
        if let Some(lease) = self.memory.answering(account)
            && lease.device != *device
            && lease.until_ms >= now_ms
            && !insist
        {
            return Ok(lease);
        }
        let wanted = vec![(account.clone(), device.clone())];
        let mut leases = self.take(wanted, insist, now_ms, until_ms).await?;
        leases.pop().ok_or(StorageError::Unreadable("lease"))
    }

    async fn renew_answers(
        &self,
        held: &[(AccountRef, Thumbprint)],
        now_ms: i64,
        until_ms: i64,
    ) -> Stored<Vec<AnsweringLease>> {
        let mut leases = Vec::with_capacity(held.len());
        for part in held.chunks(RENEWED_AT_ONCE) {
            leases.extend(self.take(part.to_vec(), false, now_ms, until_ms).await?);
        }
        Ok(leases)
    }

    fn binding_changes(&self) -> watch::Receiver<u64> {
        self.memory.changes.follow()
    }

    fn changed_accounts(&self, since: u64) -> Option<Vec<AccountRef>> {
        self.memory.changes.since(since)
    }
}

impl Sqlite {
    async fn take(
        &self,
        wanted: Vec<(AccountRef, Thumbprint)>,
        insist: bool,
        now_ms: i64,
        until_ms: i64,
    ) -> Stored<Vec<AnsweringLease>> {
        let leases = self
            .write_then(
                move |connection| {
                    Box::pin(async move {
                        answering::take(connection, &wanted, insist, now_ms, until_ms).await
                    })
                },
                |memory, leases| memory.answers(leases),
            )
            .await?;
        Ok(leases.into_iter().map(|(_, lease)| lease).collect())
    }

    /// Deletes bindings, and the answering leases of those who held one; answers what the work answers, 0 meaning that nothing changed.
    async fn unbind_where(
        &self,
        work: impl for<'c> FnOnce(
            &'c mut SqliteConnection,
        ) -> futures_util::future::BoxFuture<'c, Stored<u64>>
        + Send
        + 'static,
    ) -> Stored<u64> {
        let (count, _) = self
            .write_then(
                move |connection| {
                    Box::pin(async move {
                        let count = work(connection).await?;
                        Ok((count, answering::vacate(connection).await?))
                    })
                },
                |memory, (count, vacated)| {
                    memory.vacated(vacated);
                    if *count > 0 {
                        memory.all_bindings_changed();
                    }
                },
            )
            .await?;
        Ok(count)
    }
}

async fn bind(
    connection: &mut SqliteConnection,
    device: &DevicePublic,
    provider: Provider,
    user_id: &str,
    accounts: &[AccountRef],
    now_ms: i64,
) -> Stored<()> {
    let thumbprint = device.thumbprint();
    sqlx::query(
        "INSERT INTO devices (thumbprint, seal_key, sign_key, first_seen_ms, last_seen_ms) VALUES (?1, ?2, ?3, ?4, ?4) \
         ON CONFLICT (thumbprint) DO UPDATE SET last_seen_ms = max(last_seen_ms, excluded.last_seen_ms)",
    )
    .bind(thumbprint.as_str())
    .bind(&device.seal_key()[..])
    .bind(&device.sign_key()[..])
    .bind(now_ms)
    .execute(&mut *connection)
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
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Every device bound to an account, its lease living or not, oldest first.
async fn receivers(
    connection: &mut SqliteConnection,
    account: &AccountRef,
) -> Stored<Arc<[Receiver]>> {
    let rows = sqlx::query(
        "SELECT seal_key, sign_key, lease_until_ms FROM bindings JOIN devices ON thumbprint = device \
         WHERE kind = ?1 AND platform_id = ?2 ORDER BY bound_at_ms, device",
    )
    .bind(account.kind.as_str())
    .bind(&account.platform_id)
    .fetch_all(connection)
    .await?;
    rows.iter().map(receiver).collect()
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

/// Column `device`.
pub(super) fn thumbprint(row: &SqliteRow) -> Stored<Thumbprint> {
    let device: &str = row.try_get("device")?;
    Thumbprint::parse(device).map_err(|_| StorageError::Unreadable("device"))
}

fn binding(row: &SqliteRow, asking: &Thumbprint) -> Stored<Binding> {
    let provider: &str = row.try_get("provider")?;
    let device = thumbprint(row)?;
    Ok(Binding {
        account: answering::account(row)?,
        provider: provider
            .parse()
            .map_err(|_| StorageError::Unreadable("provider"))?,
        mine: device == *asking,
        device,
        bound_at_ms: row.try_get("bound_at_ms")?,
        proved_at_ms: row.try_get("proved_at_ms")?,
        lease_until_ms: row.try_get("lease_until_ms")?,
    })
}
