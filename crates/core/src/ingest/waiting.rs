//! News that came before the message it speaks of. It waits in its own table and is applied when the message comes.

use super::batch::{Batch, Waiting};
use serde::{Deserialize, Serialize};

/// What a waiting row says. Which fields count depends on the kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_edit: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_customer: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    pub at_ms: i64,
}

/// The kind as the program holds it; `None` for a word of a newer schema.
pub(super) fn kind(word: &str) -> Option<&'static str> {
    [
        "edit",
        "unsend",
        "read",
        "reaction",
        "unreaction",
        "announced",
    ]
    .into_iter()
    .find(|known| *known == word)
}

impl Batch {
    /// Applies what waited for a message that just came, from earlier batches and from this one.
    pub fn apply_waited(&mut self, index: usize, mid: &str) {
        let mut due = self.waited.remove(mid).unwrap_or_default();
        if !due.is_empty() {
            self.applied.push(mid.to_owned());
        }
        let (now, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| waiting.mid == mid);
        self.waiting = later;
        due.extend(now);
        for Waiting { kind, body, .. } in due {
            match kind {
                "edit" => self.edit(
                    index,
                    body.text.as_deref().unwrap_or_default(),
                    body.num_edit.unwrap_or(1),
                    body.at_ms,
                ),
                "unsend" => self.erase(index),
                "read" => self.read_message(index),
                "reaction" | "unreaction" => {
                    self.react(
                        index,
                        body.by_customer.unwrap_or(true),
                        body.emoji.unwrap_or_default(),
                        body.at_ms,
                    );
                }
                // It is here: nothing is left to ask for.
                _ => {}
            }
        }
    }
}
