//! Signing in: from the click to the chosen accounts. Every step is a row first, so a program that ends anywhere goes on where it was.
//!
//! waiting → exchanging → choosing → subscribing → done; any of the first three → refused. A link that is not this sign-in's changes
//! nothing: a web page must not be able to end what the owner began.

mod choose;
mod loopback;
mod losses;
mod pasted;
mod record;
mod redeem;

use super::AccessError;
use crate::{
    Profile,
    api::types::{Reason, SignIn, SignInChoose, SignInStart, SignInStep, WayBack},
    jobs::{self, JobOutcome},
    relay_client::{RelayError, refusal_reason},
    store::{Priority, StoreError, WriteTx},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use pasted::Pasted;
use record::{Inside, Record};
use serde_json::json;
use shopbell_wire::{CODE_LIFE_MS, SCHEME_REDIRECT, STATE_LIFE_MS, Secret, Verifier};
use std::sync::Arc;

/// Reads what may have been pasted, for [`crate::parsers`].
#[cfg(feature = "planted")]
pub(crate) fn read_pasted(text: &str) {
    let _ = pasted::parse(text);
}

/// Why a step was not done. A refusal of the relay or of the person is no error: it is in the sign-in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such sign-in, or none is under way.
    #[error("there is no such sign-in")]
    NotFound,
    /// The text holds neither link nor code, and nothing waits for one.
    #[error("that is no code of the relay")]
    NotACode,
    /// Not at this step.
    #[error("the sign-in is at another step")]
    WrongStep,
    /// An account that was not found, or that cannot be chosen.
    #[error("that account cannot be chosen")]
    NotChoosable,
    /// No port on 127.0.0.1.
    #[error("no port for the way back")]
    Loopback(#[source] std::io::Error),
    /// This computer's keys.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keychain.
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// Begins one. One at a time: what was under way is given up.
///
/// # Errors
/// [`SignInError`]; nothing was begun then.
pub async fn start(profile: &Arc<Profile>, ask: &SignInStart) -> Result<SignIn, SignInError> {
    let keys = profile.relay.keys(&profile.vault).await?;
    let verifier = Verifier::from_random_bytes(&profile.parts.entropy.key());
    let state = URL_SAFE_NO_PAD.encode(profile.parts.entropy.key());
    let (listener, redirect_uri) = match ask.way_back {
        WayBack::Scheme => (None, SCHEME_REDIRECT.to_owned()),
        WayBack::Loopback => {
            let (listener, address) = loopback::bind().await.map_err(SignInError::Loopback)?;
            (Some(listener), address)
        }
    };
    let (url, number) = profile.relay.authorize_url(
        ask.provider,
        &redirect_uri,
        &state,
        &verifier,
        &keys.thumbprint(),
        ask.ask_again,
    )?;
    let now_ms = profile.now_ms();
    let mut record = Record {
        id: 0,
        provider: ask.provider,
        step: SignInStep::Waiting,
        state: state.clone(),
        inside: Inside {
            verifier: Some(Secret::new(verifier.expose())),
            ..Inside::default()
        },
        authorize_url: url.into(),
        redirect_uri: redirect_uri.clone(),
        number,
        refusal: None,
        started_at_ms: now_ms,
        expires_at_ms: now_ms + STATE_LIFE_MS,
    };
    let mut tx = profile.store.write(Priority::Owner).await?;
    record::make_room(&mut tx, now_ms).await?;
    record.insert(&mut tx, &profile.vault).await?;
    let view = record.view(&mut tx).await?;
    tx.commit().await?;
    if let Some(listener) = listener {
        let life_ms = STATE_LIFE_MS + CODE_LIFE_MS;
        profile.spawn(loopback::serve(
            Arc::clone(profile),
            listener,
            redirect_uri,
            state,
            life_ms,
        ));
    }
    Ok(view)
}

/// The one under way, or the one that ended since the program started.
///
/// # Errors
/// What SQLite says.
pub async fn current(profile: &Profile) -> Result<Option<SignIn>, SignInError> {
    let newest = {
        let mut read = profile.store.read().await?;
        record::newest(&mut read, &profile.vault).await?
    };
    let Some(mut record) = newest else {
        return Ok(None);
    };
    if overdue(&record, profile.now_ms()) {
        record.refuse(Reason::new("expired").with("why", "state_expired"));
        end(profile, &record).await?;
    }
    if !record.open() && !profile.accounts.lock().ended.contains(&record.id) {
        return Ok(None);
    }
    let mut read = profile.store.read().await?;
    Ok(Some(record.view(&mut read).await?))
}

/// Is there one that waits for the browser?
///
/// # Errors
/// What SQLite says.
pub async fn waiting(profile: &Profile) -> Result<bool, StoreError> {
    let now_ms = profile.now_ms() - CODE_LIFE_MS;
    let mut read = profile.store.read().await?;
    let n = sqlx::query_scalar!(
        r#"SELECT count(*) AS "n!: i64" FROM sign_ins WHERE step = 'exchanging' OR (step = 'waiting' AND expires_at_ms > ?)"#,
        now_ms
    )
    .fetch_one(&mut *read)
    .await?;
    Ok(n > 0)
}

/// The relay's page works for ten minutes, the code it gives for five more.
fn overdue(record: &Record, now_ms: i64) -> bool {
    record.step == SignInStep::Waiting && now_ms > record.expires_at_ms + CODE_LIFE_MS
}

/// For "Open again": the same address, which works until it expires.
///
/// # Errors
/// [`SignInError::NotFound`]; [`SignInError::WrongStep`] when it does not wait for the browser.
pub async fn open_again(profile: &Profile, id: i64) -> Result<SignIn, SignInError> {
    let mut read = profile.store.read().await?;
    let record = record::by_id(&mut read, &profile.vault, id)
        .await?
        .ok_or(SignInError::NotFound)?;
    if record.step != SignInStep::Waiting {
        return Err(SignInError::WrongStep);
    }
    Ok(record.view(&mut read).await?)
}

/// Gives it up, or puts an ended one away.
///
/// # Errors
/// [`SignInError::NotFound`]; [`SignInError::WrongStep`] while chosen accounts are being subscribed.
pub async fn cancel(profile: &Profile, id: i64) -> Result<SignIn, SignInError> {
    let mut tx = profile.store.write(Priority::Owner).await?;
    let mut record = record::by_id(&mut tx, &profile.vault, id)
        .await?
        .ok_or(SignInError::NotFound)?;
    match record.step {
        SignInStep::Subscribing => return Err(SignInError::WrongStep),
        SignInStep::Done | SignInStep::Refused => {}
        _ => {
            record.refuse(Reason::new("cancelled"));
            record.save(&mut tx, &profile.vault).await?;
            jobs::cancel(&mut tx, &job_name(id)).await?;
        }
    }
    let view = record.view(&mut tx).await?;
    tx.commit().await?;
    profile.accounts.lock().ended.retain(|ended| *ended != id);
    Ok(view)
}

/// Takes what the browser or the owner brought.
///
/// # Errors
/// [`SignInError::NotACode`] and [`SignInError::NotFound`] when nothing waits. Refusals are in the answer.
pub async fn finish(profile: &Arc<Profile>, text: &str) -> Result<SignIn, SignInError> {
    let _one = profile.accounts.redeeming.lock().await;
    let mut tx = profile.store.write(Priority::Owner).await?;
    let newest = record::newest(&mut tx, &profile.vault).await?;
    let open = newest.filter(Record::open);
    let said = |record: Option<Record>, code: &str, none: SignInError| {
        // Shown beside the sign-in, which goes on.
        record
            .map(|mut record| {
                record.refusal = Some(Reason::new(code));
                record
            })
            .ok_or(none)
    };
    let (mut record, answer) = match pasted::parse(text) {
        Pasted::Junk => {
            let record = said(open, "not_a_code", SignInError::NotACode)?;
            return Ok(record.view(&mut tx).await?);
        }
        Pasted::Bare(code) => (open.ok_or(SignInError::NotFound)?, Ok(code)),
        Pasted::Code { code, state } => {
            match record::by_state(&mut tx, &profile.vault, &state).await? {
                Some(record) => (record, Ok(code)),
                None => {
                    return Ok(said(open, "state_wrong", SignInError::NotFound)?
                        .view(&mut tx)
                        .await?);
                }
            }
        }
        Pasted::Refused { refusal, state } => {
            match record::by_state(&mut tx, &profile.vault, &state).await? {
                Some(record) => (record, Err(refusal)),
                None => {
                    return Ok(said(open, "state_wrong", SignInError::NotFound)?
                        .view(&mut tx)
                        .await?);
                }
            }
        }
    };
    match (record.step, answer) {
        (SignInStep::Waiting, Err(refusal)) => {
            record.refuse(refusal_reason(refusal));
            record.save(&mut tx, &profile.vault).await?;
            let view = record.view(&mut tx).await?;
            profile.accounts.lock().ended.push(record.id);
            tx.commit().await?;
            return Ok(view);
        }
        (SignInStep::Waiting, Ok(code)) => {
            let now_ms = profile.now_ms();
            record.step = SignInStep::Exchanging;
            record.inside.code = Some(code);
            record.inside.code_at_ms = now_ms;
            record.refusal = None;
            record.save(&mut tx, &profile.vault).await?;
            schedule(&mut tx, record.id, now_ms + redeem::FIRST_REPEAT_MS).await?;
            tx.commit().await?;
        }
        // The same link again while it is being redeemed: look again now instead of later.
        (SignInStep::Exchanging, Ok(code)) if record.inside.code.as_ref() == Some(&code) => {
            drop(tx)
        }
        _ => {
            record.refusal = Some(Reason::new("state_replayed"));
            return Ok(record.view(&mut tx).await?);
        }
    }
    redeem::redeem(profile, record.id).await
}

/// The chosen accounts.
///
/// # Errors
/// [`SignInError`]; nothing was connected then.
pub async fn choose(profile: &Arc<Profile>, ask: &SignInChoose) -> Result<SignIn, SignInError> {
    choose::choose(profile, ask).await
}

fn job_name(id: i64) -> String {
    format!("sign-in:{id}")
}

async fn schedule(tx: &mut WriteTx<'_>, id: i64, due_at_ms: i64) -> Result<(), StoreError> {
    jobs::schedule(tx, &job_name(id), due_at_ms, &json!({ "sign_in": id })).await
}

/// Has those gone on with that a program end interrupted.
pub(super) async fn resume_all(tx: &mut WriteTx<'_>, now_ms: i64) -> Result<(), StoreError> {
    for id in record::interrupted(tx).await? {
        schedule(tx, id, now_ms).await?;
    }
    Ok(())
}

/// Job `sign-in:{id}`: goes on with a redeeming or subscribing that did not finish.
pub(crate) async fn resume(profile: &Arc<Profile>, payload: &str) -> JobOutcome {
    #[derive(serde::Deserialize)]
    struct Payload {
        sign_in: i64,
    }
    let Ok(Payload { sign_in }) = serde_json::from_str(payload) else {
        return JobOutcome::Done;
    };
    let step = {
        let Ok(mut read) = profile.store.read().await else {
            return JobOutcome::Failed;
        };
        match record::by_id(&mut read, &profile.vault, sign_in).await {
            Ok(record) => record.map(|record| record.step),
            Err(_) => return JobOutcome::Failed,
        }
    };
    let result = match step {
        Some(SignInStep::Exchanging) => {
            let _one = profile.accounts.redeeming.lock().await;
            redeem::redeem(profile, sign_in).await
        }
        Some(SignInStep::Subscribing) => choose::subscribe(profile, sign_in).await,
        _ => return JobOutcome::Done,
    };
    match result {
        Ok(view) if view.step == SignInStep::Exchanging => JobOutcome::Failed,
        Ok(_) => JobOutcome::Done,
        Err(_) => JobOutcome::Failed,
    }
}

/// Saves an ended one.
async fn end(profile: &Profile, record: &Record) -> Result<(), SignInError> {
    let mut tx = profile.store.write(Priority::Owner).await?;
    record.save(&mut tx, &profile.vault).await?;
    profile.accounts.lock().ended.push(record.id);
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
#[path = "sign_in_tests.rs"]
mod tests;
