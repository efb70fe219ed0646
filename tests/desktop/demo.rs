//! The main job, from the first click to an answer that arrived, in the real window; also the headless demo.
//!
//! With `SHOPBELL_DEMO_OUT` it leaves pictures of every main page and `summary.json` there; each value of it is measured here.

use crate::{
    page::{call, element, has, press, shows, until},
    world::World,
};
use fantoccini::{Client, Locator, key::Key};
use serde_json::{Value, json};
use std::{path::PathBuf, time::Instant};

/// Part of the last words of the customer who goes on writing.
const BEFORE: &str = "Muss ich etwas anzahlen";
const POLLED: &str = "Und noch eine Frage:";
const LIVE: &str = "Und habt ihr am Samstag noch Dinkelseelen?";
const ANSWER: &str = "Ja, ab sieben Uhr. Wie viele sollen wir zurücklegen?";

/// Takes the pictures and remembers them for the summary.
struct Album {
    out: Option<PathBuf>,
    pages: Vec<Value>,
}

impl Album {
    /// One picture as the window is now.
    async fn take(&mut self, world: &World, window: &Client, name: &str, theme: &str) {
        let Some(out) = &self.out else { return };
        settle(window).await;
        let (width, height) = window.get_window_size().await.unwrap();
        let file = format!("{name}-{width}-{theme}.png");
        world.photograph(&out.join(&file), width, height);
        self.pages
            .push(json!({ "name": name, "theme": theme, "width": width, "file": file }));
    }

    /// Both themes at 1280 and at 800.
    async fn everywhere(&mut self, world: &World, window: &Client, name: &str) {
        if self.out.is_none() {
            return;
        }
        for width in [1280, 800] {
            window.set_window_size(width, 800).await.unwrap();
            for theme in ["light", "dark"] {
                call(window, "settings_set", json!({ "theme": theme }))
                    .await
                    .unwrap();
                element(window, &format!("html[data-theme={theme}]")).await;
                self.take(world, window, name, theme).await;
            }
        }
        window.set_window_size(1280, 800).await.unwrap();
        call(window, "settings_set", json!({ "theme": "light" }))
            .await
            .unwrap();
        element(window, "html[data-theme=light]").await;
    }
}

/// Two frames, fonts and pictures loaded: what is on the display is what the page means.
async fn settle(window: &Client) {
    let script = "const done = arguments[0];
        const pictures = [...document.images].filter((one) => !one.complete).map((one) => new Promise((ok) => { one.onload = one.onerror = ok; }));
        const moving = document.getAnimations().map((one) => one.finished.catch(() => undefined));
        Promise.all([document.fonts.ready, ...pictures, ...moving]).then(() => requestAnimationFrame(() => requestAnimationFrame(() => done(true))));";
    window.execute_async(script, vec![]).await.unwrap();
}

