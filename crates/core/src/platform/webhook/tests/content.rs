//! What stands in public: facts sheet §3.7 and §3.9.

use super::*;

fn feed(value: Value) -> Vec<String> {
    lines(&of_page(
        "changes",
        json!({"field": "feed", "value": value}),
    ))
}

fn changed(field: &str, value: Value) -> Vec<String> {
    lines(&of_instagram(
        "changes",
        json!({"field": field, "value": value}),
    ))
}

#[test]
fn comments_of_a_page_with_every_verb() {
    let mut value = json!({"from": {"id": "7011", "name": "Ana B"}, "item": "comment", "verb": "add", "post_id": "1001_555",
        "comment_id": "555_777", "parent_id": "1001_555", "created_time": 1_763_999_998, "message": "Preis?",
        "post": {"status_type": "added_photos", "permalink_url": "https://www.facebook.com/x", "id": "1001_555"}});
    assert_eq!(
        feed(value.clone()),
        [
            "comment 555_777 on 1001_555 kind=Some(\"photo\") under None by 7011/Ana B Some(\"Preis?\") written=1763999998000 text_at=1763999998000"
        ]
    );
    value["verb"] = "edited".into();
    value["message"] = "Preis bitte?".into();
    value["edited_time"] = 1_764_000_005.into();
    assert_eq!(
        feed(value),
        [
            "comment 555_777 on 1001_555 kind=Some(\"photo\") under None by 7011/Ana B Some(\"Preis bitte?\") written=1763999998000 text_at=1764000005000 edited"
        ]
    );
    let of = |verb: &str| {
        feed(
            json!({"item": "comment", "verb": verb, "post_id": "1001_555", "comment_id": "555_777", "is_hidden": verb == "hide"}),
        )
    };
    assert_eq!(
        of("hide"),
        [format!(
            "comment 555_777 of Some(\"1001_555\") hidden=true {SENT_MS}"
        )]
    );
    assert_eq!(
        of("unhide"),
        [format!(
            "comment 555_777 of Some(\"1001_555\") hidden=false {SENT_MS}"
        )]
    );
    assert_eq!(
        of("remove"),
        [format!(
            "comment 555_777 of Some(\"1001_555\") removed {SENT_MS}"
        )]
    );
    assert_eq!(of("delete"), of("remove"));
    assert_eq!(of("block"), ["ignored comment_verb"]);
}

#[test]
fn answers_own_ones_and_authors_nobody_names() {
    let answer = json!({"from": {"id": PAGE, "name": "Backstube"}, "item": "comment", "verb": "add", "post_id": "1001_555",
        "comment_id": "555_778", "parent_id": "555_777", "created_time": 1_764_000_000, "message": "12 €", "photo": "https://cdn.example/p"});
    assert_eq!(
        feed(answer),
        [
            "comment 555_778 on 1001_555 kind=None under Some(\"555_777\") by 1001/Backstube Some(\"12 €\") written=1764000000000 text_at=1764000000000 own photo"
        ]
    );
    let nobody = json!({"item": "comment", "verb": "add", "comment_id": "555_779", "created_time": 1_764_000_000, "message": "?"});
    assert_eq!(
        feed(nobody),
        [
            "comment 555_779 on 1001_555 kind=None under None by ? Some(\"?\") written=1764000000000 text_at=1764000000000"
        ],
        "the post follows from the comment's id"
    );
    let older = json!({"sender_id": 7011, "sender_name": "Ana B", "item": "comment", "verb": "add", "post_id": "1001_555",
        "comment_id": "555_780", "created_time": 1_764_000_000, "message": "alt"});
    assert!(feed(older)[0].contains("by 7011/Ana B"));
}

#[test]
fn posts_of_the_page_and_of_visitors() {
    let post = |from: &str, verb: &str| {
        json!({"from": {"id": from, "name": "N"}, "item": "photo", "verb": verb, "post_id": "1001_555", "created_time": 1_764_000_000,
            "published": 1, "message": "Frisches Brot", "link": "https://cdn.example/p", "post": {"permalink_url": "https://www.facebook.com/x"}})
    };
    assert_eq!(
        feed(post(PAGE, "add")),
        [
            "post 1001_555 own=Some(true) kind=Some(\"photo\") Some((\"Frisches Brot\", 1764000000000)) link=Some(\"https://www.facebook.com/x\") picture=Some(\"https://cdn.example/p\") at=Some(1764000000000)"
        ]
    );
    assert!(feed(post("7011", "add"))[0].starts_with("post 1001_555 own=Some(false)"));
    assert!(feed(post(PAGE, "edited"))[0].contains(&format!("(\"Frisches Brot\", {SENT_MS})")));
    assert_eq!(
        feed(post(PAGE, "remove")),
        [format!("post removed 1001_555 {SENT_MS}")]
    );
    let mut planned = post(PAGE, "add");
    planned["published"] = 0.into();
    assert_eq!(feed(planned), ["ignored unpublished_post"]);
}

