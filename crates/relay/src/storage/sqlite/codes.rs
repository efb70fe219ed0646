//! Codes on their way through redemption, and the sealed answers that may be asked for again.

use sqlx::Row as _;

use super::Storage;

/// A redemption that neither ended nor was given back within this time is taken for lost, in milliseconds.
const REDEEMING_MS: i64 = 2 * 60 * 1000;

/// What became of a claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The caller redeems it now.
    Fresh,
    /// Another request redeems it at this moment.
    InUse,
    /// It was redeemed, or its redemption was lost.
    Used,
    /// It was redeemed by the same device a moment ago; these bytes again.
    Answered(Vec<u8>),
}

impl Storage {
    /// Takes a code for redemption. The code itself is not stored, only its id.
    pub(crate) async fn claim_code(
        &self,
        jti: &str,
        device: &str,
        now_ms: i64,
        expires_at_ms: i64,
    ) -> Result<Claim, sqlx::Error> {
        let taken = sqlx::query(
            "INSERT INTO codes (jti, device, redeeming, claimed_at_ms, expires_at_ms) VALUES (?1, ?2, 1, ?3, ?4) \
             ON CONFLICT DO NOTHING",
        )
        .bind(jti)
        .bind(device)
        .bind(now_ms)
        .bind(expires_at_ms)
        .execute(&self.pool)
        .await?;
        if taken.rows_affected() == 1 {
            return Ok(Claim::Fresh);
        }
        let row = sqlx::query(
            "SELECT redeeming, claimed_at_ms, answer, answer_until_ms FROM codes WHERE jti = ?1 AND device = ?2",
        )
        .bind(jti)
        .bind(device)
        .fetch_optional(&self.pool)
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

    /// Gives a code back that the platform never saw or may not have seen.
    pub(crate) async fn release_code(&self, jti: &str) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM codes WHERE jti = ?1 AND answer IS NULL")
            .bind(jti)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The code is spent without an answer worth repeating.
    pub(crate) async fn spend_code(&self, jti: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE codes SET redeeming = 0 WHERE jti = ?1")
            .bind(jti)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The code is spent; the sealed answer may be asked for until `until_ms`.
    pub(crate) async fn answer_code(
        &self,
        jti: &str,
        answer: &[u8],
        until_ms: i64,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE codes SET redeeming = 0, answer = ?2, answer_until_ms = ?3 WHERE jti = ?1",
        )
        .bind(jti)
        .bind(answer)
        .bind(until_ms)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
