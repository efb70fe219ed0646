//! What may be sent, as far as the text alone decides. Counted as the platform counts (meta-platform §5.2).

use crate::{api::types::Reason, domain::Channel};

/// Instagram: bytes of UTF-8.
pub const INSTAGRAM_BYTES: usize = 1_000;
/// Messenger: characters.
pub const MESSENGER_CHARACTERS: usize = 2_000;

/// Checks a text.
///
/// # Errors
/// `text_empty`, or `too_long` with `unit` (`bytes` or `characters`), `max` and `count`.
pub fn check_text(channel: Channel, text: &str) -> Result<(), Reason> {
    if text.trim().is_empty() {
        return Err(Reason::new("text_empty"));
    }
    let (unit, max, count) = match channel {
        Channel::Instagram => ("bytes", INSTAGRAM_BYTES, text.len()),
        Channel::Messenger => ("characters", MESSENGER_CHARACTERS, text.chars().count()),
    };
    if count > max {
        return Err(Reason::new("too_long")
            .with("unit", unit)
            .with("max", max)
            .with("count", count));
    }
    Ok(())
}

/// The reply window at a moment (meta-platform §5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Within 24 hours of the customer's last sign of life.
    Open,
    /// Within 7 days.
    HumanOnly,
    /// Later, or the customer never wrote.
    Closed,
}

const HOUR_MS: i64 = 3_600_000;

/// The window by the platform's time.
pub fn window(customer_at_ms: Option<i64>, platform_now_ms: i64) -> Window {
    match customer_at_ms.map(|at_ms| platform_now_ms - at_ms) {
        Some(age) if age < 24 * HOUR_MS => Window::Open,
        Some(age) if age < 7 * 24 * HOUR_MS => Window::HumanOnly,
        _ => Window::Closed,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_window_ends_on_the_millisecond() {
        let at = 1_900_000_000_000;
        assert_eq!(window(None, at), Window::Closed);
        for (age, expected) in [
            (-5_000, Window::Open),
            (24 * HOUR_MS - 1, Window::Open),
            (24 * HOUR_MS, Window::HumanOnly),
            (7 * 24 * HOUR_MS - 1, Window::HumanOnly),
            (7 * 24 * HOUR_MS, Window::Closed),
        ] {
            assert_eq!(window(Some(at), at + age), expected, "{age}");
        }
    }

    #[test]
    fn the_platforms_count_differently() {
        assert!(check_text(Channel::Messenger, &"ü".repeat(2_000)).is_ok());
        assert_eq!(
            check_text(Channel::Messenger, &"a".repeat(2_001)).map_err(|r| r.code),
            Err("too_long".into())
        );
        assert!(check_text(Channel::Instagram, &"ü".repeat(500)).is_ok());
        let refused = check_text(Channel::Instagram, &"🥐".repeat(251)).unwrap_err();
        assert_eq!(
            (refused.code.as_str(), refused.params["count"].as_str()),
            ("too_long", "1004")
        );
        assert!(check_text(Channel::Instagram, &"🥐".repeat(250)).is_ok());
    }

    #[test]
    fn nothing_but_white_space_is_nothing() {
        for text in ["", " ", "\n\t\u{2003}"] {
            assert_eq!(
                check_text(Channel::Instagram, text).map_err(|r| r.code),
                Err("text_empty".into()),
                "{text:?}"
            );
        }
    }
}
