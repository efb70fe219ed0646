//! What Meta posts: seeded events of both owners, signed, told twice, out of order, before what they speak of; posted until they are taken.

use crate::chance::Chance;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Connections that post at the same time.
const POSTERS: usize = 6;
/// Customers of an owner.
const CUSTOMERS: u64 = 3;
/// Tries of one post before the trial gives up on it.
const TRIES: usize = 400;

/// A message that must be in an app.
#[derive(Clone, Debug)]
pub struct Expected {
    pub owner: usize,
    pub person: String,
    pub text: String,
    pub sent_at_ms: i64,
    /// A customer of ours read it.
    pub read: bool,
}

/// One request.
#[derive(Clone)]
pub struct Post {
    pub owner: usize,
    pub body: String,
    pub entries: usize,
    /// Its entries are none, which the app must say.
    pub spoilt: bool,
}

/// Makes events, each once.
pub struct Author {
    pub chance: Chance,
    made: i64,
    base_ms: i64,
    accounts: Vec<(String, &'static str)>,
}

impl Author {
    pub fn new(seed: u64, base_ms: i64, accounts: Vec<(String, &'static str)>) -> Self {
        Self {
            chance: Chance(seed),
            made: 0,
            base_ms,
            accounts,
        }
    }

    /// Some requests, and what must be in the apps when they were taken.
    pub fn write(&mut self, many: usize) -> (Vec<Post>, Vec<Expected>) {
        let (mut posts, mut expected) = (Vec::new(), Vec::new());
        for _ in 0..many {
            let owner = self.pick(self.accounts.len());
            match self.chance.up_to(20) {
                1..=3 => self.batch(owner, &mut posts, &mut expected),
                4 => self.edited_before_it_came(owner, &mut posts, &mut expected),
                5 => self.read_before_it_came(owner, &mut posts, &mut expected),
                6 => self.nothing_that_is_an_entry(owner, &mut posts),
                _ => {
                    let event = self.message(owner, &mut expected);
                    let post = self.post(owner, vec![vec![event]]);
                    // Meta tells some of it twice.
                    if self.chance.up_to(5) == 1 {
                        posts.insert(self.pick(posts.len() + 1), post.clone());
                    }
                    posts.push(post);
                }
            }
        }
        // Not in the order of its times.
        for _ in 0..many / 3 {
            let (one, other) = (self.pick(posts.len()), self.pick(posts.len()));
            posts.swap(one, other);
        }
        (posts, expected)
    }

    fn pick(&mut self, many: usize) -> usize {
        usize::try_from(self.chance.up_to(many as u64)).unwrap() - 1
    }

    fn next(&mut self) -> (i64, i64) {
        self.made += 1;
        // Every few share a millisecond.
        (self.made, self.base_ms + self.made / 4 * 700)
    }

    fn person(&mut self, owner: usize) -> String {
        format!("77000000000{owner}0{}", self.chance.up_to(CUSTOMERS))
    }

    fn message(&mut self, owner: usize, expected: &mut Vec<Expected>) -> Value {
        let person = self.person(owner);
        self.message_of(owner, &person, false, expected).0
    }

    fn message_of(
        &mut self,
        owner: usize,
        person: &str,
        ours: bool,
        expected: &mut Vec<Expected>,
    ) -> (Value, String, i64) {
        let (n, at_ms) = self.next();
        let text = format!("Füße/{owner}/{n} \u{1f950}");
        let mid = format!("m_{owner}_{n}");
        let us = self.accounts[owner].0.clone();
        let (from, to) = if ours {
            (us.as_str(), person)
        } else {
            (person, us.as_str())
        };
        let mut message = json!({ "mid": mid, "text": text });
        if ours {
            message["is_echo"] = true.into();
        }
        expected.push(Expected {
            owner,
            person: person.to_owned(),
            text,
            sent_at_ms: at_ms,
            read: false,
        });
        let event = json!({ "sender": { "id": from }, "recipient": { "id": to }, "timestamp": at_ms, "message": message });
        (event, mid, at_ms)
    }

    fn batch(&mut self, owner: usize, posts: &mut Vec<Post>, expected: &mut Vec<Expected>) {
        let mut entries = Vec::new();
        for _ in 0..self.chance.up_to(5) {
            let mut events = Vec::new();
            for _ in 0..self.chance.up_to(3) {
                events.push(self.message(owner, expected));
            }
            entries.push(events);
        }
        posts.push(self.post(owner, entries));
    }

    fn edited_before_it_came(
        &mut self,
        owner: usize,
        posts: &mut Vec<Post>,
        expected: &mut Vec<Expected>,
    ) {
        let person = self.person(owner);
        let (event, mid, at_ms) = self.message_of(owner, &person, false, expected);
        let text = format!("edited {mid}");
        let edit = json!({
            "sender": { "id": person }, "recipient": { "id": self.accounts[owner].0 }, "timestamp": at_ms + 5_000,
            "message_edit": { "mid": mid, "text": text, "num_edit": 1 },
        });
        expected.last_mut().unwrap().text = text;
        let edit = self.post(owner, vec![vec![edit]]);
        posts.insert(0, edit);
        let message = self.post(owner, vec![vec![event]]);
        posts.push(message);
    }

    fn read_before_it_came(
        &mut self,
        owner: usize,
        posts: &mut Vec<Post>,
        expected: &mut Vec<Expected>,
    ) {
        let person = self.person(owner);
        let (echo, _, at_ms) = self.message_of(owner, &person, true, expected);
        expected.last_mut().unwrap().read = true;
        let us = self.accounts[owner].0.clone();
        let read = |until_ms: i64| {
            json!({
                "sender": { "id": person }, "recipient": { "id": us }, "timestamp": until_ms,
                "read": { "watermark": until_ms },
            })
        };
        // Late first, then early: the late one counts.
        let late = self.post(owner, vec![vec![read(at_ms + 1)]]);
        let early = self.post(owner, vec![vec![read(self.base_ms - 1)]]);
        posts.insert(0, early);
        posts.insert(0, late);
        let echo = self.post(owner, vec![vec![echo]]);
        posts.push(echo);
    }

    /// It names its account, and is nothing that an app understands.
    fn nothing_that_is_an_entry(&mut self, owner: usize, posts: &mut Vec<Post>) {
        let (account, object) = &self.accounts[owner];
        posts.push(Post {
            owner,
            body: json!({ "object": object, "entry": [[account]] }).to_string(),
            entries: 1,
            spoilt: true,
        });
    }

    fn post(&mut self, owner: usize, entries: Vec<Vec<Value>>) -> Post {
        let (account, object) = &self.accounts[owner];
        let count = entries.len();
        let entries: Vec<Value> = entries
            .into_iter()
            .map(|events| json!({ "id": account, "time": self.base_ms, "messaging": events }))
            .collect();
        // As Meta writes it: everything beyond ASCII and every slash escaped, and not in the order of a map.
        let entries = serde_json::to_string(&entries).unwrap();
        let body = format!("{{\"object\":\"{object}\", \"entry\":{entries}}}");
        Post {
            owner,
            body: escaped(&body),
            entries: count,
            spoilt: false,
        }
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units = [0; 2];
    for character in text.chars() {
        match character {
            '/' => out.push_str("\\/"),
            plain if plain.is_ascii() => out.push(plain),
            other => {
                for unit in other.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}

/// What became of what was posted, per owner.
#[derive(Default)]
pub struct Tally {
    /// Entries of requests that got a 200.
    pub accepted: [AtomicUsize; 2],
    /// Entries of all requests that were sent.
    pub sent: [AtomicUsize; 2],
    /// The same, of those that are no entries.
    pub spoilt_accepted: [AtomicUsize; 2],
    /// The same.
    pub spoilt_sent: [AtomicUsize; 2],
    /// Requests that got a 200.
    pub answered: AtomicUsize,
    /// What must not be: an answer that no trial explains.
    pub odd: Mutex<Vec<String>>,
    /// A disk has failed: from the first refusal on nothing may be taken.
    watch_refusals: AtomicBool,
    refused: AtomicBool,
}

/// Posts what it is given until everything was taken, or the trial is over.
pub struct Load {
    pub url: String,
    pub secret: String,
    pub tally: Arc<Tally>,
}

impl Load {
    /// Posts all of it. Requests that are refused are posted again, as Meta does.
    pub async fn carry(self: Arc<Self>, posts: Vec<Post>) {
        let queue = Arc::new(Mutex::new(VecDeque::from(posts)));
        let mut posters = tokio::task::JoinSet::new();
        for _ in 0..POSTERS {
            let (queue, load) = (Arc::clone(&queue), Arc::clone(&self));
            posters.spawn(async move {
                let client = reqwest::Client::builder()
                    .no_proxy()
                    .timeout(Duration::from_secs(5))
                    .build()
                    .unwrap();
                loop {
                    let next = queue.lock().unwrap().pop_front();
                    let Some(post) = next else { return };
                    load.one(&client, &post).await;
                }
            });
        }
        while posters.join_next().await.is_some() {}
    }

    async fn one(&self, client: &reqwest::Client, post: &Post) {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(post.body.as_bytes());
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        let count = |counts: &[AtomicUsize; 2]| {
            counts[post.owner].fetch_add(post.entries, Ordering::SeqCst);
        };
        for _ in 0..TRIES {
            count(&self.tally.sent);
            if post.spoilt {
                count(&self.tally.spoilt_sent);
            }
            let refused_before = self.tally.was_refused();
            let answer = client
                .post(&self.url)
                .header("x-hub-signature-256", &signature)
                .header("content-type", "application/json")
                .body(post.body.clone())
                .send()
                .await;
            match answer.map(|answer| answer.status().as_u16()) {
                Ok(200) => {
                    count(&self.tally.accepted);
                    if post.spoilt {
                        count(&self.tally.spoilt_accepted);
                    }
                    if refused_before && self.tally.watch_refusals.load(Ordering::SeqCst) {
                        self.odd("200 after a failed sync".into());
                    }
                    self.tally.answered.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                Ok(503) => {
                    self.tally.refused.store(true, Ordering::SeqCst);
                }
                Ok(status) => {
                    self.odd(format!("a signed event was answered {status}"));
                    return;
                }
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        self.odd("an event was never taken".into());
    }

    fn odd(&self, what: String) {
        let mut odd = self.tally.odd.lock().unwrap();
        if odd.len() < 5 {
            odd.push(what);
        }
    }
}

impl Tally {
    /// From here on nothing may be taken after a refusal, or everything as usual.
    pub fn watch_refusals(&self, watch: bool) {
        self.refused.store(false, Ordering::SeqCst);
        self.watch_refusals.store(watch, Ordering::SeqCst);
    }

    /// Whether the relay refused since then.
    pub fn was_refused(&self) -> bool {
        self.refused.load(Ordering::SeqCst)
    }
}
