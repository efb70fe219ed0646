//! What orders do to the world: customers write, react, edit, unsend, read and tap; owners answer from the
//! phone; people, accounts and tokens change. Each change announces itself as the platform would.

use super::ControlError;
use super::commands::{
    AccountChange, OneMessage, PageSays, Person, RawEvent, React, Receipt, Said, Say, Tap,
    TokenOrder,
};
use crate::generate::{names, portray};
use crate::journal::hash_word;
use crate::webhooks::{events, plain_mid, thread_events};
use crate::world::World;
use crate::world::cards::{Card, CardKind};
use crate::world::people::{Account, Platform};
use crate::world::schedule::Happening;
use crate::world::threads::{Message, Reaction, Share, Story};
use crate::world::tokens::Holder;

/// `app_id` of echoes that the platform's own inbox sends.
const INBOX_APP: &str = "26390203743090";

pub(super) fn missing(kind: &'static str, word: &str) -> ControlError {
    ControlError::Missing {
        kind,
        word: word.to_owned(),
    }
}

/// The name of a reaction; Instagram knows only the heart by name.
fn reaction_word(emoji: &str, platform: Platform) -> &'static str {
    match (emoji, platform) {
        ("❤" | "❤️", _) => "love",
        ("👍", Platform::Messenger) => "like",
        ("👎", Platform::Messenger) => "dislike",
        ("😆", Platform::Messenger) => "smile",
        ("😮", Platform::Messenger) => "wow",
        ("😢", Platform::Messenger) => "sad",
        ("😠", Platform::Messenger) => "angry",
        _ => "other",
    }
}

impl World {
    /// The conversation an order means; opened for people who have none yet.
    pub(super) fn meant(
        &mut self,
        conversation: Option<&str>,
        account: Option<&str>,
        customer: Option<&str>,
        requests: bool,
    ) -> Result<String, ControlError> {
        if let Some(id) = conversation {
            return match self.conversations.contains_key(id) {
                true => Ok(id.to_owned()),
                false => Err(missing("conversation", id)),
            };
        }
        let word = account.unwrap_or_default();
        let account = self
            .account_named(word)
            .ok_or_else(|| missing("account", word))?;
        let name = customer.unwrap_or("Alex Sommer");
        let person = match self.person_named(&account, name) {
            Some(person) => person,
            None => names::newcomer(self, &account, name),
        };
        self.adopt(&person);
        if let Some(thread) = self.conversation_with(&account, &person) {
            return Ok(thread.id.clone());
        }
        let id = self.open_conversation(account, &person);
        if let Some(thread) = self.conversations.get_mut(&id) {
            thread.requests = requests;
        }
        Ok(id)
    }

    pub(crate) fn say(&mut self, say: Say) -> Result<Said, ControlError> {
        let conversation = self.meant(
            say.conversation.as_deref(),
            say.account.as_deref(),
            say.customer.as_deref(),
            say.requests,
        )?;
        let platform = self.platform_of(&conversation)?;
        let created_ms = self.now_ms() - say.ago_ms.max(0);
        let mut message = Message {
            id: self.new_message_id(platform),
            created_ms,
            text: say.text.clone(),
            reply_to: say.reply_to.as_deref().map(plain_mid),
            quick_reply: say.quick_reply.clone(),
            unsupported: say.unsupported,
            sticker: say.sticker.then(|| "product/thumb.png".to_owned()),
            ..Message::default()
        };
        for word in &say.attachments {
            message.attachments.push(portray(self, word));
        }
        for kind in say.cards {
            let card = self.card(kind);
            message.cards.push(card);
        }
        if say.story_reply || say.story_mention {
            message.story = Some(Story {
                id: self.chance.digits("179", 17),
                mention: say.story_mention,
                path: "product/story-1.jpg".into(),
            });
        }
        if let Some(link) = &say.share {
            let id = self.chance.digits("55", 15);
            message.shares.push(Share {
                id,
                link: link.clone(),
                name: link.clone(),
            });
        }
        let said = self.store(&conversation, message, say.silent || say.bare_edit_only)?;
        if say.bare_edit_only && !say.silent {
            events::bare_edit(self, &conversation, &said.message_id);
        }
        Ok(said)
    }