fn ms(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job() {
    let mut album = Album {
        out: std::env::var_os("SHOPBELL_DEMO_OUT").map(PathBuf::from),
        pages: Vec::new(),
    };
    let mut world = World::start(1280, 800);
    let start = Instant::now();
    let window = world.open_window().await;
    shows(&window, "Connect Instagram").await;
    let first_window_ms = ms(start);
    album.everywhere(&world, &window, "welcome").await;

    let sync_ms = connect(&world, &window, &mut album).await;
    let accounts = call(&window, "accounts_list", json!({})).await.unwrap();
    let (conversations, messages) = sums(&accounts);
    let poll_to_visible_ms = receive(&world, &window, POLLED).await;
    world.events_on().await;
    let webhook_to_visible_ms = receive(&world, &window, LIVE).await;
    album.everywhere(&world, &window, "inbox").await;
    let reply_delivered = answer(&world, &window, &mut album).await;
    pages(&world, &window, &mut album).await;

    world.unplug();
    let (offline_readable, search_hits) = offline(&world, &window, &mut album).await;
    let before = call(&window, "accounts_list", json!({})).await.unwrap();
    window.close().await.unwrap();
    let window = world.open_window().await;
    // The same conversation is open again, in a window of whatever width it had.
    shows(&window, ANSWER).await;
    let after = call(&window, "accounts_list", json!({})).await.unwrap();
    let restart_intact = sums(&before) == sums(&after);
    album.take(&world, &window, "restarted", "light").await;
    window.close().await.unwrap();

    assert!(reply_delivered && offline_readable && restart_intact && search_hits > 0);
    if let Some(out) = &album.out {
        let summary = json!({
            "schema": 1, "accounts": accounts.as_array().unwrap().len(), "conversations": conversations, "messages": messages,
            "first_window_ms": first_window_ms, "sync_ms": sync_ms, "poll_to_visible_ms": poll_to_visible_ms,
            "webhook_to_visible_ms": webhook_to_visible_ms, "reply_delivered": reply_delivered, "offline_readable": offline_readable,
            "search_hits": search_hits, "restart_intact": restart_intact, "insights_offline": null, "pages": album.pages,
        });
        std::fs::write(
            out.join("summary.json"),
            serde_json::to_string_pretty(&summary).unwrap(),
        )
        .unwrap();
    }
}

fn sums(accounts: &Value) -> (i64, i64) {
    let sum = |name: &str| {
        accounts
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one[name].as_i64())
            .sum()
    };
    (sum("conversations"), sum("messages"))
}

/// From the welcome page through the system's browser and the real deep link to a full inbox; tells how long the first sync took.
async fn connect(world: &World, window: &Client, album: &mut Album) -> u64 {
    // Slow enough that the waiting page can be looked at.
    world
        .sandbox(
            "faults",
            json!({ "host": "www.facebook.com", "latency_ms": 3_000, "times": 1 }),
        )
        .await;
    press(window, "Connect Facebook Page").await;
    shows(window, "things to check before").await;
    album.everywhere(world, window, "preflight").await;
    press(window, "Open Facebook to sign in").await;
    shows(window, "Go on in your browser").await;
    album.take(world, window, "waiting", "light").await;
    shows(window, "Accounts found").await;
    album.everywhere(world, window, "choose").await;
    let chosen = Instant::now();
    press(window, "accounts").await;
    shows(window, "Connected").await;
    album.take(world, window, "connected", "light").await;
    finish_first_run(world, window, album).await;
    element(window, ".row").await;
    until(
        window,
        "sync_status",
        json!({}),
        "answer.length > 0 && answer.every((one) => one.imported_at_ms)",
    )
    .await;
    ms(chosen)
}

/// The recovery key is shown and two groups of it are typed back.
async fn finish_first_run(world: &World, window: &Client, album: &mut Album) {
    let key = call(window, "recovery_key_show", json!({})).await.unwrap();
    press(window, "Go on").await;
    shows(window, "I wrote it down").await;
    album.take(world, window, "recovery-key", "light").await;
    press(window, "I wrote it down").await;
    shows(window, "Type two groups").await;
    for label in window
        .find_all(Locator::XPath("//label[contains(., 'Group ')]"))
        .await
        .unwrap()
    {
        let number: usize = label
            .text()
            .await
            .unwrap()
            .chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
            .parse()
            .unwrap();
        let field = label.find(Locator::Css("input")).await.unwrap();
        field
            .send_keys(key["groups"][number - 1].as_str().unwrap())
            .await
            .unwrap();
    }
    press(window, "Confirm").await;
    until(
        window,
        "app_status",
        json!({}),
        "!answer.recovery_key_pending",
    )
    .await;
}

/// A customer writes. Tells how long until the words are on the screen: by polling, as long as Meta tells the relay nothing, or by the
/// event through the relay.
async fn receive(world: &World, window: &Client, words: &str) -> u64 {
    let state: Value = reqwest::get(format!("{}/_sandbox/state", world.sandbox_address))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let thread = state["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| {
            let told = one["messages"].as_array().unwrap().iter().rev().take(2);
            told.filter_map(|message| message["text"].as_str())
                .any(|text| text.contains(BEFORE))
        })
        .expect("the shop has no such conversation");
    let start = Instant::now();
    world
        .sandbox(
            "say",
            json!({ "conversation": thread["id"], "text": words }),
        )
        .await;
    shows(window, words).await;
    ms(start)
}

