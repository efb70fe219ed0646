//! The postman: posts waiting events, signed, as many POSTs at a time as the switch says, the retries of shops
//! too, and lets planned things happen when the clock gets there. It sleeps until it is rung or something comes due.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::json;

use super::mailbox::{Delivery, Letter, Signer};
use super::sign;
use crate::clock::Clock;
use crate::http::Shared;
use crate::http::answer::escape;
use crate::shops::{self, Parcel};
use crate::world::World;

/// A callback must answer within this.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Runs until it is aborted.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut on_their_way = FuturesUnordered::new();
    loop {
        let rung = shared.bell.notified();
        let room = shared.world().switches.webhook_parallel.max(1);
        while on_their_way.len() < room
            && let Some(work) = next(&shared)
        {
            on_their_way.push(work.done(&shared));
        }
        let pause = sleep_ms(&shared.world());
        tokio::select! {
            Some(()) = on_their_way.next(), if !on_their_way.is_empty() => {
                shared.sent.notify_waiters();
            }
            () = rung => {}
            () = sleep(pause), if on_their_way.len() < room => {}
        }
    }
}

/// For ever when nothing is planned.
async fn sleep(pause: Option<u64>) {
    match pause {
        Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
        None => std::future::pending().await,
    }
}

/// What the postman carries: one POST of the platform, or one retry of a shop.
enum Work {
    Letters(Vec<Letter>),
    Parcel(Box<Parcel>),
}

impl Work {
    async fn done(self, shared: &Arc<Shared>) {
        match self {
            Work::Letters(letters) => post(shared, letters).await,
            Work::Parcel(parcel) => {
                shops::send::post(shared, *parcel).await;
            }
        }
    }
}

fn next(shared: &Shared) -> Option<Work> {
    let mut world = shared.world();
    world.catch_up();
    let now = world.now_ms();
    let batch = world.switches.webhook_batch;
    let mut letters = world.mailbox.take(now, batch);
    if world.switches.webhook_reversed {
        letters.reverse();
    }
    if letters.is_empty() {
        return world
            .shops
            .take(now)
            .map(|parcel| Work::Parcel(Box::new(parcel)));
    }
    Some(Work::Letters(letters))
}

/// How long a running clock may sleep; a standing one waits to be moved.
fn sleep_ms(world: &World) -> Option<u64> {
    let Clock::Running { .. } = world.clock else {
        return None;
    };
    let due = world.due.iter().map(|due| due.at_ms).min();
    let posts = [world.mailbox.next_ms(), world.shops.next_ms()];
    let next = posts.into_iter().chain([due]).flatten().min()?;
    Some(u64::try_from(next - world.now_ms()).unwrap_or(0).max(1))
}

async fn post(shared: &Arc<Shared>, letters: Vec<Letter>) {
    let Some(first) = letters.first().cloned() else {
        return;
    };
    let (body, secret, copies) = {
        let world = shared.world();
        let now = world.now_ms();
        let entries: Vec<_> = letters
            .iter()
            .map(|letter| {
                let mut entry = letter.entry.clone();
                // The time of sending; content events carry seconds.
                if entry.get("time").is_some() {
                    let messaging =
                        entry.get("messaging").is_some() || entry.get("standby").is_some();
                    entry["time"] = if messaging { now } else { now / 1_000 }.into();
                }
                entry
            })
            .collect();
        let secret = match first.signer {
            Signer::Facebook => world.config.facebook.secret.clone(),
            Signer::Instagram => world.config.instagram.secret.clone(),
        };
        let body = escape(&json!({"object": first.object, "entry": entries}).to_string());
        (body, secret, world.switches.webhook_copies.max(1))
    };
    let mut status = 0;
    for _ in 0..copies {
        status = send_once(shared, &first.url, &body, &secret).await;
    }
    let mut world = shared.world();
    let now = world.now_ms();
    let delivery = Delivery {
        events: letters.iter().map(|letter| letter.number).collect(),
        at_ms: now,
        status,
        signature: sign::modern(&secret, body.as_bytes()),
        body,
    };
    world.mailbox.book(letters, delivery, now);
}

async fn send_once(shared: &Shared, url: &str, body: &str, secret: &str) -> u16 {
    let answer = shared
        .client
        .post(url)
        .header("content-type", "application/json")
        .header("user-agent", "facebookexternalua")
        .header("x-hub-signature", sign::legacy(secret, body.as_bytes()))
        .header("x-hub-signature-256", sign::modern(secret, body.as_bytes()))
        .body(body.to_owned())
        .timeout(ANSWER_WITHIN)
        .send()
        .await;
    answer.map_or(0, |answer| answer.status().as_u16())
}
