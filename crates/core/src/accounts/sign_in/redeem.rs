//! Code → grant. The code and the verifier are stored before the call, the relay repeats its answer: an answer that gets lost between
//! the two is fetched again, also after a restart.

use super::{Record, SignInError, record};
use crate::{
    Profile,
    api::types::{Reason, SignIn, SignInStep},
    relay_client::{Redeem, RelayError, wire_provider},
    store::Priority,
};
use shopbell_wire::{CODE_LIFE_MS, Grant};

/// First look after a call that is not known to have ended.
pub(super) const FIRST_REPEAT_MS: i64 = 15_000;

/// Redeems the code of a sign-in at `exchanging`. The caller holds the lock of redeeming.
pub(super) async fn redeem(profile: &Profile, id: i64) -> Result<SignIn, SignInError> {
    let record = load(profile, id).await?;
    let (Some(verifier), Some(code)) = (&record.inside.verifier, &record.inside.code) else {
        return Err(SignInError::WrongStep);
    };
    let ask = Redeem {
        redirect_uri: &record.redirect_uri,
        state: &record.state,
        verifier,
        code,
    };
    let mut answer = profile.relay.redeem(&profile.vault, &ask).await;
    // Once more at once: a connection that was reset is the commonest case, and repeating is safe.
    if matches!(answer, Err(RelayError::Unreachable)) {
        answer = profile.relay.redeem(&profile.vault, &ask).await;
    }
    take(profile, id, answer).await
}

async fn load(profile: &Profile, id: i64) -> Result<Record, SignInError> {
    let mut read = profile.store.read().await?;
    let record = record::by_id(&mut read, &profile.vault, id)
        .await?
        .ok_or(SignInError::NotFound)?;
    if record.step == SignInStep::Exchanging {
        Ok(record)
    } else {
        Err(SignInError::WrongStep)
    }
}

async fn take(
    profile: &Profile,
    id: i64,
    answer: Result<Grant, RelayError>,
) -> Result<SignIn, SignInError> {
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Owner).await?;
    let mut record = record::by_id(&mut tx, &profile.vault, id)
        .await?
        .ok_or(SignInError::NotFound)?;
    // Given up in the meantime: what came is dropped.
    if record.step != SignInStep::Exchanging {
        return Ok(record.view(&mut tx).await?);
    }
    match answer {
        Ok(grant) if grant.provider != wire_provider(record.provider) => {
            record.refuse(Reason::new("platform_refused").with("why", "other_provider"));
        }
        Ok(grant) if grant.accounts.is_empty() => record.refuse(Reason::new("no_page")),
        Ok(grant) => {
            record.step = SignInStep::Choosing;
            record.refusal = None;
            record.inside.verifier = None;
            record.inside.code = None;
            record.inside.grant = Some(grant);
        }
        Err(error) if error.passes() => {
            if now_ms - record.inside.code_at_ms >= CODE_LIFE_MS {
                record.refuse(error.reason());
            } else {
                // Still exchanging; shown as "waiting for the relay".
                record.refusal = Some(error.reason());
            }
        }
        Err(error) => record.refuse(error.reason()),
    }
    record.save(&mut tx, &profile.vault).await?;
    let view = record.view(&mut tx).await?;
    if record.step == SignInStep::Choosing {
        crate::jobs::cancel(&mut tx, &super::job_name(id)).await?;
    }
    // Before the commit: whoever asks in between must not find an ended sign-in that nobody may see.
    if !record.open() {
        profile.accounts.lock().ended.push(id);
    }
    tx.commit().await?;
    Ok(view)
}