    fn card(&mut self, kind: CardKind) -> Card {
        let word = match kind {
            CardKind::Reel | CardKind::IgReel => "clip",
            CardKind::Template => "dress",
            _ => "cake",
        };
        Card {
            kind,
            id: self.chance.digits("17", 16),
            title: "Kornblumenbrot".into(),
            path: portray(self, word).path,
        }
    }

    pub(crate) fn page_says(&mut self, says: PageSays) -> Result<Said, ControlError> {
        let platform = self.platform_of(&says.conversation)?;
        let attachments = says
            .attachments
            .iter()
            .map(|word| portray(self, word))
            .collect();
        let message = Message {
            id: self.new_message_id(platform),
            created_ms: self.now_ms(),
            from_business: true,
            text: says.text,
            attachments,
            app_id: Some(says.app_id.unwrap_or_else(|| INBOX_APP.into())),
            ..Message::default()
        };
        self.store(&says.conversation, message, says.silent)
    }

    fn platform_of(&self, conversation: &str) -> Result<Platform, ControlError> {
        self.conversations
            .get(conversation)
            .map(|thread| thread.account.platform)
            .ok_or_else(|| missing("conversation", conversation))
    }

    fn store(
        &mut self,
        conversation: &str,
        message: Message,
        silent: bool,
    ) -> Result<Said, ControlError> {
        let (id, created_ms) = (message.id.clone(), message.created_ms);
        self.put_message(conversation, message);
        if !silent {
            events::message(self, conversation, &id);
        }
        let customer = self
            .conversations
            .get(conversation)
            .map(|thread| thread.customer.clone());
        Ok(Said {
            conversation_id: conversation.to_owned(),
            message_id: id,
            customer_id: customer.unwrap_or_default(),
            created_ms,
        })
    }

    fn home(&self, message: &str) -> Result<(String, String), ControlError> {
        self.home_of(message)
            .map(|(thread, mid)| (thread.id.clone(), mid))
            .ok_or_else(|| missing("message", message))
    }

    pub(crate) fn react(&mut self, react: React) -> Result<(), ControlError> {
        let (home, mid) = self.home(&react.message)?;
        let now = self.now_ms();
        let word = reaction_word(&react.emoji, self.platform_of(&home)?);
        let given = (!react.emoji.is_empty()).then_some((word, react.emoji.as_str()));
        if let Some(thread) = self.conversations.get_mut(&home) {
            let by = thread.customer.clone();
            if let Some(message) = thread.message_mut(&mid) {
                message.reactions.retain(|reaction| reaction.by != by);
                if let Some((word, emoji)) = given {
                    message.reactions.push(Reaction {
                        word: word.into(),
                        emoji: emoji.into(),
                        by: by.clone(),
                    });
                }
            }
            if let (Some(person), true) = (self.customers.get_mut(&by), given.is_some()) {
                person.last_contact_ms = now;
            }
        }
        events::reaction(self, &home, &mid, given);
        Ok(())
    }

    pub(crate) fn edit(&mut self, edit: OneMessage) -> Result<(), ControlError> {
        let (home, mid) = self.home(&edit.message)?;
        if let Some(message) = self
            .conversations
            .get_mut(&home)
            .and_then(|thread| thread.message_mut(&mid))
        {
            message.text = edit.text;
            message.edits += 1;
        }
        events::edited(self, &home, &mid);
        Ok(())
    }

    pub(crate) fn unsend(&mut self, message: &str) -> Result<(), ControlError> {
        let (home, mid) = self.home(message)?;
        let Some(thread) = self.conversations.get_mut(&home) else {
            return Err(missing("message", message));
        };
        let at = thread.messages.iter().position(|message| message.id == mid);
        let Some(gone) = at.map(|at| thread.messages.remove(at)) else {
            return Err(missing("message", message));
        };
        self.message_home.remove(&mid);
        self.unsent.push(mid);
        if let Some(between) = self.between(&home) {
            events::unsent(self, &between, &gone);
        }
        Ok(())
    }

    pub(crate) fn receipt(&mut self, receipt: Receipt) -> Result<(), ControlError> {
        let thread = self
            .conversations
            .get(&receipt.conversation)
            .ok_or_else(|| missing("conversation", &receipt.conversation))?;
        let newest = thread
            .messages
            .iter()
            .rev()
            .find(|message| message.from_business);
        let message = match (&receipt.message, newest) {
            (Some(mid), _) => plain_mid(mid),
            (None, Some(newest)) => newest.id.clone(),
            (None, None) => {
                return Err(missing("message of the business in", &receipt.conversation));
            }
        };
        let conversation = receipt.conversation;
        let at_ms = self.now_ms() + receipt.after_ms.max(0);
        let what = if receipt.delivered_only {
            Happening::Delivered {
                conversation,
                message,
            }
        } else {
            Happening::Read {
                conversation,
                message,
            }
        };
        self.plan(at_ms, what);
        self.catch_up();
        Ok(())
    }

