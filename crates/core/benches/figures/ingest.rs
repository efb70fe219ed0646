//! How fast news is taken in, against the plainest possible insert through the same driver.

use crate::{
    fixture,
    rows::{Bar, On, Rows},
};
use shopbell_core::{domain::Incoming, ingest, store::Priority};
use sqlx::{ConnectOptions, Connection, Executor};
use std::time::Instant;

/// Measures batches and single durable transactions.
pub async fn measure(rows: &Rows) {
    let count: u64 = if rows.quick { 20_000 } else { 100_000 };
    let (_folder, core, account) = fixture::empty().await;
    let profile = core.profile().unwrap();
    let portions: Vec<Incoming> = fixture::portions(account, count, 2_000, 7).collect();
    let plain = plain_insert(&portions, 200).await;
    let start = Instant::now();
    for portion in portions {
        ingest::take_in(&profile, portion, Priority::Background)
            .await
            .unwrap();
    }
    let rate = count as f64 / start.elapsed().as_secs_f64();
    rows.say(
        "ingest_batched",
        rate,
        "1/s",
        Some(plain),
        Bar::AtLeast(5_000.0, On::Value),
    );

    let singles: Vec<Incoming> = fixture::portions(account, 2_000, 1, 8)
        .map(|mut one| {
            // Other ids than the batch above: news, not repetitions.
            for item in &mut one.items {
                if let shopbell_core::domain::IncomingItem::Message(message) = item {
                    message.mid.insert_str(0, "single_");
                    message.sent_at_ms += 1_000_000_000;
                }
            }
            one
        })
        .collect();
    let count = singles.len() as f64;
    // As durable as ours: what the disk allows in this run.
    let plain = plain_insert(&singles, 1).await;
    let start = Instant::now();
    for one in singles {
        ingest::take_in(&profile, one, Priority::Owner)
            .await
            .unwrap();
    }
    let rate = count / start.elapsed().as_secs_f64();
    rows.say(
        "ingest_single_durable",
        rate,
        "1/s",
        Some(plain),
        Bar::AtLeast(500.0, On::Value),
    );
    core.shutdown().await;
}

/// The same texts into one table without key, index or encryption, `batch` to a transaction, prepared once.
async fn plain_insert(portions: &[Incoming], batch: usize) -> f64 {
    let folder = fixture::folder();
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(folder.path().join("plain.db"))
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
        .connect()
        .await
        .unwrap();
    let table = "CREATE TABLE plain (mid TEXT, person TEXT, sent_at_ms INTEGER, text TEXT)";
    connection.execute(table).await.unwrap();
    let start = Instant::now();
    let mut count = 0;
    for chunk in portions
        .iter()
        .flat_map(|portion| portion.items.chunks(batch))
    {
        let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
        for item in chunk {
            let shopbell_core::domain::IncomingItem::Message(message) = item else {
                continue;
            };
            sqlx::query("INSERT INTO plain VALUES (?, ?, ?, ?)")
                .bind(&message.mid)
                .bind(&message.person.platform_id)
                .bind(message.sent_at_ms)
                .bind(&message.text)
                .execute(&mut *tx)
                .await
                .unwrap();
            count += 1;
        }
        tx.commit().await.unwrap();
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}
