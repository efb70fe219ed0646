//! Every call the sandbox received and what it answered. Tokens, codes and secrets are replaced by a
//! short stable hash, so that a test can say "the same token" without ever holding one in a report.

use std::collections::VecDeque;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::http::answer::Answer;
use crate::http::call::Call;
use crate::world::World;

/// Older entries are dropped beyond this.
const KEPT: usize = 20_000;
/// Longer texts are cut.
const TEXT_LIMIT: usize = 16_000;
/// How minted tokens and codes begin.
const PREFIXES: [&str; 4] = ["EAASB", "IGAASB", "AQDSB", "AQBSB"];

/// One call.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Counts from 1.
    pub number: u64,
    /// Sandbox clock, UTC milliseconds.
    pub at_ms: i64,
    /// The simulated host.
    pub host: String,
    /// The method after `?method=` overrides.
    pub method: String,
    /// The path with its version.
    pub path: String,
    /// All parameters, redacted.
    pub params: Vec<(String, String)>,
    /// Whether the token came in the `Authorization` header.
    pub bearer: bool,
    /// `tok_…` of the token, if one came.
    pub token: Option<String>,
    /// The body as text, redacted.
    pub body: String,
    /// The HTTP status that was answered.
    pub status: u16,
    /// What was answered, redacted.
    pub answer: String,
    /// The fault that was at work.
    pub fault: Option<String>,
}

/// All calls.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    count: u64,
}

impl Journal {
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// The stable short name of a secret.
pub(crate) fn hash_word(secret: &str) -> String {
    let digest = Sha256::digest(secret.as_bytes());
    format!("tok_{}", &hex::encode(digest)[..12])
}

/// Replaces whatever looks like a minted token or code.
fn redact(text: &str, secrets: &[&str]) -> String {
    let (text, cut) = shorten(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    'scan: while !rest.is_empty() {
        let next = PREFIXES
            .iter()
            .filter_map(|prefix| rest.find(prefix))
            .chain(
                secrets
                    .iter()
                    .filter(|s| !s.is_empty())
                    .filter_map(|secret| rest.find(secret)),
            )
            .min();
        let Some(at) = next else {
            out.push_str(rest);
            break 'scan;
        };
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = secrets
            .iter()
            .find(|secret| !secret.is_empty() && rest.starts_with(*secret))
            .map_or_else(
                || {
                    rest.find(|c: char| !c.is_ascii_alphanumeric())
                        .unwrap_or(rest.len())
                },
                |secret| secret.len(),
            );
        out.push_str(&hash_word(&rest[..length]));
        rest = &rest[length..];
    }
    out.extend(cut);
    out
}

/// The beginning of a long text, and what to say about the rest. Cut first: whole pages of answers are
/// longer than anybody reads, and every one is searched for secrets.
fn shorten(text: &str) -> (&str, Option<String>) {
    if text.len() <= TEXT_LIMIT {
        return (text, None);
    }
    let end = (0..=TEXT_LIMIT)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    (
        &text[..end],
        Some(format!("… ({} bytes in all)", text.len())),
    )
}

impl World {
    /// Writes a call down.
    pub(crate) fn write_down(&mut self, call: &Call, answer: &Answer, fault: Option<String>) {
        let secrets = [
            self.config.facebook.secret.as_str(),
            self.config.instagram.secret.as_str(),
        ];
        let params = call
            .params
            .iter()
            .map(|(key, value)| {
                let shown = match key.as_str() {
                    "access_token" | "client_secret" | "appsecret_proof" | "code"
                    | "input_token" | "fb_exchange_token" | "verify_token" => hash_word(value),
                    _ => redact(value, &secrets),
                };
                (key.clone(), shown)
            })
            .collect();
        let path = match &call.version {
            Some(version) => format!("/{version}/{}", call.segments.join("/")),
            None => format!("/{}", call.segments.join("/")),
        };
        let entry = Entry {
            number: self.journal.count + 1,
            at_ms: self.clock.now_ms(),
            host: call.host.word().into(),
            method: call.method.clone(),
            path,
            params,
            bearer: call.bearer.is_some(),
            token: call.token().map(hash_word),
            body: redact(&call.body, &secrets),
            status: answer.status,
            answer: redact(&answer.text(), &secrets),
            fault,
        };
        self.journal.count += 1;
        if self.journal.entries.len() >= KEPT {
            self.journal.entries.pop_front();
        }
        self.journal.entries.push_back(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_secrets_leave_only_their_hash() {
        let token = format!("EAASB{}", "x".repeat(90));
        let text = format!("?access_token={token}&a=1&s=geheim \"{token}\"");
        let shown = redact(&text, &["geheim"]);
        assert!(!shown.contains("EAASB") && !shown.contains("geheim"));
        assert_eq!(shown.matches(&hash_word(&token)).count(), 2);
        assert!(shown.contains("&a=1&s=tok_"));
    }

    #[test]
    fn long_texts_are_cut_between_letters() {
        let long = "ä".repeat(TEXT_LIMIT);
        let cut = redact(&long, &[]);
        assert!(cut.len() < TEXT_LIMIT + 60 && cut.contains("bytes in all"));
    }
}
