//! What happens to messages after they were sent: edits, reactions, unsends, receipts; and what a thread's listing tells.
//!
//! Invariant: each of these commutes with itself told again or in another order: the higher edit count wins, the later reaction wins,
//! an unsend is final, watermarks only rise.

use super::{
    batch::{Batch, Reaction, Waiting},
    keys::sane,
    waiting::Body,
};
use crate::domain::{Channel, IncomingReaction, IncomingThread, Source};

impl Batch {
    /// A thread as listed.
    pub fn take_thread(&mut self, thread: &IncomingThread) {
        let Some(index) = self.talk(&thread.person.platform_id) else {
            self.ignored += 1;
            return;
        };
        let talk = &mut self.talks[index];
        if !thread.platform_id.is_empty() && talk.thread.as_deref() != Some(&thread.platform_id) {
            talk.thread = Some(thread.platform_id.clone());
            talk.touched = true;
        }
        if thread.older_missing && !talk.older_missing {
            talk.older_missing = true;
            talk.touched = true;
        }
        if let Some(unread) = thread.unread {
            talk.told_unread = Some((unread, sane(thread.updated_at_ms)));
        }
    }

    /// A reaction set or taken back.
    pub fn take_reaction(&mut self, reaction: &IncomingReaction) {
        let emoji = reaction.emoji.clone().unwrap_or_default();
        let at_ms = sane(reaction.at_ms);
        if reaction.by_customer && !emoji.is_empty() && self.source == Source::Webhook {
            // A reaction opens the window (meta-platform §5.3). Polls do not know when it was given, so they do not count.
            if let Some(index) = self
                .find(&reaction.mid)
                .map(|message| self.messages[message].talk)
                .or(self.talk(&reaction.person))
            {
                self.customer_spoke(index, at_ms);
            }
        }
        match self.find(&reaction.mid) {
            Some(index) => self.react(index, reaction.by_customer, emoji, at_ms),
            None => {
                let kind = if emoji.is_empty() {
                    "unreaction"
                } else {
                    "reaction"
                };
                let body = Body {
                    by_customer: Some(reaction.by_customer),
                    emoji: Some(emoji),
                    at_ms,
                    ..Body::default()
                };
                self.wait(&reaction.mid, kind, body);
            }
        }
    }

    /// An edit.
    pub fn take_edit(&mut self, mid: &str, text: &str, num_edit: i64, at_ms: i64) {
        let at_ms = sane(at_ms);
        // Instagram announces brand-new messages as "edit 0" without a text (meta-platform §3.8). The message itself follows.
        if num_edit <= 0 {
            self.ignored += 1;
            return;
        }
        match self.find(mid) {
            Some(index) => self.edit(index, text, num_edit, at_ms),
            None => {
                let body = Body {
                    text: Some(super::merge::clean(text)),
                    num_edit: Some(num_edit),
                    at_ms,
                    ..Body::default()
                };
                self.wait(mid, "edit", body);
            }
        }
    }

    /// An author took a message back.
    pub fn take_unsend(&mut self, mid: &str, at_ms: i64) {
        match self.find(mid) {
            Some(index) => self.erase(index),
            None => {
                // What waits with words of it must not keep them.
                self.waiting
                    .retain(|waiting| waiting.mid != mid || waiting.kind != "edit");
                self.wait(
                    mid,
                    "unsend",
                    Body {
                        at_ms: sane(at_ms),
                        ..Body::default()
                    },
                );
            }
        }
    }

    /// A delivery watermark. Instagram has none; one that claims to be is not believed (decision C4).
    pub fn take_delivered(&mut self, person: &str, watermark_ms: i64) {
        match self.talk(person) {
            Some(index) if self.channel == Channel::Messenger => {
                let talk = &mut self.talks[index];
                raise(
                    &mut talk.delivered_until_ms,
                    sane(watermark_ms),
                    &mut talk.touched,
                );
            }
            _ => self.ignored += 1,
        }
    }

    /// A read watermark, or one message read.
    pub fn take_read(
        &mut self,
        person: &str,
        watermark_ms: Option<i64>,
        mid: Option<&str>,
        at_ms: i64,
    ) {
        if let (Some(watermark_ms), Some(index)) = (watermark_ms, self.talk(person)) {
            let talk = &mut self.talks[index];
            raise(
                &mut talk.read_until_ms,
                sane(watermark_ms),
                &mut talk.touched,
            );
        }
        match mid.filter(|mid| !mid.is_empty()) {
            Some(mid) => match self.find(mid) {
                Some(index) => self.read_message(index),
                None => self.wait(
                    mid,
                    "read",
                    Body {
                        at_ms: sane(at_ms),
                        ..Body::default()
                    },
                ),
            },
            None if watermark_ms.is_none() => self.ignored += 1,
            None => {}
        }
    }

    /// Everything up to this message was read.
    pub fn read_message(&mut self, index: usize) {
        let (talk, at_ms) = (self.messages[index].talk, self.messages[index].sent_at_ms);
        let talk = &mut self.talks[talk];
        raise(&mut talk.read_until_ms, at_ms, &mut talk.touched);
    }

    /// Gives a message its edited text.
    pub fn edit(&mut self, index: usize, text: &str, num_edit: i64, at_ms: i64) {
        let message = &mut self.messages[index];
        if message.deleted || num_edit <= message.num_edit {
            return;
        }
        message.text = Some(super::merge::clean(text)).filter(|text| !text.is_empty());
        message.num_edit = num_edit;
        message.edited_at_ms = Some(at_ms);
        message.changed = true;
        message.reworded = true;
    }

    /// Takes everything out of a message.
    pub fn erase(&mut self, index: usize) {
        let message = &mut self.messages[index];
        if message.deleted {
            return;
        }
        message.deleted = true;
        message.text = None;
        message.num_edit = 0;
        message.edited_at_ms = None;
        message.attachments.clear();
        message.first_attachment = None;
        message.story_kind = None;
        message.story_id = None;
        message.story_url = None;
        message.referral = None;
        message.unsupported = false;
        message.changed = true;
        message.reworded = true;
        message.erased = true;
    }

    /// Stores a reaction with its message.
    pub fn react(&mut self, index: usize, by_customer: bool, emoji: String, at_ms: i64) {
        self.reactions.push(Reaction {
            message: index,
            by_customer,
            emoji,
            at_ms,
        });
    }

    /// The customer did something that opens the 24-hour window. It never moves back.
    pub fn customer_spoke(&mut self, talk: usize, at_ms: i64) {
        let talk = &mut self.talks[talk];
        raise(&mut talk.customer_at_ms, at_ms, &mut talk.touched);
    }

    fn wait(&mut self, mid: &str, kind: &'static str, body: Body) {
        if mid.is_empty() {
            self.ignored += 1;
            return;
        }
        let at_ms = body.at_ms;
        self.waiting.push(Waiting {
            mid: mid.to_owned(),
            kind,
            body,
            at_ms,
        });
    }
}

fn raise(mark: &mut Option<i64>, at_ms: i64, touched: &mut bool) {
    if mark.is_none_or(|before| before < at_ms) {
        *mark = Some(at_ms);
        *touched = true;
    }
}
