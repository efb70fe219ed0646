//! Posts, media and comments over the Graph API: read, answered, hidden, deleted.

use serde_json::{Value, json};
use shopbell_sandbox::{Live, OnePost, PostForm, Publish, Published, Remark, Remarked, Size};

use crate::bench::{BAKERY, BAKERY_IG, Bench, DAY};

pub(crate) const COMMENTS: &str = "instagram_business_basic,instagram_business_manage_messages,instagram_business_manage_comments";

pub(crate) fn published(bench: &Bench, account: &str, form: PostForm) -> Published {
    let order = Publish {
        account: account.into(),
        text: "Frisch aus dem Ofen".into(),
        form,
        ..Publish::default()
    };
    bench.world().publish(order).unwrap()
}

pub(crate) fn remarked(bench: &Bench, post: &str, who: &str, text: &str) -> Remarked {
    let order = Remark {
        post: post.into(),
        customer: Some(who.into()),
        text: text.into(),
        ..Remark::default()
    };
    bench.world().comment(order).unwrap()
}

/// Every item of a list, following `next`.
async fn all(bench: &Bench, path: &str, token: &str) -> Vec<Value> {
    let mut page = bench.get(path, token).await.json();
    let mut found = page["data"].as_array().unwrap().clone();
    while let Some(next) = page["paging"]["next"].as_str() {
        page = bench.fetch(next).await.json();
        found.extend(page["data"].as_array().unwrap().clone());
    }
    found
}

