//! What was told by id only is asked for once, in its turn, from a small double of the platform.

use super::*;
use crate::{
    accounts,
    comments::fetch,
    domain::{AccountId, Channel, Source},
    ingest::testing::{MORNING, comment, look, tell},
    jobs::JobOutcome,
    media::{
        self,
        testing::{World, picture},
    },
};
use serde_json::json;

const POST: &str = "/graph.facebook.com/v25.0/1001_5";

async fn commented(world: &World) -> (Opened, AccountId) {
    let shop = world.profile().await;
    let page = accounts::testing::page(&shop.profile, "1001").await;
    let told = comment("7011", "5_1", "1001_5", MORNING, "Preis?");
    tell(&shop, page, Source::Webhook, vec![item(&told)]).await;
    (shop, page)
}

/// Runs the one job of that kind.
async fn run(shop: &Opened, kind: &str) -> JobOutcome {
    let (name, payload): (String, String) = {
        let mut connection = shop.profile.store.read().await.unwrap();
        sqlx::query_as("SELECT name, payload FROM jobs WHERE name GLOB ?")
            .bind(format!("{kind}:*"))
            .fetch_one(&mut *connection)
            .await
            .unwrap()
    };
    assert!(name.starts_with(kind));
    match kind {
        "post" => fetch::post(&shop.profile, &payload).await,
        _ => fetch::mentions(&shop.profile, &payload).await,
    }
}

#[tokio::test]
async fn a_post_is_fetched_once_however_many_comment_on_it() {
    let world = World::start().await;
    let (shop, page) = commented(&world).await;
    let more = comment("7022", "5_2", "1001_5", MORNING + 1, "auch?");
    tell(&shop, page, Source::Webhook, vec![item(&more)]).await;
    assert_eq!(
        look(
            &shop,
            "SELECT count(*) || '' FROM jobs WHERE name GLOB 'post:*'"
        )
        .await,
        "1"
    );
    let answer = json!({"id": "1001_5", "message": "Frisches Brot", "created_time": "2026-01-05T07:00:00+0000", "status_type": "added_photos",
        "permalink_url": "https://www.facebook.com/x", "full_picture": world.at("/p.png"), "from": {"id": "1001", "name": "Backstube"}});
    world.says(POST, 200, answer.to_string());
    world.says("/p.png", 200, picture(3));
    assert_eq!(run(&shop, "post").await, JobOutcome::Done);
    let post = posts(&shop, None, 1).await.posts.remove(0);
    assert_eq!(
        (
            post.text.as_deref(),
            post.kind.as_deref(),
            post.own,
            post.permalink.as_deref()
        ),
        (
            Some("Frisches Brot"),
            Some("photo"),
            Some(true),
            Some("https://www.facebook.com/x")
        )
    );
    assert_eq!(post.posted_at_ms, Some(1_767_596_400_000));
    let loaded = media::load(&shop.profile, post.picture.as_deref().unwrap())
        .await
        .unwrap();
    assert_eq!(loaded.mime, "image/png");
    assert_eq!(
        run(&shop, "post").await,
        JobOutcome::Done,
        "the row says that it was fetched"
    );
    assert_eq!(world.asked(POST), 1);
}

#[tokio::test]
async fn a_picture_whose_address_died_is_found_again_through_its_post() {
    let world = World::start().await;
    let (shop, _) = commented(&world).await;
    let answer = |path: &str| {
        json!({"id": "1001_5", "message": "Brot", "full_picture": world.at(path)}).to_string()
    };
    world.says(POST, 200, answer("/old.png"));
    run(&shop, "post").await;
    world.says("/old.png", 403, "expired");
    world.says("/new.png", 200, picture(9));
    world.says(POST, 200, answer("/new.png"));
    let media_id = posts(&shop, None, 1).await.posts.remove(0).picture.unwrap();
    assert!(media::load(&shop.profile, &media_id).await.is_ok());
    assert!(
        look(&shop, "SELECT picture_url FROM posts")
            .await
            .ends_with("/new.png")
    );
}

#[tokio::test]
async fn a_post_that_cannot_be_had_says_why_and_is_left_alone() {
    let world = World::start().await;
    let (shop, _) = commented(&world).await;
    let refused = json!({"error": {"code": 100, "error_subcode": 33, "type": "GraphMethodException", "message": "x"}});
    world.says(POST, 400, refused.to_string());
    assert_eq!(run(&shop, "post").await, JobOutcome::Done);
    let post = posts(&shop, None, 1).await.posts.remove(0);
    assert_eq!(post.unavailable.unwrap().code, "refused");
    assert_eq!(post.comments, 1, "its comments stay");
}

