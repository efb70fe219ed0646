#![allow(clippy::unwrap_used)]
//! The client against a small double that answers oddly and writes down what it was asked.

use super::{Call, Fault, GraphClient, Lane, RetryKind, SendRequest};
use crate::{
    Changes, Endpoints, ManualClock, Parts, SeededEntropy,
    accounts::Access,
    domain::{AccountId, Channel, CredentialId, Provider},
};
use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use shopbell_wire::Secret;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

const TOKEN: &str = "EAA-canary-token";
const PROOF: &str = "0123canaryproof";

/// Status, headers, body.
type Said = (u16, Vec<(&'static str, String)>, String);

#[derive(Clone, Default)]
struct Double {
    answers: Arc<Mutex<VecDeque<Said>>>,
    asked: Arc<Mutex<Vec<(String, String, String)>>>,
}

impl Double {
    fn say(&self, status: u16, body: &str) {
        self.say_with(status, &[], body);
    }

    fn say_with(&self, status: u16, headers: &[(&'static str, &str)], body: &str) {
        let headers = headers.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        self.answers
            .lock()
            .unwrap()
            .push_back((status, headers, body.to_owned()));
    }

    fn asked(&self) -> Vec<(String, String, String)> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State(double): State<Double>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let token = parts
        .headers
        .get(header::AUTHORIZATION)
        .map(|v| v.to_str().unwrap().to_owned())
        .unwrap_or_default();
    double.asked.lock().unwrap().push((
        format!("{} {}", parts.method, parts.uri),
        token,
        String::from_utf8_lossy(&body).into_owned(),
    ));
    let (status, headers, body) = double.answers.lock().unwrap().pop_front().unwrap();
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(
            header::HeaderName::from_static(name),
            value.parse().unwrap(),
        );
    }
    response
}

struct Scene {
    double: Double,
    graph: GraphClient,
    clock: ManualClock,
    access: Access,
}

async fn scene() -> Scene {
    let double = Double::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = url::Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let app = Router::new().fallback(answer).with_state(double.clone());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    scene_at(base, double)
}

fn scene_at(base: url::Url, double: Double) -> Scene {
    let clock = ManualClock::at(1_790_000_000_000);
    let parts = Parts {
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SeededEntropy::new(1)),
        endpoints: Endpoints::sandbox(&base, base.clone()).unwrap(),
        changes: Changes::default(),
    };
    let access = Access {
        account: AccountId(1),
        channel: Channel::Messenger,
        provider: Provider::Facebook,
        platform_id: "1001".into(),
        page_id: None,
        username: None,
        credential: CredentialId(1),
        token: Secret::new(TOKEN),
        proof: Some(Secret::new(PROOF)),
    };
    Scene {
        double,
        graph: GraphClient::new(&parts),
        clock,
        access,
    }
}

fn hello() -> SendRequest {
    SendRequest {
        recipient: "7011".into(),
        text: "Hello".into(),
        reply_to_mid: None,
        human_agent: false,
        metadata: Some("job:42".into()),
    }
}

#[tokio::test]
async fn the_token_is_in_the_header_only_and_the_next_address_is_not_followed() {
    let s = scene().await;
    s.double.say(
        200,
        &format!(r#"{{"data":[],"paging":{{"cursors":{{"after":"C1"}},"next":"https://evil.example/?access_token={TOKEN}&after=C1"}}}}"#),
    );
    s.double.say(200, r#"{"data":[{"id":"t_1"}],"paging":{"cursors":{"after":"C1"},"next":"https://x/?after=C1"}}"#);
    let first = s
        .graph
        .conversations(&s.access, None, 25, 20, Lane::Background)
        .await
        .unwrap();
    assert!(first.items.is_empty());
    assert_eq!(
        first.after.as_deref(),
        Some("C1"),
        "an empty page may have a next one"
    );
    let second = s
        .graph
        .conversations(&s.access, first.after.as_deref(), 25, 20, Lane::Background)
        .await
        .unwrap();
    assert_eq!(
        (second.items.len(), second.after),
        (1, None),
        "the same cursor again is the end"
    );
    for (line, token, _) in s.double.asked() {
        assert!(
            line.starts_with("GET /graph.facebook.com/v25.0/1001/conversations?"),
            "{line}"
        );
        assert!(!line.contains(TOKEN));
        assert!(line.contains(&format!("appsecret_proof={PROOF}")));
        assert_eq!(token, format!("Bearer {TOKEN}"));
    }
}

#[tokio::test]
async fn hostile_ids_stay_one_path_segment() {
    let s = scene().await;
    for _ in 0..3 {
        s.double.say(200, r#"{"id":"x"}"#);
    }
    for id in ["../../oauth/access_token", "..", "a?b#c"] {
        s.graph.profile(&s.access, id).await.unwrap();
    }
    let lines: Vec<String> = s.double.asked().into_iter().map(|a| a.0).collect();
    assert!(
        lines[0].starts_with("GET /graph.facebook.com/v25.0/..%2F..%2Foauth%2Faccess_token?"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with("GET /graph.facebook.com/v25.0/_?"),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].starts_with("GET /graph.facebook.com/v25.0/a%3Fb%23c?"),
        "{}",
        lines[2]
    );
}

#[tokio::test]
async fn code_1_halves_the_limit() {
    let s = scene().await;
    let much = r#"{"error":{"message":"Please reduce the amount of data you're asking for, then retry your request","type":"OAuthException","code":1,"fbtrace_id":"A"}}"#;
    s.double.say(500, much);
    s.double.say(200, r#"{"data":[]}"#);
    let page = s
        .graph
        .conversations(&s.access, None, 50, 20, Lane::Background)
        .await
        .unwrap();
    assert_eq!(page.limit, 25);
    let asked = s.double.asked();
    assert!(asked[0].0.contains("limit=50") && asked[1].0.contains("limit=25"));
}

#[tokio::test]
async fn a_send_says_whether_it_can_have_arrived() {
    let s = scene().await;
    s.double
        .say(200, r#"{"recipient_id":"7011","message_id":"m_1"}"#);
    assert_eq!(
        s.graph.send(&s.access, &hello()).await.unwrap().message_id,
        "m_1"
    );
    let body: serde_json::Value = serde_json::from_str(&s.double.asked()[0].2).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"recipient":{"id":"7011"},"messaging_type":"RESPONSE","message":{"text":"Hello","metadata":"job:42"}})
    );

    s.double.say(
        500,
        r#"{"error":{"message":"x","code":2,"type":"OAuthException"}}"#,
    );
    s.double.say(200, "<html>login to the hotel network</html>");
    s.double.say(200, r#"{"recipient_id":"7011"}"#);
    for _ in 0..3 {
        let error = s.graph.send(&s.access, &hello()).await.err().unwrap();
        assert!(error.reached);
        assert_eq!(error.kind, RetryKind::Ambiguous);
    }
    s.double.say(
        400,
        r#"{"error":{"message":"(#10) outside","code":10,"error_subcode":2018278}}"#,
    );
    let error = s.graph.send(&s.access, &hello()).await.err().unwrap();
    assert!(error.is_window_closed());
    assert_eq!(
        (error.kind, error.reason().code.as_str()),
        (RetryKind::Final, "window_closed")
    );

    // Nobody listens: certainly not sent, so it may be tried again.
    let nobody = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        url::Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap()
    };
    let dead = scene_at(nobody, Double::default());
    let error = dead.graph.send(&dead.access, &hello()).await.err().unwrap();
    assert!(!error.reached);
    assert_eq!(error.fault, Fault::Unreachable);
    assert!(matches!(error.kind, RetryKind::Transient { .. }));
}

#[tokio::test]
async fn a_connection_cut_after_the_request_is_ambiguous() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = url::Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut buffer = [0_u8; 4096];
            let _ = tokio::io::AsyncReadExt::read(&mut socket, &mut buffer).await;
        }
    });
    let s = scene_at(base, Double::default());
    let error = s.graph.send(&s.access, &hello()).await.err().unwrap();
    assert!(error.reached);
    assert_eq!(
        (error.kind, error.fault, error.call),
        (RetryKind::Ambiguous, Fault::Broken, Call::Send)
    );
    assert!(!format!("{error} {error:?}").contains(TOKEN));
}

