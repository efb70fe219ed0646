//! What comes back from the browser, or out of the clipboard: a link, a refusal, a bare code. Hostile until parsed. Pure.

use shopbell_wire::{CODE_PREFIX, Callback, Refusal, Secret};

/// Longest text that is looked at.
const MAX: usize = 8_192;

/// What was pasted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pasted {
    /// A link with a code and the sign-in it belongs to.
    Code { code: Secret, state: String },
    /// A bare code from the relay's page.
    Bare(Secret),
    /// The person or the platform said no.
    Refused { refusal: Refusal, state: String },
    /// Nothing of ours.
    Junk,
}

/// Reads it. People paste with spaces, quotes and the `#_` or `#_=_` that Meta appends.
pub(super) fn parse(text: &str) -> Pasted {
    if text.len() > MAX {
        return Pasted::Junk;
    }
    let text = text
        .trim()
        .trim_matches(|c| matches!(c, '"' | '\'' | '<' | '>' | '`'))
        .trim();
    let text = text
        .strip_suffix("#_=_")
        .or_else(|| text.strip_suffix("#_"))
        .unwrap_or(text);
    if text.starts_with(CODE_PREFIX) {
        return bare(text).map_or(Pasted::Junk, Pasted::Bare);
    }
    match Callback::parse(text) {
        Ok(Callback::Code { code, state }) => match bare(code.expose()) {
            Some(code) => Pasted::Code { code, state },
            None => Pasted::Junk,
        },
        Ok(Callback::Refused { refusal, state, .. }) => Pasted::Refused { refusal, state },
        Err(_) => Pasted::Junk,
    }
}

/// A code of the relay: its prefix and base64url, nothing else.
fn bare(text: &str) -> Option<Secret> {
    let text = text
        .strip_suffix("#_=_")
        .or_else(|| text.strip_suffix("#_"))
        .unwrap_or(text);
    let rest = text.strip_prefix(CODE_PREFIX)?;
    let plain = rest
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    (plain && !rest.is_empty()).then(|| Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(state: &str) -> Pasted {
        Pasted::Code {
            code: Secret::new("sbc1.abc-_9"),
            state: state.into(),
        }
    }

    #[test]
    fn links_in_every_form_people_bring_them() {
        for text in [
            "shopbell://oauth/callback?code=sbc1.abc-_9&state=S",
            "  \"shopbell://oauth/callback?code=sbc1.abc-_9&state=S\"\n",
            "<shopbell://oauth/callback?state=S&code=sbc1.abc-_9>",
            "shopbell://oauth/callback?code=sbc1.abc-_9&state=S#_",
            "shopbell://oauth/callback?code=sbc1.abc-_9&state=S#_=_",
            "http://127.0.0.1:41234/?code=sbc1.abc-_9&state=S",
        ] {
            assert_eq!(parse(text), code("S"), "{text}");
        }
        for text in [
            "sbc1.abc-_9",
            " sbc1.abc-_9 ",
            "sbc1.abc-_9#_=_",
            "`sbc1.abc-_9`",
        ] {
            assert_eq!(
                parse(text),
                Pasted::Bare(Secret::new("sbc1.abc-_9")),
                "{text}"
            );
        }
    }

    #[test]
    fn refusals_keep_their_reason() {
        let denied = |text: &str| match parse(text) {
            Pasted::Refused { refusal, state } => Some((refusal, state)),
            _ => None,
        };
        let base = "shopbell://oauth/callback?state=S&error=access_denied";
        assert_eq!(denied(base), Some((Refusal::ConsentDenied, "S".into())));
        assert_eq!(
            denied(&format!(
                "{base}&error_reason=user_denied&error_description=no#_"
            )),
            Some((Refusal::ConsentDenied, "S".into()))
        );
        assert_eq!(
            denied(&format!("{base}&refusal=no_page")),
            Some((Refusal::NoPage, "S".into()))
        );
        assert_eq!(
            denied(&format!("{base}&refusal=made_up")),
            Some((Refusal::Unknown, "S".into()))
        );
    }

    #[test]
    fn everything_else_is_junk() {
        for text in [
            "",
            "hello",
            "sbc1.",
            "sbc1.a b",
            "sbc1.a\u{0}",
            "shopbell://oauth/callback?code=sbc1.x",
            "shopbell://oauth/callback?code=sbc1.x&code=sbc1.y&state=S",
            "shopbell://oauth/callback?code=other&state=S",
            "shopbell://evil/callback?code=sbc1.x&state=S",
            "https://oauth/callback?code=sbc1.x&state=S",
            "http://127.0.0.1.evil.example/?code=sbc1.x&state=S",
            "javascript:alert(1)",
        ] {
            assert_eq!(parse(text), Pasted::Junk, "{text}");
        }
        assert_eq!(parse(&format!("sbc1.{}", "a".repeat(MAX))), Pasted::Junk);
    }
}
