//! What happens to messages after they were sent: edits, reactions, unsends, receipts; and what a thread's listing tells.
//!
//! Invariant: each of these commutes with itself told again or in another order: the higher edit count wins, the later reaction wins,
//! an unsend is final, watermarks only rise. A message read by its id keeps a mark of its own; how far everything was read follows from
//! the marked messages' times when all of the news is in ([`Batch::settle_receipts`]), because a poll may tell the second of a message
//! before its webhook tells the millisecond.

use super::{
    batch::{Batch, Reaction, Waiting},
    keys::sane,
    waiting::Body,
};
use crate::domain::{
    Channel, IncomingReaction, IncomingReferral, IncomingThread, MessageState, Source,
};

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
        self.unsent.push(mid.to_owned());
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
            if crate::planted::on("app.receipts_go_back") {
                talk.read_until_ms = None;
            }
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

    /// The customer read this message, and with it everything before.
    pub fn read_message(&mut self, index: usize) {
        let message = &mut self.messages[index];
        if !message.seen {
            message.seen = true;
            message.changed = true;
        }
    }

    /// When all times are known: how far the customer read, and what that makes of our messages told here. States move back only where a
    /// message turned out to be later than its second.
    pub fn settle_receipts(&mut self) {
        let Self {
            messages, talks, ..
        } = self;
        for message in messages.iter().filter(|message| message.seen) {
            let talk = &mut talks[message.talk];
            raise(
                &mut talk.read_until_ms,
                message.sent_at_ms,
                &mut talk.touched,
            );
        }
        for message in messages.iter_mut().filter(|message| message.ours()) {
            let talk = &talks[message.talk];
            let until = |mark: Option<i64>| mark.is_some_and(|mark| message.sent_at_ms <= mark);
            let told = if message.seen || until(talk.read_until_ms) {
                MessageState::Read
            } else if until(talk.delivered_until_ms) {
                MessageState::Delivered
            } else {
                MessageState::Sent
            };
            let now = match message.state {
                MessageState::Sent => told,
                MessageState::Delivered if message.refined || told == MessageState::Read => told,
                MessageState::Read if message.refined => told,
                state => state,
            };
            if now != message.state {
                message.state = now;
                message.changed = true;
            }
        }
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
        message.tap = None;
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

    /// The platform said only that there is such a message. It is asked for when it does not come.
    pub fn take_announced(&mut self, mid: &str) {
        if self.find(mid).is_none() {
            self.wait(mid, "announced", Body::default());
            if let Some(waiting) = self.waiting.last_mut().filter(|last| last.mid == mid) {
                waiting.at_ms = self.observed_at_ms;
            }
        }
    }

    /// The customer came through a link or an ad, without a word. The latest is kept.
    pub fn take_referral(&mut self, referral: &IncomingReferral) {
        let Some(index) = self.talk(&referral.person) else {
            self.ignored += 1;
            return;
        };
        let at_ms = sane(referral.at_ms);
        if referral.opens_window {
            self.customer_spoke(index, at_ms);
        }
        let came = (
            at_ms,
            super::write::reason_of(&referral.kind, &referral.label),
        );
        let talk = &mut self.talks[index];
        if talk.referral.as_ref().is_none_or(|known| *known < came) {
            talk.referral = Some(came);
            talk.touched = true;
        }
    }

    /// The platform handed the thread to us, or to another program.
    pub fn take_control(&mut self, person: &str, ours: bool, at_ms: i64) {
        match self.talk(person) {
            Some(index) => self.held_by(index, ours, sane(at_ms)),
            None => self.ignored += 1,
        }
    }

    /// Newest proof of who holds a thread.
    pub fn held_by(&mut self, talk: usize, ours: bool, at_ms: i64) {
        let talk = &mut self.talks[talk];
        let mark = if ours {
            &mut talk.control_at_ms
        } else {
            &mut talk.standby_at_ms
        };
        raise(mark, at_ms, &mut talk.touched);
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
