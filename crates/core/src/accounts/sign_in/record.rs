//! A sign-in's row: what is shown in the clear, what is secret sealed.

use super::losses;
use crate::{
    api::types::{Change, FoundAccount, Reason, SignIn, SignInStep, WayBack},
    domain::Provider,
    store::{StoreError, WriteTx},
    vault::Vault,
};
use serde::{Deserialize, Serialize};
use shopbell_wire::{Grant, SCHEME_REDIRECT, Secret};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

const PURPOSE: &str = "sign-in";

/// A row.
pub(super) struct Record {
    pub id: i64,
    pub provider: Provider,
    pub step: SignInStep,
    pub state: String,
    pub inside: Inside,
    pub authorize_url: String,
    pub redirect_uri: String,
    pub number: String,
    pub refusal: Option<Reason>,
    pub started_at_ms: i64,
    pub expires_at_ms: i64,
}

/// The sealed part. No `Debug`.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Inside {
    /// PKCE; gone once the grant is here.
    pub verifier: Option<Secret>,
    /// The relay's code while it is being redeemed.
    pub code: Option<Secret>,
    /// When the code came, UTC ms.
    pub code_at_ms: i64,
    /// What the relay gave, until the accounts are chosen.
    pub grant: Option<Grant>,
    /// Platform ids chosen.
    pub chosen: Vec<String>,
    /// What is shown after the tokens have gone to their own place.
    pub summary: Option<Summary>,
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Summary {
    pub granted: Vec<String>,
    pub declined: Vec<String>,
    pub found: Vec<FoundAccount>,
}

fn step_word(step: SignInStep) -> &'static str {
    match step {
        SignInStep::Waiting => "waiting",
        SignInStep::Exchanging => "exchanging",
        SignInStep::Choosing => "choosing",
        SignInStep::Subscribing => "subscribing",
        SignInStep::Done => "done",
        SignInStep::Refused => "refused",
    }
}

fn step_of(word: &str) -> SignInStep {
    match word {
        "waiting" => SignInStep::Waiting,
        "exchanging" => SignInStep::Exchanging,
        "choosing" => SignInStep::Choosing,
        "subscribing" => SignInStep::Subscribing,
        "done" => SignInStep::Done,
        _ => SignInStep::Refused,
    }
}

fn sealed(vault: &Vault, state: &str, inside: &Inside) -> Vec<u8> {
    let plain = Zeroizing::new(serde_json::to_vec(inside).unwrap_or_default());
    vault.seal(PURPOSE, state.as_bytes(), &plain)
}

struct Row {
    id: i64,
    provider: String,
    step: String,
    state: String,
    sealed: Vec<u8>,
    authorize_url: String,
    redirect_uri: String,
    number: String,
    refusal: Option<String>,
    started_at_ms: i64,
    expires_at_ms: i64,
}

impl Row {
    fn record(self, vault: &Vault) -> Option<Record> {
        let inside = vault
            .open(PURPOSE, self.state.as_bytes(), &self.sealed)
            .ok()
            .and_then(|plain| serde_json::from_slice(&plain).ok());
        Some(Record {
            id: self.id,
            provider: Provider::parse(&self.provider)?,
            // Without its secret part it cannot go on.
            step: if inside.is_some() {
                step_of(&self.step)
            } else {
                SignInStep::Refused
            },
            inside: inside.unwrap_or_default(),
            state: self.state,
            authorize_url: self.authorize_url,
            redirect_uri: self.redirect_uri,
            number: self.number,
            refusal: self
                .refusal
                .and_then(|text| serde_json::from_str(&text).ok()),
            started_at_ms: self.started_at_ms,
            expires_at_ms: self.expires_at_ms,
        })
    }
}

/// By id.
pub(super) async fn by_id(
    connection: &mut SqliteConnection,
    vault: &Vault,
    id: i64,
) -> Result<Option<Record>, StoreError> {
    let row = sqlx::query_as!(Row, "SELECT * FROM sign_ins WHERE id = ?", id)
        .fetch_optional(connection)
        .await?;
    Ok(row.and_then(|row| row.record(vault)))
}

/// By the OAuth state.
pub(super) async fn by_state(
    connection: &mut SqliteConnection,
    vault: &Vault,
    state: &str,
) -> Result<Option<Record>, StoreError> {
    let row = sqlx::query_as!(Row, "SELECT * FROM sign_ins WHERE state = ?", state)
        .fetch_optional(connection)
        .await?;
    Ok(row.and_then(|row| row.record(vault)))
}

/// The newest.
pub(super) async fn newest(
    connection: &mut SqliteConnection,
    vault: &Vault,
) -> Result<Option<Record>, StoreError> {
    let row = sqlx::query_as!(Row, "SELECT * FROM sign_ins ORDER BY id DESC LIMIT 1")
        .fetch_optional(connection)
        .await?;
    Ok(row.and_then(|row| row.record(vault)))
}

