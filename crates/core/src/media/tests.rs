#![allow(clippy::unwrap_used)]
//! Loading by id, and a world that answers with what it should not.

use super::{
    fetch::{MAX_PICTURE, MediaError},
    testing::*,
    *,
};
use crate::{
    accounts,
    domain::{IncomingAttachment, IncomingStory, Source},
    ingest::testing::{MORNING, from, item, look, tell},
    profile::testing::Opened,
};

/// Ana sent a picture and answered a story; the opaque ids of both.
async fn ana_sends(world: &World, shop: &Opened) -> (String, String) {
    let page = accounts::testing::page(&shop.profile, "900100").await;
    let mut message = from("7011", "m_1", MORNING, "schau");
    message.attachments = vec![IncomingAttachment {
        kind: "image".into(),
        url: Some(world.at("/cdn/old.png")),
        ..Default::default()
    }];
    message.story = Some(IncomingStory {
        kind: "reply".into(),
        id: None,
        url: Some(world.at("/cdn/story.png")),
    });
    tell(shop, page, Source::Webhook, vec![item(message)]).await;
    let picture = look(shop, "SELECT media_id FROM attachments WHERE position = 0").await;
    let story = look(shop, "SELECT media_id FROM attachments WHERE position = -1").await;
    (picture, story)
}

async fn keep_media(shop: &Opened) {
    let patch = crate::api::types::SettingsPatch {
        keep_media: Some(true),
        ..Default::default()
    };
    settings::change(&shop.profile.store, &patch).await.unwrap();
}

#[tokio::test]
async fn a_picture_is_fetched_once_and_then_comes_from_memory() {
    let world = World::start().await;
    let shop = world.profile().await;
    let (id, _) = ana_sends(&world, &shop).await;
    world.says("/cdn/old.png", 200, picture(1));
    let (first, second) = tokio::join!(load(&shop.profile, &id), load(&shop.profile, &id));
    assert_eq!(
        (first.unwrap().mime, second.unwrap().bytes.to_vec()),
        ("image/png", picture(1))
    );
    assert_eq!(world.asked("/cdn/old.png"), 1);
    assert_eq!(
        look(&shop, "SELECT count(*) || '' FROM media_blobs").await,
        "0",
        "kept only when the owner wants it"
    );
}

#[tokio::test]
async fn the_owner_may_keep_pictures_but_never_stories() {
    let world = World::start().await;
    let shop = world.profile().await;
    keep_media(&shop).await;
    let (id, story) = ana_sends(&world, &shop).await;
    world.says("/cdn/old.png", 200, picture(1));
    world.says("/cdn/story.png", 200, picture(2));
    load(&shop.profile, &id).await.unwrap();
    assert_eq!(
        load(&shop.profile, &story).await.unwrap().bytes.to_vec(),
        picture(2)
    );
    assert_eq!(
        look(&shop, "SELECT count(*) || '' FROM media_blobs").await,
        "1"
    );
    // Without memory and without the world it is still there.
    world.says("/cdn/old.png", 500, "");
    world.says("/cdn/story.png", 500, "");
    *shop.profile.media.cache() = Cache::new(1000);
    assert_eq!(
        load(&shop.profile, &id).await.unwrap().bytes.to_vec(),
        picture(1)
    );
    assert!(matches!(
        load(&shop.profile, &story).await,
        Err(MediaError::Unreachable)
    ));
}

#[tokio::test]
async fn an_expired_address_is_asked_for_anew_once() {
    let world = World::start().await;
    let shop = world.profile().await;
    let (id, _) = ana_sends(&world, &shop).await;
    world.says("/cdn/old.png", 403, "URL signature expired");
    let message = serde_json::json!({
        "id": "m_1", "created_time": "2026-01-05T08:00:00+0000", "message": "schau",
        "from": { "id": "7011", "name": "Ana" }, "to": { "data": [{ "id": "900100", "name": "Acme" }] },
        "attachments": { "data": [{ "id": "1", "mime_type": "image/png", "image_data": { "width": 24, "height": 24, "url": world.at("/cdn/new.png") } }] },
    });
    world.says("/graph.facebook.com/v25.0/m_1", 200, message.to_string());
    world.says("/cdn/new.png", 200, picture(3));
    assert_eq!(
        load(&shop.profile, &id).await.unwrap().bytes.to_vec(),
        picture(3)
    );
    assert_eq!(
        look(&shop, "SELECT url FROM attachments WHERE position = 0").await,
        world.at("/cdn/new.png")
    );
    // The new one dies too and the message knows no other: that is the end of it.
    world.says("/cdn/new.png", 404, "");
    *shop.profile.media.cache() = Cache::new(1000);
    assert!(matches!(
        load(&shop.profile, &id).await,
        Err(MediaError::Expired)
    ));
    assert_eq!(world.asked("/cdn/new.png"), 2);
}

