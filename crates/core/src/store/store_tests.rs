#![allow(clippy::unwrap_used)]
use super::{testing, *};
use crate::api::types::Change;
use sqlx::Row;

async fn put(store: &Store, key: &str) -> Result<(), StoreError> {
    let mut tx = store.write(Priority::Owner).await?;
    sqlx::query("INSERT INTO settings (key, value) VALUES (?, '1')")
        .bind(key)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

async fn keys(store: &Store) -> Vec<String> {
    let mut reader = store.read().await.unwrap();
    let rows = sqlx::query("SELECT key FROM settings ORDER BY key")
        .fetch_all(&mut *reader)
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn what_is_committed_is_there_after_opening_again() {
    let (folder, store) = testing::store().await;
    put(&store, "bakery").await.unwrap();
    assert_eq!(store.saved_at_ms(), Some(1_767_603_600_000));
    store.close().await;
    assert!(matches!(
        store.read().await.map(drop),
        Err(StoreError::Closed)
    ));
    assert!(matches!(
        store.write(Priority::Owner).await.map(drop),
        Err(StoreError::Closed)
    ));
    assert_eq!(keys(&testing::open(folder.path()).await).await, ["bakery"]);
}

#[tokio::test]
async fn a_dropped_write_leaves_nothing_and_does_not_stop_the_next() {
    let (_folder, store) = testing::store().await;
    let mut tx = store.write(Priority::Owner).await.unwrap();
    sqlx::query("INSERT INTO settings (key, value) VALUES ('lost', '1')")
        .execute(&mut *tx)
        .await
        .unwrap();
    drop(tx);
    put(&store, "kept").await.unwrap();
    assert_eq!(keys(&store).await, ["kept"]);
}

#[tokio::test]
async fn changes_are_told_after_the_commit_only() {
    let (_folder, store) = testing::store().await;
    let mut news = store.inner.changes.listen();
    let mut tx = store.write(Priority::Owner).await.unwrap();
    tx.tell(Change::Status);
    drop(tx);
    let mut tx = store.write(Priority::Background).await.unwrap();
    tx.tell(Change::Everything);
    assert!(news.try_recv().is_err());
    tx.commit().await.unwrap();
    assert!(matches!(news.try_recv(), Ok(Change::Everything)));
}

#[tokio::test]
async fn a_commit_that_nobody_waits_for_happens_all_the_same() {
    let (_folder, store) = testing::store().await;
    let mut tx = store.write(Priority::Owner).await.unwrap();
    sqlx::query("INSERT INTO settings (key, value) VALUES ('kept', '1')")
        .execute(&mut *tx)
        .await
        .unwrap();
    {
        let mut commit = Box::pin(tx.commit());
        assert!(futures_util::poll!(&mut commit).is_pending());
    }
    // The next turn comes only after it.
    drop(store.write(Priority::Background).await.unwrap());
    assert_eq!(keys(&store).await, ["kept"]);
}

#[tokio::test]
async fn readers_cannot_write() {
    let (_folder, store) = testing::store().await;
    let mut reader = store.read().await.unwrap();
    let refused = sqlx::query("INSERT INTO settings (key, value) VALUES ('a', '1')")
        .execute(&mut *reader)
        .await
        .unwrap_err();
    assert!(matches!(StoreError::from(refused), StoreError::ReadOnly));
}
