//! Webhooks about posts and comments: every verb of a Page's `feed`, Instagram's content events in both forms.

use serde_json::{Value, json};
use shopbell_sandbox::{
    AccountChange, ContentForm, FeedFrom, Live, MentionOrder, OneComment, OnePost, PostForm,
    PostReact, Publish, Remark, StoryInsights,
};

use crate::bench::{BAKERY, BAKERY_IG, Bench, NOON};
use crate::ear::{Ear, FACEBOOK, INSTAGRAM, listening, mac, subscribe_instagram, subscribe_page};

fn photo(bench: &Bench, account: &str, ad: Option<&str>) -> String {
    let order = Publish {
        account: account.into(),
        text: "Frisch".into(),
        ad: ad.map(str::to_owned),
        ..Publish::default()
    };
    bench.world().publish(order).unwrap().post_id
}

fn remark(post: &str, text: &str) -> Remark {
    Remark {
        post: post.into(),
        customer: Some("Ana B".into()),
        text: text.into(),
        ..Remark::default()
    }
}

async fn heard(bench: &Bench, ear: &Ear) -> Vec<(String, Value)> {
    bench.world().settled().await;
    let changes = ear.changes();
    ear.forget();
    changes
}

#[tokio::test]
async fn a_pages_feed_tells_every_verb_of_a_comment() {
    let (bench, ear) = listening().await;
    subscribe_page(&bench).await;
    let post = photo(&bench, BAKERY, None);
    let world = bench.world();
    let first = world.comment(remark(&post, "Price?")).unwrap();
    let id = first.comment_id.clone();
    let answer = Remark {
        comment: Some(id.clone()),
        by_account: true,
        text: "5 €".into(),
        ..Remark::default()
    };
    world.comment(answer).unwrap();
    world.advance_ms(7_000);
    let one = |text: &str, unhide| OneComment {
        comment: id.clone(),
        text: text.into(),
        unhide,
    };
    world.edit_comment(one("Which price?", false)).unwrap();
    world.hide_comment(one("", false)).unwrap();
    world.hide_comment(one("", true)).unwrap();
    world.remove_comment(one("", false)).unwrap();
    let changes = heard(&bench, &ear).await;
    assert!(changes.iter().all(|(field, _)| field == "feed"));
    let values: Vec<Value> = changes.into_iter().map(|(_, value)| value).collect();
    assert_eq!(
        (&values[0]["item"], &values[0]["verb"]),
        (&json!("photo"), &json!("add"))
    );
    let verbs: Vec<&str> = values[1..]
        .iter()
        .map(|value| value["verb"].as_str().unwrap())
        .collect();
    assert_eq!(verbs, ["add", "add", "edited", "hide", "unhide", "remove"]);
    let add = &values[1];
    assert_eq!(
        add["from"],
        json!({"id": first.customer_id, "name": "Ana B"})
    );
    assert_eq!(
        (&add["parent_id"], &add["message"]),
        (&json!(post), &json!("Price?"))
    );
    assert_eq!(
        (&add["post"]["id"], &add["created_time"]),
        (&json!(post), &json!(NOON / 1_000))
    );
    assert_eq!(
        (&values[2]["parent_id"], &values[2]["from"]["id"]),
        (&json!(id), &json!(BAKERY))
    );
    assert_eq!(
        (&values[3]["edited_time"], &values[3]["message"]),
        (&json!(NOON / 1_000 + 7), &json!("Which price?"))
    );
    assert_eq!(
        (&values[4]["is_hidden"], &values[5]["is_hidden"]),
        (&json!(true), &json!(false))
    );
    assert!(values[6]["message"].is_null() && values[6]["comment_id"] == json!(id));
}

#[tokio::test]
async fn reactions_and_posts_of_pages_are_told_and_dark_posts_are_not() {
    let (bench, ear) = listening().await;
    subscribe_page(&bench).await;
    let world = bench.world();
    let ad = photo(&bench, BAKERY, Some("Herbst"));
    assert!(heard(&bench, &ear).await.is_empty());
    world.comment(remark(&ad, "Und?")).unwrap();
    assert_eq!(
        heard(&bench, &ear).await[0].1["post"]["promotion_status"],
        "active"
    );
    let wall = Publish {
        account: BAKERY.into(),
        text: "Danke!".into(),
        form: PostForm::Status,
        visitor: Some("Bo C".into()),
        ..Publish::default()
    };
    let wall = world.publish(wall).unwrap().post_id;
    let comment = world.comment(remark(&wall, "Gern")).unwrap().comment_id;
    let react = |comment: Option<&str>, reaction: &str| PostReact {
        post: wall.clone(),
        comment: comment.map(str::to_owned),
        customer: Some("Ana B".into()),
        reaction: reaction.into(),
    };
    world.react_to_post(react(None, "love")).unwrap();
    world.react_to_post(react(None, "")).unwrap();
    world.react_to_post(react(Some(&comment), "haha")).unwrap();
    world
        .change_post(OnePost {
            post: wall.clone(),
            text: "Danke euch!".into(),
            comments_enabled: None,
        })
        .unwrap();
    world
        .remove_post(OnePost {
            post: wall.clone(),
            ..OnePost::default()
        })
        .unwrap();
    let changes = heard(&bench, &ear).await;
    let told: Vec<(&str, &str, &str)> = changes
        .iter()
        .map(|(_, value)| {
            let word = |key: &str| value[key].as_str().unwrap_or("");
            (word("item"), word("verb"), word("reaction_type"))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("post", "add", ""),
            ("comment", "add", ""),
            ("reaction", "add", "love"),
            ("reaction", "remove", "like"),
            ("reaction", "add", "haha"),
            ("post", "edited", ""),
            ("post", "remove", ""),
        ]
    );
    assert_ne!(changes[0].1["from"]["id"], BAKERY);
    assert_eq!(changes[4].1["comment_id"], comment);
}

