//! Ended in the middle, again and again: processes that fetch and send are killed at seeded points, and afterwards the profile holds
//! exactly what the platform holds.
//!
//! The points are events, not moments: the n-th call that reached the sandbox, an answer that is under way, a text that another process
//! shows. `SHOPBELL_KILLS` is how often (CI: 25, the long trial: 500), `SHOPBELL_SEED` repeats a failure.
// The seed is what a failure is repeated with.
#![allow(clippy::print_stdout)]

use super::{
    Profile,
    browser::browse,
    chance::{Chance, number},
    whole_way,
};
use serde_json::Value;
use shopbell_sandbox::{After, Fault, Say};
use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};
use whole_way::{World, call};

/// An answer this late never comes: its process is dead by then.
const NEVER_MS: u64 = 600_000;
/// How many messages of a thread the platform shows.
const SHOWN: usize = 20;

/// What is compared: whose thread, text, second.
type Said = (String, String, i64);

/// One of our texts.
struct Ours {
    text: String,
    conversation: String,
    /// It was certainly in the database before the kill: the sandbox had it, or another process showed it.
    noted: bool,
}

struct Trial {
    world: World,
    profile: Arc<Profile>,
    chance: Chance,
    /// Id on the platform.
    account: String,
    kills: u64,
    /// Ends that came before the kill.
    whole: u64,
    news: u64,
    ours: Vec<Ours>,
}

impl Trial {
    async fn begin(seed: u64) -> Self {
        let world = World::start().await;
        world
            .sandbox
            .world()
            .set_switches(|switches| switches.conversations_per_second = 0);
        let profile = Arc::new(Profile::at(
            world.relay.base_url.as_str(),
            &world.sandbox.base_url(),
        ));
        let begun = call(&profile, &["connect", "instagram", "--no-browser"]).await;
        let link = browse(begun["authorize_url"].as_str().unwrap()).await;
        call(&profile, &["connect", "finish", &link]).await;
        assert_eq!(call(&profile, &["connect", "choose"]).await["step"], "done");
        let accounts = call(&profile, &["accounts"]).await;
        Self {
            account: accounts[0]["platform_id"].as_str().unwrap().to_owned(),
            world,
            profile,
            chance: Chance(seed),
            kills: 0,
            whole: 0,
            news: 0,
            ours: Vec::new(),
        }
    }

