//! Writes the product's sample shop: the small shop as one JSON file of at most 1 MB, loadable at any time.
//!
//! ```text
//! {"format": 1,
//!  "accounts":      [{platform, id, name, username, picture: base64 JPEG}],
//!  "profiles":      [{platform, account_id, id, name, first_name, last_name, username, avatar: base64 JPEG ≤ 3 KB}],
//!  "conversations": [{account_id, platform, customer_id, id, updated_offset_ms, unread,
//!                     participants: as Graph, messages: {data: [as Graph, newest first, + created_offset_ms]}}],
//!  "files":         {"product/cake-2.jpg": {mime, data: base64}}}
//! ```
//!
//! Offsets are milliseconds before the moment of loading (negative numbers); `created_time` beside them is
//! of no use to a loader. Links to files are `sample://` plus a name of `files`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::generate;
use crate::graph::fields;
use crate::graph::{Visit, message};
use crate::http::call::{Call, Host};
use crate::pictures;
use crate::world::World;
use crate::world::people::Platform;
use crate::world::tokens::{Holder, Token};

/// The written file is never larger.
pub const LIMIT: usize = 1_000_000;
/// The moment the offsets are counted from: 20 November 2026, 09:00 UTC.
const MOMENT_MS: i64 = 1_795_165_200_000;
/// What a message shows in the file.
const FIELDS: &str = "id,created_time,from,to,message,attachments,shares,reactions,sticker,story,reply_to,is_unsupported";
const SCHEME: &str = "sample:";

/// A sample that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The built-in conversations do not parse.
    #[error("the built-in conversations: {0}")]
    Scripts(String),
    /// More than [`LIMIT`] bytes.
    #[error("the sample is {0} bytes, more than {LIMIT}")]
    TooLarge(usize),
    /// A message could not be shown.
    #[error("a message could not be shown: {0}")]
    Message(String),
}

/// The sample shop of this seed as JSON text.
pub fn write(seed: &str) -> Result<String, SampleError> {
    let config = Config {
        seed: seed.to_owned(),
        start_ms: Some(MOMENT_MS),
        ..Config::default()
    };
    let mut world = World::new(config);
    world.origin = SCHEME.to_owned();
    generate::fill(&mut world).map_err(SampleError::Scripts)?;
    let mut files = Map::new();
    let conversations = conversations(&mut world, &mut files)?;
    let text = json!({
        "format": 1,
        "accounts": accounts(&world),
        "profiles": profiles(&world),
        "conversations": conversations,
        "files": files,
    })
    .to_string();
    if text.len() > LIMIT {
        return Err(SampleError::TooLarge(text.len()));
    }
    Ok(text)
}

fn logo(path: &str) -> String {
    let name = path.trim_start_matches("page/").trim_end_matches(".jpg");
    STANDARD.encode(pictures::small_logo(name))
}

fn face(path: &str) -> &str {
    path.trim_start_matches("avatar/").trim_end_matches(".jpg")
}

fn accounts(world: &World) -> Vec<Value> {
    let used = |id: &str| {
        world
            .conversations
            .values()
            .any(|thread| thread.account.id == id)
    };
    let pages = world.pages.values().filter(|page| used(&page.id)).map(|page| {
        json!({"platform": "messenger", "id": page.id, "name": page.name, "username": page.username,
               "picture": logo(&page.picture)})
    });
    let instagram = world.instagram.values().filter(|account| used(&account.id)).map(|account| {
        json!({"platform": "instagram", "id": account.id, "name": account.name, "username": account.username,
               "picture": logo(&account.picture)})
    });
    pages.chain(instagram).collect()
}

fn profiles(world: &World) -> Vec<Value> {
    let mut people: Vec<_> = world.customers.values().collect();
    people.sort_by(|a, b| a.id.cmp(&b.id));
    people
        .into_iter()
        .map(|person| {
            json!({
                "platform": person.account.platform,
                "account_id": person.account.id,
                "id": person.id,
                "name": person.name(),
                "first_name": person.first_name,
                "last_name": person.last_name,
                "username": person.username,
                "avatar": STANDARD.encode(pictures::small_face(face(&person.picture))),
            })
        })
        .collect()
}

