//! A dump of everything the sandbox holds, for tests that compare: the product holds exactly this.
//! Its own plain shape with millisecond times, not the platform's.

use serde_json::{Value, json};

use crate::journal::hash_word;
use crate::world::World;
use crate::world::posts::Level;

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
        let mut strangers: Vec<_> = self.strangers.values().collect();
        strangers.sort_by(|a, b| a.id.cmp(&b.id));
        let now = self.now_ms();
        let posts = self.shown_posts();
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
            "counts": {"conversations": threads.len(), "messages": messages, "customers": customers.len(),
                       "posts": posts.len(), "comments": self.comments.len()},
            "owners": self.owners.values().collect::<Vec<_>>(),
            "pages": self.pages.values().filter(|page| !page.id.starts_with("1099")).collect::<Vec<_>>(),
            "instagram": self.instagram.values().collect::<Vec<_>>(),
            "customers": customers,
            "conversations": threads,
            "unsent": self.unsent,
            "strangers": strangers,
            "posts": posts,
            "mentions": self.mentions.values().collect::<Vec<_>>(),
            "shops": self.shops.hooks,
            "subscriptions": self.mailbox.subscriptions(),
            "tokens": tokens,
        })
    }
    /// Posts newest first, each with its comments oldest first.
    fn shown_posts(&self) -> Vec<Value> {
        let mut posts: Vec<_> = self.posts.values().collect();
        posts.sort_by(|a, b| {
            b.created_ms
                .cmp(&a.created_ms)
                .then_with(|| a.id.cmp(&b.id))
        });
        posts
            .into_iter()
            .map(|post| {
                let mut shown = json!(post);
                shown["comments"] = json!(self.comments_below(&post.id, Level::All));
                shown
            })
            .collect()
    }
}
