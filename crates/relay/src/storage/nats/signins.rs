//! Things that may be used once, and codes on their way through redemption.
//!
//! Used marks go by the age of their bucket; what is over before that counts as gone from the next purge on.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD as B64};
use serde::{Deserialize, Serialize};

use super::{
    Nats,
    table::{Decision, key},
};
use crate::storage::{Claim, Once, REDEEMING_MS, SignIns, StorageError, Stored};

/// A code that was presented. The answer is sealed to the device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CodeRow {
    device: String,
    redeeming: bool,
    claimed_at_ms: i64,
    expires_at_ms: i64,
    answer: Option<String>,
    answer_until_ms: i64,
}

impl CodeRow {
    fn is_over(&self, now_ms: i64) -> bool {
        self.expires_at_ms < now_ms && self.answer_until_ms < now_ms
    }
}

#[async_trait]
impl SignIns for Nats {
    async fn use_once(&self, kind: Once, id: &str, expires_at_ms: i64) -> Stored<bool> {
        let key = key(&[kind.word(), id]);
        // Nearly always it is the first time: then this is all.
        let mark = expires_at_ms.to_string().into();
        if self.used.write(&key, Some(mark), 0).await?.is_some() {
            return Ok(true);
        }
        let over = self.purged_to.load(Ordering::Relaxed);
        let changed = self
            .used
            .change(&key, |row: Option<i64>| match row {
                Some(expires) if expires >= over => Decision::Keep(false),
                _ => Decision::Put(expires_at_ms, true),
            })
            .await?;
        Ok(changed.answer)
    }

    async fn claim_code(
        &self,
        jti: &str,
        device: &str,
        now_ms: i64,
        expires_at_ms: i64,
    ) -> Stored<Claim> {
        let changed = self
            .codes
            .change(&key(&[jti]), |row: Option<CodeRow>| {
                let Some(row) = row else {
                    let claimed = CodeRow {
                        device: device.to_owned(),
                        redeeming: true,
                        claimed_at_ms: now_ms,
                        expires_at_ms,
                        answer: None,
                        answer_until_ms: 0,
                    };
                    return Decision::Put(claimed, Claim::Fresh);
                };
                let lost = now_ms >= row.claimed_at_ms.saturating_add(REDEEMING_MS);
                Decision::Keep(match row.answer {
                    _ if row.device != device => Claim::Used,
                    Some(answer) if now_ms <= row.answer_until_ms => {
                        B64.decode(answer).map_or(Claim::Used, Claim::Answered)
                    }
                    _ if row.redeeming && !lost => Claim::InUse,
                    _ => Claim::Used,
                })
            })
            .await?;
        Ok(changed.answer)
    }

    async fn release_code(&self, jti: &str) -> Stored<()> {
        self.change_code(jti, |row| match row.answer {
            None => Decision::Remove(()),
            Some(_) => Decision::Keep(()),
        })
        .await
    }

    async fn spend_code(&self, jti: &str) -> Stored<()> {
        self.change_code(jti, |row| {
            Decision::Put(
                CodeRow {
                    redeeming: false,
                    ..row
                },
                (),
            )
        })
        .await
    }

    async fn answer_code(&self, jti: &str, answer: &[u8], until_ms: i64) -> Stored<()> {
        self.change_code(jti, |row| {
            Decision::Put(
                CodeRow {
                    redeeming: false,
                    answer: Some(B64.encode(answer)),
                    answer_until_ms: until_ms,
                    ..row
                },
                (),
            )
        })
        .await
    }
}

impl Nats {
    async fn change_code(
        &self,
        jti: &str,
        decide: impl Fn(CodeRow) -> Decision<CodeRow, ()> + Send + Sync,
    ) -> Stored<()> {
        self.codes
            .change(&key(&[jti]), |row| match row {
                Some(row) => decide(row),
                None => Decision::Keep(()),
            })
            .await?;
        Ok(())
    }

    /// Deletes codes that are over and answers that are no longer repeated.
    pub(super) async fn purge_codes(&self, now_ms: i64) -> Stored<()> {
        for key in self.codes.keys("").await? {
            let row = self.codes.row(&key).await?;
            let code: Option<CodeRow> = row
                .value
                .as_ref()
                .map(super::table::parse)
                .transpose()
                .map_err(|_| StorageError::Unreadable("code"))?;
            match code {
                // The mark of a code that was given back: nobody follows this table.
                None => {
                    self.codes.forget(&key, row.revision).await?;
                }
                Some(code) if code.is_over(now_ms) => {
                    self.codes.forget(&key, row.revision).await?;
                }
                Some(code) if code.answer.is_some() && code.answer_until_ms < now_ms => {
                    let stale = |row: Option<CodeRow>| match row {
                        Some(row) if row.answer_until_ms < now_ms => Decision::Put(
                            CodeRow {
                                answer: None,
                                ..row
                            },
                            (),
                        ),
                        _ => Decision::Keep(()),
                    };
                    self.codes.change(&key, stale).await?;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}