fn conversations(
    world: &mut World,
    files: &mut Map<String, Value>,
) -> Result<Vec<Value>, SampleError> {
    let mut threads: Vec<_> = world.conversations.values().cloned().collect();
    threads.sort_by(|a, b| {
        b.updated_ms
            .cmp(&a.updated_ms)
            .then_with(|| a.id.cmp(&b.id))
    });
    let asked =
        fields::read(Some(FIELDS), &[]).map_err(|error| SampleError::Message(error.message))?;
    let call = quiet_call();
    let mut out = Vec::new();
    for thread in threads {
        let token = Token {
            value: String::new(),
            holder: Holder::Page {
                page: thread.account.id.clone(),
                owner: String::new(),
            },
            scopes: Vec::new(),
            declined: Vec::new(),
            pages: Vec::new(),
            issued_ms: 0,
            expires_ms: None,
            data_access_ms: 0,
            long_lived: true,
            death: None,
            parent: None,
        };
        let mut visit = Visit {
            world: &mut *world,
            call: &call,
            token,
            empty: false,
        };
        let mut shown = Vec::new();
        for message in thread.messages.iter().rev() {
            let mut node = message::value(&mut visit, &thread, message, &asked, true)
                .map_err(|error| SampleError::Message(error.message))?;
            keep_links(&mut node, files);
            node["created_offset_ms"] = (message.created_ms - MOMENT_MS).into();
            shown.push(node);
        }
        let people = [
            message::person(&visit, &thread, true),
            message::person(&visit, &thread, false),
        ];
        let platform: Platform = thread.account.platform;
        out.push(json!({
            "platform": platform,
            "account_id": thread.account.id,
            "customer_id": thread.customer,
            "id": thread.id,
            "updated_offset_ms": thread.updated_ms - MOMENT_MS,
            "unread": thread.unread,
            "participants": {"data": people},
            "messages": {"data": shown},
        }));
    }
    Ok(out)
}

fn quiet_call() -> Call {
    Call {
        method: "GET".into(),
        host: Host::GraphFacebook,
        base: SCHEME.into(),
        version: None,
        segments: Vec::new(),
        params: Vec::new(),
        parts: Vec::new(),
        bearer: None,
        body: String::new(),
        fetched: std::collections::HashMap::new(),
    }
}

/// Turns signed links into names of `files` and puts each file in once.
fn keep_links(node: &mut Value, files: &mut Map<String, Value>) {
    match node {
        Value::String(text) => {
            let Some(path) = text
                .strip_prefix("sample:/cdn/")
                .and_then(|rest| rest.split('?').next())
            else {
                return;
            };
            let path = path.to_owned();
            if !files.contains_key(&path)
                && let Some(bytes) = pictures::draw(&path)
            {
                let file = json!({"mime": pictures::mime(&path), "data": STANDARD.encode(bytes)});
                files.insert(path.clone(), file);
            }
            *text = format!("sample://{path}");
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| keep_links(inner, files)),
        Value::Object(map) => map.values_mut().for_each(|inner| keep_links(inner, files)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_sample_is_small_complete_and_always_the_same() {
        let text = write("kornblume").unwrap();
        assert!(text.len() <= LIMIT);
        assert_eq!(text, write("kornblume").unwrap());
        let sample: Value = serde_json::from_str(&text).unwrap();
        let threads = sample["conversations"].as_array().unwrap();
        assert_eq!(threads.len(), 40);
        assert!(!text.contains("access_token") && !text.contains("/cdn/"));
        for thread in threads {
            for message in thread["messages"]["data"].as_array().unwrap() {
                assert!(message["created_offset_ms"].as_i64().unwrap() <= 0);
                for file in message["attachments"]["data"]
                    .as_array()
                    .into_iter()
                    .flatten()
                {
                    let link = file["image_data"]["url"]
                        .as_str()
                        .or(file["file_url"].as_str())
                        .unwrap();
                    let name = link.strip_prefix("sample://").unwrap();
                    assert!(sample["files"][name]["data"].is_string(), "{name}");
                }
            }
        }
        for person in sample["profiles"].as_array().unwrap() {
            assert!(person["avatar"].as_str().unwrap().len() <= 4 * 1024);
        }
    }

    #[test]
    fn the_committed_fixture_is_what_is_written_now() {
        // Pictures aside: the last bit of a sine may differ between computers.
        fn words(text: &str) -> Value {
            let mut sample: Value = serde_json::from_str(text).unwrap();
            let names: Vec<String> = sample["files"]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect();
            sample["files"] = serde_json::json!(names);
            for (list, key) in [("profiles", "avatar"), ("accounts", "picture")] {
                for entry in sample[list].as_array_mut().unwrap() {
                    assert!(entry[key].take().is_string());
                }
            }
            sample
        }
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/data/sample-shop.json"
        );
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(committed.len() <= LIMIT);
        assert_eq!(words(&committed), words(&write("kornblume").unwrap()));
    }
}
