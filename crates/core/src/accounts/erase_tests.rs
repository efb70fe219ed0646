#![allow(clippy::unwrap_used)]
//! Nothing of an erased account is left in any table; everything of the others is.

use super::*;
use crate::{
    accounts::{disconnect, testing},
    domain::{
        Author, Incoming, IncomingAttachment, IncomingItem, IncomingMessage, IncomingPerson,
        IncomingThread, Source,
    },
    ingest::testing::comment,
    profile::testing::offline_profile,
};
use std::time::Duration;

fn message(account: AccountId, n: i64) -> Incoming {
    let person = IncomingPerson {
        platform_id: format!("70{}", n % 7),
        name: Some("Canary Name".into()),
        username: None,
    };
    Incoming {
        account,
        source: Source::Backfill,
        observed_at_ms: 1_767_000_000_000,
        items: vec![
            IncomingItem::Thread(IncomingThread {
                platform_id: format!("t_{}", n % 7),
                person: person.clone(),
                updated_at_ms: 1_767_000_000_000 + n,
                older_missing: false,
                unread: None,
            }),
            IncomingItem::Message(IncomingMessage {
                mid: format!("m_{account}_{n:05}"),
                person,
                thread: Some(format!("t_{}", n % 7)),
                author: Author::Customer,
                metadata: None,
                app_id: None,
                sent_at_ms: 1_767_000_000_000 + n * 1_000,
                text: Some("canary words".into()),
                attachments: vec![IncomingAttachment {
                    kind: "image".into(),
                    url: Some("https://cdn/x".into()),
                    ..Default::default()
                }],
                reply_to_mid: None,
                story: None,
                reactions: vec![],
                unsupported: false,
                deleted: false,
                referral: None,
                opens_window: true,
                tap: None,
                standby: false,
            }),
        ],
    }
}

async fn fill(profile: &Profile, account: AccountId, messages: i64) {
    let mut all = message(account, 0);
    for n in 1..messages {
        all.items.extend(message(account, n).items);
        let (id, answered) = (format!("5_{account}_{n}"), format!("5_{account}_0"));
        let mut told = comment("7011", &id, "1001_5", 1_767_000_000_000, "canary words");
        told.parent = Some(answered).filter(|_| n % 3 == 0);
        all.items.push(IncomingItem::Comment(told));
    }
    all.items.push(IncomingItem::Mention {
        post: "178".into(),
        comment: None,
        at_ms: 0,
    });
    crate::ingest::take_in(profile, all, Priority::Background)
        .await
        .unwrap();
    let mut tx = profile.store.write(Priority::Owner).await.unwrap();
    sqlx::query("INSERT INTO raw_events (stream, stream_offset, kind, event_id, subject, account_id, received_at_ms, logged_at_ms, body) VALUES (?1, 1, 1, '00', 'page/1', ?2, 0, 0, x'0102')")
        .bind(account.0.to_string())
        .bind(account.0)
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query("INSERT INTO media_blobs SELECT a.media_id, 'image/png', x'0304', 0 FROM messages m JOIN attachments a ON a.message_id = m.id WHERE m.account_id = ?1 AND a.media_id IS NOT NULL LIMIT 1")
        .bind(account.0)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Rows per table, search included.
async fn counts(profile: &Profile) -> Vec<(String, i64)> {
    let mut read = profile.store.read().await.unwrap();
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '*_search_*' AND name NOT GLOB 'sqlite_*' ORDER BY 1")
            .fetch_all(&mut *read)
            .await
            .unwrap();
    let mut out = Vec::new();
    for table in tables {
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        out.push((
            table,
            sqlx::query_scalar(sql).fetch_one(&mut *read).await.unwrap(),
        ));
    }
    let hits: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM message_search WHERE message_search MATCH 'canary'",
    )
    .fetch_one(&mut *read)
    .await
    .unwrap();
    out.push(("hits".into(), hits));
    out
}

fn of(counts: &[(String, i64)], name: &str) -> i64 {
    counts.iter().find(|(table, _)| table == name).unwrap().1
}