#[tokio::test]
async fn the_page_lists_its_posts_with_pictures_and_their_comments() {
    let bench = Bench::small().await;
    let token = bench.page(BAKERY).await;
    let fields = "id,message,created_time,updated_time,permalink_url,full_picture,status_type,from,shares,attachments,reactions.summary(total_count).limit(0),comments.summary(true).limit(0)";
    let posts = all(
        &bench,
        &format!("v25.0/{BAKERY}/feed?fields={fields}&limit=1"),
        &token,
    )
    .await;
    assert_eq!(posts.len(), 3);
    let times: Vec<&str> = posts
        .iter()
        .map(|post| post["created_time"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first: {times:?}");
    let photo = &posts[0];
    assert!(
        photo["id"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{BAKERY}_"))
    );
    assert_eq!(photo["comments"]["summary"]["total_count"], 3);
    assert_eq!(photo["comments"]["data"], json!([]));
    assert!(
        photo["reactions"]["summary"]["total_count"]
            .as_u64()
            .unwrap()
            >= 9
    );
    let link = photo["full_picture"].as_str().unwrap();
    assert_eq!(bench.fetch(link).await.status, 200);
    assert_eq!(
        photo["attachments"]["data"][0]["media"]["image"]["src"],
        *link
    );
    let visitor = posts
        .iter()
        .find(|post| post["status_type"] == "wall_post")
        .unwrap();
    assert_ne!(visitor["from"]["id"], BAKERY);
    let own = all(&bench, &format!("v25.0/{BAKERY}/posts"), &token).await;
    assert_eq!(own.len(), 2);
    bench.world().advance_ms(4 * DAY);
    assert_eq!(bench.fetch(link).await.status, 403);
    let since = (bench.world().now_ms() - 5 * DAY) / 1_000;
    let recent = all(
        &bench,
        &format!("v25.0/{BAKERY}/posts?since={since}"),
        &token,
    )
    .await;
    assert_eq!(recent.len(), 1);
}

#[tokio::test]
async fn comments_of_a_post_come_flat_or_by_level_in_either_order() {
    let bench = Bench::empty().await;
    let token = bench.page(BAKERY).await;
    let post = published(&bench, BAKERY, PostForm::Photo).post_id;
    let first = remarked(&bench, &post, "Ana B", "Preis?");
    bench.world().advance_ms(1_000);
    let order = Remark {
        comment: Some(first.comment_id.clone()),
        by_account: true,
        text: "5 €".into(),
        ..Remark::default()
    };
    let answer = bench.world().comment(order).unwrap();
    bench.world().advance_ms(1_000);
    let second = remarked(&bench, &post, "Bo C", "Schön!");
    let ids = |list: &[Value]| -> Vec<String> {
        list.iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let path = format!("v25.0/{post}/comments?limit=1&fields=id");
    let top = all(&bench, &path, &token).await;
    assert_eq!(
        ids(&top),
        [first.comment_id.clone(), second.comment_id.clone()]
    );
    let stream = all(
        &bench,
        &format!("{path}&filter=stream&order=reverse_chronological"),
        &token,
    )
    .await;
    assert_eq!(
        ids(&stream),
        [&second.comment_id, &answer.comment_id, &first.comment_id].map(String::clone)
    );
    let whole = format!(
        "v25.0/{post}/comments?filter=stream&summary=true&fields=id,message,created_time,from,parent,is_hidden,can_hide,can_reply_privately,can_remove,can_comment,comment_count,like_count,user_likes,permalink_url"
    );
    let whole = bench.get(&whole, &token).await.json();
    assert_eq!(whole["summary"]["total_count"], 3);
    let (one, reply) = (&whole["data"][0], &whole["data"][1]);
    assert_eq!(
        (&one["from"]["id"], &one["from"]["name"]),
        (&json!(first.customer_id), &json!("Ana B"))
    );
    assert_eq!(
        (&one["comment_count"], &one["can_reply_privately"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(reply["parent"]["id"], first.comment_id);
    assert_eq!(
        (&reply["from"]["id"], &reply["can_hide"]),
        (&json!(BAKERY), &json!(false))
    );
    let below = bench
        .get(&format!("v25.0/{}/comments", first.comment_id), &token)
        .await
        .json();
    assert_eq!(below["data"][0]["id"], answer.comment_id);
}

#[tokio::test]
async fn a_page_answers_edits_hides_and_deletes() {
    let bench = Bench::empty().await;
    let token = bench.page(BAKERY).await;
    let post = published(&bench, BAKERY, PostForm::Status).post_id;
    let comment = remarked(&bench, &post, "Ana B", "Preis?").comment_id;
    let path = |id: &str| format!("v25.0/{id}");
    let made = bench
        .post(
            &format!("v25.0/{comment}/comments"),
            &token,
            json!({"message": "5 €"}),
        )
        .await
        .json();
    let own = made["id"].as_str().unwrap().to_owned();
    // An answer to the answer lies below the same comment.
    let deeper = bench
        .post(
            &format!("v25.0/{own}/comments"),
            &token,
            json!({"message": "und 6 €"}),
        )
        .await
        .json();
    let deeper = bench
        .get(
            &format!("v25.0/{}?fields=parent", deeper["id"].as_str().unwrap()),
            &token,
        )
        .await
        .json();
    assert_eq!(deeper["parent"]["id"], comment);
    let edit = json!({"message": "5,50 €"});
    assert_eq!(
        bench.post(&path(&own), &token, edit.clone()).await.json(),
        json!({"success": true})
    );
    assert_eq!(
        bench.post(&path(&comment), &token, edit).await.error().0,
        200
    );
    let hide = json!({"is_hidden": true});
    assert_eq!(
        bench
            .post(&path(&own), &token, hide.clone())
            .await
            .error()
            .0,
        100
    );
    assert_eq!(bench.post(&path(&comment), &token, hide).await.status, 200);
    let shown = bench
        .get(
            &format!("v25.0/{comment}?fields=is_hidden,user_likes"),
            &token,
        )
        .await
        .json();
    assert_eq!(shown["is_hidden"], true);
    assert_eq!(
        bench
            .post(&format!("v25.0/{comment}/likes"), &token, json!({}))
            .await
            .status,
        200
    );
    let liked = bench
        .get(&format!("v25.0/{comment}?fields=user_likes"), &token)
        .await
        .json();
    assert_eq!(liked["user_likes"], true);
    assert_eq!(
        bench.delete(&path(&comment), &token).await.json(),
        json!({"success": true})
    );
    for id in [&comment, &own] {
        assert_eq!(bench.get(&path(id), &token).await.error(), (100, 33));
    }
    let strange = bench.get("v25.0/1_2", &token).await;
    assert_eq!(strange.error(), (100, 33));
}

#[tokio::test]
async fn instagram_lists_media_of_every_form() {
    let bench = Bench::with(Size::Small, |_| {}).await;
    let token = bench.instagram_with(COMMENTS).await;
    let fields = "id,caption,media_type,media_product_type,media_url,thumbnail_url,permalink,shortcode,timestamp,username,like_count,comments_count,is_comment_enabled,owner,children{id,media_type,media_url}";
    let path = format!("graph.instagram.com/v25.0/me/media?fields={fields}&limit=2");
    let media = all(&bench, &path, &token).await;
    let kinds: Vec<&str> = media
        .iter()
        .map(|one| one["media_type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["IMAGE", "CAROUSEL_ALBUM", "VIDEO"]);
    assert_eq!(media[1]["children"]["data"].as_array().unwrap().len(), 3);
    assert_eq!(media[2]["media_product_type"], "REELS");
    for link in [
        &media[0]["media_url"],
        &media[2]["media_url"],
        &media[2]["thumbnail_url"],
    ] {
        assert_eq!(bench.fetch(link.as_str().unwrap()).await.status, 200);
    }
    assert_eq!(media[0]["username"], "kornblume.brot");
    let stories = all(&bench, "graph.instagram.com/v25.0/me/stories", &token).await;
    assert_eq!(stories.len(), 1);
    bench.world().advance_ms(DAY);
    assert!(
        all(&bench, "graph.instagram.com/v25.0/me/stories", &token)
            .await
            .is_empty()
    );
    let through_page = bench.page(BAKERY).await;
    let linked = all(&bench, &format!("v25.0/{BAKERY_IG}/media"), &through_page).await;
    assert_eq!(linked.len(), 3);
    let stranger = bench
        .get("v25.0/17841400000000002/media", &through_page)
        .await;
    assert_eq!(stranger.error(), (100, 33));
}

#[tokio::test]
async fn instagram_comments_are_answered_hidden_and_deleted() {
    let bench = Bench::empty().await;
    let token = bench.instagram_with(COMMENTS).await;
    let media = published(&bench, "kornblume.brot", PostForm::Photo).post_id;
    let comment = remarked(&bench, &media, "Ana B", "Price?");
    let ig = |path: &str| format!("graph.instagram.com/v25.0/{path}");
    let id = comment.comment_id.clone();
    let made = bench
        .post(&ig(&format!("{id}/replies?message=5")), &token, json!({}))
        .await
        .json();
    let own = made["id"].as_str().unwrap().to_owned();
    let fields = "id,text,timestamp,username,from,like_count,hidden,parent_id,media{id,media_product_type},user,replies{id,text,username}";
    let list = bench
        .get(
            &ig(&format!("{media}/comments?fields={fields}&limit=90")),
            &token,
        )
        .await
        .json();
    let shown = &list["data"][0];
    assert_eq!(
        list["data"].as_array().unwrap().len(),
        1,
        "replies are not top-level"
    );
    assert_eq!(
        shown["from"],
        json!({"id": comment.customer_id, "username": shown["username"]})
    );
    assert_eq!(shown["media"]["media_product_type"], "FEED");
    assert_eq!(shown["replies"]["data"][0]["id"], own);
    assert!(shown["user"].is_null() && shown["parent_id"].is_null());
    let reply = bench
        .get(&ig(&format!("{own}?fields=parent_id,user,from")), &token)
        .await
        .json();
    assert_eq!(
        (&reply["parent_id"], &reply["user"]["id"]),
        (&json!(id), &json!(BAKERY_IG))
    );
    for one in [&id, &own] {
        let hidden = bench
            .post(&ig(&format!("{one}?hide=true")), &token, json!({}))
            .await;
        assert_eq!(hidden.json(), json!({"success": true}));
    }
    let hidden = async |one: &str| {
        bench
            .get(&ig(&format!("{one}?fields=hidden")), &token)
            .await
            .json()["hidden"]
            .clone()
    };
    assert_eq!(hidden(&id).await, true);
    assert_eq!(
        hidden(&own).await,
        false,
        "the owner's own comments stay visible"
    );
    for (text, why) in [
        ("x".repeat(301), "long"),
        ("#a #b #c #d #e".into(), "hashtags"),
    ] {
        let body = json!({"message": text});
        let refused = bench
            .post(&ig(&format!("{media}/comments")), &token, body)
            .await;
        assert_eq!(refused.error().0, 100, "{why}");
    }
    assert_eq!(bench.delete(&ig(&id), &token).await.status, 200);
    assert_eq!(bench.get(&ig(&own), &token).await.error(), (100, 33));
    let closed = bench
        .post(
            &ig(&format!("{media}?comment_enabled=false")),
            &token,
            json!({}),
        )
        .await;
    assert_eq!(closed.status, 200);
    let late = Remark {
        post: media,
        text: "zu spät".into(),
        ..Remark::default()
    };
    assert!(bench.world().comment(late).is_err());
}

#[tokio::test]
async fn a_broadcast_takes_comments_until_it_ends() {
    let bench = Bench::empty().await;
    let token = bench.instagram_with(COMMENTS).await;
    let start = Live {
        account: "kornblume.brot".into(),
        text: "Backen live".into(),
        end: None,
    };
    let live = bench.world().live(start).unwrap().post_id;
    let comment = remarked(&bench, &live, "Ana B", "Hallo!").comment_id;
    let running = all(&bench, "graph.instagram.com/v25.0/me/live_media", &token).await;
    assert_eq!(running[0]["id"], live);
    let reply = bench
        .post(
            &format!("graph.instagram.com/v25.0/{comment}/replies?message=x"),
            &token,
            json!({}),
        )
        .await;
    assert_eq!(reply.error().0, 100, "no answers to live comments");
    let end = Live {
        end: Some(live.clone()),
        ..Live::default()
    };
    bench.world().live(end).unwrap();
    let over = all(
        &bench,
        &format!("graph.instagram.com/v25.0/{live}/comments"),
        &token,
    )
    .await;
    assert!(over.is_empty());
    let late = Remark {
        post: live,
        text: "x".into(),
        ..Remark::default()
    };
    assert!(bench.world().comment(late).is_err());
}

#[tokio::test]
async fn posts_change_and_go_with_their_comments() {
    let bench = Bench::empty().await;
    let token = bench.page(BAKERY).await;
    let post = published(&bench, BAKERY, PostForm::Status).post_id;
    let comment = remarked(&bench, &post, "Ana B", "Hm").comment_id;
    let change = OnePost {
        post: post.clone(),
        text: "Neu".into(),
        comments_enabled: None,
    };
    bench.world().change_post(change).unwrap();
    let shown = bench
        .get(&format!("v25.0/{post}?fields=message"), &token)
        .await
        .json();
    assert_eq!(shown["message"], "Neu");
    bench
        .world()
        .remove_post(OnePost {
            post: post.clone(),
            ..OnePost::default()
        })
        .unwrap();
    for id in [post, comment] {
        assert_eq!(
            bench.get(&format!("v25.0/{id}"), &token).await.error(),
            (100, 33)
        );
    }
}
