//! Events: Meta tells the relay, the relay tells the app. The clocks stand still wherever polling must not be what brought a message.

use crate::{
    sync::imported,
    world::{BAKERY, BAKERY_IG, World, from},
};
use serde_json::json;
use shopbell_core::api::types::{
    AccountState, DeletionState, EventPage, EventState, RelayState, RelayStatus,
};
use shopbell_sandbox::{Callback, Say, SignedRequest, Size};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

impl World {
    /// Meta's app is pointed at the relay.
    async fn events_on(&self) {
        let webhook_url = Some(format!("http://{}/webhooks/meta", self.relay.listening));
        self.meta()
            .callback(Callback {
                webhook_url,
                verify: true,
                ..Callback::default()
            })
            .await
            .unwrap();
    }

    async fn relay(&self) -> RelayStatus {
        from(self.call("relay_status", json!({})).await)
    }

    /// Until the stream stands.
    async fn linked(&self) {
        self.until(async |world| world.relay().await.state == RelayState::Live)
            .await;
    }

    /// A customer of the bakery's Page.
    fn says(&self, customer: &str, text: &str) -> String {
        self.meta()
            .say(Say {
                account: Some(BAKERY.into()),
                customer: Some(customer.into()),
                text: text.into(),
                ..Say::default()
            })
            .unwrap()
            .message_id
    }

    /// How often these words are here.
    async fn times(&self, words: &str) -> usize {
        let all = self.texts_here().await;
        all.iter().filter(|(text, _)| text == words).count()
    }

    /// Ends when the words are here.
    async fn brings(&self, words: &str) {
        self.until(async |world| world.times(words).await > 0).await;
    }

    /// Events taken in so far.
    async fn done(&self) -> usize {
        self.events(Some(EventState::Done)).await.rows.len()
    }

    async fn events(&self, state: Option<EventState>) -> EventPage {
        from(
            self.call(
                "events_list",
                json!({ "state": state, "before": null, "limit": 200 }),
            )
            .await,
        )
    }
}

/// A connected bakery, everything fetched, events on, the stream open.
async fn live_bakery() -> World {
    let world = World::new(Size::Empty).await;
    world.events_on().await;
    world.connect("facebook", &[BAKERY, BAKERY_IG]).await;
    world.pass_until(imported).await;
    world.linked().await;
    // The first event proves that the way works; until then the account is polled.
    world.says("Ada Lenz", "Guten Morgen!");
    world
        .pass_until(async |world| world.account(BAKERY).await.last_event_at_ms.is_some())
        .await;
    // The figures are told at most four times a second, so the clock must go on for the last of them.
    world
        .pass_until(async |world| world.sync().await.iter().all(|one| one.state == "idle"))
        .await;
    world
}

#[tokio::test]
async fn a_customers_message_is_there_at_once_and_the_log_says_how() {
    let world = live_bakery().await;
    let before = world.sync().await[0].last_poll_at_ms;
    let logged = world.done().await;
    world.says("Mira Falk", "Habt ihr noch Brezeln?");
    world.brings("Habt ihr noch Brezeln?").await;
    assert_eq!(
        world.sync().await[0].last_poll_at_ms,
        before,
        "no look brought it: the clocks stood still"
    );
    assert_eq!(world.done().await, logged + 1, "the event brought it");
    assert!(world.events(Some(EventState::Failed)).await.rows.is_empty());
    let status = world.relay().await;
    assert_eq!((status.behind, status.gap), (0, None));
    assert!(status.committed > 0);
}