    pub(crate) fn tap(&mut self, tap: Tap) -> Result<(), ControlError> {
        let platform = self.platform_of(&tap.conversation)?;
        let mid = self.new_message_id(platform);
        let Some(between) = self.between(&tap.conversation) else {
            return Err(missing("conversation", &tap.conversation));
        };
        self.touched(&between.customer);
        let mid = (!tap.ice_breaker).then_some(mid);
        let (title, payload) = (&tap.title, &tap.payload);
        thread_events::postback(self, &between, mid.as_deref(), title, payload, None);
        Ok(())
    }

    pub(crate) fn change_person(&mut self, change: Person) -> Result<(), ControlError> {
        let word = change.customer.clone();
        let person = self
            .customers
            .values_mut()
            .find(|person| person.id == word || person.username == word || person.name() == word)
            .ok_or_else(|| missing("person", &word))?;
        person.blocked = change.blocked.unwrap_or(person.blocked);
        person.consented = change.consented.unwrap_or(person.consented);
        person.nameless = change.nameless.unwrap_or(person.nameless);
        person.profile_missing = change.profile_missing.unwrap_or(person.profile_missing);
        if let Some(name) = change.first_name {
            person.first_name = name;
        }
        if let Some(name) = change.last_name {
            person.last_name = name;
        }
        if let Some(word) = change.photo {
            person.picture = format!("avatar/{word}.jpg");
        }
        Ok(())
    }

    pub(crate) fn change_account(&mut self, change: AccountChange) -> Result<(), ControlError> {
        let account = self
            .account_named(&change.account)
            .ok_or_else(|| missing("account", &change.account))?;
        if let (Some(allowed), Some(ig)) =
            (change.messages_allowed, self.instagram.get_mut(&account.id))
        {
            ig.messages_allowed = allowed;
        }
        if let (Some(private), Some(ig)) = (change.private, self.instagram.get_mut(&account.id)) {
            ig.private = private;
        }
        if let (true, Some(page)) = (change.unlink, self.pages.get_mut(&account.id)) {
            page.instagram = None;
        }
        if let Some((id, by_other)) = change.thread_owned_by_other {
            let thread = self
                .conversations
                .get_mut(&id)
                .ok_or_else(|| missing("conversation", &id))?;
            thread.owned_by_other = by_other;
        }
        Ok(())
    }

    pub(crate) fn change_tokens(&mut self, order: &TokenOrder) -> usize {
        let meant: Vec<String> = self
            .tokens
            .values()
            .filter(|token| match (order.which.as_str(), &token.holder) {
                ("all", _)
                | ("user", Holder::Owner(_))
                | ("page", Holder::Page { .. })
                | ("instagram", Holder::Instagram(_)) => true,
                (word, _) => word == hash_word(&token.value),
            })
            .filter(|token| match (&order.account, &token.holder) {
                (None, _) => true,
                (Some(id), Holder::Page { page, .. }) => page == id,
                (Some(id), Holder::Instagram(own)) => own == id,
                (Some(id), Holder::Owner(own)) => own == id,
            })
            .map(|token| token.value.clone())
            .collect();
        let now = self.now_ms();
        for value in &meant {
            if let Some(token) = self.tokens.get_mut(value) {
                token.issued_ms -= order.age_ms.max(0);
                token
                    .scopes
                    .retain(|scope| !order.revoke_scopes.contains(scope));
                if let Some(left) = order.expires_in_ms {
                    token.expires_ms = Some(now + left);
                }
            }
            if let Some(death) = order.death {
                self.kill(value, death);
            }
        }
        meant.len()
    }

    pub(crate) fn raw_event(&mut self, event: RawEvent) -> Result<(), ControlError> {
        let account: Account = self
            .account_named(&event.account)
            .ok_or_else(|| missing("account", &event.account))?;
        self.emit_entry(&account, &event.field, event.entry);
        Ok(())
    }
}