/// Ids of those that a program end interrupted.
pub(super) async fn interrupted(connection: &mut SqliteConnection) -> Result<Vec<i64>, StoreError> {
    Ok(
        sqlx::query_scalar!("SELECT id FROM sign_ins WHERE step IN ('exchanging', 'subscribing')")
            .fetch_all(connection)
            .await?,
    )
}

/// Makes room for a new one: what was under way is given up, what is finished is kept a day to recognise its link.
pub(super) async fn make_room(tx: &mut WriteTx<'_>, now_ms: i64) -> Result<(), StoreError> {
    let old = now_ms - 24 * 3_600_000;
    sqlx::query!(
        "DELETE FROM sign_ins WHERE step IN ('waiting', 'exchanging', 'choosing', 'refused') OR (step = 'done' AND started_at_ms < ?)",
        old
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

impl Record {
    /// Puts a new one in; its id is set.
    pub(super) async fn insert(
        &mut self,
        tx: &mut WriteTx<'_>,
        vault: &Vault,
    ) -> Result<(), StoreError> {
        let (provider, step) = (self.provider.as_str(), step_word(self.step));
        let sealed = sealed(vault, &self.state, &self.inside);
        self.id = sqlx::query_scalar!(
            r#"INSERT INTO sign_ins (provider, step, state, sealed, authorize_url, redirect_uri, number, refusal, started_at_ms, expires_at_ms)
               VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?) RETURNING id AS "id!: i64""#,
            provider,
            step,
            self.state,
            sealed,
            self.authorize_url,
            self.redirect_uri,
            self.number,
            self.started_at_ms,
            self.expires_at_ms
        )
        .fetch_one(&mut **tx)
        .await?;
        tell(tx);
        Ok(())
    }

    /// Writes step, secrets and refusal.
    pub(super) async fn save(&self, tx: &mut WriteTx<'_>, vault: &Vault) -> Result<(), StoreError> {
        let step = step_word(self.step);
        let sealed = sealed(vault, &self.state, &self.inside);
        let refusal = self
            .refusal
            .as_ref()
            .and_then(|reason| serde_json::to_string(reason).ok());
        sqlx::query!(
            "UPDATE sign_ins SET step = ?, sealed = ?, refusal = ? WHERE id = ?",
            step,
            sealed,
            refusal,
            self.id
        )
        .execute(&mut **tx)
        .await?;
        tell(tx);
        Ok(())
    }

    /// Ends it: every secret goes, the reason stays.
    pub(super) fn refuse(&mut self, reason: Reason) {
        self.step = SignInStep::Refused;
        self.refusal = Some(reason);
        self.inside = Inside::default();
    }

    pub(super) fn open(&self) -> bool {
        !matches!(self.step, SignInStep::Done | SignInStep::Refused)
    }

    /// As the waiting page, the permission page and the choice show it.
    pub(super) async fn view(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<SignIn, StoreError> {
        let (granted, declined, found) = match (&self.inside.grant, &self.inside.summary) {
            (Some(grant), _) => {
                let mut found = Vec::with_capacity(grant.accounts.len());
                for account in &grant.accounts {
                    let channel = losses::channel(account.kind).as_str();
                    let known = sqlx::query_scalar!(
                        r#"SELECT count(*) AS "n!: i64" FROM accounts WHERE channel = ? AND platform_id = ?"#,
                        channel,
                        account.platform_id
                    )
                    .fetch_one(&mut *connection)
                    .await?
                        > 0;
                    found.push(losses::found(grant, account, known));
                }
                (grant.granted.clone(), grant.declined.clone(), found)
            }
            (None, Some(summary)) => (
                summary.granted.clone(),
                summary.declined.clone(),
                summary.found.clone(),
            ),
            (None, None) => (Vec::new(), Vec::new(), Vec::new()),
        };
        Ok(SignIn {
            id: self.id,
            provider: self.provider,
            step: self.step,
            number: self.number.clone(),
            authorize_url: self.authorize_url.clone(),
            started_at_ms: self.started_at_ms,
            expires_at_ms: self.expires_at_ms,
            way_back: if self.redirect_uri == SCHEME_REDIRECT {
                WayBack::Scheme
            } else {
                WayBack::Loopback
            },
            losses: losses::losses(&declined),
            granted,
            declined,
            found,
            refusal: self.refusal.clone(),
        })
    }

    /// Results of subscribing, by platform id.
    pub(super) fn note_results(&mut self, results: &BTreeMap<String, Reason>) {
        if let Some(summary) = &mut self.inside.summary {
            for account in &mut summary.found {
                if let Some(reason) = results.get(&account.platform_id) {
                    account.subscription = Some(reason.clone());
                }
            }
        }
    }
}

fn tell(tx: &mut WriteTx<'_>) {
    tx.tell(Change::SignIn);
    tx.tell(Change::Status);
}
