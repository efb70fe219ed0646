//! Answering through the simulated Meta: an ordinary answer, and one whose answer is lost after Meta took it.

use crate::world::{BAKERY, World, from};
use serde_json::{Value, json};
use shopbell_core::api::types::MessageView;
use shopbell_sandbox::{After, Fault, Say, Size};
use std::time::Duration;

impl World {
    /// The one conversation there is.
    async fn only_conversation(&self) -> Option<Value> {
        let query = json!({ "view": "all", "account_id": null, "cursor": null, "limit": 10 });
        self.call("conversations_list", query).await["rows"]
            .as_array()
            .unwrap()
            .first()
            .cloned()
    }

    async fn answer(&self, conversation: &Value, text: &str, key: &str) -> MessageView {
        let ask = json!({ "conversation_id": conversation["id"], "text": text, "reply_to": null, "key": key });
        from(self.call("message_send", ask).await)
    }

    async fn state_of(&self, conversation: &Value, text: &str) -> String {
        let ask = json!({ "conversation_id": conversation["id"], "before": null, "after": null, "around": null, "limit": 50 });
        let page = self.call("messages_list", ask).await;
        let found: Vec<&Value> = page["messages"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|message| message["text"] == text)
            .collect();
        assert_eq!(found.len(), 1, "one message, not two: {found:?}");
        found[0]["state"].as_str().unwrap().to_owned()
    }

    /// How often Meta delivered a text.
    fn delivered(&self, text: &str) -> usize {
        let state = self.meta().state();
        let threads = state["conversations"].as_array().unwrap();
        threads
            .iter()
            .flat_map(|thread| thread["messages"].as_array().unwrap())
            .filter(|message| message["text"] == text)
            .count()
    }
}

#[tokio::test]
async fn an_answer_arrives_once_also_when_metas_own_answer_is_lost() {
    let world = World::new(Size::Empty).await;
    let say = Say {
        account: Some(BAKERY.into()),
        customer: Some("Ana Neumann".into()),
        text: "Offen am Montag?".into(),
        ..Say::default()
    };
    world.meta().say(say).unwrap();
    world.connect("facebook", &[BAKERY]).await;
    world
        .pass_until(async |world: &World| world.only_conversation().await.is_some())
        .await;
    let ana = world.only_conversation().await.unwrap();

    world
        .answer(&ana, "Ja, ab 7 Uhr", "018f0000-0000-7000-8000-000000000001")
        .await;
    world.advance(Duration::from_secs(5));
    world
        .until(async |world: &World| world.state_of(&ana, "Ja, ab 7 Uhr").await != "scheduled")
        .await;
    world
        .until(async |world: &World| world.state_of(&ana, "Ja, ab 7 Uhr").await == "sent")
        .await;
    assert_eq!(world.delivered("Ja, ab 7 Uhr"), 1);

    world.meta().fault(Fault {
        method: "POST".into(),
        path: "messages".into(),
        times: 1,
        after: Some(After::Reset),
        ..Fault::default()
    });
    world
        .answer(&ana, "Bis Montag!", "018f0000-0000-7000-8000-000000000002")
        .await;
    world.advance(Duration::from_secs(5));
    world
        .until(async |world: &World| {
            matches!(
                world.state_of(&ana, "Bis Montag!").await.as_str(),
                "unknown" | "sent"
            )
        })
        .await;
    world
        .pass_until(async |world: &World| world.state_of(&ana, "Bis Montag!").await == "sent")
        .await;
    assert_eq!(
        world.delivered("Bis Montag!"),
        1,
        "looked for, not repeated"
    );
}