#[test]
fn reactions_in_public_are_recognised_and_not_counted() {
    assert_eq!(
        feed(
            json!({"item": "reaction", "verb": "add", "reaction_type": "love", "post_id": "1001_555"})
        ),
        ["ignored post_reaction"]
    );
    assert_eq!(
        feed(
            json!({"item": "like", "verb": "add", "comment_id": "555_777", "post_id": "1001_555"})
        ),
        ["ignored comment_reaction"]
    );
    assert_eq!(
        feed(json!({"item": "event", "verb": "add"})),
        ["ignored feed_item"]
    );
}

#[test]
fn comments_on_instagram_in_both_forms_and_under_both_names_of_the_id() {
    let value = |key: &str| {
        json!({key: "17870", "parent_id": "17869", "from": {"id": "9001", "username": "ana.b"}, "text": "¿Precio?",
            "media": {"id": "17890", "media_product_type": "REELS"}})
    };
    let expected = format!(
        "comment 17870 on 17890 kind=Some(\"reels\") under Some(\"17869\") by 9001/ana.b Some(\"¿Precio?\") written={SENT_MS} text_at={SENT_MS}"
    );
    for key in ["id", "comment_id"] {
        assert_eq!(
            changed("comments", value(key)),
            std::slice::from_ref(&expected)
        );
    }
    let flat = json!({"object": "instagram", "entry": {"id": BOUTIQUE, "time": SENT_MS, "field": "comments", "value": value("id")}});
    let news = entry(Channel::Instagram, BOUTIQUE, flat.to_string().as_bytes()).unwrap();
    assert_eq!(lines(&news), [expected]);
    assert_eq!(news.refs, ["17870", "9001"]);
    assert!(changed("live_comments", value("id"))[0].ends_with(" live"));
}

#[test]
fn our_own_words_and_ads() {
    let own = json!({"id": "17871", "from": {"id": "24", "username": "azul", "self_ig_scoped_id": "9"}, "text": "12 €", "media": {"id": "17890"}});
    assert!(changed("comments", own)[0].ends_with(" own"));
    let by_id = json!({"id": "17871", "from": {"id": BOUTIQUE, "username": "azul"}, "text": "12 €", "media": {"id": "17890"}});
    assert!(changed("comments", by_id)[0].ends_with(" own"));
    let ad = json!({"id": "17872", "text": "?", "media": {"id": "17891", "media_product_type": "AD", "ad_id": "6", "ad_title": "Sommer", "original_media_id": "17890"}});
    let news = of_instagram("changes", json!({"field": "comments", "value": ad}));
    let IncomingItem::Comment(comment) = &news.items[0] else {
        panic!()
    };
    let post = &comment.post;
    assert_eq!(
        (
            post.ad_id.as_deref(),
            post.ad_title.as_deref(),
            post.original.as_deref(),
            post.kind.as_deref()
        ),
        (Some("6"), Some("Sommer"), Some("17890"), Some("ad"))
    );
    assert!(comment.author.is_none());
    assert_eq!(
        changed("comments", json!({"id": "17873", "text": "?"})),
        ["ignored comment_without_post"]
    );
}

#[test]
fn mentions_tell_ids_only() {
    for field in ["mentions", "comments"] {
        assert_eq!(
            changed(field, json!({"media_id": "17890"})),
            ["mention 17890 None"]
        );
        assert_eq!(
            changed(field, json!({"media_id": "17890", "comment_id": "17874"})),
            ["mention 17890 Some(\"17874\")"]
        );
    }
}

#[test]
fn other_changes_say_what_they_are() {
    assert_eq!(
        changed("story_insights", json!({"media_id": "1", "impressions": 5})),
        ["ignored story_insights"]
    );
    for (field, why) in [
        ("mention", "page_mention"),
        ("ratings", "rating"),
        ("leadgen", "lead"),
        ("weather", "unknown_field"),
    ] {
        let news = of_page("changes", json!({"field": field, "value": {"x": 1}}));
        assert_eq!(lines(&news), [format!("ignored {why}")]);
    }
    // The test button of Meta's dashboard sends messages as changes.
    let message = from_bea(
        "message",
        json!({"mid": "random_mid", "text": "random_text"}),
    );
    assert_eq!(
        changed("messages", message),
        ["customer random_mid 9001 1764000000001 text=\"random_text\" window"]
    );
}
