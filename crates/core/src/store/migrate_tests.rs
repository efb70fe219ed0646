//! Killed at every statement of a migration, and with the log cut anywhere: the old version or the new one, whole.
#![allow(clippy::unwrap_used)]
use super::{
    super::{
        Changes, DatabaseKey, Store,
        connect::{self, Role, side_files},
        testing,
    },
    *,
};
use sqlx::Row;
use std::{fs, path::Path};

/// A number after every one of today, so that the next real migration leaves these tests as they are.
const NEXT: i64 = 900;

/// A next version as they come: a table rebuilt with its rows, an index, a changed value.
const REBUILD: Migration = Migration {
    version: NEXT,
    usable_from: NEXT,
    sql: "CREATE TABLE contacts_new (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL UNIQUE,
            created_at_ms INTEGER NOT NULL, note TEXT NOT NULL DEFAULT '') STRICT;
          INSERT INTO contacts_new (id, uuid, created_at_ms) SELECT id, uuid, created_at_ms FROM contacts;
          DROP TABLE contacts;
          ALTER TABLE contacts_new RENAME TO contacts;
          CREATE INDEX contacts_note ON contacts (note);
          UPDATE settings SET value = '\"dark\"' WHERE key = 'theme';
          CREATE TRIGGER contacts_noted AFTER UPDATE ON contacts BEGIN SELECT 1; SELECT 2; END;",
};

fn both() -> Vec<Migration> {
    MIGRATIONS.iter().copied().chain([REBUILD]).collect()
}

async fn open(path: &Path, migrations: &[Migration]) -> Result<Store, OpenError> {
    Store::open_with(
        path,
        testing::key(),
        testing::clock(),
        Changes::default(),
        migrations,
    )
    .await
}

/// Everything in the database as text: its schema and the rows of the tables that matter here.
async fn contents(store: &Store) -> Vec<String> {
    let mut reader = store.read().await.unwrap();
    let mut lines = Vec::new();
    for query in [
        "SELECT name || coalesce(sql, '') FROM sqlite_schema ORDER BY 1",
        "SELECT key || value FROM settings ORDER BY 1",
        "SELECT id || uuid || created_at_ms FROM contacts ORDER BY 1",
        "SELECT 'version ' || user_version FROM pragma_user_version",
        "SELECT integrity_check FROM pragma_integrity_check",
    ] {
        lines.extend(
            sqlx::query(query)
                .fetch_all(&mut *reader)
                .await
                .unwrap()
                .iter()
                .map(|row| row.get::<String, _>(0)),
        );
    }
    lines
}

fn copy(path: &Path, into: &Path) {
    fs::create_dir_all(into).unwrap();
    for file in side_files(path) {
        if file.exists() {
            fs::copy(&file, into.join(file.file_name().unwrap())).unwrap();
        }
    }
}

/// An old database with three people in it.
async fn old_database(path: &Path) -> Vec<String> {
    let store = open(path, MIGRATIONS).await.unwrap();
    let mut tx = store.write(super::super::Priority::Owner).await.unwrap();
    for person in ["mira", "noor", "kenji"] {
        sqlx::query("INSERT INTO contacts (uuid, created_at_ms) VALUES (?, 1767603600000)")
            .bind(person)
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    sqlx::query("INSERT INTO settings (key, value) VALUES ('theme', '\"light\"')")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let found = contents(&store).await;
    store.close().await;
    found
}

/// Migrates `path` and keeps what lay on disk behind every statement: what a kill leaves, because a killed program's writes stay in the
/// system's memory and SQLite's own memory is gone.
async fn snapshots(path: &Path, key: &DatabaseKey, migrations: &[Migration], into: &Path) -> usize {
    let mut writer = connect::open(path, key, Role::Writer).await.unwrap();
    let mut last = 0;
    run(&mut writer, migrations, &mut |n| {
        copy(path, &into.join(n.to_string()));
        last = n;
    })
    .await
    .unwrap();
    drop(writer);
    last
}

#[tokio::test]
async fn killed_at_any_statement_it_opens_at_the_old_or_the_new_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shopbell.db");
    let old = old_database(&path).await;
    let migrations = both();
    let steps = snapshots(
        &path,
        &testing::key(),
        &migrations,
        &folder.path().join("killed"),
    )
    .await;
    assert_eq!(steps, 7 + 2, "seven statements, the number, the commit");
    let new = contents(&open(&path, &migrations).await.unwrap()).await;
    assert_ne!(old, new);

    let (mut olds, mut news) = (0, 0);
    for step in 1..=steps {
        let killed = folder
            .path()
            .join("killed")
            .join(step.to_string())
            .join("shopbell.db");
        match open(&killed, MIGRATIONS).await {
            Ok(store) => {
                assert_eq!(contents(&store).await, old, "step {step}");
                store.close().await;
                olds += 1;
            }
            Err(OpenError::Newer { found: NEXT, .. }) => news += 1,
            Err(error) => panic!("step {step}: {error}"),
        }
        // The program that was killed is started again.
        assert_eq!(
            contents(&open(&killed, &migrations).await.unwrap()).await,
            new,
            "step {step}"
        );
    }
    assert_eq!((olds, news), (8, 1), "only the commit makes it new");
}

