//! From nothing to an answer that arrived, with the program alone: relay and sandbox in this process, every call a process of its own.

use super::{Profile, browser::browse};
use serde_json::Value;
use shopbell_core::{Clock, SystemClock};
use shopbell_relay::{Config as RelayConfig, MetaApp, Relay, Upstreams};
use shopbell_sandbox::{Config as SandboxConfig, Sandbox};
use url::Url;

/// The outside world.
pub struct World {
    pub sandbox: Sandbox,
    pub relay: Relay,
}

impl World {
    pub async fn start() -> Self {
        let config = SandboxConfig {
            auto_consent: true,
            ..SandboxConfig::default()
        };
        let instagram = MetaApp::new(
            config.instagram.id.clone(),
            shopbell_wire::Secret::new(config.instagram.secret.clone()),
        );
        let sandbox = Sandbox::start(config).await.unwrap();
        let upstream = Upstreams::below(&Url::parse(&sandbox.base_url()).unwrap()).unwrap();
        let clock = SystemClock::new();
        let relay = Relay::start(
            RelayConfig::in_memory(upstream, None, Some(instagram)),
            move || clock.now_ms(),
        )
        .await
        .unwrap();
        Self { sandbox, relay }
    }
}

/// A call in a thread of its own: the world answers meanwhile.
pub async fn call(profile: &std::sync::Arc<Profile>, arguments: &[&str]) -> Value {
    let profile = std::sync::Arc::clone(profile);
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    tokio::task::spawn_blocking(move || {
        profile.json(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_an_answer_that_arrived() {
    let world = World::start().await;
    let profile = std::sync::Arc::new(Profile::at(
        world.relay.base_url.as_str(),
        &world.sandbox.base_url(),
    ));

    let begun = call(&profile, &["connect", "instagram", "--no-browser"]).await;
    let link = browse(begun["authorize_url"].as_str().unwrap()).await;
    let found = call(&profile, &["connect", "finish", &link]).await;
    assert_eq!(found["step"], "choosing", "{found}");
    assert_eq!(call(&profile, &["connect", "choose"]).await["step"], "done");
    let accounts = call(&profile, &["accounts"]).await;
    assert_eq!(
        (
            accounts.as_array().unwrap().len(),
            accounts[0]["channel"].as_str()
        ),
        (1, Some("instagram"))
    );

    let synced = call(&profile, &["sync"]).await;
    assert!(synced[0]["imported_at_ms"].is_i64(), "{synced}");
    let rows = call(&profile, &["conversations"]).await["rows"]
        .as_array()
        .unwrap()
        .clone();
    assert!(rows.len() > 3);
    let open = rows
        .iter()
        .find(|row| row["window"]["state"] == "open")
        .expect("somebody can be answered");
    let id = open["id"].to_string();
    let messages = call(&profile, &["messages", &id]).await["messages"]
        .as_array()
        .unwrap()
        .clone();
    let word = messages
        .iter()
        .filter_map(|m| m["text"].as_str())
        .flat_map(str::split_whitespace)
        .max_by_key(|word| word.len())
        .unwrap();
    assert!(
        !call(&profile, &["search", word]).await["hits"]
            .as_array()
            .unwrap()
            .is_empty(),
        "{word}"
    );
    let posts = call(&profile, &["comments"]).await;
    assert!(posts["posts"].as_array().unwrap().is_empty(), "{posts}");
    assert_eq!(
        call(&profile, &["comments", "1"]).await["comments"],
        serde_json::json!([])
    );
    assert!(call(&profile, &["contacts", "refresh", &id]).await["profile_fetched_at_ms"].is_i64());

    let sent = call(&profile, &["send", &id, "Yes, we open at seven."]).await;
    assert_eq!(
        (sent["state"].as_str(), sent["reason"].is_null()),
        (Some("sent"), true),
        "{sent}"
    );
    let messages = call(&profile, &["messages", &id]).await["messages"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(
        messages
            .iter()
            .filter(|m| m["text"] == "Yes, we open at seven.")
            .count(),
        1
    );
}
