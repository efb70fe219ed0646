//! One send or one look, from the row to the written-down outcome.
//!
//! Invariant: `sending` and its begin are on disk before the request; the outcome is written whatever the platform says; a cancelled task
//! leaves `sending` behind, which the next start turns into `unknown`.

use super::{
    Body, Work,
    context::Context,
    echo,
    rules::Window,
    settle::{self, LOOKS_MS, Outcome},
};
use crate::{
    Profile,
    api::types::Reason,
    domain::{
        AccountId, Author, Channel, ConversationId, Incoming, IncomingItem, OutboxId, Source,
    },
    ingest,
    store::{Priority, StoreError},
    sync::remote::{Fault, FaultKind, Letter, Remote},
};
use std::time::Duration;

/// No answer for this long is no answer. Not longer than an echo waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the rest of the sending should know.
#[derive(Debug)]
pub enum Effect {
    /// The platform answered.
    Reached,
    /// Nothing was asked.
    Nothing,
    /// Leave the account alone for a while.
    Hold(Fault),
}

impl Effect {
    /// The fault, if there was one.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Hold(fault) => Some(fault),
            _ => None,
        }
    }
}

/// Does one piece of work. Errors of the database are waited out: an outcome must not be lost while the program runs.
pub async fn work(profile: &Profile, remote: &dyn Remote, work: &Work) -> Effect {
    let done = match work {
        Work::Send { id, .. } => send(profile, remote, *id).await,
        Work::Look { .. } => look(profile, remote, work).await,
    };
    done.unwrap_or_else(|error| {
        tracing::warn!(target: "shopbell::outbox", %error, "the database does not take the work");
        Effect::Hold(Fault::new(FaultKind::Busy, "disk_trouble"))
    })
}

