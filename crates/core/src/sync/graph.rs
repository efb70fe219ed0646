//! [`Remote`] for Meta: access, the Graph client, the adapter, and what each failure means here.
//!
//! Every answer is also reported to `accounts`: a dead token signs the account out there, and may be repaired there, after which the call
//! is made once more. Nothing else in `sync` and `outbox` knows the platform.

use super::remote::{
    Fault, FaultKind, FoundThread, Haste, Letter, MessagePage, Remote, ThreadPage, ThreadQuery,
};
use crate::{
    Profile,
    accounts::{self, Access, AccessError, Remedy},
    api::types::Reason,
    domain::{AccountId, Channel, IncomingMessage},
    outbox::refusal,
    platform::{
        Call, Fault as Cause, GraphError, Lane, RawMessage, RawThread, RetryKind, SendRequest,
        adapter,
    },
};
use async_trait::async_trait;
use std::sync::Arc;

/// Messages that come with a thread: as many as Meta details (meta-platform §4).
const NESTED: u32 = 20;

/// Meta, for one profile.
pub struct GraphRemote {
    profile: Arc<Profile>,
}

impl GraphRemote {
    /// Over a profile's Graph client.
    pub fn new(profile: Arc<Profile>) -> Self {
        Self { profile }
    }

    async fn access(&self, account: AccountId) -> Result<Access, Fault> {
        accounts::access(&self.profile, account)
            .await
            .map_err(|error| {
                let kind = match error {
                    AccessError::SignedOut(_) => FaultKind::SignedOut,
                    AccessError::Locked | AccessError::Store(_) => FaultKind::Busy,
                    _ => FaultKind::NotAllowedHere,
                };
                Fault {
                    kind,
                    reason: error.reason(),
                    retry_after_ms: None,
                }
            })
    }
}

/// Makes a call, reports its outcome, and makes it once more when the token was repaired.
macro_rules! call {
    ($self:ident, $account:expr, $kind:expr, |$access:ident| $call:expr) => {{
        let mut $access = $self.access($account).await?;
        let mut answer = $call.await;
        if let Err(error) = &answer
            && accounts::report(&$self.profile, $account, error).await == Remedy::TryAgain
        {
            $access = $self.access($account).await?;
            answer = $call.await;
            if let Err(error) = &answer {
                accounts::report(&$self.profile, $account, error).await;
            }
        }
        match answer {
            Ok(answer) => {
                accounts::report_ok(&$self.profile, $account, $kind).await;
                Ok(($access, answer))
            }
            Err(error) => Err(error),
        }
    }};
}

#[async_trait]
impl Remote for GraphRemote {
    async fn threads(
        &self,
        account: AccountId,
        query: ThreadQuery<'_>,
    ) -> Result<ThreadPage, Fault> {
        let nested = if query.with_messages { NESTED } else { 0 };
        let lane = lane(query.haste);
        let (access, page) = call!(self, account, Call::Read, |access| self
            .profile
            .graph
            .conversations(&access, query.after, query.limit, nested, lane))
        .map_err(|error| of_read(&error))?;
        let threads = page
            .items
            .iter()
            .filter_map(|raw| found(&access, raw, query.with_messages))
            .collect();
        Ok(ThreadPage {
            threads,
            next: page.after,
            limit: page.limit,
        })
    }

    async fn messages(
        &self,
        account: AccountId,
        thread: &str,
        after: Option<&str>,
        limit: u32,
        haste: Haste,
    ) -> Result<MessagePage, Fault> {
        let lane = lane(haste);
        let (access, page) = call!(self, account, Call::Read, |access| self
            .profile
            .graph
            .thread_messages(&access, thread, after, limit, lane))
        .map_err(|error| of_read(&error))?;
        let older_missing = page.items.iter().any(adapter::is_bare);
        let customer = page
            .items
            .iter()
            .find_map(|raw| adapter::message(&access, raw))
            .map(|message| message.person);
        let messages = page
            .items
            .iter()
            .filter_map(|raw| adapter::message_in(&access, raw, customer.as_ref(), Some(thread)))
            .collect();
        Ok(MessagePage {
            messages,
            next: page.after,
            older_missing,
        })
    }

