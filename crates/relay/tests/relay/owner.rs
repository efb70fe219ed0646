//! What Meta passes on about the owner: nothing is deleted on anybody's disk, and what is said to have happened has happened (C1).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use shopbell_wire::*;

use super::{events::*, harness::*, meta::*};

/// The scripted Meta's person as Facebook Login and Instagram Login name them.
const FB_USER: &str = "1207";
const IG_USER: &str = "24600000000000017";
const ISSUED_S: i64 = NOW / 1000 - 60;

fn signed_request(secret: &str, user_id: &str) -> String {
    let payload = json!({"user_id": user_id, "algorithm": "HMAC-SHA256", "issued_at": ISSUED_S});
    let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
    let signature = URL_SAFE_NO_PAD.encode(hmac(secret, payload.as_bytes()));
    format!("{signature}.{payload}")
}

async fn call(world: &World, path: &str, signed_request: &str) -> (u16, String) {
    let request = world.device.http.post(world.device.url(path));
    let form = [("signed_request", signed_request)];
    told(request.form(&form).send().await.unwrap()).await
}

async fn page(world: &World, url: &str, language: &str) -> (u16, String) {
    let request = world
        .device
        .http
        .get(url)
        .header("accept-language", language);
    told(request.send().await.unwrap()).await
}

struct Asked {
    url: String,
    code: String,
}

async fn delete(world: &World, secret: &str, user_id: &str) -> Asked {
    let (status, text) = call(
        world,
        paths::DATA_DELETION,
        &signed_request(secret, user_id),
    )
    .await;
    assert_eq!(status, 200, "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        answer.as_object().unwrap().len(),
        2,
        "the two fields Meta documents"
    );
    Asked {
        url: answer["url"].as_str().unwrap().to_owned(),
        code: answer["confirmation_code"].as_str().unwrap().to_owned(),
    }
}

async fn own(device: &Device) -> usize {
    let list: BindingList = ok(device.get(paths::BINDINGS).await).await;
    list.bindings.len()
}

#[tokio::test]
async fn an_owner_who_removes_the_app_is_told_to_their_computers_and_keeps_everything() {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    let (laptop, neighbour) = (world.device(2), world.device(3));
    bind(&world, &laptop, "1001", FB_USER).await;
    bind(&world, &neighbour, "2002", "3333").await;
    deliver(&world, &envelope("page", &[&message("1001", "m_1")])).await;
    let request = signed_request(APP_SECRET, FB_USER);
    assert_eq!(call(&world, paths::DEAUTHORIZE, &request).await.0, 200);

    for device in [&world.device, &laptop] {
        let events = reached(&world, device).await;
        assert_eq!(events.len(), 2, "what waited still waits");
        assert_eq!(events[1].kind, EventKind::DEAUTHORIZED);
        assert_eq!(events[1].subject, "user/facebook");
        let notice: OwnerNotice = events[1].json();
        assert_eq!(
            notice,
            OwnerNotice {
                provider: Provider::Facebook,
                user_id: FB_USER.into(),
                issued_at_ms: Some(ISSUED_S * 1000),
                code: None,
            }
        );
    }
    assert_eq!(reached(&world, &neighbour).await, []);
    assert_eq!(own(&world.device).await, 3, "bindings outlive the sign-out");
    assert_eq!(call(&world, paths::DEAUTHORIZE, &request).await.0, 200);
    let ids: std::collections::BTreeSet<_> = reached(&world, &laptop)
        .await
        .into_iter()
        .filter(|event| event.kind == EventKind::DEAUTHORIZED)
        .map(|event| event.id)
        .collect();
    assert_eq!(ids.len(), 1, "delivered again, it is the same event");
    let nobody = signed_request(APP_SECRET, "999");
    assert_eq!(call(&world, paths::DEAUTHORIZE, &nobody).await.0, 200);
}

