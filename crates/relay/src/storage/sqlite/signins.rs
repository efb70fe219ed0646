//! Things that were used, codes on their way through redemption, and the sealed answers that may be asked for again.

use async_trait::async_trait;
use sqlx::{Row as _, SqliteConnection};

use super::Sqlite;
use crate::storage::{Claim, Once, REDEEMING_MS, SignIns, Stored};

#[async_trait]
impl SignIns for Sqlite {
    async fn use_once(&self, kind: Once, id: &str, expires_at_ms: i64) -> Stored<bool> {
        let id = id.to_owned();
        self.write(move |connection| {
            Box::pin(async move {
                let done = sqlx::query(
                    "INSERT INTO used (kind, id, expires_at_ms) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                )
                .bind(kind.word())
                .bind(id)
                .bind(expires_at_ms)
                .execute(connection)
                .await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }

    async fn claim_code(
        &self,
        jti: &str,
        device: &str,
        now_ms: i64,
        expires_at_ms: i64,
    ) -> Stored<Claim> {
        let (jti, device) = (jti.to_owned(), device.to_owned());
        self.write(move |connection| {
            Box::pin(async move { claim(connection, &jti, &device, now_ms, expires_at_ms).await })
        })
        .await
    }

    async fn release_code(&self, jti: &str) -> Stored<()> {
        let jti = jti.to_owned();
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query("DELETE FROM codes WHERE jti = ?1 AND answer IS NULL")
                    .bind(jti)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    async fn spend_code(&self, jti: &str) -> Stored<()> {
        let jti = jti.to_owned();
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query("UPDATE codes SET redeeming = 0 WHERE jti = ?1")
                    .bind(jti)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    async fn answer_code(&self, jti: &str, answer: &[u8], until_ms: i64) -> Stored<()> {
        let (jti, answer) = (jti.to_owned(), answer.to_vec());
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE codes SET redeeming = 0, answer = ?2, answer_until_ms = ?3 WHERE jti = ?1",
                )
                .bind(jti)
                .bind(answer)
                .bind(until_ms)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }
}

async fn claim(
    connection: &mut SqliteConnection,
    jti: &str,
    device: &str,
    now_ms: i64,
    expires_at_ms: i64,
) -> Stored<Claim> {
    let taken = sqlx::query(
        "INSERT INTO codes (jti, device, redeeming, claimed_at_ms, expires_at_ms) VALUES (?1, ?2, 1, ?3, ?4) \
         ON CONFLICT DO NOTHING",
    )
    .bind(jti)
    .bind(device)
    .bind(now_ms)
    .bind(expires_at_ms)
    .execute(&mut *connection)
    .await?;
    if taken.rows_affected() == 1 {
        return Ok(Claim::Fresh);
    }
    let row = sqlx::query(
        "SELECT redeeming, claimed_at_ms, answer, answer_until_ms FROM codes WHERE jti = ?1 AND device = ?2",
    )
    .bind(jti)
    .bind(device)
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else {
        return Ok(Claim::Used);
    };
    let answer: Option<Vec<u8>> = row.try_get("answer")?;
    let until: Option<i64> = row.try_get("answer_until_ms")?;
    let redeeming: bool = row.try_get("redeeming")?;
    let claimed_at_ms: i64 = row.try_get("claimed_at_ms")?;
    Ok(match (answer, until) {
        (Some(bytes), Some(until)) if now_ms <= until => Claim::Answered(bytes),
        _ if redeeming && now_ms < claimed_at_ms.saturating_add(REDEEMING_MS) => Claim::InUse,
        _ => Claim::Used,
    })
}
