//! From the bytes of a delivery to what they say. Pure; nothing here can fail the stream: what cannot be read says so.

use crate::{
    api::types::Reason,
    domain::Channel,
    platform::webhook::{self, EntryNews},
};
use shopbell_wire::{AccountKind, EventKind, EventOpener, OwnerNotice, SealedEvent, account_of};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An event with its public facts.
pub(super) struct Event {
    pub kind: EventKind,
    /// Hex; empty when the bytes were no event.
    pub id: String,
    pub subject: String,
    pub received_ms: i64,
    /// What is logged.
    pub body: Vec<u8>,
    /// `body` is still sealed, because it did not open.
    pub sealed: bool,
    pub content: Content,
}

/// What it says.
pub(super) enum Content {
    /// An account's webhook.
    Webhook(EntryNews),
    /// The owner removed the app at Meta.
    Deauthorized(OwnerNotice),
    /// The owner asked Meta for deletion.
    Deletion(OwnerNotice),
    /// A shop or website; kept until something here uses it.
    NotUsedYet,
    /// A kind of a newer relay.
    UnknownKind,
    /// It cannot be read.
    Spoilt(Reason),
}

/// Opens and reads what was delivered.
pub(super) fn read(opener: &mut EventOpener<'_>, bytes: Vec<u8>) -> Event {
    let Ok(sealed) = SealedEvent::from_bytes(&bytes) else {
        return Event {
            kind: EventKind(0),
            id: String::new(),
            subject: String::new(),
            received_ms: 0,
            body: bytes,
            sealed: true,
            content: Content::Spoilt(Reason::new("not_an_event")),
        };
    };
    let opened = opener.open(&sealed);
    let (body, is_sealed, content) = match opened {
        Ok(plain) => {
            let content = understand(sealed.kind, &sealed.subject, &plain);
            (plain.to_vec(), false, content)
        }
        Err(_) => (bytes, true, Content::Spoilt(Reason::new("not_opened"))),
    };
    Event {
        kind: sealed.kind,
        id: hex::encode(sealed.id),
        received_ms: sealed.received_ms,
        subject: sealed.subject,
        body,
        sealed: is_sealed,
        content,
    }
}

impl Event {
    /// The account it is about, as the relay says.
    pub(super) fn account(&self) -> Option<(Channel, String)> {
        let account = account_of(&self.subject)?;
        Some((channel(account.kind), account.platform_id))
    }
}

/// Reads what was sealed. A fault of ours in a parser spoils the one event only.
pub(super) fn understand(kind: EventKind, subject: &str, plain: &[u8]) -> Content {
    catch_unwind(AssertUnwindSafe(|| content(kind, subject, plain)))
        .unwrap_or_else(|_| Content::Spoilt(Reason::new("panic")))
}

fn content(kind: EventKind, subject: &str, plain: &[u8]) -> Content {
    match kind {
        EventKind::META => {
            let Some(account) = account_of(subject) else {
                return Content::Spoilt(Reason::new("no_account"));
            };
            match webhook::entry(channel(account.kind), &account.platform_id, plain) {
                Ok(news) => Content::Webhook(news),
                Err(error) => Content::Spoilt(Reason::new(error.word())),
            }
        }
        EventKind::DEAUTHORIZED => notice(plain, Content::Deauthorized),
        EventKind::DELETION => notice(plain, Content::Deletion),
        EventKind::SHOP | EventKind::COLLECT => Content::NotUsedYet,
        _ => Content::UnknownKind,
    }
}

fn notice(plain: &[u8], content: impl FnOnce(OwnerNotice) -> Content) -> Content {
    match serde_json::from_slice::<OwnerNotice>(plain) {
        Ok(notice) => content(notice),
        Err(_) => Content::Spoilt(Reason::new("not_understood")),
    }
}

/// The wire's word for where customers write.
fn channel(kind: AccountKind) -> Channel {
    match kind {
        AccountKind::Page => Channel::Messenger,
        AccountKind::Instagram => Channel::Instagram,
    }
}
