//! Generated files equal what the code says. `SHOPBELL_WRITE=1 cargo test -p shopbell-core --test drift` renews them.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fs, path::Path};

fn read_folder(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "ts"))
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read_to_string(&path).unwrap(),
            )
        })
        .collect()
}

#[test]
fn typescript_matches_the_table() {
    let scratch = tempfile::tempdir().unwrap();
    let config = ts_rs::Config::new()
        .with_large_int("number")
        .with_out_dir(scratch.path());
    <shopbell_core::api::UseCases as ts_rs::TS>::export_all(&config).unwrap();
    <shopbell_core::api::ApiError as ts_rs::TS>::export_all(&config).unwrap();
    <shopbell_core::api::types::Change as ts_rs::TS>::export_all(&config).unwrap();
    let files = read_folder(scratch.path());
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/gen");
    if std::env::var_os("SHOPBELL_WRITE").is_some() {
        let _ = fs::remove_dir_all(&target);
        fs::create_dir_all(&target).unwrap();
        for (name, text) in &files {
            fs::write(target.join(name), text).unwrap();
        }
    }
    let found = read_folder(&target);
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        found.keys().collect::<Vec<_>>(),
        "ui/src/gen has other files"
    );
    for (name, text) in files {
        assert_eq!(text, found[&name], "ui/src/gen/{name} is out of date");
    }
}

/// `docs/schema.md`: every table with its columns and the comments of the migrations, from a database this program made.
#[tokio::test]
async fn schema_document_matches_a_migrated_database() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = url::Url::parse("http://127.0.0.1:9/").unwrap();
    let core = shopbell_core::Core::new(shopbell_core::CoreConfig {
        dir: folder.path().to_owned(),
        endpoints: shopbell_core::Endpoints::sandbox(&nowhere, nowhere.clone()).unwrap(),
        clock: std::sync::Arc::new(shopbell_core::SystemClock::new()),
        entropy: std::sync::Arc::new(shopbell_core::OsEntropy),
        keychain: shopbell_core::vault::Keychain::Given(keyring_core::mock::Store::new().unwrap()),
    });
    core.open_as(shopbell_core::OpenAs::Tool).await;
    let profile = core.profile().unwrap();
    let text = schema_document(&mut profile.store.read().await.unwrap()).await;
    drop(profile);
    core.shutdown().await;
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema.md");
    if std::env::var_os("SHOPBELL_WRITE").is_some() {
        fs::write(&target, &text).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&target).unwrap_or_default(),
        text,
        "docs/schema.md is out of date"
    );
}

async fn schema_document(connection: &mut sqlx::SqliteConnection) -> String {
    use sqlx::Row;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let mut text = format!(
        "# Schema {version}\n\nThe owner's database, as the migrations make it. Written by a test: \
         `SHOPBELL_WRITE=1 cargo test -p shopbell-core --test drift`.\nTimes are UTC milliseconds (`_ms`), platform ids are text.\n"
    );
    let rows = sqlx::query(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
           AND name NOT LIKE 'message_search_%'
         ORDER BY tbl_name, CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END, name",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    for row in rows {
        let (kind, name, sql): (String, String, String) = (row.get(0), row.get(1), row.get(3));
        if kind == "table" {
            text.push_str(&format!("\n## {name}\n"));
        }
        text.push_str(&format!("\n```sql\n{sql};\n```\n"));
    }
    text
}