    /// Runs a call and kills it as soon as `now` holds. `false`: it came to its end before, and well.
    async fn kill(&mut self, arguments: &[&str], mut now: impl AsyncFnMut(&Self) -> bool) -> bool {
        let mut command: Command = self.profile.command(arguments);
        let words = self.profile.folder.path().join("stderr");
        let quiet = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&words).unwrap());
        let mut child = quiet.spawn().unwrap();
        let mut look = tokio::time::interval(Duration::from_millis(1));
        let status = loop {
            if now(self).await {
                child.kill().unwrap();
                break child.wait().unwrap();
            }
            if let Some(status) = child.try_wait().unwrap() {
                let words = std::fs::read_to_string(&words).unwrap();
                assert!(status.success(), "{} failed: {words}", arguments[0]);
                break status;
            }
            look.tick().await;
        };
        let (count, killed) = match status.success() {
            true => (&mut self.whole, false),
            false => (&mut self.kills, true),
        };
        *count += 1;
        killed
    }

    fn calls(&self) -> u64 {
        self.world.sandbox.world().journal().len() as u64
    }

    /// Some customers write, so that there is something to fetch.
    fn customers_write(&mut self) {
        let state = self.world.sandbox.world().state();
        let threads: Vec<&Value> = self.threads(&state).collect();
        for _ in 0..self.chance.up_to(4) {
            let thread = threads[self.chance.up_to(threads.len() as u64) as usize - 1];
            self.news += 1;
            let say = Say {
                conversation: Some(thread["id"].as_str().unwrap().to_owned()),
                text: format!("Question {}", self.news),
                ..Say::default()
            };
            self.world.sandbox.world().say(say).unwrap();
        }
    }

    fn threads<'a>(&self, state: &'a Value) -> impl Iterator<Item = &'a Value> {
        let account = self.account.clone();
        let all = state["conversations"].as_array().unwrap().iter();
        all.filter(move |thread| thread["account"]["id"] == account && thread["requests"] != true)
    }

    /// Kills a `sync` at its n-th call. Sometimes the call is answered only in the sandbox, and the program is dead when it waits.
    async fn kill_fetching(&mut self) {
        let mut most = 8;
        loop {
            self.customers_write();
            let meta = self.world.sandbox.world();
            meta.clear_journal();
            let at = self.chance.up_to(most);
            if self.chance.up_to(3) == 1 {
                meta.fault(Fault {
                    skip: u32::try_from(at).unwrap() - 1,
                    times: 1,
                    after: Some(After::Late { ms: NEVER_MS }),
                    ..Fault::default()
                });
            }
            let killed = self
                .kill(&["sync"], async |trial: &Self| trial.calls() >= at)
                .await;
            meta.clear_faults();
            if killed {
                return;
            }
            most = self.calls().clamp(1, most);
        }
    }

    /// A conversation that can be answered; `None` while none is here yet.
    async fn somebody(&mut self) -> Option<String> {
        let page = call(&self.profile, &["conversations"]).await;
        let rows = page["rows"].as_array().unwrap();
        let open: Vec<&Value> = rows
            .iter()
            .filter(|row| row["window"]["state"] == "open")
            .collect();
        // A send that nobody is sure about holds back the ones behind it for a minute: rather somebody who was not answered yet.
        let answered = |row: &&Value| {
            let id = row["id"].to_string();
            self.ours.iter().any(|ours| ours.conversation == id)
        };
        let fresh: Vec<&Value> = open.iter().copied().filter(|row| !answered(row)).collect();
        let open = if fresh.is_empty() { open } else { fresh };
        let at = match open.len() as u64 {
            0 => return None,
            many => self.chance.up_to(many) as usize - 1,
        };
        Some(open[at]["id"].to_string())
    }

    /// Kills a `send` at one of three points.
    async fn kill_sending(&mut self, point: Point) {
        let Some(conversation) = self.somebody().await else {
            return self.kill_fetching().await;
        };
        let text = format!("Answer {}", self.ours.len() + 1);
        let arguments = ["send", &conversation, &text];
        let meta = self.world.sandbox.world();
        meta.clear_journal();
        let noted = match point {
            Point::Call => {
                let at = self.chance.up_to(3);
                !self
                    .kill(&arguments, async |trial: &Self| trial.calls() >= at)
                    .await
            }
            Point::Leaving => {
                // It arrives; in every second case its answer does not.
                if self.chance.up_to(2) == 1 {
                    meta.fault(Fault {
                        method: "POST".into(),
                        path: "messages".into(),
                        after: Some(After::Late { ms: NEVER_MS }),
                        ..Fault::default()
                    });
                }
                let arrived = async |_: &Self| {
                    let journal = meta.journal();
                    let posts = journal.iter().filter(|entry| entry.method == "POST");
                    posts.into_iter().any(|entry| {
                        entry.body.contains(&text)
                            || entry.params.iter().any(|(_, value)| value.contains(&text))
                    })
                };
                self.kill(&arguments, arrived).await;
                true
            }
            Point::Shown => {
                // A reader that is alone holds the profile, so it comes after the first call: by then the other one does.
                let shown = async |trial: &Self| {
                    if trial.calls() == 0 {
                        return false;
                    }
                    let page = call(&trial.profile, &["messages", &conversation]).await;
                    let messages = page["messages"].as_array().unwrap();
                    messages.iter().any(|message| message["text"] == text)
                };
                self.kill(&arguments, shown).await;
                true
            }
        };
        self.world.sandbox.world().clear_faults();
        self.ours.push(Ours {
            text,
            conversation,
            noted,
        });
    }

    /// All messages of a conversation.
    async fn thread(&self, id: &str) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let mut arguments = vec!["messages", id, "--limit", "200"];
            let place = |message: &Value| message["sort_key"].as_str().unwrap().parse::<i64>();
            let oldest = all.iter().map(|m| place(m).unwrap()).min();
            let oldest = oldest.map(|key| format!("--before={key}"));
            arguments.extend(oldest.as_deref());
            let page = call(&self.profile, &arguments).await;
            let messages = page["messages"].as_array().unwrap();
            all.extend(messages.iter().cloned());
            if messages.len() < 200 {
                return all;
            }
        }
    }

    /// Everything here: whose thread, and the message.
    async fn here(&self) -> Vec<(String, Value)> {
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut arguments = vec!["conversations", "--limit", "100"];
            if let Some(cursor) = &cursor {
                arguments.extend(["--cursor", cursor]);
            }
            let page = call(&self.profile, &arguments).await;
            for row in page["rows"].as_array().unwrap() {
                let id = row["id"].to_string();
                let who = row["username"].as_str().unwrap();
                all.extend(
                    self.thread(&id)
                        .await
                        .into_iter()
                        .map(|message| (who.to_owned(), message)),
                );
            }
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return all,
            }
        }
    }

    /// Everything the sandbox holds of this account, and whether the platform still shows it.
    fn there(&self) -> Vec<(Said, bool)> {
        let state = self.world.sandbox.world().state();
        let names: BTreeMap<&str, &str> = state["customers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|person| {
                (
                    person["id"].as_str().unwrap(),
                    person["username"].as_str().unwrap(),
                )
            })
            .collect();
        let mut all = Vec::new();
        for thread in self.threads(&state) {
            let who = names[thread["customer"].as_str().unwrap()];
            let messages = thread["messages"].as_array().unwrap();
            for (at, message) in messages.iter().enumerate() {
                let text = message["text"].as_str().unwrap().trim().to_owned();
                let second = message["created_ms"].as_i64().unwrap() / 1_000;
                let shown = at + SHOWN >= messages.len();
                all.push(((who.to_owned(), text, second), shown));
            }
        }
        all
    }

    /// The comparison.
    async fn compare(&self) {
        let (here, there) = (self.here().await, self.there());
        let ours: BTreeSet<&str> = self.ours.iter().map(|ours| ours.text.as_str()).collect();

        // Theirs, and what was said before: at least what the platform shows, at most what it holds, each as often as there.
        let mut held: BTreeMap<Said, usize> = BTreeMap::new();
        for (who, message) in &here {
            let text = message["text"].as_str().unwrap_or_default();
            if !ours.contains(text) {
                let second = message["sent_at_ms"].as_i64().unwrap() / 1_000;
                *held
                    .entry((who.clone(), text.to_owned(), second))
                    .or_default() += 1;
            }
        }
        let count = |shown_only: bool| {
            let mut counts: BTreeMap<&Said, usize> = BTreeMap::new();
            for (said, shown) in &there {
                if (*shown || !shown_only) && !ours.contains(said.1.as_str()) {
                    *counts.entry(said).or_default() += 1;
                }
            }
            counts
        };
        for (said, times) in count(true) {
            let held = held.get(said).copied().unwrap_or(0);
            assert!(held >= times, "lost: {said:?}: {held} of {times}");
        }
        let all = count(false);
        for (said, times) in &held {
            let there = all.get(said).copied().unwrap_or(0);
            assert!(*times <= there, "doubled: {said:?}: {times} of {there}");
        }
        assert!(held.len() > 50, "only {} messages to compare", held.len());

        // Ours: a text has the time it was written here and the time it arrived there, so text and state are what counts.
        let mut states: BTreeMap<&str, usize> = BTreeMap::new();
        for ours in &self.ours {
            let rows: Vec<&Value> = here
                .iter()
                .map(|(_, message)| message)
                .filter(|m| m["text"] == ours.text)
                .collect();
            let arrived = there.iter().filter(|(said, _)| said.1 == ours.text).count();
            assert!(arrived <= 1, "{} arrived {arrived} times", ours.text);
            assert!(
                rows.len() <= 1,
                "{} is here {} times",
                ours.text,
                rows.len()
            );
            let Some(row) = rows.first() else {
                assert!(!ours.noted && arrived == 0, "{} is lost", ours.text);
                *states.entry("never written").or_default() += 1;
                continue;
            };
            assert_eq!(row["conversation_id"].to_string(), ours.conversation);
            let state = row["state"].as_str().unwrap();
            let fits: &[&str] = match arrived {
                1 => &["sent", "unknown"],
                _ => &["unknown", "queued", "scheduled"],
            };
            assert!(
                fits.contains(&state),
                "{} is {state} here and {arrived} times there",
                ours.text
            );
            *states.entry(state).or_default() += 1;
        }
        println!(
            "{} kills, {} ends before the kill; {} messages here; our texts: {states:?}",
            self.kills,
            self.whole,
            here.len()
        );
    }
}

