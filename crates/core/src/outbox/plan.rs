//! Which sends and looks are due: a pure function of the open rows, what is under way, and the time.
//!
//! Invariants: one request in flight per conversation; first in, first out inside a conversation; an unknown send holds the ones behind
//! it back until both looks are over, and no longer (an owner who does not decide must not be mute for ever).

use super::settle::LOOKS_MS;
use crate::domain::{AccountId, ConversationId, OutboxId};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A hold-back is at most 30 s; a moment further away than this means that the computer's clock was set back.
const FAR_MS: i64 = 60_000;

/// State of an open row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Held back, or wants to leave.
    Waiting {
        /// UTC ms.
        not_before_ms: i64,
    },
    /// On its way.
    Sending,
    /// Perhaps. `next_check_ms` = the next look, if any is left.
    Unknown {
        /// Looks done.
        checks: i64,
        /// UTC ms.
        next_check_ms: Option<i64>,
    },
}

/// An open row, in order of id.
#[derive(Debug, Clone, Copy)]
pub struct OpenRow {
    /// Row.
    pub id: OutboxId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its account.
    pub account: AccountId,
    /// State.
    pub open: Open,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Send this row.
    Send {
        /// Row.
        id: OutboxId,
        /// Its conversation.
        conversation: ConversationId,
        /// Its account.
        account: AccountId,
    },
    /// Look in this conversation for unknown sends.
    Look {
        /// Row that asked.
        id: OutboxId,
        /// Its conversation.
        conversation: ConversationId,
        /// Its account.
        account: AccountId,
    },
}

impl Work {
    /// Where it happens.
    pub fn conversation(&self) -> ConversationId {
        match self {
            Self::Send { conversation, .. } | Self::Look { conversation, .. } => *conversation,
        }
    }
}

/// Work due now, and ms until the next.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// In order.
    pub work: Vec<Work>,
    /// `None` = nothing is waiting for a moment.
    pub next_in_ms: Option<i64>,
}

/// Decides. `holds`: accounts to leave alone, with the ms left. Under a hold looks wait too: they would ask the same platform.
pub fn due(
    rows: &[OpenRow],
    busy: &HashSet<ConversationId>,
    holds: &HashMap<AccountId, i64>,
    now_ms: i64,
) -> Due {
    let mut due = Due::default();
    let mut by_conversation: BTreeMap<i64, Vec<&OpenRow>> = BTreeMap::new();
    for row in rows {
        by_conversation
            .entry(row.conversation.0)
            .or_default()
            .push(row);
    }
    let mut heads: Vec<&OpenRow> = Vec::new();
    for rows in by_conversation.values_mut() {
        rows.sort_by_key(|row| row.id);
        if busy.contains(&rows[0].conversation) {
            continue;
        }
        // A look that is due serves every unknown row of the conversation.
        heads.extend(
            rows.iter()
                .filter(|row| {
                    matches!(
                        row.open,
                        Open::Unknown {
                            next_check_ms: Some(_),
                            ..
                        }
                    )
                })
                .take(1),
        );
        let blocking = |row: &&&OpenRow| !matches!(row.open, Open::Unknown { checks, .. } if checks >= LOOKS_MS.len() as i64);
        if let Some(head) = rows.iter().find(blocking)
            && matches!(head.open, Open::Waiting { .. })
        {
            heads.push(head);
        }
    }
    heads.sort_by_key(|row| row.id);
    let mut started = HashSet::new();
    for row in heads {
        let at_ms = match row.open {
            Open::Waiting { not_before_ms } => not_before_ms,
            Open::Unknown {
                next_check_ms: Some(at_ms),
                ..
            } => at_ms,
            _ => continue,
        };
        let left = if at_ms - now_ms > FAR_MS {
            0
        } else {
            (at_ms - now_ms).max(0)
        };
        let left = left.max(holds.get(&row.account).copied().unwrap_or(0));
        if left > 0 {
            due.next_in_ms = Some(due.next_in_ms.map_or(left, |ms| ms.min(left)));
        } else if started.insert(row.conversation) {
            let (id, conversation, account) = (row.id, row.conversation, row.account);
            due.work.push(match row.open {
                Open::Waiting { .. } => Work::Send {
                    id,
                    conversation,
                    account,
                },
                _ => Work::Look {
                    id,
                    conversation,
                    account,
                },
            });
        }
    }
    due
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