#[tokio::test]
async fn killed_while_the_first_database_is_made_it_is_made_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shopbell.db");
    let steps = snapshots(
        &path,
        &testing::key(),
        MIGRATIONS,
        &folder.path().join("killed"),
    )
    .await;
    assert!(steps > 50, "{steps}");
    let whole = contents(&open(&path, MIGRATIONS).await.unwrap()).await;
    for step in 1..=steps {
        let killed = folder
            .path()
            .join("killed")
            .join(step.to_string())
            .join("shopbell.db");
        assert_eq!(
            contents(&open(&killed, MIGRATIONS).await.unwrap()).await,
            whole,
            "step {step}"
        );
    }
}

#[tokio::test]
async fn with_the_log_cut_anywhere_in_the_commit_it_is_the_old_or_the_new_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shopbell.db");
    let old = old_database(&path).await;
    let migrations = both();
    let steps = snapshots(
        &path,
        &testing::key(),
        &migrations,
        &folder.path().join("killed"),
    )
    .await;
    let committed = folder.path().join("killed").join(steps.to_string());
    let log = fs::read(side_files(&committed.join("shopbell.db"))[1].as_path()).unwrap();
    let new = contents(&open(&path, &migrations).await.unwrap()).await;
    // Header of 32 bytes, frames of 24 bytes and a page: cut behind each, and in the middle of each.
    let cuts = (32..log.len()).step_by((4096 + 24) / 2);
    let mut olds = 0;
    for cut in cuts {
        let torn = folder.path().join("torn");
        let _ = fs::remove_dir_all(&torn);
        copy(&committed.join("shopbell.db"), &torn);
        let torn = torn.join("shopbell.db");
        fs::write(&side_files(&torn)[1], &log[..cut]).unwrap();
        match open(&torn, MIGRATIONS).await {
            Ok(store) => {
                assert_eq!(contents(&store).await, old, "cut at {cut}");
                store.close().await;
                olds += 1;
            }
            Err(OpenError::Newer { .. }) => {}
            Err(error) => panic!("cut at {cut}: {error}"),
        }
        assert_eq!(
            contents(&open(&torn, &migrations).await.unwrap()).await,
            new,
            "cut at {cut}"
        );
    }
    assert!(olds > 0);
}

#[tokio::test]
async fn a_newer_schema_is_refused_unless_it_says_that_we_may() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shopbell.db");
    open(&path, &both()).await.unwrap().close().await;
    let before = fs::read(&path).unwrap();
    let error = open(&path, MIGRATIONS).await.map(drop).unwrap_err();
    assert!(
        matches!(error, OpenError::Newer { found: NEXT, known } if known == newest(MIGRATIONS))
    );
    let reason = error.reason();
    assert_eq!(
        (
            reason.params["found"].as_str(),
            reason.params["known"].as_str()
        ),
        ("900", newest(MIGRATIONS).to_string().as_str())
    );
    assert_eq!(fs::read(&path).unwrap(), before);

    let path = folder.path().join("compatible.db");
    let compatible = Migration {
        version: NEXT,
        usable_from: 1,
        sql: "CREATE TABLE extras (id INTEGER PRIMARY KEY) STRICT;",
    };
    let migrations: Vec<_> = MIGRATIONS.iter().copied().chain([compatible]).collect();
    open(&path, &migrations).await.unwrap().close().await;
    open(&path, MIGRATIONS).await.unwrap().close().await;
}

#[tokio::test]
async fn a_migration_that_fails_leaves_the_old_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shopbell.db");
    let old = old_database(&path).await;
    let broken = Migration {
        version: NEXT,
        usable_from: NEXT,
        sql: "DROP TABLE settings; DROP TABLE no_such_table;",
    };
    let migrations: Vec<_> = MIGRATIONS.iter().copied().chain([broken]).collect();
    assert!(open(&path, &migrations).await.is_err());
    assert_eq!(contents(&open(&path, MIGRATIONS).await.unwrap()).await, old);
}
