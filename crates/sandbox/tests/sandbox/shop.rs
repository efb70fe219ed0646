//! The generated shops: deterministic, spread over the reply windows, no story told twice.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use shopbell_sandbox::{Config, Sandbox, Size};

use crate::bench::{DAY, NOON};

async fn state(size: Size, seed: &str) -> Value {
    let config = Config {
        size,
        seed: seed.into(),
        start_ms: Some(NOON),
        ..Config::default()
    };
    let mut state = Sandbox::start(config).await.unwrap().world().state();
    state["tokens"] = Value::Null;
    state
}

fn threads(state: &Value) -> &Vec<Value> {
    state["conversations"].as_array().unwrap()
}

#[tokio::test]
async fn the_seed_decides_everything() {
    let one = state(Size::Small, "a").await;
    assert_eq!(one, state(Size::Small, "a").await);
    assert_ne!(one, state(Size::Small, "b").await);
}

#[tokio::test]
async fn the_small_shop_has_open_closing_late_and_closed_windows() {
    let state = state(Size::Small, "kornblume").await;
    let last: HashMap<&str, i64> = state["customers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|person| {
            (
                person["id"].as_str().unwrap(),
                person["last_contact_ms"].as_i64().unwrap(),
            )
        })
        .collect();
    let ages: Vec<i64> = threads(&state)
        .iter()
        .map(|thread| NOON - last[thread["customer"].as_str().unwrap()])
        .collect();
    assert_eq!(ages.len(), 40);
    let count = |from: i64, to: i64| ages.iter().filter(|age| (from..to).contains(*age)).count();
    assert!(count(0, DAY - DAY / 12) >= 8, "open");
    assert!(count(DAY - DAY / 12, DAY) >= 1, "closing");
    assert!(count(DAY, 7 * DAY) >= 6, "human agent");
    assert!(count(7 * DAY, 1_000 * DAY) >= 6, "closed");
    let messages = state["counts"]["messages"].as_u64().unwrap();
    assert!((500..=900).contains(&messages), "{messages}");
    assert!(
        threads(&state)
            .iter()
            .filter(|thread| thread["unread"].as_u64() > Some(0))
            .count()
            >= 6
    );
    assert!(
        threads(&state)
            .iter()
            .any(|thread| thread["messages"].as_array().unwrap().len() > 20)
    );
}

#[tokio::test]
async fn no_story_is_told_twice_in_the_small_shop() {
    let state = state(Size::Small, "kornblume").await;
    let mut endings = HashSet::new();
    for thread in threads(&state) {
        let messages = thread["messages"].as_array().unwrap();
        assert!(
            messages
                .iter()
                .map(|message| message["created_ms"].as_i64().unwrap())
                .is_sorted()
        );
        assert_eq!(messages[0]["from_business"], false);
        let ending: String = messages
            .iter()
            .rev()
            .take(3)
            .map(|message| message["text"].to_string())
            .collect();
        assert!(endings.insert(ending), "{thread}");
        for message in messages {
            let text = message["text"].as_str().unwrap();
            assert!(!text.contains('{') && !text.contains('|'), "{text}");
        }
    }
}

#[tokio::test]
async fn medium_is_ten_times_as_many() {
    let state = state(Size::Medium, "kornblume").await;
    assert_eq!(threads(&state).len(), 400);
    assert!(state["counts"]["messages"].as_u64().unwrap() >= 6_000);
    let ids: HashSet<String> = threads(&state)
        .iter()
        .flat_map(|thread| thread["messages"].as_array().unwrap())
        .map(|message| message["id"].to_string())
        .collect();
    assert_eq!(
        ids.len() as u64,
        state["counts"]["messages"].as_u64().unwrap()
    );
}
