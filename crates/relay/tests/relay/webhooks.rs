//! Meta's webhooks: every form arrives at the bound computers, byte for byte, and nowhere else; everything hostile stays outside.

use serde_json::{Value, json};
use shopbell_relay::read_kept;
use shopbell_wire::*;
use sqlx::Connection as _;

use super::{events::*, harness::*, meta::*};

/// Facts sheet, appendix A.
const VECTOR_SECRET: &str = "0123456789abcdef0123456789abcdef";
const VECTOR: &str = r#"{"object":"instagram","entry":[{"id":"17841400000000001","time":1764000000123,"messaging":[{"sender":{"id":"9001"},"recipient":{"id":"17841400000000001"},"timestamp":1764000000001,"message":{"mid":"aWdtZXNzYWdl","text":"caf\u00e9 \u2615 \ud83d\ude0a https:\/\/x.example\/a"}}]}]}"#;
const VECTOR_SIGNATURE: &str =
    "sha256=e33f2e7b49c382c91b207580aadf2bb0e399e6079b2e71ffa11cbddf33cf02d9";
/// The same secret over the text as a parser would write it again.
const RESERIALISED: &str =
    "sha256=a157ff0f7e0935a94a5f9fd385723c5652a5e448d2bbea6c49a785ea4ac90ac1";

async fn post(world: &World, body: &[u8], signature: &str) -> u16 {
    let answer = meta_post(world, body, signature).send().await.unwrap();
    answer.status().as_u16()
}

#[tokio::test]
async fn every_form_of_event_reaches_the_bound_computer_as_meta_sent_it() {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    let page = [
        r#"{"id":"1001","time":1764000000123,"messaging":[{"sender":{"id":"7011"},"recipient":{"id":"1001"},"message":{"mid":"m_1","text":"caf\u00e9 \ud83d\ude0a"}}]}"#,
        r#"{"id":"1001","time":1764000000124,"standby":[{"sender":{"id":"7011"},"recipient":{"id":"1001"},"message":{"mid":"m_2"}}]}"#,
        r#"{ "id" : 1001 , "time":1764000000,"changes":[{"field":"feed","value":{"item":"comment","verb":"add"}}]}"#,
        r#"{"changes":[{"field":"unheard_of","value":[[[1.0e3]]]}],"odd":null,"id":"1001"}"#,
    ];
    let instagram = [
        r#"{"id":"17841400000000001","time":1764000000,"field":"comments","value":{"id":"17870","text":"Price?"}}"#,
        r#"{"id":"17841400000000001","time":1764000000,"changes":[{"field":"mentions","value":{"media_id":"1"}}]}"#,
        r#"{"id":"17841400000000001","messaging":[{"timestamp":1764000000001,"message_edit":{"mid":"aWdf","num_edit":0}}]}"#,
    ];
    assert_eq!(deliver(&world, &envelope("page", &page)).await, 200);
    let wrapped = format!(" [{}] ", envelope("instagram", &instagram));
    assert_eq!(deliver(&world, &wrapped).await, 200);

    let events = reached(&world, &world.device).await;
    let entries: Vec<String> = events.iter().map(Reached::entry).collect();
    assert_eq!(entries, [&page[..], &instagram[..]].concat());
    for (n, event) in events.iter().enumerate() {
        let (object, subject) = if n < page.len() {
            ("page", "page/1001".to_owned())
        } else {
            ("instagram", format!("instagram/{IG_ID}"))
        };
        assert_eq!(event.offset, n as u64 + 1);
        assert_eq!((event.kind, event.received_ms), (EventKind::META, NOW));
        assert_eq!(event.subject, subject);
        let content: Value = event.json();
        assert_eq!(content["object"], object);
    }
}

