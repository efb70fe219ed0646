//! Every statement of the reading and writing rooms, prepared and explained: no scan of a table that grows.

use crate::ingest::testing::*;
use sqlx::{AssertSqlSafe, Row};
use std::{fs, path::Path};

/// Tables that grow with the shop.
const BIG: [&str; 14] = [
    "messages",
    "conversations",
    "identities",
    "contacts",
    "attachments",
    "reactions",
    "message_words",
    "people_words",
    "avatars",
    "waiting_news",
    "media_blobs",
    "posts",
    "comments",
    "mentions",
];

/// The text of every source file of these rooms.
fn sources() -> String {
    let rooms = [
        "ingest", "inbox", "search", "contacts", "media", "settings", "comments",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    rooms
        .iter()
        .flat_map(|room| fs::read_dir(root.join(room)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

#[tokio::test]
async fn no_checked_statement_walks_through_a_whole_table() {
    let shop = shop().await;
    let sources = sources();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.sqlx");
    let mut connection = shop
        .profile
        .store
        .write(crate::store::Priority::Owner)
        .await
        .unwrap();
    let (mut seen, mut walks) = (0, Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        let json: serde_json::Value =
            serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let sql = json["query"].as_str().unwrap();
        if !sources.contains(sql) {
            continue;
        }
        seen += 1;
        let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        for step in plan {
            let step: String = step.get("detail");
            let scanned = step
                .strip_prefix("SCAN ")
                .and_then(|rest| rest.split(' ').next())
                .unwrap_or_default()
                .to_owned();
            let aliased = BIG
                .iter()
                .any(|table| scanned == *table || sql.contains(&format!("{table} {scanned} ")));
            // By account alone is a walk too: most shops have one account.
            let by_account = step.ends_with("(account_id=?)");
            if (aliased && !scanned.is_empty()) || by_account {
                walks.push(format!("{step} in {sql}"));
            }
        }
    }
    assert!(seen >= 55, "only {seen} statements were found");
    assert_eq!(walks, Vec::<String>::new());
}
