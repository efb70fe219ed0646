//! Fetching against the simulated Meta: faults, ends of the program in the middle, and at the end exactly what Meta holds.

use crate::world::{BAKERY, BAKERY_IG, World, from};
use serde_json::{Value, json};
use shopbell_core::api::types::{MessagePage, SyncStatus};
use shopbell_sandbox::{Before, Fault, FaultError, Say, Size, Throttle};
use std::{collections::BTreeSet, time::Duration};

impl World {
    pub async fn sync(&self) -> Vec<SyncStatus> {
        from(self.call("sync_status", json!({})).await)
    }

    /// Lets time pass, one due moment after the other, until `done` holds. Every wait that ends does its work before the next ends.
    pub async fn pass_until(&self, done: impl AsyncFn(&Self) -> bool) {
        while !done(self).await {
            let waiting = self.clock.waiting();
            let due = self.clock.next_due_in_ms().unwrap_or(0).clamp(0, 60_000);
            self.advance(Duration::from_millis(u64::try_from(due).unwrap()));
            let calls = self.meta().journal().len();
            for _ in 0..400 {
                tokio::task::yield_now().await;
                if self.clock.waiting() >= waiting && self.meta().journal().len() > calls {
                    break;
                }
            }
        }
    }

    /// Ids and texts of everything here.
    pub async fn texts_here(&self) -> BTreeSet<(String, i64)> {
        let mut all = BTreeSet::new();
        let mut cursor = Value::Null;
        loop {
            let query =
                json!({ "view": "all", "account_id": null, "cursor": cursor, "limit": 100 });
            let page = self.call("conversations_list", query).await;
            for row in page["rows"].as_array().unwrap() {
                let ask = json!({ "conversation_id": row["id"], "before": null, "after": null, "around": null, "limit": 200 });
                let page: MessagePage = from(self.call("messages_list", ask).await);
                for message in page.messages {
                    all.insert((message.text.unwrap_or_default(), message.sent_at_ms / 1_000));
                }
            }
            cursor = page["next"].clone();
            if cursor.is_null() {
                return all;
            }
        }
    }

    /// The same of what Meta shows of these accounts: the newest twenty of every thread.
    fn texts_there(&self, accounts: &[&str]) -> BTreeSet<(String, i64)> {
        let state = self.meta().state();
        let mut all = BTreeSet::new();
        for thread in state["conversations"].as_array().unwrap() {
            let account = thread["account"].to_string();
            if !accounts.iter().any(|id| account.contains(id)) || thread["requests"] == true {
                continue;
            }
            for message in thread["messages"].as_array().unwrap().iter().rev().take(20) {
                all.insert((
                    message["text"].as_str().unwrap().trim().to_owned(),
                    message["created_ms"].as_i64().unwrap() / 1_000,
                ));
            }
        }
        all
    }
}

pub async fn imported(world: &World) -> bool {
    let all = world.sync().await;
    !all.is_empty() && all.iter().all(|status| status.imported_at_ms.is_some())
}

#[tokio::test]
async fn faults_and_restarts_in_the_middle_and_it_still_holds_exactly_what_meta_holds() {
    let mut world = World::new(Size::Small).await;
    world.connect("facebook", &[BAKERY, BAKERY_IG]).await;
    let conversations = |fault: Fault| Fault {
        path: "conversations".into(),
        ..fault
    };
    for (skip, before) in [
        (1, Before::Reset),
        (2, Before::Status { status: 502 }),
        (
            3,
            Before::Error(FaultError {
                code: 2,
                ..FaultError::default()
            }),
        ),
    ] {
        world.meta().fault(conversations(Fault {
            skip,
            times: 1,
            before: Some(before),
            ..Fault::default()
        }));
    }
    world.meta().fault(conversations(Fault {
        skip: 1,
        times: 1,
        empty_page: true,
        ..Fault::default()
    }));
    world.meta().fault(conversations(Fault {
        skip: 4,
        times: 1,
        throttle: Some(Throttle {
            code: 613,
            minutes: 1,
        }),
        ..Fault::default()
    }));
    for _ in 0..3 {
        world.advance(Duration::from_millis(1_100));
        world.restart().await;
    }
    world.pass_until(imported).await;
    assert_eq!(
        world.texts_here().await,
        world.texts_there(&[BAKERY, BAKERY_IG])
    );
    // Something new comes by itself.
    let say = Say {
        account: Some(BAKERY.into()),
        customer: Some("Ana Neumann".into()),
        text: "Haben Sie Dinkelbrot?".into(),
        ..Say::default()
    };
    world.meta().say(say).unwrap();
    world
        .pass_until(async |world: &World| {
            world
                .texts_here()
                .await
                .iter()
                .any(|(text, _)| text == "Haben Sie Dinkelbrot?")
        })
        .await;
    assert_eq!(
        world.texts_here().await,
        world.texts_there(&[BAKERY, BAKERY_IG])
    );
}

#[tokio::test]
async fn the_people_of_the_newest_conversations_have_faces_after_the_first_sync() {
    let world = World::new(Size::Small).await;
    world.connect("facebook", &[BAKERY]).await;
    world.pass_until(imported).await;
    let faces = async |world: &World| {
        let query = json!({ "view": "all", "account_id": null, "cursor": null, "limit": 100 });
        let page = world.call("conversations_list", query).await;
        let rows = page["rows"].as_array().unwrap().clone();
        rows.len() > 3 && rows.iter().all(|row| row["picture"].is_string())
    };
    world.pass_until(faces).await;
}
