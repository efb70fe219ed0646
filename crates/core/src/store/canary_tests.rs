//! Canary no. 1: the database's key is in no log line, at any level, also when opening is slow.
#![allow(clippy::unwrap_used)]
use super::{testing, *};
use sqlx::ConnectOptions;
use std::{
    io,
    sync::{Mutex, OnceLock},
};
use tracing_subscriber::fmt::MakeWriter;

/// Everything any thread of this test program logs from now on.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Paper {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn paper() -> &'static Paper {
    static PAPER: OnceLock<Paper> = OnceLock::new();
    PAPER.get_or_init(|| {
        let paper = Paper::default();
        // The database's threads are not this one, so it must be the whole program's.
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(paper.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        paper
    })
}

fn written() -> String {
    String::from_utf8_lossy(&paper().0.lock().unwrap()).into_owned()
}

#[tokio::test]
async fn the_raw_key_is_in_no_log() {
    paper();
    // The trap is real: with sqlx's own settings a pragma is logged with its value.
    let trap = sqlx::sqlite::SqliteConnectOptions::new()
        .in_memory(true)
        .log_statements("trace".parse().unwrap())
        .pragma("user_version", "424242");
    trap.connect().await.unwrap().close().await.unwrap();
    assert!(
        written().contains("424242"),
        "the paper catches what sqlx logs"
    );

    let (folder, store) = testing::store().await;
    let mut tx = store.write(Priority::Owner).await.unwrap();
    // Slower than sqlx's limit for "slow" (one second) on any computer would need a second; its log must not depend on that.
    sqlx::raw_sql("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 4000000) SELECT max(i) FROM n")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let wrong = DatabaseKey::new([1; 32], *b"salt-of-the-test");
    let path = folder.path().join("shopbell.db");
    store.close().await;
    assert!(
        Store::open(&path, wrong, testing::clock(), Changes::default())
            .await
            .is_err()
    );
    let reader = Store::open_read_only(&path, testing::key(), testing::clock(), Changes::default())
        .await
        .unwrap();
    drop(reader.read().await.unwrap());

    let log = written();
    assert!(log.contains("committed"), "our own timing is there");
    let pragma = testing::key().pragma();
    let hex = pragma.trim_matches(|c: char| !c.is_ascii_hexdigit());
    assert!(hex.len() >= 64);
    for canary in [
        &hex[..64],
        &hex[..64].to_uppercase(),
        "canary-no-1",
        "PRAGMA key",
    ] {
        assert!(!log.contains(canary), "the key is in a log line");
    }
}
