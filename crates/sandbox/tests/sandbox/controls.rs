//! The orders about posts, comments and what happens around conversations, as a script gives them over HTTP.

use serde_json::{Value, json};

use crate::bench::{BAKERY, Bench};
use crate::ear::{Ear, listening, subscribe_page};

async fn given(bench: &Bench, path: &str, body: Value) -> Value {
    let answer = bench.control(path, body).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

#[tokio::test]
async fn every_order_is_there_over_http() {
    let (bench, ear): (Bench, Ear) = listening().await;
    subscribe_page(&bench).await;
    let post = given(
        &bench,
        "post",
        json!({"account": BAKERY, "form": "carousel", "pictures": ["cake", "bread"]}),
    )
    .await;
    let post = &post["post_id"];
    let remark = given(
        &bench,
        "comment",
        json!({"post": post, "customer": "Ana B", "text": "Hm"}),
    )
    .await;
    let comment = &remark["comment_id"];
    let said = given(
        &bench,
        "say",
        json!({"account": BAKERY, "customer": "Ana B", "text": "Hi", "cards": ["location"]}),
    )
    .await;
    assert_eq!(
        said["customer_id"], remark["customer_id"],
        "the commenter now writes"
    );
    let thread = &said["conversation_id"];
    let live = given(&bench, "live", json!({"account": "kornblume.brot"})).await;
    let story = given(
        &bench,
        "post",
        json!({"account": "kornblume.brot", "form": "story"}),
    )
    .await;
    for (path, body) in [
        ("post-change", json!({"post": post, "text": "Neu"})),
        ("post-react", json!({"post": post, "reaction": "wow"})),
        ("comment-edit", json!({"comment": comment, "text": "Hmm"})),
        ("comment-hide", json!({"comment": comment})),
        ("comment-hide", json!({"comment": comment, "unhide": true})),
        ("comment-remove", json!({"comment": comment})),
        ("post-remove", json!({"post": post})),
        ("live", json!({"end": live["post_id"]})),
        (
            "mention",
            json!({"account": "kornblume.brot", "comment": "@kornblume.brot"}),
        ),
        (
            "story-insights",
            json!({"post": story["post_id"], "reach": 12}),
        ),
        (
            "refer",
            json!({"conversation": thread, "from": "ad", "word": "x"}),
        ),
        ("handover", json!({"conversation": thread, "step": "take"})),
        ("optin", json!({"conversation": thread, "payload": "p"})),
        ("policy", json!({"account": BAKERY, "action": "block"})),
        (
            "feedback",
            json!({"message": said["message_id"], "good": true}),
        ),
        ("to-self", json!({"account": "kornblume.brot", "text": "x"})),
        (
            "burst",
            json!({"account": BAKERY, "count": 3, "kinds": ["message", "postback"], "per_post": 3}),
        ),
        ("settle", json!({})),
    ] {
        given(&bench, path, body).await;
    }
    assert!(ear.entries().len() >= 15);
    for (path, body) in [
        ("comment", json!({"post": "1_2"})),
        ("comment-edit", json!({"comment": "1_2"})),
        (
            "post",
            json!({"account": "kornblume.brot", "form": "status"}),
        ),
        ("post", json!({"account": BAKERY, "form": "story"})),
        ("mention", json!({"account": BAKERY})),
        ("handover", json!({"conversation": "t_0"})),
        ("burst", json!({"kinds": ["dance"]})),
        ("shop", json!({"kind": "kiosk"})),
    ] {
        assert_eq!(bench.control(path, body).await.status, 400, "{path}");
    }
    let base = format!("{}/_sandbox/deliveries", bench.sandbox.base_url());
    assert_eq!(bench.send(bench.client.delete(&base)).await.status, 200);
    assert_eq!(bench.fetch(&base).await.json()["delivered"], json!([]));
    let state = bench.world().state();
    assert_eq!(state["posts"].as_array().unwrap().len(), 2);
}