#[tokio::test]
async fn ids_nobody_gave_out_are_not_found_and_nothing_is_asked() {
    let world = World::start().await;
    let shop = world.profile().await;
    ana_sends(&world, &shop).await;
    let long = "a".repeat(65);
    for id in [
        "",
        "1",
        "../../etc/passwd",
        "http://127.0.0.1/",
        "' OR 1=1 --",
        "%2e%2e",
        "a b",
        "ä",
        "\0",
        long.as_str(),
        "0123456789abcdef0123456789abcdef",
    ] {
        assert!(
            matches!(load(&shop.profile, id).await, Err(MediaError::NotFound)),
            "{id}"
        );
    }
    assert_eq!(world.asked_in_all(), 0);
}

/// A few bytes that unfold into `width` x `height` pixels.
fn claims_to_be(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let head = [
        &width.to_be_bytes()[..],
        &height.to_be_bytes(),
        &[8, 0, 0, 0, 0],
    ]
    .concat();
    for (kind, content) in [
        (b"IHDR", head.as_slice()),
        (b"IDAT", b"\x78\x9c\x03\x00\x00\x00\x00\x01"),
        (b"IEND", b""),
    ] {
        let part = [kind.as_slice(), content].concat();
        let sum = !part.iter().fold(u32::MAX, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
                if sum & 1 == 1 {
                    sum >> 1 ^ 0xedb8_8320
                } else {
                    sum >> 1
                }
            })
        });
        bytes.extend_from_slice(&u32::try_from(content.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(&part);
        bytes.extend_from_slice(&sum.to_be_bytes());
    }
    bytes
}

#[tokio::test]
async fn what_is_no_picture_never_comes_out() {
    let world = World::start().await;
    let shop = world.profile().await;
    let mut big = picture(1);
    big.resize(MAX_PICTURE + 1, 0);
    let bomb = claims_to_be(40_000, 1_001);
    assert!(bomb.len() < 200);
    let svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg'>{}</svg>",
        " ".repeat(100)
    );
    world.says("/big", 200, big);
    world.says("/bomb", 200, bomb);
    world.says("/svg", 200, svg);
    world.says(
        "/html",
        200,
        "<!doctype html><title>Log in to the Wi-Fi</title>".repeat(5),
    );
    world.says("/empty", 200, "");
    world.says("/cut", 200, picture(1)[..20].to_vec());
    world.says("/json", 200, "{\"error\":{}}");
    for path in ["/svg", "/html", "/empty", "/cut", "/json"] {
        assert!(
            matches!(
                shop.profile.media.fetch(&world.at(path)).await,
                Err(MediaError::NotMedia)
            ),
            "{path}"
        );
    }
    world.says("/large", 200, claims_to_be(40_000, 1_000));
    assert!(
        shop.profile.media.fetch(&world.at("/large")).await.is_ok(),
        "the limit itself passes"
    );
    for path in ["/big", "/bomb"] {
        assert!(
            matches!(
                shop.profile.media.fetch(&world.at(path)).await,
                Err(MediaError::TooLarge)
            ),
            "{path}"
        );
    }
}

#[tokio::test]
async fn redirects_stay_on_the_list() {
    let world = World::start().await;
    let shop = world.profile().await;
    world.says("/picture", 200, picture(1));
    world.sends_on("/moved", "/picture");
    world.sends_on("/round", "/round");
    assert!(shop.profile.media.fetch(&world.at("/moved")).await.is_ok());
    assert!(matches!(
        shop.profile.media.fetch(&world.at("/round")).await,
        Err(MediaError::Refused)
    ));
    assert_eq!(world.asked("/round"), 4);
    for (n, to) in [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:9/",
        "http://localhost/",
        "https://evil.example/a.png",
        "//evil.example/a.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "http://[::1]/",
        "http://user@127.0.0.1/",
        "gopher://127.0.0.1/",
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("/away{n}");
        world.sends_on(&path, to);
        assert!(
            matches!(
                shop.profile.media.fetch(&world.at(&path)).await,
                Err(MediaError::Refused)
            ),
            "{to}"
        );
    }
}

#[tokio::test]
async fn faces_come_from_their_table() {
    let world = World::start().await;
    let shop = world.profile().await;
    ana_sends(&world, &shop).await;
    let mut tx = shop.profile.store.write(Priority::Owner).await.unwrap();
    sqlx::query("INSERT INTO avatars SELECT id, 'face1', 'text/html', ?, 0 FROM identities")
        .bind(picture(9))
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let face = load(&shop.profile, "face1").await.unwrap();
    assert_eq!((face.mime, face.bytes.to_vec()), ("image/png", picture(9)));
    assert_eq!(world.asked_in_all(), 0);
}