async fn send(profile: &Profile, remote: &dyn Remote, id: OutboxId) -> Result<Effect, StoreError> {
    let Some((account, conversation, letter)) = prepare(profile, remote, id).await? else {
        return Ok(Effect::Nothing);
    };
    let letter = match letter {
        Ok(letter) => letter,
        Err(fault) => return Ok(Effect::Hold(fault)),
    };
    let answer = tokio::select! {
        answer = remote.send(account, &letter) => answer,
        () = profile.parts.clock.sleep(PATIENCE) => Err(Fault::new(FaultKind::Unknown, "no_answer")),
    };
    let (outcome, effect) = outcome_of(answer);
    loop {
        match write_down(profile, id, conversation, &outcome).await {
            Ok(()) => return Ok(effect),
            Err(StoreError::Closed) => return Err(StoreError::Closed),
            Err(error) => {
                tracing::warn!(target: "shopbell::outbox", %error, "the outcome of a send waits for the disk");
                profile.parts.clock.sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

type Prepared = (AccountId, ConversationId, Result<Letter, Fault>);

/// The last checks, by the platform's clock, and the durable "it is leaving now".
async fn prepare(
    profile: &Profile,
    remote: &dyn Remote,
    id: OutboxId,
) -> Result<Option<Prepared>, StoreError> {
    let now_ms = profile.now_ms();
    let platform_now_ms = now_ms + remote.clock_offset_ms().unwrap_or(0);
    let mut tx = profile.store.write(Priority::Owner).await?;
    let Some(row) = sqlx::query!(
        "SELECT key, conversation_id, author, body FROM outbox WHERE id = ? AND state IN ('scheduled', 'queued')",
        id.0
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        return Ok(None);
    };
    let Some(context) = Context::of(&mut tx, ConversationId(row.conversation_id)).await? else {
        return Ok(None);
    };
    let (account, conversation) = (context.account, context.conversation);
    if let Some(lock) = context.account_lock() {
        settle::waits(&mut tx, id, &lock).await?;
        tx.commit().await?;
        let fault = Fault {
            kind: FaultKind::NotAllowedHere,
            reason: lock,
            retry_after_ms: None,
        };
        return Ok(Some((account, conversation, Err(fault))));
    }
    let author = Author::parse(&row.author).unwrap_or(Author::Automation);
    let Some(window) = context.window(author, platform_now_ms) else {
        settle::back_to_draft(
            &mut tx,
            id,
            &Reason::new("window_closed_while_waiting"),
            now_ms,
        )
        .await?;
        tx.commit().await?;
        return Ok(None);
    };
    let body = Body::parse(&row.body);
    let letter = Letter {
        person: context.person,
        text: body.text,
        reply_to_mid: body.reply_to_mid,
        human_agent: window == Window::HumanOnly,
        metadata: (context.channel == Channel::Messenger)
            .then(|| format!("{}{}", echo::METADATA, row.key)),
    };
    if !settle::begin(&mut tx, id, platform_now_ms, now_ms).await? {
        return Ok(None);
    }
    tx.commit().await?;
    Ok(Some((account, conversation, Ok(letter))))
}

/// What an answer means for the row and for the account.
fn outcome_of(answer: Result<String, Fault>) -> (Outcome, Effect) {
    let fault = match answer {
        Ok(mid) => return (Outcome::Sent { mid }, Effect::Reached),
        Err(fault) => fault,
    };
    let reason = fault.reason.clone();
    match fault.kind {
        FaultKind::Offline => (
            Outcome::Again {
                reason: Reason::new("waits_for_network"),
            },
            Effect::Hold(fault),
        ),
        FaultKind::RateLimited => (
            Outcome::Again {
                reason: Reason::new("rate_limited"),
            },
            Effect::Hold(fault),
        ),
        FaultKind::SignedOut | FaultKind::NotAllowedHere => {
            (Outcome::Again { reason }, Effect::Hold(fault))
        }
        FaultKind::Busy | FaultKind::Unknown => (Outcome::Unknown { reason }, Effect::Reached),
        FaultKind::Permission | FaultKind::Refused | FaultKind::Gone | FaultKind::TooMuch => {
            (Outcome::Failed { reason }, Effect::Reached)
        }
    }
}

async fn write_down(
    profile: &Profile,
    id: OutboxId,
    conversation: ConversationId,
    outcome: &Outcome,
) -> Result<(), StoreError> {
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Owner).await?;
    settle::finish(&mut tx, id, outcome, now_ms).await?;
    echo::release(&mut tx, conversation, now_ms).await?;
    tx.commit().await
}

/// Reads the newest messages of the conversation through `ingest`, which recognises what is ours.
///
/// # Errors
/// What the database says.
pub(super) async fn look(
    profile: &Profile,
    remote: &dyn Remote,
    work: &Work,
) -> Result<Effect, StoreError> {
    let Work::Look {
        conversation,
        account,
        ..
    } = *work
    else {
        return Ok(Effect::Nothing);
    };
    let context = {
        let mut reader = profile.store.read().await?;
        Context::of(&mut reader, conversation).await?
    };
    let Some(context) = context else {
        return Ok(Effect::Nothing);
    };
    let answer = remote.recent(account, &context.person).await;
    let now_ms = profile.now_ms();
    let (messages, fault) = match answer {
        Ok(messages) => (messages, None),
        Err(fault) => (Vec::new(), Some(fault)),
    };
    // Not having been able to ask is not a look.
    let counts = fault.as_ref().is_none_or(|fault| {
        matches!(
            fault.kind,
            FaultKind::Gone | FaultKind::Refused | FaultKind::Permission
        )
    });
    let mut tx = profile.store.write(Priority::Owner).await?;
    if !messages.is_empty() {
        let items = messages.into_iter().map(IncomingItem::Message).collect();
        ingest::apply(
            &mut tx,
            &Incoming {
                account,
                source: Source::Poll,
                observed_at_ms: now_ms,
                items,
            },
        )
        .await?;
    }
    let last = LOOKS_MS.len() as i64;
    if counts {
        sqlx::query!(
            "UPDATE outbox SET checks = checks + 1, next_check_ms = CASE WHEN checks + 1 < ? THEN MAX(updated_at_ms + ?, ?) END
             WHERE conversation_id = ? AND state = 'unknown'",
            last,
            LOOKS_MS[1],
            now_ms,
            conversation.0
        )
        .execute(&mut *tx)
        .await?;
    } else {
        let later = now_ms
            + fault
                .as_ref()
                .and_then(|fault| fault.retry_after_ms)
                .unwrap_or(LOOKS_MS[0]);
        sqlx::query!(
            "UPDATE outbox SET next_check_ms = ? WHERE conversation_id = ? AND state = 'unknown' AND next_check_ms IS NOT NULL",
            later,
            conversation.0
        )
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    Ok(match fault {
        None => Effect::Reached,
        Some(fault) if counts => {
            tracing::debug!(target: "shopbell::outbox", %fault, "a look was refused");
            Effect::Reached
        }
        Some(fault) => Effect::Hold(fault),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_certainly_did_nothing_stays_in_line() {
        use FaultKind::*;
        for (kind, expected) in [
            (Offline, "again"),
            (RateLimited, "again"),
            (SignedOut, "again"),
            (NotAllowedHere, "again"),
            (Busy, "unknown"),
            (Unknown, "unknown"),
            (Refused, "failed"),
            (Permission, "failed"),
            (Gone, "failed"),
            (TooMuch, "failed"),
        ] {
            let word = match outcome_of(Err(Fault::new(kind, "x"))).0 {
                Outcome::Again { .. } => "again",
                Outcome::Unknown { .. } => "unknown",
                Outcome::Failed { .. } => "failed",
                Outcome::Sent { .. } => "sent",
            };
            assert_eq!(word, expected, "{kind:?}");
        }
    }
}