#[tokio::test]
async fn after_a_week_with_the_lid_closed_everything_is_there_in_order_once() {
    let mut world = live_bakery().await;
    world.says("Mira Falk", "Bis nächste Woche!");
    world.brings("Bis nächste Woche!").await;
    world.core.shutdown().await;
    for day in 1..=7 {
        world.advance(DAY);
        world.says("Mira Falk", &format!("Tag {day}"));
        world.says("Noor Haddad", &format!("Noch eine Frage, Tag {day}"));
        world.meta().settled().await;
    }
    world.restart().await;
    world.brings("Noch eine Frage, Tag 7").await;
    world.linked().await;
    let here = world.texts_here().await;
    for day in 1..=7 {
        assert_eq!(world.times(&format!("Tag {day}")).await, 1);
        assert_eq!(world.times(&format!("Noch eine Frage, Tag {day}")).await, 1);
    }
    let mut told: Vec<_> = here
        .iter()
        .filter(|(text, _)| text.starts_with("Tag "))
        .collect();
    told.sort_by_key(|(_, second)| *second);
    let order: Vec<&str> = told.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(
        order,
        [
            "Tag 1", "Tag 2", "Tag 3", "Tag 4", "Tag 5", "Tag 6", "Tag 7"
        ]
    );
    assert!(world.relay().await.gap.is_none());
    assert!(
        world.sync().await.iter().all(|one| one.recovered.is_none()),
        "the relay brought it: nothing was lost"
    );
}

#[tokio::test]
async fn what_meta_sends_twice_out_of_order_or_before_its_message_ends_the_same() {
    let world = live_bakery().await;
    world.meta().set_switches(|switches| {
        switches.webhook_duplicate = 2;
        switches.webhook_reorder = 3;
    });
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(world.says("Mira Falk", &format!("Zeile {n}")));
    }
    for n in 0..20 {
        world.brings(&format!("Zeile {n}")).await;
        assert_eq!(world.times(&format!("Zeile {n}")).await, 1);
    }
    assert!(world.events(Some(EventState::Failed)).await.rows.is_empty());
}

#[tokio::test]
async fn without_a_relay_looking_takes_over_and_afterwards_nothing_is_doubled() {
    let world = live_bakery().await;
    world.says("Mira Falk", "Erste");
    world.brings("Erste").await;
    world.line.cut(true);
    world.says("Mira Falk", "Zweite");
    world
        .pass_until(async |world| world.times("Zweite").await == 1)
        .await;
    assert_ne!(world.relay().await.state, RelayState::Live);
    world.line.cut(false);
    world.call("relay_reconnect", json!({})).await;
    world.says("Mira Falk", "Dritte");
    world
        .pass_until(async |world| world.times("Dritte").await == 1)
        .await;
    world
        .pass_until(async |world| world.relay().await.state == RelayState::Live)
        .await;
    for words in ["Erste", "Zweite", "Dritte"] {
        assert_eq!(world.times(words).await, 1, "{words}");
    }
}

#[tokio::test]
async fn the_owner_removes_the_app_at_facebook_and_keeps_everything_here() {
    let world = live_bakery().await;
    world.says("Mira Falk", "Noch da?");
    world.brings("Noch da?").await;
    let url = format!("http://{}/meta/deauthorize", world.relay.listening);
    let user_id = owner(&world);
    let answer = world
        .meta()
        .signed_request(SignedRequest {
            url,
            user_id,
            ..SignedRequest::default()
        })
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    world
        .until(async |world| world.account(BAKERY).await.state == AccountState::ReconnectNow)
        .await;
    assert_eq!(world.times("Noch da?").await, 1);
}

#[tokio::test]
async fn a_wish_for_deletion_deletes_at_the_relay_and_asks_here() {
    let world = live_bakery().await;
    world.says("Mira Falk", "Noch da?");
    world.brings("Noch da?").await;
    let url = format!("http://{}/meta/data-deletion", world.relay.listening);
    let answer = world
        .meta()
        .signed_request(SignedRequest {
            url,
            user_id: owner(&world),
            ..SignedRequest::default()
        })
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    let said: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert!(said["confirmation_code"].is_string());
    world
        .until(async |world| !world.relay().await.deletions.is_empty())
        .await;
    let request = world.relay().await.deletions.remove(0);
    assert_eq!(request.state, DeletionState::Asked);
    assert_eq!(world.times("Noch da?").await, 1, "nothing was deleted here");
    let answer = json!({ "id": request.id, "erase": false, "permits": [] });
    world.call("deletion_answer", answer).await;
    assert_eq!(world.times("Noch da?").await, 1);
}

/// App-scoped id of the bakery's owner.
fn owner(world: &World) -> String {
    let state = world.meta().state();
    state["owners"][0]["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}
