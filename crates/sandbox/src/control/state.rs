//! A dump of everything the sandbox holds, for tests that compare: the product holds exactly this.
//! Its own plain shape with millisecond times, not the platform's.

use serde_json::{Value, json};

use crate::journal::hash_word;
use crate::world::World;

impl World {
    /// The dump. Conversations newest first, messages oldest first; tokens only by their hash.
    pub(crate) fn state(&self) -> Value {
        let mut threads: Vec<_> = self
            .conversations
            .values()
            .filter(|thread| !thread.messages.is_empty())
            .collect();
        threads.sort_by(|a, b| {
            b.updated_ms
                .cmp(&a.updated_ms)
                .then_with(|| a.id.cmp(&b.id))
        });
        let messages: usize = threads.iter().map(|thread| thread.messages.len()).sum();
        let mut customers: Vec<_> = self.customers.values().collect();
        customers.sort_by(|a, b| a.id.cmp(&b.id));
        let now = self.now_ms();
        let mut tokens: Vec<Value> = self
            .tokens
            .values()
            .map(|token| {
                json!({
                    "token": hash_word(&token.value),
                    "holder": format!("{:?}", token.holder),
                    "expires_ms": token.expires_ms,
                    "long_lived": token.long_lived,
                    "dead": self.dead(token),
                    "scopes": token.scopes,
                })
            })
            .collect();
        tokens.sort_by_key(|token| token["token"].to_string());
        json!({
            "now_ms": now,
            "counts": {"conversations": threads.len(), "messages": messages, "customers": customers.len()},
            "owners": self.owners.values().collect::<Vec<_>>(),
            "pages": self.pages.values().filter(|page| !page.id.starts_with("1099")).collect::<Vec<_>>(),
            "instagram": self.instagram.values().collect::<Vec<_>>(),
            "customers": customers,
            "conversations": threads,
            "unsent": self.unsent,
            "subscriptions": self.mailbox.subscriptions(),
            "tokens": tokens,
        })
    }
}
