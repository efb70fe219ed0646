#![allow(clippy::unwrap_used)]
//! Fetching people from a small double of the platform.

use super::*;
use crate::{
    accounts,
    api::types::Change,
    domain::Source,
    ingest::testing::{MORNING, from, item, look, named, talk_with, tell, thread},
    media::testing::{World, picture},
    profile::testing::Opened,
};
use std::time::Duration;

const PROFILE: &str = "/graph.facebook.com/v25.0/7011";
const PERSON: &str = "SELECT coalesce(name, '-') || ' ' || profile_source || ' ' || coalesce(profile_error, '') FROM identities";

fn told(world: &World, name: &str, photo: Option<&str>) -> String {
    serde_json::json!({ "id": "7011", "name": name, "profile_pic": photo.map(|path| world.at(path)) }).to_string()
}

/// Ana wrote to the Page; her conversation.
async fn ana_writes(world: &World) -> (Opened, ConversationId) {
    let shop = world.profile().await;
    let page = accounts::testing::page(&shop.profile, "900100").await;
    let news = vec![
        thread(named("7011", "Ana B."), "t_1", MORNING, None),
        item(from("7011", "m_1", MORNING, "hallo")),
    ];
    tell(&shop, page, Source::Poll, news).await;
    let ana = ConversationId(talk_with(&shop, page, "7011").await);
    (shop, ana)
}

#[tokio::test]
async fn opening_fetches_the_person_once_however_often_it_is_opened() {
    let world = World::start().await;
    let (shop, ana) = ana_writes(&world).await;
    world.says(PROFILE, 200, told(&world, "Ana Bäcker", Some("/face1.png")));
    world.says("/face1.png", 200, picture(1));
    let mut changes = shop.profile.parts.changes.listen();
    futures_util::future::join_all((0..5).map(|_| refresh_opened(&shop.profile, ana))).await;
    assert_eq!((world.asked(PROFILE), world.asked("/face1.png")), (1, 1));
    assert_eq!(look(&shop, PERSON).await, "Ana Bäcker facebook_api ");
    assert!(
        std::iter::from_fn(|| changes.try_recv().ok())
            .any(|change| change == Change::Conversation { id: ana.0 })
    );
    assert_eq!(
        look(
            &shop,
            "SELECT count(*) || '' FROM people_search WHERE people_search MATCH '\"backer\"'"
        )
        .await,
        "1"
    );
    // Names told beside messages no longer count.
    tell(
        &shop,
        crate::domain::AccountId(1),
        Source::Poll,
        vec![thread(named("7011", "A. B."), "t_1", MORNING, None)],
    )
    .await;
    assert_eq!(look(&shop, PERSON).await, "Ana Bäcker facebook_api ");
    shop.clock.advance(Duration::from_secs(59));
    refresh_conversation(&shop.profile, ana, true)
        .await
        .unwrap();
    assert_eq!(
        world.asked(PROFILE),
        1,
        "not even by hand within the minute"
    );
    shop.clock.advance(Duration::from_secs(1));
    refresh_opened(&shop.profile, ana).await;
    assert_eq!(world.asked(PROFILE), 2);
}

#[tokio::test]
async fn a_new_picture_gets_a_new_id_and_the_same_keeps_it() {
    let world = World::start().await;
    let (shop, ana) = ana_writes(&world).await;
    let mut ids = Vec::new();
    for (photo, red) in [("/a.png", 1), ("/b.png", 1), ("/c.png", 2)] {
        world.says(PROFILE, 200, told(&world, "Ana", Some(photo)));
        world.says(photo, 200, picture(red));
        refresh_opened(&shop.profile, ana).await;
        ids.push(look(&shop, "SELECT media_id FROM avatars").await);
        shop.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
    // No picture told, or one that does not load: the last known stays.
    for photo in [None, Some("/gone.png")] {
        world.says(PROFILE, 200, told(&world, "Ana", photo));
        world.says("/gone.png", 403, "");
        refresh_opened(&shop.profile, ana).await;
        assert_eq!(look(&shop, "SELECT media_id FROM avatars").await, ids[2]);
        shop.clock.advance(Duration::from_secs(60));
    }
}

#[tokio::test]
async fn a_failure_takes_nothing_away_and_has_a_word() {
    let world = World::start().await;
    let (shop, ana) = ana_writes(&world).await;
    let error = |code: i64| {
        format!(r#"{{"error":{{"message":"x","type":"OAuthException","code":{code}}}}}"#)
    };
    world.says(PROFILE, 400, error(230));
    assert_eq!(
        refresh_conversation(&shop.profile, ana, false)
            .await
            .unwrap(),
        Refreshed::Failed
    );
    assert_eq!(
        look(&shop, PERSON).await,
        r#"Ana B. conversation {"code":"consent","params":{}}"#
    );
    shop.clock.advance(Duration::from_secs(60));
    world.says(PROFILE, 400, error(100));
    refresh_opened(&shop.profile, ana).await;
    assert_eq!(
        look(&shop, PERSON).await,
        r#"Ana B. conversation {"code":"unavailable","params":{}}"#
    );
    shop.clock.advance(Duration::from_secs(60));
    world.says(PROFILE, 200, told(&world, "Ana Bäcker", None));
    refresh_opened(&shop.profile, ana).await;
    assert_eq!(look(&shop, PERSON).await, "Ana Bäcker facebook_api ");
}

#[tokio::test]
async fn nobody_is_asked_for_a_paused_account_or_an_unknown_conversation() {
    let world = World::start().await;
    let (shop, ana) = ana_writes(&world).await;
    let mut tx = shop
        .profile
        .store
        .write(crate::store::Priority::Owner)
        .await
        .unwrap();
    sqlx::query("UPDATE accounts SET paused = 1, state = 'paused'")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        refresh_conversation(&shop.profile, ana, true)
            .await
            .unwrap(),
        Refreshed::NotNow
    );
    assert_eq!(
        refresh_conversation(&shop.profile, ConversationId(4), true)
            .await
            .unwrap(),
        Refreshed::NotNow
    );
    assert_eq!(world.asked_in_all(), 0);
    assert_eq!(look(&shop, PERSON).await, "Ana B. conversation ");
}
