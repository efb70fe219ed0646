//! A small shop for tests: two accounts, people with names, ids far apart so that mixing them up fails.
#![allow(clippy::unwrap_used)]

use super::{IngestReport, take_in};
use crate::{
    domain::{
        AccountId, Author, Channel, Incoming, IncomingComment, IncomingItem, IncomingMessage,
        IncomingPerson, IncomingPost, IncomingReaction, IncomingThread, Source,
    },
    profile::testing::{Opened, offline_profile},
    store::Priority,
};

/// The bakery's Page.
pub(crate) const BAKERY: AccountId = AccountId(101);
/// The boutique on Instagram.
pub(crate) const BOUTIQUE: AccountId = AccountId(205);
/// 2026-01-05 08:00 UTC, an hour before the clock of tests.
pub(crate) const MORNING: i64 = 1_767_600_000_000;

/// A profile with both accounts, nothing in them.
pub(crate) async fn shop() -> Opened {
    let opened = offline_profile().await;
    let mut tx = opened.profile.store.write(Priority::Owner).await.unwrap();
    sqlx::query(
        "INSERT INTO sqlite_sequence (name, seq) VALUES ('contacts', 3000), ('identities', 5000), ('conversations', 7000), ('messages', 90000)",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    add_account(&opened, BAKERY, Channel::Messenger, "Backstube Licht").await;
    add_account(&opened, BOUTIQUE, Channel::Instagram, "Boutique Azul").await;
    opened
}

/// One more account.
pub(crate) async fn add_account(opened: &Opened, id: AccountId, channel: Channel, name: &str) {
    let mut tx = opened.profile.store.write(Priority::Owner).await.unwrap();
    sqlx::query(
        "INSERT INTO accounts (id, uuid, channel, provider, platform_id, name, state, state_since_ms, created_at_ms)
         VALUES (?1, 'uuid-' || ?1, ?2, 'facebook', 'page-' || ?1, ?3, 'live', 0, 0)",
    )
    .bind(id.0)
    .bind(channel.as_str())
    .bind(name)
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

/// Tells news and waits until it is stored.
pub(crate) async fn tell(
    opened: &Opened,
    account: AccountId,
    source: Source,
    items: Vec<IncomingItem>,
) -> IngestReport {
    let observed_at_ms = opened.profile.now_ms();
    let incoming = Incoming {
        account,
        source,
        observed_at_ms,
        items,
    };
    take_in(&opened.profile, incoming, Priority::Background)
        .await
        .unwrap()
}

/// A customer known by id only.
pub(crate) fn person(id: &str) -> IncomingPerson {
    IncomingPerson {
        platform_id: id.into(),
        name: None,
        username: None,
    }
}

/// A customer with a name.
pub(crate) fn named(id: &str, name: &str) -> IncomingPerson {
    IncomingPerson {
        platform_id: id.into(),
        name: Some(name.into()),
        username: None,
    }
}

/// A customer's message.
pub(crate) fn from(who: &str, mid: &str, at_ms: i64, text: &str) -> IncomingMessage {
    IncomingMessage {
        mid: mid.into(),
        person: person(who),
        thread: None,
        author: Author::Customer,
        metadata: None,
        app_id: None,
        sent_at_ms: at_ms,
        text: Some(text.into()),
        attachments: Vec::new(),
        reply_to_mid: None,
        story: None,
        reactions: Vec::new(),
        unsupported: false,
        deleted: false,
        referral: None,
        opens_window: true,
        tap: None,
        standby: false,
    }
}

/// A message of ours, sent from the phone.
pub(crate) fn to(who: &str, mid: &str, at_ms: i64, text: &str) -> IncomingMessage {
    IncomingMessage {
        author: Author::Phone,
        opens_window: false,
        ..from(who, mid, at_ms, text)
    }
}

/// As an item.
pub(crate) fn item(message: IncomingMessage) -> IncomingItem {
    IncomingItem::Message(message)
}

/// A thread as listed.
pub(crate) fn thread(
    who: IncomingPerson,
    id: &str,
    updated_at_ms: i64,
    unread: Option<i64>,
) -> IncomingItem {
    IncomingItem::Thread(IncomingThread {
        platform_id: id.into(),
        person: who,
        updated_at_ms,
        older_missing: false,
        unread,
    })
}

/// A customer's reaction; `None` takes it back.
pub(crate) fn reaction(who: &str, mid: &str, emoji: Option<&str>, at_ms: i64) -> IncomingItem {
    IncomingItem::Reaction(IncomingReaction {
        mid: mid.into(),
        by_customer: true,
        person: who.into(),
        emoji: emoji.map(Into::into),
        at_ms,
    })
}

/// A customer's comment on a post.
pub(crate) fn comment(who: &str, id: &str, post: &str, at_ms: i64, text: &str) -> IncomingComment {
    IncomingComment {
        platform_id: id.into(),
        post: IncomingPost {
            platform_id: post.into(),
            ..IncomingPost::default()
        },
        parent: None,
        author: Some(person(who)),
        own: false,
        live: false,
        mention: false,
        text: Some(text.into()),
        text_at_ms: at_ms,
        edited: false,
        photo: None,
        written_at_ms: at_ms,
    }
}

/// An answer to a comment.
pub(crate) fn answer(to: &IncomingComment, who: &str, id: &str, text: &str) -> IncomingComment {
    let at_ms = to.written_at_ms + 60_000;
    IncomingComment {
        parent: Some(to.platform_id.clone()),
        ..comment(who, id, &to.post.platform_id, at_ms, text)
    }
}

/// One text answer of a statement, for looking at what was stored.
pub(crate) async fn look(opened: &Opened, sql: &'static str) -> String {
    let mut connection = opened.profile.store.read().await.unwrap();
    let found: Option<String> = sqlx::query_scalar(sql)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    found.unwrap_or_default()
}

/// The conversation with a person.
pub(crate) async fn talk_with(opened: &Opened, account: AccountId, who: &str) -> i64 {
    let mut connection = opened.profile.store.read().await.unwrap();
    sqlx::query_scalar(
        "SELECT c.id FROM conversations c JOIN identities i ON i.id = c.identity_id WHERE i.account_id = ? AND i.platform_id = ?",
    )
    .bind(account.0)
    .bind(who)
    .fetch_one(&mut *connection)
    .await
    .unwrap()
}