#[tokio::test]
async fn an_erased_account_leaves_nothing_and_takes_nothing_of_the_others() {
    let open = offline_profile().await;
    let profile = &*open.profile;
    let gone = testing::page(profile, "1001").await;
    let stays = testing::page(profile, "1002").await;
    fill(profile, stays, 20).await;
    let before = counts(profile).await;
    fill(profile, gone, 450).await;
    let full = counts(profile).await;
    assert_eq!(of(&full, "hits"), 470, "{full:?}");

    let prepared = disconnect::prepare(profile, gone).await.unwrap();
    assert_eq!(
        (prepared.messages, prepared.conversations, prepared.contacts),
        (450, 7, 7)
    );
    disconnect::disconnect(profile, gone, Some(&prepared.token))
        .await
        .unwrap();
    assert_eq!(
        testing::view(profile, gone).await.erase_at_ms,
        Some(prepared.erase_at_ms)
    );

    let payload = format!(r#"{{"account":{}}}"#, gone.0);
    assert_eq!(
        run(profile, &payload).await,
        JobOutcome::Again {
            due_at_ms: prepared.erase_at_ms
        }
    );
    open.clock.advance(Duration::from_millis(
        u64::try_from(disconnect::GRACE_MS).unwrap(),
    ));
    assert!(matches!(
        disconnect::undo_erase(profile, gone).await,
        Err(disconnect::DisconnectError::TooLate)
    ));
    assert_eq!(run(profile, &payload).await, JobOutcome::Done);
    assert_eq!(
        run(profile, &payload).await,
        JobOutcome::Done,
        "once more finds nothing to do"
    );

    let after = counts(profile).await;
    for (table, rows) in &before {
        // What tells the story of the other account, and the jobs that take secrets out of the keychain, may differ.
        if !matches!(
            table.as_str(),
            "token_events"
                | "jobs"
                | "credentials"
                | "pending_secrets"
                | "accounts"
                | "sync_cursors"
                | "message_vocab"
        ) {
            assert_eq!(of(&after, table), *rows, "{table}");
        }
    }
    assert_eq!((of(&after, "accounts"), of(&after, "sync_cursors")), (1, 1));
    assert!(crate::accounts::access(profile, stays).await.is_ok());
    // The write-ahead log holds no page of it either.
    assert_eq!(
        std::fs::metadata(open.folder.path().join("shopbell.db-wal")).map_or(0, |m| m.len()),
        0
    );
}

#[tokio::test]
async fn a_permit_works_once_for_five_minutes_and_for_its_account() {
    let open = offline_profile().await;
    let profile = &*open.profile;
    let one = testing::page(profile, "1001").await;
    let two = testing::page(profile, "1002").await;
    let refused = async |account, token: &str| {
        matches!(
            disconnect::disconnect(profile, account, Some(token)).await,
            Err(disconnect::DisconnectError::NotConfirmed)
        )
    };
    let permit = disconnect::prepare(profile, one).await.unwrap().token;
    assert!(refused(two, &permit).await && refused(one, "made up").await);
    open.clock.advance(Duration::from_secs(301));
    assert!(refused(one, &permit).await);
    assert_eq!(testing::view(profile, one).await.erase_at_ms, None);

    let permit = disconnect::prepare(profile, one).await.unwrap().token;
    disconnect::disconnect(profile, one, Some(&permit))
        .await
        .unwrap();
    assert!(refused(one, &permit).await, "used");
    disconnect::undo_erase(profile, one).await.unwrap();
    assert_eq!(testing::view(profile, one).await.erase_at_ms, None);
    open.clock.advance(Duration::from_secs(2 * 86_400));
    assert_eq!(
        run(profile, &format!(r#"{{"account":{}}}"#, one.0)).await,
        JobOutcome::Done
    );
    assert!(
        crate::accounts::list::one(profile, one)
            .await
            .unwrap()
            .is_some(),
        "called off: still here"
    );
}