#[tokio::test]
async fn limits_hold_the_next_call_back_without_making_it() {
    let s = scene().await;
    s.double.say_with(
        400,
        &[("x-business-use-case-usage", r#"{"1001":[{"type":"messenger","call_count":100,"estimated_time_to_regain_access":7}]}"#)],
        r#"{"error":{"message":"too many","code":80006}}"#,
    );
    let error = s
        .graph
        .conversations(&s.access, None, 25, 0, Lane::Background)
        .await
        .err()
        .unwrap();
    assert_eq!(
        error.kind,
        RetryKind::RateLimited {
            after_ms: 7 * 60_000
        }
    );
    assert!(s.graph.throttled(&s.access));
    let held = s.graph.profile(&s.access, "7011").await.err().unwrap();
    assert_eq!((held.fault, held.reached), (Fault::HeldBack, false));
    assert_eq!(s.double.asked().len(), 1);
    s.clock.advance(std::time::Duration::from_secs(7 * 60));
    s.double.say_with(
        200,
        &[(
            "x-business-use-case-usage",
            r#"{"1001":[{"call_count":3}]}"#,
        )],
        r#"{"id":"7011"}"#,
    );
    s.graph.profile(&s.access, "7011").await.unwrap();
    assert!(!s.graph.throttled(&s.access));
}

#[tokio::test]
async fn the_platforms_clock_is_learned_from_its_answers() {
    let s = scene().await;
    assert_eq!(s.graph.clock_offset_ms(), None);
    // Two hours ahead of the manual clock (1 790 000 000 = Mon, 21 Sep 2026 14:13:20 GMT).
    s.double.say_with(
        200,
        &[("date", "Mon, 21 Sep 2026 16:13:20 GMT")],
        r#"{"id":"1"}"#,
    );
    s.graph.profile(&s.access, "1").await.unwrap();
    let offset = s.graph.clock_offset_ms().unwrap();
    assert!((offset - 7_200_000).abs() <= 1_000, "{offset}");
    assert_eq!(s.graph.platform_now_ms(), 1_790_000_000_000 + offset);
}

#[tokio::test]
async fn me_and_subscriptions_in_the_shapes_meta_uses() {
    let mut s = scene().await;
    s.access.provider = Provider::Instagram;
    s.access.channel = Channel::Instagram;
    s.double.say(
        200,
        r#"{"data":[{"id":"24","user_id":17841400000000001,"username":"acme"}]}"#,
    );
    s.double
        .say(200, r#"{"id":"24","user_id":"17841400000000001"}"#);
    for _ in 0..2 {
        assert_eq!(
            s.graph.me(&s.access).await.unwrap().user_id.as_deref(),
            Some("17841400000000001")
        );
    }
    s.double.say(200, r#"{"success":"true"}"#);
    s.graph.subscribe(&s.access).await.unwrap();
    s.double.say(200, r#"{"data":[{"id":"APP","subscribed_fields":["messages",{"name":"comments","version":"v25.0"}]}]}"#);
    assert_eq!(
        s.graph.subscribed_fields(&s.access).await.unwrap(),
        ["comments", "messages"]
    );
    s.double.say(200, r#"{"data":[]}"#);
    assert!(
        s.graph
            .subscribed_fields(&s.access)
            .await
            .unwrap()
            .is_empty()
    );
    let lines: Vec<String> = s.double.asked().into_iter().map(|a| a.0).collect();
    assert!(lines[0].starts_with("GET /graph.instagram.com/v25.0/me?"));
    assert!(lines[2].starts_with(
        "POST /graph.instagram.com/v25.0/1001/subscribed_apps?subscribed_fields=messages%2C"
    ));
}

#[tokio::test]
async fn several_accounts_with_platform_errors_are_the_platforms_trouble() {
    let mut s = scene().await;
    for account in 1..=2 {
        s.access.account = AccountId(account);
        assert!(!s.graph.platform_trouble());
        s.double.say(500, r#"{"error":{"message":"x","code":2}}"#);
        let _ = s.graph.profile(&s.access, "7").await;
    }
    assert!(s.graph.platform_trouble());
    s.clock.advance(std::time::Duration::from_secs(301));
    assert!(!s.graph.platform_trouble());
}