/// Where a `send` is killed.
#[derive(Clone, Copy)]
enum Point {
    /// At the n-th call of the process, whatever it asks: before, while or after the text is written down.
    Call,
    /// When the text is at the sandbox.
    Leaving,
    /// When another process shows the text, which is still held back. A later process sends it.
    Shown,
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled() {
    let kills = number("SHOPBELL_KILLS", 25);
    let seed = number("SHOPBELL_SEED", 20_261_120);
    println!("SHOPBELL_SEED={seed} SHOPBELL_KILLS={kills}");
    let mut trial = Trial::begin(seed).await;
    for round in 0.. {
        if trial.kills >= kills {
            break;
        }
        match round % 8 {
            3 => trial.kill_sending(Point::Call).await,
            5 => trial.kill_sending(Point::Shown).await,
            6 if round % 16 == 6 => trial.kill_sending(Point::Leaving).await,
            6 => trial.kill_sending(Point::Call).await,
            _ => trial.kill_fetching().await,
        }
    }
    call(&trial.profile, &["sync"]).await;
    trial.compare().await;

    let output = trial.profile.run(&["doctor", "--json"]);
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let database = findings
        .iter()
        .find(|found| found["subject"] == "database")
        .unwrap();
    assert_eq!(database["reason"]["code"], "database_ok");
}