#[tokio::test]
async fn who_commented_may_come_in_older_words_or_not_at_all() {
    let (bench, ear) = listening().await;
    subscribe_page(&bench).await;
    let post = photo(&bench, BAKERY, None);
    heard(&bench, &ear).await;
    for (form, keys) in [
        (FeedFrom::Sender, ["sender_id", "sender_name"]),
        (FeedFrom::Missing, ["", ""]),
    ] {
        bench
            .world()
            .set_switches(|switches| switches.feed_from = form);
        bench.world().comment(remark(&post, "Hm")).unwrap();
        let value = heard(&bench, &ear).await.remove(0).1;
        assert!(value["from"].is_null());
        for key in keys.iter().filter(|key| !key.is_empty()) {
            assert!(value[*key].is_string(), "{key}");
        }
        assert_eq!(value["sender_id"].is_string(), form == FeedFrom::Sender);
    }
}

#[tokio::test]
async fn instagram_comments_come_flat_or_as_changes_by_way_and_by_switch() {
    let (bench, ear) = listening().await;
    let page = subscribe_page(&bench).await;
    let media = photo(&bench, "kornblume.brot", Some("Herbst"));
    let world = bench.world();
    let first = world.comment(remark(&media, "über die Seite")).unwrap();
    world.set_switches(|switches| switches.ig_comment_id_long = true);
    world.comment(remark(&media, "anderer Schlüssel")).unwrap();
    world.settled().await;
    subscribe_instagram(&bench).await;
    world.comment(remark(&media, "direkt")).unwrap();
    world.set_switches(|switches| switches.ig_content_form = ContentForm::Changes);
    world.comment(remark(&media, "direkt, anders")).unwrap();
    world.settled().await;
    let entries = ear.entries();
    let flat: Vec<bool> = entries
        .iter()
        .map(|entry| entry["changes"].is_null())
        .collect();
    assert_eq!(flat, [false, false, true, false]);
    assert!(
        entries
            .iter()
            .all(|entry| entry["id"] == BAKERY_IG && entry["time"] == NOON / 1_000)
    );
    for ((headers, body), secret) in ear
        .heard
        .lock()
        .unwrap()
        .iter()
        .zip([FACEBOOK, FACEBOOK, INSTAGRAM, INSTAGRAM])
    {
        assert_eq!(headers["x-hub-signature-256"], mac(secret, body));
    }
    let values = ear.changes();
    assert_eq!(values[0].1["id"], first.comment_id);
    assert!(values[1].1["id"].is_null() && values[1].1["comment_id"].is_string());
    assert_eq!(values[0].1["from"]["id"], json!(first.customer_id));
    let boosted = &values[0].1["media"];
    assert_eq!(
        (&boosted["media_product_type"], &boosted["ad_title"]),
        (&json!("AD"), &json!("Herbst"))
    );
    assert!(values.iter().all(|(field, _)| field == "comments"));
    drop(page);
}

#[tokio::test]
async fn own_comments_and_live_comments_are_marked() {
    let (bench, ear) = listening().await;
    let token = subscribe_instagram(&bench).await;
    let media = photo(&bench, "kornblume.brot", None);
    let first = bench
        .world()
        .comment(remark(&media, "Price?"))
        .unwrap()
        .comment_id;
    let path = format!("graph.instagram.com/v25.0/{first}/replies?message=5");
    let reply = bench.post(&path, &token, json!({})).await.json();
    let live = Live {
        account: "kornblume.brot".into(),
        ..Live::default()
    };
    let live = bench.world().live(live).unwrap().post_id;
    bench.world().comment(remark(&live, "Hallo")).unwrap();
    let one = OneComment {
        comment: first.clone(),
        ..OneComment::default()
    };
    assert!(
        bench.world().edit_comment(one.clone()).is_err(),
        "Instagram has no edits"
    );
    bench.world().hide_comment(one.clone()).unwrap();
    bench.world().remove_comment(one).unwrap();
    let changes = heard(&bench, &ear).await;
    assert_eq!(
        changes.len(),
        3,
        "hiding and removing are not told: {changes:?}"
    );
    let (field, own) = &changes[1];
    assert_eq!(
        (field.as_str(), &own["id"], &own["parent_id"]),
        ("comments", &reply["id"], &json!(first))
    );
    assert_eq!(own["from"]["id"], BAKERY_IG);
    assert!(own["from"]["self_ig_scoped_id"].is_string());
    assert_eq!(
        (changes[2].0.as_str(), &changes[2].1["media"]["id"]),
        ("live_comments", &json!(live))
    );
}

