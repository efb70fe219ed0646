//! The storage of a single relay: one SQLite file. Durable before it answers (`synchronous=FULL`), deleted content is overwritten.

mod bindings;
mod codes;

use std::{str::FromStr as _, time::Duration};

use async_trait::async_trait;
use sqlx::{
    ConnectOptions as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// Handle on the relay's database.
#[derive(Clone)]
pub(crate) struct Sqlite {
    pool: SqlitePool,
}

impl Sqlite {
    /// Opens or makes the database and brings it to the newest version.
    pub(crate) async fn open(address: &str) -> Result<Self, sqlx::Error> {
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
        let pool = SqlitePoolOptions::new()
            .max_connections(if in_memory { 1 } else { 4 })
            .min_connections(u32::from(in_memory))
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await?;
        sqlx::migrate!("../../migrations/relay").run(&pool).await?;
        Ok(Self { pool })
    }

    /// Whether the database answers.
    pub(crate) async fn ready(&self) -> bool {
        sqlx::query("SELECT 1 FROM used LIMIT 1")
            .fetch_optional(&self.pool)
            .await
            .is_ok()
    }

    /// Closes it, with the write-ahead log folded in.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    /// Marks a thing as used; `false` when it was used before.
    pub(crate) async fn use_once(
        &self,
        kind: Once,
        id: &str,
        expires_at_ms: i64,
    ) -> Result<bool, sqlx::Error> {
        let kind = match kind {
            Once::Nonce => "nonce",
            Once::State => "state",
        };
        let done = sqlx::query(
            "INSERT INTO used (kind, id, expires_at_ms) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )
        .bind(kind)
        .bind(id)
        .bind(expires_at_ms)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Deletes what has had its time: used marks, codes with their answers, leases, devices without any.
    pub(crate) async fn purge(&self, now_ms: i64) -> Result<(), sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        for statement in [
            "DELETE FROM used WHERE expires_at_ms < ?1",
            "DELETE FROM codes WHERE expires_at_ms < ?1 AND coalesce(answer_until_ms, 0) < ?1",
            "UPDATE codes SET answer = NULL, answer_until_ms = NULL WHERE answer_until_ms < ?1",
            "DELETE FROM bindings WHERE lease_until_ms < ?1",
            "DELETE FROM devices WHERE last_seen_ms < ?1 AND thumbprint NOT IN (SELECT device FROM bindings)",
        ] {
            sqlx::query(statement)
                .bind(now_ms)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await
    }
}

#[cfg(test)]
#[path = "storage_tests.rs"]
mod tests;
