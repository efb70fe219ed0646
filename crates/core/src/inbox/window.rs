//! The reply window (products §2.2, meta-platform §5.3). Pure.
//!
//! Only what the customer does moves it: a message, a tap, a story reply, a reaction. Decide by the platform's clock, not the laptop's.

use crate::{
    api::types::{Reason, TextLimit, WindowView},
    domain::Channel,
};

/// Meta's standard window after the customer's last act.
pub const STANDARD_MS: i64 = 24 * 3_600_000;
/// The human-agent window, for connections with that reviewed feature.
pub const HUMAN_MS: i64 = 7 * 24 * 3_600_000;

/// Where a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyWindow {
    /// The customer never wrote: nobody may begin.
    Never,
    /// Everything may be sent until then; a person until `human_until_ms` where the connection allows it.
    Open {
        /// End of the 24 hours, UTC ms.
        until_ms: i64,
        /// End of the 7 days, UTC ms.
        human_until_ms: Option<i64>,
    },
    /// Only a person may still answer, with the human-agent tag.
    HumanOnly {
        /// End of the 24 hours, UTC ms.
        ended_ms: i64,
        /// End of the 7 days, UTC ms.
        until_ms: i64,
    },
    /// Over.
    Closed {
        /// End of the 24 hours, UTC ms.
        ended_ms: i64,
    },
}

/// The window at `now_ms` by the platform's clock. It is open up to, not at, its end.
pub fn of(
    channel: Channel,
    customer_at_ms: Option<i64>,
    human_agent_allowed: bool,
    now_ms: i64,
) -> ReplyWindow {
    // Both of Meta's channels have the same rule; a channel without a window gets its own arm here.
    let (Channel::Messenger | Channel::Instagram) = channel;
    let Some(customer_at_ms) = customer_at_ms else {
        return ReplyWindow::Never;
    };
    let until_ms = customer_at_ms.saturating_add(STANDARD_MS);
    let human_until_ms = human_agent_allowed.then_some(customer_at_ms.saturating_add(HUMAN_MS));
    if now_ms < until_ms {
        return ReplyWindow::Open {
            until_ms,
            human_until_ms,
        };
    }
    match human_until_ms {
        Some(human) if now_ms < human => ReplyWindow::HumanOnly {
            ended_ms: until_ms,
            until_ms: human,
        },
        _ => ReplyWindow::Closed { ended_ms: until_ms },
    }
}

impl ReplyWindow {
    /// As the boundary says it. `account_lock` (account state, sample) comes before the window's own lock.
    pub fn view(self, account_lock: Option<Reason>) -> WindowView {
        let (state, open_until_ms, human_until_ms) = match self {
            Self::Never => ("never", None, None),
            Self::Open {
                until_ms,
                human_until_ms,
            } => ("open", Some(until_ms), human_until_ms),
            Self::HumanOnly { ended_ms, until_ms } => {
                ("human_only", Some(ended_ms), Some(until_ms))
            }
            Self::Closed { ended_ms } => ("closed", Some(ended_ms), None),
        };
        let closed = matches!(self, Self::Never | Self::Closed { .. });
        let lock = account_lock.or_else(|| closed.then(|| Reason::new("window_closed")));
        WindowView {
            state: state.to_owned(),
            open_until_ms,
            human_until_ms,
            lock,
        }
    }
}

/// How long one text may be, as the platform counts (meta-platform §5: Instagram bytes, Messenger characters).
pub fn text_limit(channel: Channel) -> TextLimit {
    match channel {
        Channel::Instagram => TextLimit {
            unit: "bytes".to_owned(),
            max: 1000,
        },
        Channel::Messenger => TextLimit {
            unit: "characters".to_owned(),
            max: 2000,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA_WROTE: i64 = 1_767_600_000_000;

    #[test]
    fn it_ends_on_the_millisecond() {
        let at = |now, human| of(Channel::Instagram, Some(ANA_WROTE), human, now);
        assert!(matches!(
            at(ANA_WROTE + STANDARD_MS - 1, false),
            ReplyWindow::Open {
                human_until_ms: None,
                ..
            }
        ));
        assert!(matches!(
            at(ANA_WROTE + STANDARD_MS, false),
            ReplyWindow::Closed { .. }
        ));
        assert!(matches!(
            at(ANA_WROTE + STANDARD_MS, true),
            ReplyWindow::HumanOnly { .. }
        ));
        assert!(matches!(
            at(ANA_WROTE + HUMAN_MS, true),
            ReplyWindow::Closed { .. }
        ));
        assert_eq!(of(Channel::Messenger, None, true, 0), ReplyWindow::Never);
        assert!(matches!(
            of(Channel::Messenger, Some(i64::MAX), true, 0),
            ReplyWindow::Open { .. }
        ));
    }

    #[test]
    fn the_account_locks_before_the_window_does() {
        let closed = of(
            Channel::Messenger,
            Some(ANA_WROTE),
            false,
            ANA_WROTE + HUMAN_MS,
        );
        assert_eq!(closed.view(None).lock, Some(Reason::new("window_closed")));
        assert_eq!(
            closed.view(Some(Reason::new("signed_out"))).lock,
            Some(Reason::new("signed_out"))
        );
        let open = of(Channel::Messenger, Some(ANA_WROTE), true, ANA_WROTE);
        assert_eq!(open.view(None).lock, None);
        assert_eq!(open.view(None).human_until_ms, Some(ANA_WROTE + HUMAN_MS));
        assert_eq!(
            ReplyWindow::Never.view(None).lock,
            Some(Reason::new("window_closed"))
        );
    }
}
