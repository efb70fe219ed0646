//! The invariants, read from an owner's profile beside the app that holds it.

use crate::{
    load::Expected,
    profile::{PASSPHRASE, Profile},
};
use serde_json::{Value, json};
use shopbell_core::{
    Core, CoreConfig, OpenAs, OsEntropy, SystemClock, api, endpoints, vault::Keychain,
};
use std::{collections::BTreeMap, sync::Arc};

/// A reader of a profile.
pub struct Reader {
    core: Core,
}

/// Numbers of the raw log.
#[derive(Debug, Default, Clone, Copy)]
pub struct Logged {
    pub all: usize,
    pub new: usize,
    pub failed: usize,
    pub foreign: usize,
}

/// What there is.
pub struct Found {
    /// By conversation, oldest first: text, time, state.
    pub threads: Vec<Vec<(String, i64, String)>>,
    pub logged: Logged,
    /// Why events are missing, if the app says so.
    pub gap: Option<String>,
}

impl Reader {
    pub async fn open(profile: &Profile) -> Self {
        let dir = profile.folder.path().to_owned();
        let core = Core::new(CoreConfig {
            endpoints: endpoints::load(&dir).unwrap(),
            dir,
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(OsEntropy),
            keychain: Keychain::Missing,
        });
        core.open_as(OpenAs::Reader).await;
        core.unlock(PASSPHRASE.into()).await.unwrap();
        Self { core }
    }

    pub async fn close(self) {
        self.core.shutdown().await;
    }

    async fn ask(&self, name: &str, argument: Value) -> Value {
        api::dispatch(&self.core, name, argument).await.unwrap()
    }

    /// Reads everything.
    pub async fn read(&self) -> Found {
        let mut threads = Vec::new();
        let page = self
            .ask("conversations_list", json!({ "view": "all", "limit": 100 }))
            .await;
        for row in page["rows"].as_array().unwrap() {
            threads.push(self.thread(&row["id"]).await);
        }
        Found {
            threads,
            logged: self.log().await,
            gap: self.ask("relay_status", json!({})).await["gap"]["reason"]["code"]
                .as_str()
                .map(str::to_owned),
        }
    }

    async fn thread(&self, id: &Value) -> Vec<(String, i64, String)> {
        let mut all: Vec<(i64, (String, i64, String))> = Vec::new();
        let mut before = Value::Null;
        loop {
            let page = json!({ "conversation_id": id, "before": before, "limit": 200 });
            let page = self.ask("messages_list", page).await;
            let messages = page["messages"].as_array().unwrap();
            all.extend(messages.iter().map(|message| {
                let key = message["sort_key"].as_str().unwrap().parse().unwrap();
                let text = message["text"].as_str().unwrap_or_default().to_owned();
                let state = message["state"].as_str().unwrap().to_owned();
                (key, (text, message["sent_at_ms"].as_i64().unwrap(), state))
            }));
            if messages.len() < 200 {
                break;
            }
            let oldest = all.iter().map(|(key, _)| *key).min().unwrap();
            before = oldest.to_string().into();
        }
        all.sort_by_key(|(key, _)| *key);
        all.into_iter().map(|(_, message)| message).collect()
    }

    async fn log(&self) -> Logged {
        let mut logged = Logged::default();
        let mut before = Value::Null;
        loop {
            let page = json!({ "state": null, "before": before, "limit": 200 });
            let page = self.ask("events_list", page).await;
            for row in page["rows"].as_array().unwrap() {
                logged.all += 1;
                logged.new += usize::from(row["state"] == "new");
                logged.failed += usize::from(row["state"] == "failed");
                let reason = row["reason"]["code"].as_str().unwrap_or_default();
                logged.foreign +=
                    usize::from(["unknown_account", "disconnected"].contains(&reason));
            }
            match &page["next"] {
                Value::Null => return logged,
                next => before = next.clone(),
            }
        }
    }
}

/// How many of what must be here is not here yet.
pub fn missing(found: &Found, expected: &[Expected], owner: usize) -> usize {
    let texts: BTreeMap<&str, ()> = found
        .threads
        .iter()
        .flatten()
        .map(|(text, _, _)| (text.as_str(), ()))
        .collect();
    let of_owner = expected.iter().filter(|expected| expected.owner == owner);
    of_owner
        .filter(|expected| !texts.contains_key(expected.text.as_str()))
        .count()
}

/// Everything that is wrong at an owner's.
pub fn judge(found: &Found, expected: &[Expected], owner: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut here: BTreeMap<&str, Vec<(usize, i64, &str)>> = BTreeMap::new();
    for (thread, messages) in found.threads.iter().enumerate() {
        let mut last_ms = 0;
        for (text, sent_at_ms, state) in messages {
            if *sent_at_ms < last_ms {
                wrong.push(format!("{text:?} stands behind a later message"));
            }
            last_ms = *sent_at_ms;
            here.entry(text)
                .or_default()
                .push((thread, *sent_at_ms, state));
        }
    }
    let mut person_of_thread: BTreeMap<usize, &str> = BTreeMap::new();
    for one in expected {
        let rows = here.get(one.text.as_str()).map_or(&[][..], Vec::as_slice);
        if one.owner != owner {
            if !rows.is_empty() {
                wrong.push(format!("{:?} is at another owner's", one.text));
            }
            continue;
        }
        match rows {
            [] => wrong.push(format!("{:?} is lost", one.text)),
            [(thread, sent_at_ms, state)] => {
                if *sent_at_ms != one.sent_at_ms {
                    wrong.push(format!("{:?} has another time", one.text));
                }
                if *person_of_thread.entry(*thread).or_insert(&one.person) != one.person {
                    wrong.push(format!("{:?} is in another conversation", one.text));
                }
                if one.read && *state != "read" {
                    wrong.push(format!("{:?} is {state} and was read", one.text));
                }
            }
            more => wrong.push(format!("{:?} is here {} times", one.text, more.len())),
        }
    }
    let known: usize = here.len();
    let own = expected.iter().filter(|one| one.owner == owner).count();
    if known > own {
        wrong.push(format!("{known} different messages, {own} were told"));
    }
    if found.logged.new > 0 {
        wrong.push(format!("{} events without an outcome", found.logged.new));
    }
    if found.logged.foreign > 0 {
        wrong.push(format!("{} events of another owner", found.logged.foreign));
    }
    wrong
}
