//! What happens with files that are not ours, damaged, or on a disk that does not take more.
#![allow(clippy::unwrap_used)]
use super::{connect::Role, testing, *};
use sqlx::ConnectOptions;
use std::{fs, process::Command};
use tempfile::TempDir;

async fn open_at(path: &Path, key: DatabaseKey) -> Result<Store, OpenError> {
    Store::open(path, key, testing::clock(), Changes::default()).await
}

async fn refused(path: &Path) -> OpenError {
    open_at(path, testing::key()).await.map(drop).unwrap_err()
}

async fn fill(store: &Store, from: i64, to: i64) -> Result<(), StoreError> {
    for n in from..to {
        let mut tx = store.write(Priority::Background).await?;
        let key = format!("row {n}");
        sqlx::query("INSERT INTO settings (key, value) VALUES (?, hex(randomblob(2000)))")
            .bind(key)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn count(store: &Store) -> Result<i64, StoreError> {
    let mut reader = store.read().await?;
    Ok(
        sqlx::query_scalar("SELECT count(*) FROM settings WHERE length(value) > 0")
            .fetch_one(&mut *reader)
            .await?,
    )
}

async fn is_whole(store: &Store) -> bool {
    let mut reader = store.read().await.unwrap();
    let found: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut *reader)
        .await
        .unwrap();
    found == "ok"
}

/// A filled, closed database.
async fn filled() -> (TempDir, PathBuf) {
    let (folder, store) = testing::store().await;
    fill(&store, 0, 200).await.unwrap();
    store.close().await;
    let path = folder.path().join("shopbell.db");
    (folder, path)
}

#[tokio::test]
async fn a_plaintext_database_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shopbell.db");
    let mut plain = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    sqlx::query("CREATE TABLE messages (text TEXT)")
        .execute(&mut plain)
        .await
        .unwrap();
    plain.close().await.unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(refused(&path).await, OpenError::Plaintext));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn foreign_files_are_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shopbell.db");
    for bytes in [
        b"x".to_vec(),
        b"dear customer, your cake is ready".to_vec(),
        vec![3; 5000],
    ] {
        fs::write(&path, &bytes).unwrap();
        assert!(matches!(refused(&path).await, OpenError::Foreign));
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    fs::remove_file(&path).unwrap();

    // Our key, another program's tables.
    let mut other = connect::open(&path, &testing::key(), Role::Writer)
        .await
        .unwrap();
    sqlx::query("CREATE TABLE recipes (name TEXT)")
        .execute(&mut other)
        .await
        .unwrap();
    other.close().await.unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(refused(&path).await, OpenError::Foreign));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_the_right_one_opens_afterwards() {
    let (folder, path) = filled().await;
    let before = fs::read(&path).unwrap();
    let wrong = DatabaseKey::new([1; 32], [2; 16]);
    assert!(matches!(
        open_at(&path, wrong).await.map(drop),
        Err(OpenError::WrongKey)
    ));
    // Even with the right salt the pages do not open.
    let wrong = DatabaseKey::new([1; 32], *b"salt-of-the-test");
    assert!(matches!(
        open_at(&path, wrong).await.map(drop),
        Err(OpenError::Damaged)
    ));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(
        count(&testing::open(folder.path()).await).await.unwrap(),
        200
    );
}

#[tokio::test]
async fn a_damaged_first_page_is_found_at_the_start() {
    let (_folder, path) = filled().await;
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(refused(&path).await, OpenError::Damaged));
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[tokio::test]
async fn a_damaged_page_is_found_when_it_is_read_and_the_rest_stays() {
    let (folder, path) = filled().await;
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 2048;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let store = testing::open(folder.path()).await;
    assert!(matches!(count(&store).await, Err(StoreError::Damaged)));
    let mut reader = store.read().await.unwrap();
    let first: i64 = sqlx::query_scalar("SELECT count(*) FROM settings WHERE key = 'row 1'")
        .fetch_one(&mut *reader)
        .await
        .unwrap();
    assert_eq!(first, 1);
    drop(reader);
    store.close().await;
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

/// A small disk, or as the nearest thing for somebody who may not mount one: nothing.
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let disk = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(disk.folder.path())
            .output();
        mounted
            .is_ok_and(|answer| answer.status.success())
            .then_some(disk)
    }

    fn remount(&self, options: &str) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(self.folder.path())
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("-l")
            .arg(self.folder.path())
            .output();
    }
}

/// Everything committed is there, nothing is damaged, and work goes on.
async fn goes_on_after_full(store: &Store) {
    let kept = count(store).await.unwrap();
    assert!(kept > 0);
    assert!(is_whole(store).await);
    fill(store, 100_000, 100_010).await.unwrap();
    assert_eq!(count(store).await.unwrap(), kept + 10);
}