#[tokio::test]
async fn trouble_on_the_way_only_delays() {
    let world = World::start().await;
    let (shop, page) = commented(&world).await;
    let busy = json!({"error": {"code": 2, "is_transient": true, "message": "x"}});
    world.says(POST, 500, busy.to_string());
    assert!(
        matches!(run(&shop, "post").await, JobOutcome::Again { due_at_ms } if due_at_ms > shop.profile.now_ms())
    );
    let mut tx = shop
        .profile
        .store
        .write(crate::store::Priority::Owner)
        .await
        .unwrap();
    sqlx::query("UPDATE accounts SET paused = 1 WHERE id = ?")
        .bind(page.0)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let asked = world.asked(POST);
    assert!(matches!(run(&shop, "post").await, JobOutcome::Again { .. }));
    assert_eq!(
        world.asked(POST),
        asked,
        "a paused account asks for nothing"
    );
    assert_eq!(
        look(&shop, "SELECT coalesce(fetch_error, 'none') FROM posts").await,
        "none"
    );
}

/// An Instagram account that comes through its Page.
async fn boutique(world: &World) -> (Opened, AccountId) {
    let shop = world.profile().await;
    let page = accounts::testing::page(&shop.profile, "1001").await;
    let mut tx = shop
        .profile
        .store
        .write(crate::store::Priority::Owner)
        .await
        .unwrap();
    sqlx::query("UPDATE accounts SET channel = ?, platform_id = '178414', page_id = '1001', username = 'azul' WHERE id = ?")
        .bind(Channel::Instagram.as_str())
        .bind(page.0)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    (shop, page)
}

#[tokio::test]
async fn who_names_us_is_asked_for_and_stands_among_the_comments() {
    let world = World::start().await;
    let (shop, account) = boutique(&world).await;
    let mention = |comment: Option<&str>| IncomingItem::Mention {
        post: "17890".into(),
        comment: comment.map(Into::into),
        at_ms: MORNING,
    };
    tell(
        &shop,
        account,
        Source::Webhook,
        vec![mention(Some("17874")), mention(Some("17874"))],
    )
    .await;
    let node = "/graph.facebook.com/v25.0/178414";
    let answer = json!({"mentioned_comment": {"id": "17874", "text": "schau mal @azul", "timestamp": "2026-01-05T07:00:00+0000",
        "username": "bea", "media": {"id": "17890"}}, "id": "178414"});
    world.says(node, 200, answer.to_string());
    assert!(matches!(
        run(&shop, "mention").await,
        JobOutcome::Again { .. }
    ));
    assert_eq!(run(&shop, "mention").await, JobOutcome::Done);
    assert_eq!(world.asked(node), 1);
    assert_eq!(shown(&shop).await, ["schau mal @azul"]);
    let post = posts(&shop, None, 1).await.posts.remove(0);
    assert_eq!(
        (post.own, post.last_author.as_deref()),
        (Some(false), Some("bea"))
    );
    // Told once more, nothing is asked again.
    tell(
        &shop,
        account,
        Source::Webhook,
        vec![mention(Some("17874"))],
    )
    .await;
    assert_eq!(
        look(&shop, "SELECT count(*) || '' FROM mentions").await,
        "0"
    );

    tell(&shop, account, Source::Webhook, vec![mention(None)]).await;
    let answer = json!({"mentioned_media": {"id": "17890", "caption": "mit @azul", "media_type": "IMAGE", "media_product_type": "FEED",
        "timestamp": "2026-01-05T07:00:00+0000", "username": "bea", "permalink": "https://www.instagram.com/p/x/"}});
    world.says(node, 200, answer.to_string());
    run(&shop, "mention").await;
    let post = posts(&shop, None, 1).await.posts.remove(0);
    assert_eq!(
        (
            post.mention,
            post.text.as_deref(),
            post.author.as_deref(),
            post.kind.as_deref()
        ),
        (true, Some("mit @azul"), Some("bea"), Some("feed"))
    );
}

#[tokio::test]
async fn a_mention_nobody_may_see_is_given_up() {
    let world = World::start().await;
    let (shop, account) = boutique(&world).await;
    let mention = IncomingItem::Mention {
        post: "17890){id}".into(),
        comment: None,
        at_ms: MORNING,
    };
    tell(&shop, account, Source::Webhook, vec![mention]).await;
    let refused = json!({"error": {"code": 100, "error_subcode": 33, "message": "x"}});
    world.says("/graph.facebook.com/v25.0/178414", 400, refused.to_string());
    run(&shop, "mention").await;
    assert_eq!(
        look(&shop, "SELECT count(*) || '' FROM mentions").await,
        "0"
    );
    assert!(posts(&shop, None, 1).await.posts.is_empty());
}