/// Opens the conversation, answers with the keyboard, waits until Meta has it: exactly once.
async fn answer(world: &World, window: &Client, album: &mut Album) -> bool {
    let row = window
        .wait()
        .for_element(Locator::XPath(&format!(
            "//*[@role='option'][contains(., \"{LIVE}\")]"
        )))
        .await
        .unwrap();
    row.click().await.unwrap();
    element(window, ".composer textarea")
        .await
        .send_keys(ANSWER)
        .await
        .unwrap();
    album.everywhere(world, window, "thread-writing").await;
    let field = element(window, ".composer textarea").await;
    field
        .send_keys(&format!(
            "{}{}",
            char::from(Key::Control),
            char::from(Key::Enter)
        ))
        .await
        .unwrap();
    album.take(world, window, "thread-held-back", "light").await;
    let newest = json!({ "view": "all", "account_id": null, "cursor": null, "limit": 1 });
    let list = call(window, "conversations_list", newest).await.unwrap();
    let thread = json!({ "conversation_id": list["rows"][0]["id"], "before": null, "after": null, "around": null, "limit": 1 });
    until(
        window,
        "messages_list",
        thread,
        "answer.messages[0].state === 'sent'",
    )
    .await;
    album.everywhere(world, window, "thread").await;
    let state: Value = reqwest::get(format!("{}/_sandbox/state", world.sandbox_address))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    state.to_string().matches(ANSWER).count() == 1
}

/// The other pages.
async fn pages(world: &World, window: &Client, album: &mut Album) {
    if album.out.is_none() {
        return;
    }
    for (section, words) in [
        ("accounts", "Accounts"),
        ("health", "Health"),
        ("appearance", "Appearance"),
        ("sending", "Sending"),
        ("keyboard", "Keyboard"),
    ] {
        let open = window.active_element().await.unwrap();
        let _ = open.send_keys(&char::from(Key::Escape).to_string()).await;
        if !has(window, "Appearance").await {
            press(window, "Settings").await;
        }
        press(window, words).await;
        album
            .everywhere(world, window, &format!("settings-{section}"))
            .await;
    }
    press(window, "Inbox").await;
    element(window, ".row").await;
}

/// Without network: read a thread, search everything.
async fn offline(world: &World, window: &Client, album: &mut Album) -> (bool, i64) {
    press(window, "All").await;
    element(window, ".row").await.click().await.unwrap();
    element(window, ".msg").await;
    let offline_readable = !window
        .find_all(Locator::Css(".msg"))
        .await
        .unwrap()
        .is_empty();
    album.everywhere(world, window, "offline").await;
    let hits = call(window, "search", json!({ "text": "Dinkel", "limit": 50 }))
        .await
        .unwrap();
    window
        .active_element()
        .await
        .unwrap()
        .send_keys(&format!("{}f", char::from(Key::Control)))
        .await
        .unwrap();
    let field = element(window, "input[type=search]").await;
    field.send_keys("Dinkel").await.unwrap();
    element(window, "mark").await;
    album.everywhere(world, window, "search").await;
    field
        .send_keys(&char::from(Key::Escape).to_string())
        .await
        .unwrap();
    // The thread we answered in is the last place: the next start must show it again.
    let row = window
        .wait()
        .for_element(Locator::XPath(
            "//*[@role='option'][contains(., 'Ja, ab sieben Uhr')]",
        ))
        .await
        .unwrap();
    row.click().await.unwrap();
    shows(window, ANSWER).await;
    (
        offline_readable,
        i64::try_from(hits["hits"].as_array().unwrap().len()).unwrap(),
    )
}