#[tokio::test]
async fn a_full_disk_stops_writing_and_nothing_else() {
    match SmallDisk::mount("1500k") {
        Some(disk) => {
            let path = disk.folder.path().join("shopbell.db");
            let store = open_at(&path, testing::key()).await.unwrap();
            assert!(matches!(
                fill(&store, 0, 100_000).await,
                Err(StoreError::Full)
            ));
            assert!(matches!(
                fill(&store, 0, 100_000).await,
                Err(StoreError::Full | StoreError::Sql(_))
            ));
            disk.remount("size=16m");
            goes_on_after_full(&store).await;
            store.close().await;
            assert!(is_whole(&open_at(&path, testing::key()).await.unwrap()).await);
        }
        // Without the right to mount: the same answer from SQLite by a limit on the file.
        None => {
            let (_folder, store) = testing::store().await;
            let mut tx = store.write(Priority::Owner).await.unwrap();
            sqlx::raw_sql("PRAGMA max_page_count = 200")
                .execute(&mut *tx)
                .await
                .unwrap();
            tx.commit().await.unwrap();
            assert!(matches!(
                fill(&store, 0, 100_000).await,
                Err(StoreError::Full)
            ));
            let mut tx = store.write(Priority::Owner).await.unwrap();
            sqlx::raw_sql("PRAGMA max_page_count = 100000")
                .execute(&mut *tx)
                .await
                .unwrap();
            tx.commit().await.unwrap();
            goes_on_after_full(&store).await;
        }
    }
}

#[tokio::test]
async fn a_disk_too_full_to_begin_says_so_and_works_later() {
    let Some(disk) = SmallDisk::mount("64k") else {
        // What the mount would bring, from the system's own error.
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert!(matches!(OpenError::from_io(full), OpenError::Full));
        return;
    };
    let path = disk.folder.path().join("shopbell.db");
    assert!(matches!(refused(&path).await, OpenError::Full));
    disk.remount("size=16m");
    let store = open_at(&path, testing::key()).await.unwrap();
    fill(&store, 0, 3).await.unwrap();
    assert!(is_whole(&store).await);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_refused_untouched() {
    if let Some(disk) = SmallDisk::mount("4m") {
        let path = disk.folder.path().join("shopbell.db");
        open_at(&path, testing::key()).await.unwrap().close().await;
        let before = fs::read(&path).unwrap();
        disk.remount("ro");
        assert!(matches!(refused(&path).await, OpenError::ReadOnlyFolder));
        assert!(matches!(
            refused(&disk.folder.path().join("new.db")).await,
            OpenError::ReadOnlyFolder
        ));
        assert_eq!(fs::read(&path).unwrap(), before);
    } else {
        let (folder, path) = filled().await;
        let before = fs::read(&path).unwrap();
        let mut rights = fs::metadata(folder.path()).unwrap().permissions();
        rights.set_readonly(true);
        fs::set_permissions(folder.path(), rights.clone()).unwrap();
        assert!(matches!(refused(&path).await, OpenError::ReadOnlyFolder));
        assert!(matches!(
            refused(&folder.path().join("new.db")).await,
            OpenError::ReadOnlyFolder
        ));
        assert_eq!(fs::read(&path).unwrap(), before);
        #[allow(
            clippy::permissions_set_readonly_false,
            reason = "so that the folder can be deleted"
        )]
        rights.set_readonly(false);
        fs::set_permissions(folder.path(), rights).unwrap();
    }
}

#[tokio::test]
async fn a_reader_of_another_program_leaves_the_log_alone() {
    let (folder, store) = testing::store().await;
    fill(&store, 0, 20).await.unwrap();
    let [path, log] = connect::side_files(&folder.path().join("shopbell.db"));
    let before = fs::read(&log).unwrap();
    assert!(!before.is_empty());
    // As after a crash of the holder: nobody else is there when the reader closes.
    let copy = tempfile::tempdir().unwrap();
    let [copied, copied_log] = connect::side_files(&copy.path().join("shopbell.db"));
    fs::copy(&path, &copied).unwrap();
    fs::copy(&log, &copied_log).unwrap();
    let reader = Store::open_read_only(
        &copied,
        testing::key(),
        testing::clock(),
        Changes::default(),
    )
    .await
    .unwrap();
    assert_eq!(count(&reader).await.unwrap(), 20);
    assert!(matches!(
        reader.write(Priority::Owner).await.map(drop),
        Err(StoreError::ReadOnly)
    ));
    reader.close().await;
    assert_eq!(fs::read(&copied_log).unwrap(), before);
    assert!(matches!(
        Store::open_read_only(
            &copy.path().join("none.db"),
            testing::key(),
            testing::clock(),
            Changes::default()
        )
        .await
        .map(drop),
        Err(OpenError::Missing)
    ));
}

#[tokio::test]
async fn readers_are_not_disturbed_by_a_long_write_and_all_are_given_back() {
    let (_folder, store) = testing::store().await;
    fill(&store, 0, 5).await.unwrap();
    let mut tx = store.write(Priority::Owner).await.unwrap();
    sqlx::query("DELETE FROM settings")
        .execute(&mut *tx)
        .await
        .unwrap();
    for _ in 0..3 {
        let counts = futures_util::future::join_all((0..10).map(|_| count(&store))).await;
        assert!(counts.into_iter().all(|count| count.unwrap() == 5));
    }
    assert!(store.inner.idle.lock().unwrap().len() <= READERS);
    tx.commit().await.unwrap();
    assert_eq!(count(&store).await.unwrap(), 0);
    store.scrub().await.unwrap();
    let [_, log] = connect::side_files(&store.inner.path);
    assert_eq!(fs::metadata(log).unwrap().len(), 0);
}