    async fn message(&self, account: AccountId, mid: &str) -> Result<IncomingMessage, Fault> {
        let (access, raw): (Access, RawMessage) = call!(self, account, Call::Read, |access| self
            .profile
            .graph
            .message(&access, mid, Lane::Background))
        .map_err(|error| {
            // "No such object" may also mean another encoding of the id; only the deletion's own code is one.
            let mut fault = of_read(&error);
            if fault.kind == FaultKind::Gone && !error.is_deleted_or_older() {
                fault.kind = FaultKind::Refused;
            }
            fault
        })?;
        adapter::message(&access, &raw).ok_or_else(|| Fault::new(FaultKind::Refused, "not_meta"))
    }

    async fn recent(
        &self,
        account: AccountId,
        person: &str,
    ) -> Result<Vec<IncomingMessage>, Fault> {
        let (access, raw): (Access, Option<RawThread>) =
            call!(self, account, Call::Read, |access| self
                .profile
                .graph
                .conversation_with(&access, person, NESTED, Lane::Send))
            .map_err(|error| of_read(&error))?;
        Ok(raw
            .and_then(|raw| found(&access, &raw, true))
            .map(|found| found.messages)
            .unwrap_or_default())
    }

    async fn send(&self, account: AccountId, letter: &Letter) -> Result<String, Fault> {
        let request = SendRequest {
            recipient: letter.person.clone(),
            text: letter.text.clone(),
            reply_to_mid: letter.reply_to_mid.clone(),
            human_agent: letter.human_agent,
            metadata: letter.metadata.clone(),
        };
        let (_, answer) = call!(self, account, Call::Send, |access| self
            .profile
            .graph
            .send(&access, &request))
        .map_err(|error| of_send(&error))?;
        Ok(answer.message_id)
    }

    fn clock_offset_ms(&self) -> Option<i64> {
        self.profile.graph.clock_offset_ms()
    }
}

fn lane(haste: Haste) -> Lane {
    match haste {
        Haste::Background => Lane::Background,
        Haste::Interactive => Lane::Interactive,
    }
}

fn found(access: &Access, raw: &RawThread, with_messages: bool) -> Option<FoundThread> {
    let mut thread = adapter::thread(access, raw)?;
    if !with_messages {
        thread.older_missing = false;
        return Some(FoundThread {
            thread,
            messages: Vec::new(),
            older: None,
        });
    }
    let bare = raw.messages.items.iter().any(adapter::is_bare);
    // Instagram tells no count. A list that is full and offers no more was cut at the newest 20.
    let cut = access.channel == Channel::Instagram
        && raw.messages.after.is_none()
        && raw.messages.items.len() >= NESTED as usize;
    thread.older_missing |= bare || cut;
    let messages: Vec<IncomingMessage> = raw
        .messages
        .items
        .iter()
        .filter_map(|message| {
            adapter::message_in(
                access,
                message,
                Some(&thread.person),
                Some(&thread.platform_id),
            )
        })
        .collect();
    // What follows a message without content has none either.
    let older = raw.messages.after.clone().filter(|_| !bare);
    Some(FoundThread {
        thread,
        messages,
        older,
    })
}

/// A failed read. Pure.
fn of_read(error: &GraphError) -> Fault {
    let kind = match (error.kind, error.fault) {
        _ if error.code == Some(1) => FaultKind::TooMuch,
        _ if error.is_deleted_or_older()
            || (error.code, error.subcode) == (Some(100), Some(33)) =>
        {
            FaultKind::Gone
        }
        (RetryKind::RateLimited { .. }, _) => FaultKind::RateLimited,
        (RetryKind::Reconnect, _) => FaultKind::SignedOut,
        (RetryKind::Permission, _) => FaultKind::Permission,
        (RetryKind::Final, _) => FaultKind::Refused,
        (_, Cause::Offline) => FaultKind::Offline,
        _ => FaultKind::Busy,
    };
    Fault {
        kind,
        reason: error.reason(),
        retry_after_ms: error.retry_after_ms(),
    }
}

