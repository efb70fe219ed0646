//! A message, from either side: known already, the same as a stored one, ours, put aside, or new.

use super::{
    batch::{Batch, Message},
    keys::sane,
    merge::clean,
};
use crate::{
    domain::{Author, ConversationId, IncomingMessage, MessageState, Source},
    outbox::echo::{EchoVerdict, classify, told_author},
    store::{StoreError, WriteTx},
};

/// Takes one message in.
pub(super) async fn take(
    tx: &mut WriteTx<'_>,
    batch: &mut Batch,
    message: &IncomingMessage,
) -> Result<(), StoreError> {
    let Some(talk) = batch
        .talk(&message.person.platform_id)
        .filter(|_| !message.mid.is_empty())
    else {
        batch.ignored += 1;
        return Ok(());
    };
    batch.note_person(talk, message);
    batch.note_holder(talk, message);
    let known = match batch
        .find(&message.mid)
        .or_else(|| batch.take_twin(message))
    {
        Some(index) => index,
        None => match author(tx, batch, talk, message).await? {
            Whose::Known(index) => index,
            Whose::Held => {
                batch.held += 1;
                return Ok(());
            }
            Whose::New(author) => {
                batch.add(talk, message, author);
                return Ok(());
            }
        },
    };
    batch.tell_again(known, message);
    batch.apply_waited(known, &message.mid);
    Ok(())
}

enum Whose {
    Known(usize),
    Held,
    New(Author),
}

async fn author(
    tx: &mut WriteTx<'_>,
    batch: &mut Batch,
    talk: usize,
    message: &IncomingMessage,
) -> Result<Whose, StoreError> {
    let told =
        batch.talks[talk].open_sends || message.metadata.is_some() || message.app_id.is_some();
    if message.author == Author::Customer || batch.source == Source::Sample || !told {
        return Ok(Whose::New(message.author));
    }
    let conversation = ConversationId(batch.talks[talk].conversation);
    match classify(tx, conversation, message, batch.observed_at_ms).await? {
        EchoVerdict::NotOurs(author) => Ok(Whose::New(author)),
        EchoVerdict::Hold { .. } => Ok(Whose::Held),
        EchoVerdict::Ours(id) => {
            let index = super::load::message(tx, batch, talk, id, &message.mid).await?;
            let talk = &mut batch.talks[talk];
            talk.touched = true;
            talk.recheck_receipts = true;
            Ok(Whose::Known(index))
        }
    }
}

impl Batch {
    fn note_person(&mut self, talk: usize, message: &IncomingMessage) {
        if let Some(thread) = message.thread.as_ref().filter(|thread| !thread.is_empty()) {
            let talk = &mut self.talks[talk];
            // A listing's id wins over a webhook's: the two may differ (decision T17).
            if talk.thread.is_none() {
                talk.thread = Some(thread.clone());
                talk.touched = true;
            }
        }
    }

    /// A customer's message comes to whoever holds the thread; the others hear it as bystanders.
    fn note_holder(&mut self, talk: usize, message: &IncomingMessage) {
        let at_ms = sane(message.sent_at_ms);
        if message.standby {
            self.held_by(talk, false, at_ms);
        } else if self.source == Source::Webhook && message.author == Author::Customer {
            self.held_by(talk, true, at_ms);
        }
    }

    /// A message that is here already.
    fn tell_again(&mut self, index: usize, message: &IncomingMessage) {
        let at_ms = sane(message.sent_at_ms);
        let polled = matches!(self.source, Source::Poll | Source::Backfill);
        let stored = &mut self.messages[index];
        let talk = stored.talk;
        // The more exact of the two times; the sort key stays as at first sight.
        if stored.sent_at_ms < at_ms && stored.sent_at_ms / 1000 == at_ms / 1000 {
            stored.sent_at_ms = at_ms;
            stored.refined = true;
            stored.changed = true;
        }
        // Only an echo says which program sent it; whoever told it before took it for the phone.
        if stored.author == Author::Phone
            && let Some(author) = told_author(message).filter(|author| *author != Author::Phone)
        {
            stored.author = author;
            stored.changed = true;
        }
        if !stored.deleted {
            if let Some(referral) = message.referral.clone().filter(|_| !stored.has_referral) {
                stored.referral = Some(referral);
                stored.has_referral = true;
                stored.changed = true;
            }
            if let Some(tap) = message.tap.clone().filter(|_| !stored.has_tap) {
                stored.tap = Some(tap);
                stored.has_tap = true;
                stored.changed = true;
            }
        }
        let spoke_at_ms = stored.sent_at_ms.max(at_ms);
        if let Some(text) = message
            .text
            .as_deref()
            .map(clean)
            .filter(|text| !text.is_empty())
        {
            // A poll shows the text as it is now, so an edit whose event was missed is seen here.
            if polled
                && !stored.deleted
                && stored.num_edit == 0
                && stored.id.is_some()
                && !stored.ours()
                && stored.text.as_deref() != Some(&text)
            {
                stored.text = Some(text);
                stored.edited_at_ms = Some(self.observed_at_ms);
                stored.changed = true;
                stored.reworded = true;
            }
        }
        if message.opens_window {
            self.customer_spoke(talk, spoke_at_ms);
        }
        if message.deleted {
            self.erase(index);
        }
        self.reactions_of(index, message);
    }

    fn add(&mut self, talk: usize, message: &IncomingMessage, author: Author) {
        let at_ms = sane(message.sent_at_ms);
        let customer = author == Author::Customer;
        let row = Message {
            id: None,
            key: 0,
            talk,
            mid: message.mid.clone(),
            alias: None,
            author,
            state: if customer {
                MessageState::Received
            } else {
                MessageState::Sent
            },
            text: message
                .text
                .as_deref()
                .map(clean)
                .filter(|text| !text.is_empty()),
            sent_at_ms: at_ms,
            edited_at_ms: None,
            num_edit: 0,
            deleted: false,
            unsupported: message.unsupported,
            reply_to: message.reply_to_mid.clone(),
            story_kind: message.story.as_ref().map(|story| story.kind.clone()),
            story_id: message.story.as_ref().and_then(|story| story.id.clone()),
            story_url: message.story.as_ref().and_then(|story| story.url.clone()),
            first_attachment: message.attachments.first().map(|first| first.kind.clone()),
            attachments: message.attachments.clone(),
            referral: message.referral.clone(),
            tap: message.tap.clone(),
            has_referral: message.referral.is_some(),
            has_tap: message.tap.is_some(),
            seen: false,
            refined: false,
            changed: false,
            reworded: false,
            erased: false,
        };
        let index = self.messages.len();
        self.messages.push(row);
        self.name(&message.mid, index);
        if customer && self.is_live() {
            self.talks[talk].new_from_customer = true;
        }
        if message.opens_window {
            self.customer_spoke(talk, at_ms);
        }
        if message.deleted {
            self.erase(index);
        }
        self.reactions_of(index, message);
        self.apply_waited(index, &message.mid);
    }

    fn reactions_of(&mut self, index: usize, message: &IncomingMessage) {
        for reaction in &message.reactions {
            self.react(
                index,
                reaction.by_customer,
                reaction.emoji.clone().unwrap_or_default(),
                sane(reaction.at_ms),
            );
        }
    }
}
