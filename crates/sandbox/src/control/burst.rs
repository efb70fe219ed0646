//! Many events at once, for load and for batches: real changes of the world, told in POSTs of a wanted size.

use super::ControlError;
use super::actions::missing;
use super::commands::{OneMessage, PageSays, React, Receipt, Tap};
use super::content_commands::Remark;
use super::thread_commands::{Burst, BurstKind, Bursted};
use crate::webhooks::events;
use crate::world::World;
use crate::world::people::{Account, Platform};
use crate::world::threads::Message;

impl World {
    pub(crate) fn burst(&mut self, order: &Burst) -> Result<Bursted, ControlError> {
        let mut accounts = Vec::new();
        for word in order.account.iter().chain(&order.accounts) {
            accounts.push(self.named(word)?);
        }
        if accounts.is_empty() {
            let subscribed: Vec<String> = self.mailbox.subscriptions().keys().cloned().collect();
            accounts.extend(subscribed.iter().filter_map(|id| self.account_named(id)));
        }
        if accounts.is_empty() || order.kinds.is_empty() {
            return Err(missing("subscribed account or kind", "burst"));
        }
        let mut crowds = Vec::new();
        for account in &accounts {
            crowds.push(self.crowd(account, order.people.max(1))?);
        }
        self.mailbox.per_post = order.per_post.max(1);
        let mut made = Bursted::default();
        for number in 0..order.count {
            let crowd = &crowds[number % crowds.len()];
            let round = number / crowds.len();
            let thread = &crowd.threads[round % crowd.threads.len()];
            let kind = order.kinds[round % order.kinds.len()];
            let text = filled(number, order.letters);
            let done = self.burst_one(kind, crowd, thread, text, &mut made);
            if let Err(error) = done {
                self.mailbox.per_post = 1;
                return Err(error);
            }
            made.events += 1;
        }
        self.mailbox.per_post = 1;
        Ok(made)
    }

    /// The people of an account that a burst speaks through, and its newest post.
    fn crowd(&mut self, account: &Account, people: usize) -> Result<Crowd, ControlError> {
        let mut threads = Vec::new();
        for number in 1..=people {
            let name = format!("Gast {number}");
            threads.push(self.meant(None, Some(&account.id), Some(&name), false)?);
        }
        let post = self
            .posts
            .values()
            .filter(|post| &post.account == account && post.takes_comments())
            .max_by(|a, b| (a.created_ms, &a.id).cmp(&(b.created_ms, &b.id)))
            .map(|post| post.id.clone());
        Ok(Crowd {
            platform: account.platform,
            account: account.id.clone(),
            threads,
            post,
        })
    }

    fn burst_one(
        &mut self,
        kind: BurstKind,
        crowd: &Crowd,
        thread: &str,
        text: String,
        made: &mut Bursted,
    ) -> Result<(), ControlError> {
        let kind = match (kind, crowd.platform) {
            (BurstKind::Delivery, Platform::Instagram) => BurstKind::Message,
            (kind, _) => kind,
        };
        match kind {
            BurstKind::Message => {
                let id = self.quick_message(thread, text, true);
                made.messages.push(id);
            }
            BurstKind::Echo => {
                let said = self.page_says(PageSays {
                    conversation: thread.to_owned(),
                    text,
                    ..PageSays::default()
                })?;
                made.messages.push(said.message_id);
            }
            BurstKind::Reaction => {
                let message = self.newest(thread, false);
                let emoji = "❤".to_owned();
                self.react(React { message, emoji })?;
            }
            BurstKind::Edit => {
                let message = self.newest(thread, false);
                self.edit(OneMessage { message, text })?;
            }
            BurstKind::Unsend => {
                let message = self.newest(thread, false);
                self.unsend(&message)?;
            }
            BurstKind::Read | BurstKind::Delivery => {
                let message = self.newest(thread, true);
                self.receipt(Receipt {
                    conversation: thread.to_owned(),
                    message: Some(message),
                    delivered_only: kind == BurstKind::Delivery,
                    after_ms: 0,
                })?;
            }
            BurstKind::Postback => self.tap(Tap {
                conversation: thread.to_owned(),
                title: text,
                payload: "BURST".into(),
                ..Tap::default()
            })?,
            BurstKind::Comment => {
                let post = crowd
                    .post
                    .clone()
                    .ok_or_else(|| missing("post of", &crowd.account))?;
                let customer = self.between(thread).map(|between| between.customer);
                let remarked = self.remark(Remark {
                    post,
                    customer,
                    text,
                    ..Remark::default()
                })?;
                made.comments.push(remarked.comment_id);
            }
        }
        Ok(())
    }

    fn quick_message(&mut self, thread: &str, text: String, tell: bool) -> String {
        let platform = self
            .between(thread)
            .map_or(Platform::Messenger, |between| between.account.platform);
        let message = Message {
            id: self.new_message_id(platform),
            created_ms: self.now_ms(),
            text,
            ..Message::default()
        };
        let id = message.id.clone();
        self.put_message(thread, message);
        if tell {
            events::message(self, thread, &id);
        }
        id
    }

    /// The newest message of one side; made silently when there is none.
    fn newest(&mut self, thread: &str, from_business: bool) -> String {
        let held = self.conversations.get(thread).and_then(|held| {
            let mut newest = held.messages.iter().rev();
            newest.find(|message| message.from_business == from_business)
        });
        if let Some(message) = held {
            return message.id.clone();
        }
        if !from_business {
            return self.quick_message(thread, "…".into(), false);
        }
        let said = self.page_says(PageSays {
            conversation: thread.to_owned(),
            text: "…".into(),
            silent: true,
            ..PageSays::default()
        });
        said.map(|said| said.message_id).unwrap_or_default()
    }
}

struct Crowd {
    platform: Platform,
    account: String,
    threads: Vec<String>,
    post: Option<String>,
}

fn filled(number: usize, letters: usize) -> String {
    let mut text = format!("Nachricht {number}");
    while text.len() < letters {
        text.push_str(" und noch ein Wort");
    }
    text.truncate(letters.max(format!("Nachricht {number}").len()));
    text
}