#[tokio::test]
async fn the_secret_says_which_login_is_meant() {
    let world = World::new().await;
    world.sign_in(Provider::Instagram).await;
    let wrong = signed_request(APP_SECRET, IG_USER);
    assert_eq!(call(&world, paths::DEAUTHORIZE, &wrong).await.0, 200);
    assert_eq!(
        reached(&world, &world.device).await,
        [],
        "that user of the other app is somebody else"
    );
    let right = signed_request(IG_SECRET, IG_USER);
    assert_eq!(call(&world, paths::DEAUTHORIZE, &right).await.0, 200);
    let events = reached(&world, &world.device).await;
    assert_eq!(events[0].subject, "user/instagram");
    assert_eq!(
        events[0].json::<OwnerNotice>().provider,
        Provider::Instagram
    );
}

#[tokio::test]
async fn a_deletion_erases_what_the_relay_holds_and_tells_the_computers_which_decide() {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    let (laptop, neighbour) = (world.device(2), world.device(3));
    bind(&world, &laptop, "1001", FB_USER).await;
    bind(&world, &neighbour, "2002", "3333").await;
    let hook = make_hook(
        &world.device,
        json!({"kind": "shopify", "secret": "canary-shop-secret"}),
    )
    .await;
    let both = [message("1001", "m_1"), message("2002", "m_2")];
    deliver(
        &world,
        &envelope("page", &both.each_ref().map(String::as_str)),
    )
    .await;

    let asked = delete(&world, APP_SECRET, FB_USER).await;
    assert_eq!(
        asked.url,
        format!("{}deletion/{}", world.relay.base_url, asked.code)
    );
    assert!(asked.code.bytes().all(|b| b.is_ascii_alphanumeric()));
    for device in [&world.device, &laptop] {
        assert_eq!(own(device).await, 0);
        let events = reached(&world, device).await;
        assert_eq!(events.len(), 1, "what waited is gone, the notice is there");
        assert_eq!(
            (events[0].kind, events[0].offset),
            (EventKind::DELETION, 2),
            "the hole can be seen"
        );
        let notice: OwnerNotice = events[0].json();
        assert_eq!(
            (notice.user_id.as_str(), notice.code.as_deref()),
            (FB_USER, Some(asked.code.as_str()))
        );
    }
    assert_eq!(
        reached(&world, &neighbour).await.len(),
        1,
        "another owner's events are untouched"
    );
    assert_eq!(own(&neighbour).await, 1);
    deliver(&world, &envelope("page", &[&message("1001", "m_3")])).await;
    assert_eq!(
        reached(&world, &laptop).await.len(),
        1,
        "nothing more comes for accounts that are gone"
    );
    let shop = world
        .device
        .http
        .post(&hook.url)
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(
        shop.status(),
        200,
        "the hook of a computer without accounts is a removed one"
    );

    // Time passes and the notice still waits for a laptop that is off.
    world.pass(20 * 24 * 3600 * 1000);
    world.relay.purge_now().await.unwrap();
    world.relay.upkeep_now().await.unwrap();
    assert_eq!(reached(&world, &laptop).await.len(), 1);

    let (status, text) = page(&world, &asked.url, "en").await;
    assert_eq!(status, 200);
    for part in [
        "2026-09-21",
        &asked.code,
        "Computers that were told: 2",
        "Computer 1: told, has not answered yet",
    ] {
        assert!(text.contains(part), "{part} {text}");
    }
    let report = format!("{}/{}", paths::DELETIONS, asked.code);
    let say = async |device: &Device, outcome: DeletionOutcome| {
        device.post_json(&report, &DeletionReport { outcome }).await
    };
    assert_eq!(say(&laptop, DeletionOutcome::Erased).await.status(), 204);
    let stranger = say(&neighbour, DeletionOutcome::Erased).await;
    assert_eq!(
        refused(stranger).await,
        Refusal::NotFound,
        "who was not told has nothing to say"
    );
    assert_eq!(
        say(&world.device, DeletionOutcome::Kept).await.status(),
        204
    );
    let (_, text) = page(&world, &asked.url, "en").await;
    assert!(
        text.contains("has erased the data") && text.contains("its owner keeps the data"),
        "{text}"
    );
    assert!(!text.contains("has not answered"));
    for (language, part) in [
        ("de", "der Inhaber behält die Daten"),
        ("ar", "dir=\"rtl\""),
    ] {
        assert!(
            page(&world, &asked.url, language).await.1.contains(part),
            "{language}"
        );
    }
    for secret in [FB_USER, "1001", world.device.keys.thumbprint().as_str()] {
        assert!(!text.contains(secret), "the page names nobody: {secret}");
    }
}

