//! Trouble on request, and what the journal keeps of it.

use serde_json::json;
use shopbell_sandbox::{After, Before, Death, Fault, FaultError, Say};

use crate::bench::{BAKERY, Bench};

async fn person(bench: &Bench) -> String {
    let say = Say {
        account: Some(BAKERY.into()),
        customer: Some("Ana B".into()),
        text: "Hallo".into(),
        ..Say::default()
    };
    bench.world().say(say).unwrap().customer_id
}

fn sent(bench: &Bench) -> usize {
    bench.world().state()["counts"]["messages"]
        .as_u64()
        .unwrap() as usize
        - 1
}

#[tokio::test]
async fn before_faults_do_nothing_and_after_faults_do_everything() {
    let bench = Bench::empty().await;
    let to = person(&bench).await;
    let token = bench.page(BAKERY).await;
    let body = json!({"recipient": {"id": to}, "message": {"text": "x"}});
    let url = format!("{}/v25.0/me/messages", bench.sandbox.base_url());
    let post = || {
        bench
            .client
            .post(&url)
            .bearer_auth(&token)
            .json(&body)
            .send()
    };
    let order = |before: Option<Before>, after: Option<After>| {
        bench.world().fault(Fault {
            method: "POST".into(),
            path: "me/messages".into(),
            times: 1,
            before,
            after,
            ..Fault::default()
        });
    };
    order(Some(Before::Reset), None);
    assert!(post().await.is_err());
    order(Some(Before::Status { status: 502 }), None);
    assert_eq!(post().await.unwrap().status(), 502);
    let error = FaultError {
        code: 2,
        transient: Some(true),
        ..FaultError::default()
    };
    order(Some(Before::Error(error)), None);
    let answer = post().await.unwrap();
    assert_eq!(answer.status(), 500);
    assert!(
        answer
            .text()
            .await
            .unwrap()
            .contains("\"is_transient\":true")
    );
    assert_eq!(sent(&bench), 0);
    order(None, Some(After::Reset));
    assert!(post().await.is_err());
    assert_eq!(sent(&bench), 1);
    order(None, Some(After::BadJson));
    assert!(
        post()
            .await
            .unwrap()
            .json::<serde_json::Value>()
            .await
            .is_err()
    );
    order(None, Some(After::Late { ms: 1 }));
    assert_eq!(post().await.unwrap().status(), 200);
    assert_eq!(sent(&bench), 3);
    assert_eq!(post().await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_was_still_sent() {
    let bench = Bench::empty().await;
    let to = person(&bench).await;
    let token = bench.page(BAKERY).await;
    bench.world().fault(Fault {
        path: "messages".into(),
        after: Some(After::Late { ms: 600_000 }),
        ..Fault::default()
    });
    let url = format!("{}/v25.0/me/messages", bench.sandbox.base_url());
    let body = json!({"recipient": {"id": to}, "message": {"text": "x"}});
    let waiting = tokio::spawn(
        bench
            .client
            .post(url)
            .bearer_auth(&token)
            .json(&body)
            .send(),
    );
    // The sender hears nothing, yet the message is there.
    let health = format!("{}/_sandbox/health", bench.sandbox.base_url());
    while sent(&bench) == 0 {
        assert_eq!(bench.fetch(&health).await.status, 200);
    }
    assert!(!waiting.is_finished());
    waiting.abort();
}

#[tokio::test]
async fn a_token_can_die_at_its_third_call() {
    let bench = Bench::empty().await;
    let token = bench.page(BAKERY).await;
    bench.world().fault(Fault {
        path: "me".into(),
        skip: 2,
        times: 1,
        token_death: Some(Death::PasswordChanged),
        ..Fault::default()
    });
    for _ in 0..2 {
        assert_eq!(bench.get("v25.0/me", &token).await.status, 200);
    }
    assert_eq!(bench.get("v25.0/me", &token).await.error(), (190, 460));
    assert_eq!(bench.get("v25.0/me", &token).await.error(), (190, 460));
}

#[tokio::test]
async fn the_journal_tells_calls_and_answers_without_secrets() {
    let bench = Bench::empty().await;
    let user = bench.user().await;
    let token = bench.page_through(BAKERY, &user).await;
    let base = bench.sandbox.base_url();
    bench
        .fetch(&format!("{base}/v25.0/me?access_token={token}&fields=name"))
        .await;
    bench.get("v25.0/me", &token).await;
    let journal = bench.world().journal();
    let text = serde_json::to_string(&journal).unwrap();
    for secret in [
        &user,
        &token,
        "0123456789abcdef0123456789abcdef",
        "EAASB",
        "AQDSB",
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
    let (by_query, by_header) = (&journal[journal.len() - 2], &journal[journal.len() - 1]);
    assert_eq!(by_query.token, by_header.token);
    assert!(!by_query.bearer && by_header.bearer);
    assert_eq!(
        (
            by_query.method.as_str(),
            by_query.path.as_str(),
            by_query.status
        ),
        ("GET", "/v25.0/me", 200)
    );
    assert!(by_query.answer.contains("Kornblume"));
    bench.world().clear_journal();
    assert!(bench.world().journal().is_empty());
}

#[tokio::test]
async fn the_controls_answer_over_http_too() {
    let bench = Bench::empty().await;
    let base = format!("{}/_sandbox", bench.sandbox.base_url());
    let post = async |path: &str, body: serde_json::Value| {
        bench
            .send(bench.client.post(format!("{base}/{path}")).json(&body))
            .await
    };
    let said = post(
        "say",
        json!({"account": BAKERY, "customer": "Ana B", "text": "Hi"}),
    )
    .await
    .json();
    assert!(said["message_id"].is_string());
    for (path, body) in [
        (
            "page-says",
            json!({"conversation": said["conversation_id"], "text": "x"}),
        ),
        (
            "react",
            json!({"message": said["message_id"], "emoji": "👍"}),
        ),
        (
            "edit",
            json!({"message": said["message_id"], "text": "Hello"}),
        ),
        ("read", json!({"conversation": said["conversation_id"]})),
        (
            "tap",
            json!({"conversation": said["conversation_id"], "payload": "P"}),
        ),
        ("person", json!({"customer": "Ana B", "first_name": "Anna"})),
        (
            "account",
            json!({"account": "kornblume.brot", "messages_allowed": false}),
        ),
        ("tokens", json!({"which": "all", "death": "revoked"})),
        ("consent", json!({"cancel": true})),
        ("faults", json!({"path": "me", "before": "reset"})),
        (
            "faults",
            json!({"before": {"error": {"code": 1}}, "after": {"late": {"ms": 1}}, "throttle": {"code": 4, "minutes": 1}}),
        ),
        ("switches", json!({"detailed_messages": 5})),
        ("clock", json!({"advance_ms": 1})),
        (
            "callback",
            json!({"redirect_uris": ["https://a.example/b"]}),
        ),
        (
            "event",
            json!({"account": BAKERY, "field": "standby", "entry": {}}),
        ),
        ("unsend", json!({"message": said["message_id"]})),
        ("settle", json!({})),
    ] {
        let answer = post(path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    assert_eq!(
        bench.fetch(&format!("{base}/switches")).await.json()["detailed_messages"],
        5
    );
    for (path, body) in [
        ("say", json!({"wrong": 1})),
        ("say", json!({"conversation": "t_0"})),
        ("switches", json!({"no": 1})),
        ("fly", json!({})),
    ] {
        assert_eq!(post(path, body).await.status, 400, "{path}");
    }
    for path in ["faults", "consent", "journal"] {
        assert_eq!(
            bench
                .send(bench.client.delete(format!("{base}/{path}")))
                .await
                .status,
            200
        );
    }
    for path in [
        "health",
        "fields",
        "state",
        "journal",
        "deliveries",
        "clock",
    ] {
        assert_eq!(bench.fetch(&format!("{base}/{path}")).await.status, 200);
    }
}

#[tokio::test]
async fn a_dropped_sandbox_answers_nobody_not_even_on_open_connections() {
    let Bench { sandbox, client } = Bench::empty().await;
    let url = format!("{}/_sandbox/health", sandbox.base_url());
    assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
    drop(sandbox);
    assert!(client.get(&url).send().await.is_err());
}
