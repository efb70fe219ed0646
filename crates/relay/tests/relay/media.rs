//! Pictures on their way to Meta: taken from a bound computer, given out once.

use reqwest::{Response, StatusCode};
use shopbell_wire::*;

use super::{events::*, harness::*};

fn png() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR canary-picture".to_vec();
    bytes.resize(2000, 7);
    bytes
}

fn random(n: usize) -> String {
    format!("{n:0>43}")
}

async fn put(device: &Device, random: &str, mime: &str, bytes: Vec<u8>) -> Response {
    let path = format!("{}/{random}", paths::MEDIA);
    let proof = device.proof("PUT", &path);
    let request = device.http.put(device.url(&path));
    let request = request
        .header(PROOF_HEADER, proof.as_str())
        .header("content-type", mime);
    request.body(bytes).send().await.unwrap()
}

async fn bound() -> World {
    let world = World::new().await;
    world.sign_in(Provider::Instagram).await;
    world
}

#[tokio::test]
async fn a_picture_is_given_out_once_and_then_gone() {
    let world = bound().await;
    let view: MediaView = ok(put(&world.device, &random(1), "image/png", png()).await).await;
    assert_eq!(
        view.url,
        world.device.url(&format!("/media/{}", random(1))).as_str()
    );
    assert_eq!(view.expires_at_ms, NOW + MEDIA_LIFE_MS);
    let http = &world.device.http;
    let head = http.head(&view.url).send().await.unwrap();
    assert_eq!(
        head.status(),
        StatusCode::METHOD_NOT_ALLOWED,
        "looking is not fetching"
    );
    let fetched = http.get(&view.url).send().await.unwrap();
    assert_eq!(fetched.status(), StatusCode::OK);
    let header = |name: &str| fetched.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"picture.png\""
    );
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("content-length"), "2000");
    assert!(header("content-security-policy").contains("sandbox"));
    assert!(header("cache-control").contains("no-store"));
    assert_eq!(fetched.bytes().await.unwrap(), png());
    let again = http.get(&view.url).send().await.unwrap();
    assert_eq!(refused(again).await, Refusal::NotFound);

    ok::<MediaView>(put(&world.device, &random(2), "image/png", png()).await).await;
    world.pass(MEDIA_LIFE_MS + 1);
    let late = http
        .get(world.device.url(&format!("/media/{}", random(2))))
        .send()
        .await
        .unwrap();
    assert_eq!(refused(late).await, Refusal::NotFound);
    for (outcome, count) in [("kept", 2), ("fetched", 1), ("missing", 2)] {
        assert_eq!(
            figure(&world, &format!("media_total{{outcome=\"{outcome}\"}}")),
            count,
            "{outcome}"
        );
    }
}

#[tokio::test]
async fn two_who_fetch_at_once_are_one_who_gets_it() {
    let world = bound().await;
    for n in 0..10 {
        let view: MediaView = ok(put(&world.device, &random(n), "image/png", png()).await).await;
        let fetch = || world.device.http.get(&view.url).send();
        let (one, two) = tokio::join!(fetch(), fetch());
        let mut statuses = [one.unwrap().status(), two.unwrap().status()];
        statuses.sort();
        assert_eq!(statuses, [StatusCode::OK, StatusCode::NOT_FOUND]);
    }
}

#[tokio::test]
async fn what_is_no_picture_too_large_or_of_a_stranger_is_not_taken() {
    let world = bound().await;
    let html = b"<!doctype html><script>alert(1)</script>".repeat(10);
    for (mime, bytes) in [
        ("image/png", html.clone()),
        ("text/html", html),
        ("image/svg+xml", b"<svg/>".to_vec()),
        ("image/jpeg", png()),
        ("", png()),
        ("image/png", Vec::new()),
    ] {
        let answer = put(&world.device, &random(1), mime, bytes).await;
        assert_eq!(refused(answer).await, Refusal::InvalidRequest, "{mime}");
    }
    for bad in ["short", &"x".repeat(129), &format!("{}!", random(1))] {
        assert_eq!(
            refused(put(&world.device, bad, "image/png", png()).await).await,
            Refusal::InvalidRequest
        );
    }
    let stranger = put(&world.device(2), &random(1), "image/png", png()).await;
    assert_eq!(refused(stranger).await, Refusal::NotBound);
    let unsigned =
        world
            .device
            .http
            .put(world.device.url(&format!("{}/{}", paths::MEDIA, random(1))));
    assert_eq!(
        refused(unsigned.body(png()).send().await.unwrap()).await,
        Refusal::ProofMissing
    );

    let mut large = png();
    large.resize(MEDIA_MAX_BYTES + 1, 0);
    let path = format!("{}/{}", paths::MEDIA, random(1));
    let proof = world.device.proof("PUT", &path);
    let request = world.device.http.put(world.device.url(&path));
    let request = request
        .header(PROOF_HEADER, proof.as_str())
        .header("content-type", "image/png");
    // The relay may close before all of it is sent; then there is no answer to read.
    if let Ok(answer) = request.body(large.clone()).send().await {
        assert_eq!(refused(answer).await, Refusal::TooLarge);
    }
    large.truncate(MEDIA_MAX_BYTES);
    let view: MediaView = ok(put(&world.device, &random(1), "image/png", large).await).await;
    let fetched = world
        .device
        .http
        .get(&view.url)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(fetched.len(), MEDIA_MAX_BYTES);
}

#[tokio::test]
async fn a_computer_has_so_many_pictures_waiting_and_no_address_twice() {
    let world = bound().await;
    ok::<MediaView>(put(&world.device, &random(0), "image/png", png()).await).await;
    let taken = put(&world.device, &random(0), "image/png", png()).await;
    assert_eq!(refused(taken).await, Refusal::RateLimited);
    for n in 1..MEDIA_PER_DEVICE {
        ok::<MediaView>(put(&world.device, &random(n), "image/png", png()).await).await;
    }
    let over = put(&world.device, &random(99), "image/png", png()).await;
    assert_eq!(refused(over).await, Refusal::RateLimited);
    let url = world.device.url(&format!("/media/{}", random(3)));
    assert_eq!(
        world.device.http.get(url).send().await.unwrap().status(),
        StatusCode::OK
    );
    ok::<MediaView>(put(&world.device, &random(99), "image/png", png()).await).await;
    world.pass(MEDIA_LIFE_MS + 1);
    world.relay.purge_now().await.unwrap();
    ok::<MediaView>(put(&world.device, &random(100), "image/png", png()).await).await;
}
