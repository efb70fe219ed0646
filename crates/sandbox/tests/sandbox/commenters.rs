//! People who only comment: what may be known of them, and the one private reply that may follow a comment.

use serde_json::{Value, json};
use shopbell_sandbox::PostForm;

use crate::bench::{BAKERY, Bench, DAY};
use crate::content::{COMMENTS, published, remarked};

#[tokio::test]
async fn names_of_commenters_need_their_permission_and_profiles_a_message() {
    let bench = Bench::empty().await;
    let media = published(&bench, "kornblume.brot", PostForm::Photo).post_id;
    let comment = remarked(&bench, &media, "Ana B", "Price?");
    let poor = bench.instagram().await;
    let path = format!("graph.instagram.com/v25.0/{}", comment.comment_id);
    let shown = bench
        .get(&format!("{path}?fields=text,username,from"), &poor)
        .await
        .json();
    assert_eq!(shown, json!({"text": "Price?", "id": comment.comment_id}));
    assert_eq!(bench.delete(&path, &poor).await.error().0, 10);
    let who = comment.customer_id.unwrap();
    let profile = format!("graph.instagram.com/v25.0/{who}?fields=username");
    assert_eq!(bench.get(&profile, &poor).await.error().0, 230);
    bench
        .world()
        .say(crate::ear::say("kornblume.brot", "Hallo"))
        .unwrap();
    assert_eq!(bench.get(&profile, &poor).await.status, 200);
}

#[tokio::test]
async fn one_private_reply_follows_a_comment() {
    let bench = Bench::empty().await;
    let token = bench.instagram_with(COMMENTS).await;
    let media = published(&bench, "kornblume.brot", PostForm::Photo).post_id;
    let comment = remarked(&bench, &media, "Ana B", "Price?");
    let own = bench
        .post(
            &format!("graph.instagram.com/v25.0/{media}/comments?message=x"),
            &token,
            json!({}),
        )
        .await
        .json();
    let reply = async |id: &Value| {
        let body = json!({"recipient": {"comment_id": id}, "message": {"text": "5 €"}});
        bench
            .post("graph.instagram.com/v25.0/me/messages", &token, body)
            .await
    };
    let id = json!(comment.comment_id);
    let sent = reply(&id).await.json();
    assert_eq!(sent["recipient_id"], json!(comment.customer_id));
    assert_eq!(reply(&id).await.error(), (100, 2_534_025));
    assert_eq!(reply(&own["id"]).await.error(), (100, 2_534_025));
    assert_eq!(reply(&json!("178")).await.error(), (100, 33));
    // It opens no window: the next message waits for an answer.
    let more = json!({"recipient": {"id": comment.customer_id}, "message": {"text": "noch da?"}});
    let refused = bench
        .post("graph.instagram.com/v25.0/me/messages", &token, more)
        .await;
    assert_eq!(refused.error(), (10, 2_534_022));
    let late = remarked(&bench, &media, "Bo C", "Price?").comment_id;
    bench.world().advance_ms(7 * DAY);
    assert_eq!(reply(&json!(late)).await.error(), (10, 2_534_022));
}

#[tokio::test]
async fn a_page_replies_privately_once_and_the_comment_says_so() {
    let bench = Bench::empty().await;
    let token = bench.page(BAKERY).await;
    let post = published(&bench, BAKERY, PostForm::Photo).post_id;
    let comment = remarked(&bench, &post, "Ana B", "Preis?").comment_id;
    let body = json!({"recipient": {"comment_id": comment}, "message": {"text": "5 €"}});
    assert_eq!(
        bench
            .post("v25.0/me/messages", &token, body.clone())
            .await
            .status,
        200
    );
    assert_eq!(
        bench
            .post("v25.0/me/messages", &token, body)
            .await
            .error()
            .0,
        10_900
    );
    let fields = "can_reply_privately,private_reply_conversation";
    let shown = bench
        .get(&format!("v25.0/{comment}?fields={fields}"), &token)
        .await
        .json();
    assert_eq!(shown["can_reply_privately"], false);
    assert!(
        shown["private_reply_conversation"]["id"]
            .as_str()
            .unwrap()
            .starts_with("t_")
    );
}