#[tokio::test]
async fn a_deletion_delivered_again_does_nothing_again() {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    let first = delete(&world, APP_SECRET, FB_USER).await;
    let again = delete(&world, APP_SECRET, FB_USER).await;
    assert_eq!((&first.url, &first.code), (&again.url, &again.code));
    assert_eq!(reached(&world, &world.device).await.len(), 1);
    // The owner has connected anew since; an old request that comes once more must not undo that.
    world.pass(2 * 3600 * 1000);
    world.sign_in(Provider::Facebook).await;
    deliver(&world, &envelope("page", &[&message("1001", "m_1")])).await;
    let late = delete(&world, APP_SECRET, FB_USER).await;
    assert_eq!(late.code, first.code);
    assert_eq!(own(&world.device).await, 3);
    assert_eq!(reached(&world, &world.device).await.len(), 2);
}

#[tokio::test]
async fn a_deletion_for_somebody_who_is_not_here_is_confirmed_too() {
    let world = World::new().await;
    let asked = delete(&world, IG_SECRET, "999").await;
    let (status, text) = page(&world, &asked.url, "en").await;
    assert_eq!(status, 200);
    assert!(text.contains("No computer was connected"), "{text}");
    for (code, language, part) in [
        ("0".repeat(32), "en", "There is no request with this code"),
        ("x".repeat(32), "de", "Zu diesem Code gibt es keine Anfrage"),
        (
            "..%2f..%2fetc".to_owned(),
            "en",
            "There is no request with this code",
        ),
    ] {
        let url = world.device.url(&format!("/deletion/{code}"));
        let (status, text) = page(&world, url.as_str(), language).await;
        assert_eq!(status, 404);
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn nobody_else_can_speak_for_meta() {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    let good = signed_request(APP_SECRET, FB_USER);
    let (signature, payload) = good.split_once('.').unwrap();
    let other = signed_request("another secret", FB_USER);
    let proof = ProofRequest {
        provider: Provider::Facebook,
        tokens: vec![Secret::new(payload)],
    };
    let made: ProofAnswer = ok(world.device.post_json(paths::PROOF, &proof).await).await;
    assert_eq!(made.proofs, [None], "the relay does not sign for others");
    for path in [paths::DEAUTHORIZE, paths::DATA_DELETION] {
        for (text, status) in [
            (other.clone(), 403),
            (format!("{signature}."), 403),
            (payload.to_owned(), 400),
            (String::new(), 400),
            ("x".repeat(40_000), 400),
        ] {
            assert_eq!(call(&world, path, &text).await.0, status, "{path}");
        }
        let twice = world.device.http.post(world.device.url(path));
        let twice = twice.form(&[("signed_request", &good), ("signed_request", &good)]);
        assert_eq!(twice.send().await.unwrap().status(), 400);
        let get = world
            .device
            .http
            .get(world.device.url(path))
            .send()
            .await
            .unwrap();
        assert_eq!(get.status(), 405);
    }
    assert_eq!(own(&world.device).await, 3);
    assert_eq!(reached(&world, &world.device).await, []);
    assert_eq!(figure(&world, r#"notices_total{kind="refused"}"#), 12);
}