#[tokio::test]
async fn mentions_are_ids_through_a_page_and_comments_otherwise() {
    let (bench, ear) = listening().await;
    subscribe_page(&bench).await;
    let mention = |comment: Option<&str>| MentionOrder {
        account: "kornblume.brot".into(),
        caption: "Mit @kornblume.brot".into(),
        comment: comment.map(str::to_owned),
        ..MentionOrder::default()
    };
    let caption = bench.world().mention(mention(None)).unwrap();
    let below = bench
        .world()
        .mention(mention(Some("@kornblume.brot")))
        .unwrap();
    let changes = heard(&bench, &ear).await;
    assert_eq!(
        changes[0],
        ("mentions".into(), json!({"media_id": caption.media_id}))
    );
    assert_eq!(
        changes[1].1,
        json!({"media_id": below.media_id, "comment_id": below.comment_id})
    );
    subscribe_instagram(&bench).await;
    let direct = bench
        .world()
        .mention(mention(Some("@kornblume.brot")))
        .unwrap();
    let changes = heard(&bench, &ear).await;
    assert_eq!(
        (changes[0].0.as_str(), &changes[0].1["id"]),
        ("comments", &json!(direct.comment_id))
    );
}

#[tokio::test]
async fn a_private_account_tells_nothing_and_an_ended_story_its_figures() {
    let (bench, ear) = listening().await;
    subscribe_page(&bench).await;
    let world = bench.world();
    let story = Publish {
        account: "kornblume.brot".into(),
        form: PostForm::Story,
        ..Publish::default()
    };
    let story = world.publish(story).unwrap().post_id;
    world
        .story_insights(StoryInsights {
            post: story.clone(),
            reach: 90,
        })
        .unwrap();
    let (field, figures) = heard(&bench, &ear).await.remove(0);
    assert_eq!(
        (field.as_str(), &figures["media_id"], &figures["reach"]),
        ("story_insights", &json!(story), &json!(90))
    );
    assert_eq!(figures["replies"], -1, "figures under five are hidden");
    let media = photo(&bench, "kornblume.brot", None);
    let private = AccountChange {
        account: "kornblume.brot".into(),
        private: Some(true),
        ..AccountChange::default()
    };
    world.account(private).unwrap();
    world.comment(remark(&media, "Hm")).unwrap();
    assert!(heard(&bench, &ear).await.is_empty());
    assert_eq!(
        world.deliveries()["dropped"][0]["reason"],
        "the account is private"
    );
}

#[tokio::test]
async fn mentions_are_read_through_the_account_that_is_named() {
    let bench = Bench::empty().await;
    let token = bench.page(BAKERY).await;
    let mention = bench
        .world()
        .mention(MentionOrder {
            account: "kornblume.brot".into(),
            customer: Some("Ana B".into()),
            caption: "Mein Frühstück".into(),
            comment: Some("@kornblume.brot macht das beste Brot".into()),
            ..MentionOrder::default()
        })
        .unwrap();
    let comment = mention.comment_id.unwrap();
    let media = mention.media_id;
    let path = |field: String| format!("v25.0/{BAKERY_IG}?fields={field}");
    let read = bench
        .get(
            &path(format!(
                "mentioned_comment.comment_id({comment}){{id,text,timestamp,username,media{{id}}}}"
            )),
            &token,
        )
        .await
        .json();
    assert_eq!(read["mentioned_comment"]["media"]["id"], media);
    assert!(
        read["mentioned_comment"]["text"]
            .as_str()
            .unwrap()
            .contains("@kornblume.brot")
    );
    let read = bench
        .get(
            &path(format!(
                "mentioned_media.media_id({media}){{caption,media_url,username}}"
            )),
            &token,
        )
        .await
        .json();
    assert_eq!(read["mentioned_media"]["caption"], "Mein Frühstück");
    assert_eq!(
        bench
            .get(&path("mentioned_media.media_id(5)".into()), &token)
            .await
            .error(),
        (100, 33)
    );
    assert_eq!(
        bench
            .get(&path("mentioned_media".into()), &token)
            .await
            .error()
            .0,
        100
    );
}