#[tokio::test]
async fn a_thousand_entries_in_one_delivery_keep_their_order() {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    let entries: Vec<String> = (0..1000)
        .map(|n| message(["1001", "1002", "9999"][n % 3], &format!("m_{n}")))
        .collect();
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    assert_eq!(deliver(&world, &envelope("page", &entries)).await, 200);
    let mids: Vec<String> = reached(&world, &world.device)
        .await
        .iter()
        .map(|event| {
            let content: Value = event.json();
            content["entry"]["messaging"][0]["message"]["mid"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let expected: Vec<String> = (0..1000)
        .filter(|n| n % 3 != 2)
        .map(|n| format!("m_{n}"))
        .collect();
    assert_eq!(mids, expected);
    assert_eq!(figure(&world, r#"entries_total{outcome="unbound"}"#), 333);
    assert_eq!(
        figure(&world, "appends_total"),
        1,
        "one delivery is one write"
    );
    let one_more = vec![r#"{"id":"1001"}"#; 1001];
    assert_eq!(deliver(&world, &envelope("page", &one_more)).await, 200);
    assert_eq!(figure(&world, r#"webhooks_total{outcome="unparsed"}"#), 1);
    assert_eq!(figure(&world, "appended_records_total"), 667);
}

#[tokio::test]
async fn each_owner_gets_their_own_and_a_second_computer_a_copy() {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    let (laptop, neighbour, stranger) = (world.device(2), world.device(3), world.device(4));
    bind(&world, &laptop, "1001", "1207").await;
    bind(&world, &neighbour, "2002", "3333").await;
    bind(&world, &stranger, "4004", "5555").await;
    let both = [
        message("1001", "m_1"),
        message("2002", "m_2"),
        message("8888", "m_3"),
    ];
    let both = both.each_ref().map(String::as_str);
    assert_eq!(deliver(&world, &envelope("page", &both)).await, 200);
    // The other object: a Page's number is no Instagram account's.
    assert_eq!(
        deliver(&world, &envelope("instagram", &both[..2])).await,
        200
    );
    assert_eq!(
        deliver(&world, &envelope("whatsapp_business_account", &both)).await,
        200
    );

    let shop = reached(&world, &world.device).await;
    assert_eq!(
        shop.iter().map(Reached::entry).collect::<Vec<_>>(),
        [both[0]]
    );
    let copy = reached(&world, &laptop).await;
    assert_eq!(copy, shop, "the same event, with the same id");
    let theirs = reached(&world, &neighbour).await;
    assert_eq!(
        theirs.iter().map(Reached::entry).collect::<Vec<_>>(),
        [both[1]]
    );
    assert_eq!(reached(&world, &stranger).await, []);
    for (line, count) in [("routed", 2), ("unbound", 3), ("other_object", 3)] {
        assert_eq!(
            figure(&world, &format!("entries_total{{outcome=\"{line}\"}}")),
            count,
            "{line}"
        );
    }

    world.pass(LEASE_MS + 1);
    assert_eq!(deliver(&world, &envelope("page", &both)).await, 200);
    assert_eq!(
        figure(&world, r#"entries_total{outcome="unbound"}"#),
        6,
        "leases have ended"
    );
}

#[tokio::test]
async fn a_customers_number_at_the_entry_is_seen_through_by_the_recipient() {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    let slip = format!(
        r#"{{"id":"9001","time":1,"messaging":[{{"sender":{{"id":"9001"}},"recipient":{{"id":"{IG_ID}"}},"postback":{{"title":"Hi"}}}}]}}"#
    );
    let none = format!(r#"{{"messaging":[{{"recipient":{{"id":"{IG_ID}"}}}}]}}"#);
    let lost = r#"{"messaging":[{"timestamp":1,"message_edit":{"num_edit":0}}]}"#;
    assert_eq!(
        deliver(&world, &envelope("instagram", &[&slip, &none, lost])).await,
        200
    );
    let events = reached(&world, &world.device).await;
    assert_eq!(
        events.iter().map(Reached::entry).collect::<Vec<_>>(),
        [slip, none]
    );
    assert!(
        events
            .iter()
            .all(|event| event.subject == format!("instagram/{IG_ID}"))
    );
    assert_eq!(figure(&world, r#"entries_total{outcome="no_account"}"#), 1);
}

#[tokio::test]
async fn both_apps_and_their_secrets_of_before_may_sign_and_are_told_apart() {
    let world = World::with(|config| {
        for (app, previous) in [
            (&mut config.facebook, "fb before"),
            (&mut config.instagram, "ig before"),
        ] {
            app.as_mut().unwrap().previous_secret = Some(Secret::new(previous));
        }
    })
    .await;
    world.sign_in(Provider::Facebook).await;
    let body = envelope("page", &[&message("1001", "m_1")]);
    for (secret, word) in [
        (APP_SECRET, "facebook"),
        ("fb before", "facebook_previous"),
        (IG_SECRET, "instagram"),
        ("ig before", "instagram_previous"),
    ] {
        assert_eq!(
            post(&world, body.as_bytes(), &hub(secret, body.as_bytes())).await,
            200
        );
        assert_eq!(
            figure(&world, &format!("signed_by_total{{secret=\"{word}\"}}")),
            1,
            "{word}"
        );
    }
    assert_eq!(
        reached(&world, &world.device).await.len(),
        4,
        "what is delivered twice is passed on twice"
    );
}

#[tokio::test]
async fn the_published_vector_is_accepted_and_its_reserialised_form_is_not() {
    let world = World::with(|config| {
        config.facebook.as_mut().unwrap().app_secret = Secret::new(VECTOR_SECRET);
    })
    .await;
    world.sign_in(Provider::Instagram).await;
    assert_eq!(VECTOR.len(), 279);
    assert_eq!(post(&world, VECTOR.as_bytes(), RESERIALISED).await, 403);
    assert_eq!(post(&world, VECTOR.as_bytes(), VECTOR_SIGNATURE).await, 200);
    let events = reached(&world, &world.device).await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        events[0].content,
        VECTOR
            .replace(":[{\"id\"", ":{\"id\"")
            .replace("}]}]}", "}]}}")
    );
}

#[tokio::test]
async fn nothing_that_is_not_signed_gets_past_the_door_or_costs_a_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("relay.db");
    let storage = format!("sqlite:{}", path.display());
    let world = World::with(|config| config.storage = storage).await;
    world.sign_in(Provider::Facebook).await;
    let body = envelope("page", &[&message("1001", "m_1")]);
    let bytes = body.as_bytes();
    let good = hub(APP_SECRET, bytes);
    world.relay.purge_now().await.unwrap();
    let on_disk = || -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (
                    entry.file_name().into_string().unwrap(),
                    std::fs::read(entry.path()).unwrap(),
                )
            })
            .filter(|(name, _)| !name.ends_with("-shm"))
            .collect();
        files.sort();
        files
    };
    let before = on_disk();
    for (signature, status) in [
        (hub("another secret", bytes), 403),
        (hub(APP_SECRET, &bytes[1..]), 403),
        (hub("", bytes), 403),
        ("sha256=".to_owned(), 401),
        (good.replace("sha256=", "sha1="), 401),
        (good[..60].to_owned(), 401),
        (good.replace("sha256=", "SHA256="), 401),
        ("x".repeat(4000), 401),
    ] {
        assert_eq!(post(&world, bytes, &signature).await, status, "{signature}");
    }
    let two = meta_post(&world, bytes, &good).header("x-hub-signature-256", &good);
    assert_eq!(
        two.send().await.unwrap().status(),
        401,
        "two signatures are none"
    );
    let none = world
        .device
        .http
        .post(world.device.url(paths::WEBHOOKS_META))
        .body(body.clone());
    assert_eq!(none.send().await.unwrap().status(), 401);
    for torn in [&bytes[..bytes.len() - 1], &bytes[1..], b"", b"[]"] {
        assert_eq!(post(&world, torn, &good).await, 403);
    }
    assert!(before == on_disk(), "not a byte was written");
    assert_eq!(figure(&world, "appends_total"), 0);
    assert_eq!(figure(&world, r#"webhooks_total{outcome="unsigned"}"#), 7);
    assert_eq!(figure(&world, r#"webhooks_total{outcome="forged"}"#), 7);
    assert_eq!(post(&world, bytes, &good).await, 200);
    assert_eq!(reached(&world, &world.device).await.len(), 1);
}

#[tokio::test]
async fn a_strangers_flood_is_turned_away_unread_and_metas_delivery_is_not() {
    let world = World::with(|config| {
        config.trust_forwarded = true;
        config.limits.unsigned_webhooks_per_minute = 3;
    })
    .await;
    world.sign_in(Provider::Facebook).await;
    let body = envelope("page", &[&message("1001", "m_1")]);
    let send = async |from: &str, signature: &str| {
        let request = meta_post(&world, body.as_bytes(), signature).header("x-forwarded-for", from);
        request.send().await.unwrap().status().as_u16()
    };
    let good = hub(APP_SECRET, body.as_bytes());
    for _ in 0..4 {
        assert_eq!(send("203.0.113.9", "sha256=00").await, 401);
    }
    assert_eq!(send("203.0.113.9", "sha256=00").await, 429);
    assert_eq!(
        send("203.0.113.9", &good).await,
        429,
        "that address has to wait"
    );
    assert_eq!(send("198.51.100.7", &good).await, 200, "Meta's has not");
}

#[tokio::test]
async fn what_is_enormous_is_refused_by_its_length_or_where_it_goes_over() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = World::new().await;
    let signature = hub(APP_SECRET, b"");
    let mut socket = tokio::net::TcpStream::connect(world.relay.listening)
        .await
        .unwrap();
    let head = format!(
        "POST /webhooks/meta HTTP/1.1\r\nhost: x\r\nx-hub-signature-256: {signature}\r\ncontent-length: 4194305\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0u8; 12];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413", "answered without the body");

    let chunk = bytes::Bytes::from(vec![b'x'; 1024 * 1024]);
    let endless = futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
    let request = meta_post(&world, b"", &signature).body(reqwest::Body::wrap_stream(endless));
    // The relay may close before all of it is sent; then there is no answer to read.
    if let Ok(answer) = request.send().await {
        assert_eq!(answer.status(), 413);
    }
    assert_eq!(figure(&world, r#"webhooks_total{outcome="too_large"}"#), 2);

    let filler = "x".repeat(1024 * 1024);
    world.sign_in(Provider::Facebook).await;
    let just = envelope("page", &[&format!(r#"{{"id":"1001","x":"{filler}"}}"#)]);
    assert_eq!(deliver(&world, &just).await, 200);
    assert_eq!(
        reached(&world, &world.device).await[0].content.len(),
        just.len() - 2
    );
}

#[tokio::test]
async fn what_is_signed_and_cannot_be_read_is_the_operators_and_no_computers() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("kept");
    let secret = [5u8; 32];
    let world = World::with(|config| {
        config.operator_key = Some(shopbell_relay::operator_public_key(&secret));
        config.operator_file = Some(file.clone());
    })
    .await;
    world.sign_in(Provider::Facebook).await;
    let deep = format!(
        r#"{{"object":"page","entry":[{{"id":"1001","x":{}"#,
        "[".repeat(100_000)
    );
    let no_account = r#"{"time":1,"changes":[]}"#;
    let bodies: Vec<Vec<u8>> = vec![
        b"{}".to_vec(),
        b"not json".to_vec(),
        b"{\"object\":\"page\",\"entry\":[{\"id\":\"1001\",\"x\":\"\xff\xfe\"}]}".to_vec(),
        deep.into_bytes(),
        br#"{"object":"page","entry":[{"id":"1001"}]}trailing"#.to_vec(),
    ];
    for body in &bodies {
        assert_eq!(post(&world, body, &hub(APP_SECRET, body)).await, 200);
    }
    let mixed = envelope("page", &[no_account, &message("1001", "m_1")]);
    assert_eq!(deliver(&world, &mixed).await, 200);
    assert_eq!(figure(&world, r#"webhooks_total{outcome="unparsed"}"#), 5);
    assert_eq!(
        reached(&world, &world.device).await.len(),
        1,
        "only the one that can be read"
    );
    let kept: Vec<Vec<u8>> = read_kept(&file, &secret)
        .unwrap()
        .into_iter()
        .map(|kept| kept.unwrap().body)
        .collect();
    assert_eq!(kept[..5], bodies);
    assert_eq!(kept[5], no_account.as_bytes());

    let without = World::new().await;
    assert_eq!(
        deliver(&without, "{}").await,
        200,
        "without a key it is counted and dropped"
    );
}

#[tokio::test]
async fn a_storage_that_fails_is_never_a_yes() {
    let dir = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", dir.path().join("relay.db").display());
    let world = World::with(|config| config.storage.clone_from(&address)).await;
    world.sign_in(Provider::Facebook).await;
    let body = envelope("page", &[&message("1001", "m_1")]);
    assert_eq!(deliver(&world, &body).await, 200);

    let mut other = sqlx::SqliteConnection::connect(&address).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    assert_eq!(
        deliver(&world, &body).await,
        503,
        "a write that waits too long"
    );
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    sqlx::query("DROP TABLE blocks")
        .execute(&mut other)
        .await
        .unwrap();
    assert_eq!(deliver(&world, &body).await, 503, "a write that fails");
    assert_eq!(figure(&world, r#"webhooks_total{outcome="not_stored"}"#), 2);
    assert_eq!(figure(&world, r#"storage_errors_total{work="append"}"#), 2);
    let nobody = envelope("page", &[&message("9999", "m_1")]);
    assert_eq!(
        deliver(&world, &nobody).await,
        200,
        "nothing to write, nothing that can fail"
    );
}

#[tokio::test]
async fn meta_finds_the_address_by_its_token_and_gets_the_challenge_as_it_came() {
    let world =
        World::with(|config| config.verify_token = Some(Secret::new("canary-verify-token"))).await;
    let ask = async |query: &str| {
        let url = world
            .device
            .url(&format!("{}?{query}", paths::WEBHOOKS_META));
        let answer = world.device.http.get(url).send().await.unwrap();
        let kind = answer
            .headers()
            .get("content-type")
            .map(|v| v.to_str().unwrap().to_owned());
        (answer.status().as_u16(), kind, answer.text().await.unwrap())
    };
    let good = "hub.mode=subscribe&hub.verify_token=canary-verify-token";
    for (sent, came) in [
        ("1158201444", "1158201444"),
        ("0007", "0007"),
        ("%3Cb%3E", "<b>"),
    ] {
        let (status, kind, text) = ask(&format!("{good}&hub.challenge={sent}")).await;
        assert_eq!((status, text.as_str()), (200, came));
        assert_eq!(kind.as_deref(), Some("text/plain; charset=utf-8"));
    }
    for query in [
        "hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1",
        "hub.mode=subscribe&hub.verify_token=&hub.challenge=1",
        "hub.mode=unsubscribe&hub.verify_token=canary-verify-token&hub.challenge=1",
        "hub.verify_token=canary-verify-token&hub.challenge=1",
        good,
        "hub.mode=subscribe&hub.verify_token=wrong&hub.verify_token=canary-verify-token&hub.challenge=1",
        "hub_mode=subscribe&hub_verify_token=canary-verify-token&hub_challenge=1",
        "",
    ] {
        let (status, _, text) = ask(query).await;
        assert_eq!((status, text.as_str()), (403, ""), "{query}");
    }
    let long = "9".repeat(300);
    assert_eq!(ask(&format!("{good}&hub.challenge={long}")).await.0, 403);

    let without = World::new().await;
    let url = without
        .device
        .url("/webhooks/meta?hub.mode=subscribe&hub.verify_token=&hub.challenge=1");
    let answer = without.device.http.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 403, "no token configured, none is right");
}

#[tokio::test]
async fn signed_noise_is_answered_and_breaks_nothing() {
    use rand::{RngExt as _, SeedableRng as _};
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    let mut rng = rand::rngs::StdRng::seed_from_u64(20_261_121);
    let whole = envelope("page", &[&message("1001", "m_1"), &message("1002", "m_2")]).into_bytes();
    for round in 0..300 {
        let mut body = whole.clone();
        for _ in 0..rng.random_range(1..6) {
            let at = rng.random_range(0..body.len());
            match rng.random_range(0..4) {
                0 => body[at] = rng.random(),
                1 => body.truncate(at.max(1)),
                2 => body.insert(at, *b"{}[]\",:\\0".get(rng.random_range(0..9)).unwrap()),
                _ => {
                    body.remove(at);
                    body.push(b'}');
                }
            }
        }
        assert_eq!(
            post(&world, &body, &hub(APP_SECRET, &body)).await,
            200,
            "round {round}"
        );
    }
    assert_eq!(
        deliver(&world, std::str::from_utf8(&whole).unwrap()).await,
        200
    );
    let last = reached(&world, &world.device).await.pop().unwrap();
    assert_eq!(last.entry(), message("1002", "m_2"));
    assert_eq!(
        json!(figure(&world, r#"webhooks_total{outcome="not_stored"}"#)),
        0
    );
}
