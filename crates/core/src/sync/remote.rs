//! What fetching and sending ask of a platform, and the kinds of "no" they can tell apart.
//!
//! Invariant: no platform words in here. [`super::graph`] is the one implementation for Meta; tests use one in memory. Every call
//! names its account, and a fault of one account says nothing about another.

use crate::{
    api::types::Reason,
    domain::{AccountId, IncomingMessage, IncomingThread},
};
use async_trait::async_trait;

/// How soon somebody waits for the answer; decides the place in the account's budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Haste {
    /// First sync and polls.
    Background,
    /// The owner waits, or a send is in doubt.
    Interactive,
}

/// One page of the thread list, newest first.
pub struct ThreadQuery<'a> {
    /// Cursor of the page before; `None` = from the newest.
    pub after: Option<&'a str>,
    /// Threads wanted.
    pub limit: u32,
    /// Also the newest messages of each thread, in the same call.
    pub with_messages: bool,
    /// Budget.
    pub haste: Haste,
}

/// A thread with what came along.
#[derive(Clone)]
pub struct FoundThread {
    /// The thread.
    pub thread: IncomingThread,
    /// Its newest messages, newest first; empty when none were asked for.
    pub messages: Vec<IncomingMessage>,
    /// Cursor to older messages; `None` = these are all that can be had.
    pub older: Option<String>,
}

/// A page of threads. May be empty and still have a `next`.
#[derive(Default, Clone)]
pub struct ThreadPage {
    /// Newest first.
    pub threads: Vec<FoundThread>,
    /// Absent on the last page.
    pub next: Option<String>,
    /// The limit that worked: smaller than asked for when the platform wanted less at once.
    pub limit: u32,
}

/// A page of one thread's messages. May be empty and still have a `next`.
#[derive(Default, Clone)]
pub struct MessagePage {
    /// Newest first.
    pub messages: Vec<IncomingMessage>,
    /// Absent on the last page.
    pub next: Option<String>,
    /// The platform has older ones that it does not show to apps.
    pub older_missing: bool,
}

/// One text that wants to leave.
pub struct Letter {
    /// The customer's platform id.
    pub person: String,
    /// Text.
    pub text: String,
    /// Message it answers.
    pub reply_to_mid: Option<String>,
    /// Sent under the human-agent tag: between 24 hours and 7 days, typed by a person.
    pub human_agent: bool,
    /// Comes back in the echo, where the platform can (Messenger).
    pub metadata: Option<String>,
}

/// What kind of "no" an answer was. What to do about it follows from the kind alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The platform was not reached: nothing was written to it.
    Offline,
    /// Not now: 5xx, time-outs, "try again".
    Busy,
    /// Asked too often; nothing was done.
    RateLimited,
    /// Asked for too much at once: ask for less.
    TooMuch,
    /// No such thing, or out of apps' reach.
    Gone,
    /// The token is dead; nothing was done.
    SignedOut,
    /// Our own rule: paused, disconnected, locked. Nothing was asked.
    NotAllowedHere,
    /// A permission or setting is missing; nothing was done.
    Permission,
    /// Refused for good.
    Refused,
    /// A send whose request may have been written and whose answer is not certain.
    Unknown,
}

/// An answer that is not the one hoped for.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind:?}: {code}", code = reason.code)]
pub struct Fault {
    /// What to do about it.
    pub kind: FaultKind,
    /// What to tell the owner.
    pub reason: Reason,
    /// The platform's own word on when to come back, ms.
    pub retry_after_ms: Option<i64>,
}

impl Fault {
    /// A fault with the code shown to the owner.
    pub fn new(kind: FaultKind, code: &str) -> Self {
        Self {
            kind,
            reason: Reason::new(code),
            retry_after_ms: None,
        }
    }

    /// Says when to come back.
    pub fn after(mut self, ms: i64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }
}

/// The platform, as fetching and sending see it. Dropping a call's future gives it up; a send given up counts as unknown.
#[async_trait]
pub trait Remote: Send + Sync {
    /// One page of the thread list.
    async fn threads(
        &self,
        account: AccountId,
        query: ThreadQuery<'_>,
    ) -> Result<ThreadPage, Fault>;

    /// One page of a thread's messages, newest first.
    async fn messages(
        &self,
        account: AccountId,
        thread: &str,
        after: Option<&str>,
        limit: u32,
        haste: Haste,
    ) -> Result<MessagePage, Fault>;

    /// One message; [`FaultKind::Gone`] when its author took it back.
    async fn message(&self, account: AccountId, mid: &str) -> Result<IncomingMessage, Fault>;

    /// The newest messages with one person, newest first: where to look whether a send arrived.
    async fn recent(&self, account: AccountId, person: &str)
    -> Result<Vec<IncomingMessage>, Fault>;

    /// Sends a text; answers the platform's message id.
    async fn send(&self, account: AccountId, letter: &Letter) -> Result<String, Fault>;

    /// Platform time minus this computer's time, ms, once an answer told it.
    fn clock_offset_ms(&self) -> Option<i64>;
}
