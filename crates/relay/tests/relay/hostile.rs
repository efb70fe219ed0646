//! Bad input, bad timing and a broken disk: never a panic, never a second use, never a yes by accident.

use rand::{Rng as _, RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::StatusCode;
use shopbell_wire::*;
use sqlx::Connection as _;

use super::harness::*;

/// Text made of what breaks parsers.
fn noise(rng: &mut StdRng) -> String {
    const PIECES: &[&str] = &[
        "sbc1.",
        "sbs1.",
        "sbe1.",
        "eyJ",
        ".",
        "..",
        "=",
        "&",
        "%",
        "%00",
        "%ff",
        "{",
        "}",
        "[",
        "\"",
        "null",
        "-1",
        "9999999999999999999999",
        "é",
        "\u{202e}",
        "<script>",
        "grant_type=",
        "state=",
        "code=",
        "provider=facebook",
        ";q=",
        ",",
        " ",
        "A",
        "https://",
        "shopbell://oauth/callback",
        "http://127.0.0.1:",
    ];
    (0..rng.random_range(0..24))
        .map(|_| PIECES[rng.random_range(0..PIECES.len())])
        .collect()
}

#[tokio::test]
async fn noise_is_refused_everywhere_and_breaks_nothing() {
    let world = World::new().await;
    let mut rng = StdRng::seed_from_u64(20_261_120);
    let signin = SignIn::start(&world, Provider::Facebook).await;
    let device = &world.device;
    for round in 0..120 {
        let text = noise(&mut rng);
        let mut raw = vec![0u8; 64];
        rng.fill_bytes(&mut raw);
        let ascii: String = text.chars().filter(|c| c.is_ascii_graphic()).collect();
        for path in [
            "/oauth/authorize",
            "/oauth/callback/facebook",
            "/passes",
            "/v1/bindings/page/x",
        ] {
            let mut url = device.url(path);
            url.set_query(Some(&text));
            let request = device
                .http
                .get(url)
                .header("accept-language", &ascii)
                .header("cookie", &ascii);
            let status = request.send().await.unwrap().status();
            assert!(
                status.is_client_error() || path == "/passes",
                "round {round}: {path} {status} {text}"
            );
        }
        let with_state = signin.come_back_raw(&world, &ascii, Some(&ascii)).await;
        assert_ne!(
            with_state.status(),
            StatusCode::INTERNAL_SERVER_ERROR,
            "round {round}: {text}"
        );
        for body in [text.clone().into_bytes(), raw] {
            for path in [
                paths::TOKEN,
                paths::PROOF,
                paths::BINDINGS_RENEW,
                paths::BINDINGS_REMOVE,
            ] {
                // A device signs 256 proofs at most before its test nonces repeat.
                let nonce = std::array::from_fn(|_| rng.random());
                let proof = DeviceProof::sign(&device.keys, "POST", &device.url(path), NOW, &nonce);
                let request = device
                    .http
                    .post(device.url(path))
                    .header(PROOF_HEADER, proof.as_str());
                let refusal = refused(request.body(body.clone()).send().await.unwrap()).await;
                assert_eq!(
                    refusal,
                    Refusal::InvalidRequest,
                    "round {round}: {path} {text}"
                );
            }
        }
        let request = device
            .http
            .get(device.url(paths::BINDINGS))
            .header(PROOF_HEADER, &ascii);
        assert_eq!(
            refused(request.send().await.unwrap()).await,
            Refusal::ProofInvalid
        );
    }
    assert_eq!(world.meta.calls(), 0);
    signin.come_back(&world, "code=x").await;
}

#[tokio::test]
async fn two_loads_of_one_callback_are_one_code() {
    let world = World::new().await;
    for _ in 0..10 {
        let signin = SignIn::start(&world, Provider::Facebook).await;
        let load = || signin.come_back_raw(&world, "code=x", Some(&signin.cookie));
        let (one, two) = tokio::join!(load(), load());
        let mut statuses = [one.status(), two.status()];
        statuses.sort();
        assert_eq!(statuses, [StatusCode::OK, StatusCode::BAD_REQUEST]);
    }
}

#[tokio::test]
async fn one_proof_shown_twice_at_once_is_one_call() {
    let world = World::new().await;
    for _ in 0..10 {
        let proof = world.device.proof("GET", paths::BINDINGS);
        let url = world.device.url(paths::BINDINGS);
        let show = || {
            world
                .device
                .http
                .get(url.clone())
                .header(PROOF_HEADER, proof.as_str())
                .send()
        };
        let (one, two) = tokio::join!(show(), show());
        let mut statuses = [one.unwrap().status(), two.unwrap().status()];
        statuses.sort();
        assert_eq!(statuses, [StatusCode::OK, StatusCode::UNAUTHORIZED]);
    }
}

#[tokio::test]
async fn a_broken_storage_is_a_fault_and_never_a_yes() {
    let dir = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", dir.path().join("relay.db").display());
    let world = World::with(|config| config.storage.clone_from(&address)).await;
    let signin = SignIn::start(&world, Provider::Facebook).await;
    let mut vandal = sqlx::SqliteConnection::connect(&address).await.unwrap();
    sqlx::query("DROP TABLE used")
        .execute(&mut vandal)
        .await
        .unwrap();
    assert_eq!(
        refused(world.device.get(paths::BINDINGS).await).await,
        Refusal::Internal
    );
    let page = signin
        .come_back_raw(&world, "code=x", Some(&signin.cookie))
        .await;
    assert_eq!(page.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!page.text().await.unwrap().contains(r#"id="open""#));
    let ready = world
        .device
        .http
        .get(world.device.url("/readyz"))
        .send()
        .await
        .unwrap();
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(world.meta.calls(), 0);
}
