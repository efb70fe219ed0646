//! The storage of a single relay: one SQLite file. Durable before it answers (`synchronous=FULL`), deleted content is overwritten.

mod bindings;
mod extras;
mod signins;
mod streams;

use std::{collections::HashMap, str::FromStr as _, sync::Mutex, time::Duration};

use async_trait::async_trait;
use shopbell_wire::Thumbprint;
use sqlx::{
    ConnectOptions as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::watch;

use super::{Storage, Stored};

/// Handle on the relay's database.
pub(crate) struct Sqlite {
    pool: SqlitePool,
    epoch: String,
    arrivals: Mutex<HashMap<Thumbprint, watch::Sender<u64>>>,
    bindings: watch::Sender<u64>,
}

impl Sqlite {
    /// Opens or makes the database and brings it to the newest version.
    pub(crate) async fn open(address: &str) -> Stored<Self> {
        let in_memory = address.contains(":memory:");
        let options = SqliteConnectOptions::from_str(address)?
            .create_if_missing(true)
            .journal_mode(if in_memory {
                SqliteJournalMode::Memory
            } else {
                SqliteJournalMode::Wal
            })
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .foreign_keys(true)
            .pragma("secure_delete", "ON")
            .disable_statement_logging();
        // One connection writes and checkpoints: the SQLite inside loses pages when two do it at once.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await?;
        sqlx::migrate!("../../migrations/relay").run(&pool).await?;
        let epoch = sqlx::query_scalar("SELECT value FROM facts WHERE name = 'epoch'")
            .fetch_one(&pool)
            .await?;
        Ok(Self {
            pool,
            epoch,
            arrivals: Mutex::default(),
            bindings: watch::Sender::new(0),
        })
    }

    fn bindings_changed(&self) {
        self.bindings.send_modify(|n| *n = n.wrapping_add(1));
    }
}

#[async_trait]
impl Storage for Sqlite {
    async fn ready(&self) -> bool {
        sqlx::query("SELECT 1 FROM used LIMIT 1")
            .fetch_optional(&self.pool)
            .await
            .is_ok()
    }

    async fn purge(&self, now_ms: i64) -> Stored<()> {
        let mut tx = self.pool.begin().await?;
        let leases = sqlx::query("DELETE FROM bindings WHERE lease_until_ms < ?1")
            .bind(now_ms)
            .execute(&mut *tx)
            .await?;
        for statement in [
            "DELETE FROM used WHERE expires_at_ms < ?1",
            "DELETE FROM codes WHERE expires_at_ms < ?1 AND coalesce(answer_until_ms, 0) < ?1",
            "UPDATE codes SET answer = NULL, answer_until_ms = NULL WHERE answer_until_ms < ?1",
            "DELETE FROM media WHERE expires_at_ms < ?1",
            "DELETE FROM devices WHERE last_seen_ms < ?1 AND thumbprint NOT IN (SELECT device FROM bindings)",
        ] {
            sqlx::query(statement)
                .bind(now_ms)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        if leases.rows_affected() > 0 {
            self.bindings_changed();
        }
        Ok(())
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

#[cfg(test)]
#[path = "sqlite_tests.rs"]
mod tests;