/// A failed send. What certainly did nothing stays apart from what perhaps did (decision T17). Pure.
fn of_send(error: &GraphError) -> Fault {
    let mut fault = match (error.fault, error.kind) {
        (Cause::HeldBack, _) => Fault::new(FaultKind::RateLimited, "rate_limited"),
        (_, _) if !error.reached => Fault::new(FaultKind::Offline, "waits_for_network"),
        (Cause::Answered, _) if error.code.is_some() => {
            refusal::of_send(error.code.unwrap_or(0), error.subcode.unwrap_or(0))
        }
        (_, RetryKind::RateLimited { .. }) => Fault::new(FaultKind::RateLimited, "rate_limited"),
        _ => Fault {
            kind: FaultKind::Unknown,
            reason: Reason::new("no_answer"),
            retry_after_ms: None,
        },
    };
    fault.retry_after_ms = error.retry_after_ms();
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(
        fault: Cause,
        kind: RetryKind,
        code: Option<i64>,
        subcode: Option<i64>,
        reached: bool,
    ) -> GraphError {
        GraphError {
            kind,
            code,
            subcode,
            http: None,
            reached,
            fault,
            call: Call::Send,
        }
    }

    #[test]
    fn a_send_is_only_safe_to_repeat_when_nothing_was_written() {
        let transient = RetryKind::Transient { after_ms: 2_000 };
        let limited = RetryKind::RateLimited { after_ms: 9_000 };
        for (error, kind) in [
            (
                error(Cause::Offline, transient, None, None, false),
                FaultKind::Offline,
            ),
            (
                error(Cause::Unreachable, transient, None, None, false),
                FaultKind::Offline,
            ),
            (
                error(Cause::Broken, RetryKind::Ambiguous, None, None, true),
                FaultKind::Unknown,
            ),
            (
                error(Cause::NotGraph, RetryKind::Ambiguous, None, None, true),
                FaultKind::Unknown,
            ),
            (
                error(Cause::HeldBack, limited, None, None, false),
                FaultKind::RateLimited,
            ),
            (
                error(Cause::NotGraph, limited, None, None, true),
                FaultKind::RateLimited,
            ),
            (
                error(Cause::Answered, limited, Some(613), None, true),
                FaultKind::RateLimited,
            ),
            (
                error(Cause::Answered, RetryKind::Ambiguous, Some(2), None, true),
                FaultKind::Unknown,
            ),
            (
                error(Cause::Answered, RetryKind::Ambiguous, None, None, true),
                FaultKind::Unknown,
            ),
            (
                error(
                    Cause::Answered,
                    RetryKind::Reconnect,
                    Some(190),
                    Some(463),
                    true,
                ),
                FaultKind::SignedOut,
            ),
            (
                error(
                    Cause::Answered,
                    RetryKind::Final,
                    Some(10),
                    Some(2_018_278),
                    true,
                ),
                FaultKind::Refused,
            ),
        ] {
            assert_eq!(of_send(&error).kind, kind, "{error}");
        }
        assert_eq!(
            of_send(&error(Cause::Answered, limited, Some(613), None, true)).retry_after_ms,
            Some(9_000)
        );
    }

    #[test]
    fn a_read_tells_waiting_from_refusing() {
        let transient = RetryKind::Transient { after_ms: 2_000 };
        for (error, kind) in [
            (
                error(Cause::Offline, transient, None, None, false),
                FaultKind::Offline,
            ),
            (
                error(Cause::Unreachable, transient, None, None, false),
                FaultKind::Busy,
            ),
            (
                error(Cause::Broken, transient, None, None, true),
                FaultKind::Busy,
            ),
            (
                error(Cause::Answered, transient, Some(1), None, true),
                FaultKind::TooMuch,
            ),
            (
                error(Cause::Answered, transient, Some(2), None, true),
                FaultKind::Busy,
            ),
            (
                error(
                    Cause::Answered,
                    RetryKind::Final,
                    Some(9_000_001),
                    None,
                    true,
                ),
                FaultKind::Gone,
            ),
            (
                error(Cause::Answered, RetryKind::Final, Some(100), Some(33), true),
                FaultKind::Gone,
            ),
            (
                error(Cause::Answered, RetryKind::Final, Some(100), None, true),
                FaultKind::Refused,
            ),
            (
                error(
                    Cause::Answered,
                    RetryKind::Permission,
                    Some(200),
                    Some(2_534_041),
                    true,
                ),
                FaultKind::Permission,
            ),
            (
                error(Cause::Answered, RetryKind::Reconnect, Some(190), None, true),
                FaultKind::SignedOut,
            ),
        ] {
            assert_eq!(of_read(&error).kind, kind, "{error}");
        }
    }
}
