#![allow(clippy::unwrap_used)]
//! The steps that need neither relay nor browser. The whole way is in the journeys.

use super::*;
use crate::{
    domain::Provider,
    profile::testing::{Opened, offline_profile},
};
use std::time::Duration;

async fn begin(open: &Opened, way_back: WayBack) -> SignIn {
    let ask = SignInStart {
        provider: Provider::Facebook,
        way_back,
        ask_again: false,
    };
    start(&open.profile, &ask).await.unwrap()
}

fn state_of(view: &SignIn) -> String {
    let url = url::Url::parse(&view.authorize_url).unwrap();
    url.query_pairs()
        .find(|(key, _)| key == "state")
        .unwrap()
        .1
        .into_owned()
}

fn code(view: &SignIn) -> Option<String> {
    view.refusal.as_ref().map(|reason| reason.code.clone())
}

#[tokio::test]
async fn a_bogus_link_changes_nothing_and_a_refusal_ends_it() {
    let open = offline_profile().await;
    assert!(matches!(
        finish(&open.profile, "junk").await,
        Err(SignInError::NotACode)
    ));
    assert!(matches!(
        finish(&open.profile, "sbc1.abc").await,
        Err(SignInError::NotFound)
    ));
    let view = begin(&open, WayBack::Scheme).await;
    assert!((10..=99).contains(&view.number.parse::<u8>().unwrap()));
    assert!(waiting(&open.profile).await.unwrap());
    let state = state_of(&view);
    for (text, said) in [
        ("junk".to_owned(), "not_a_code"),
        (
            "shopbell://oauth/callback?code=sbc1.abc&state=evil".to_owned(),
            "state_wrong",
        ),
        (
            "shopbell://oauth/callback?error=access_denied&state=evil".to_owned(),
            "state_wrong",
        ),
    ] {
        let told = finish(&open.profile, &text).await.unwrap();
        assert_eq!(
            (told.step, code(&told).as_deref()),
            (SignInStep::Waiting, Some(said)),
            "{text}"
        );
        let now = current(&open.profile).await.unwrap().unwrap();
        assert_eq!(
            (now.step, now.refusal),
            (SignInStep::Waiting, None),
            "nothing was kept of it"
        );
    }
    let link = format!(
        "shopbell://oauth/callback?error=access_denied&error_reason=user_denied&state={state}#_=_"
    );
    let told = finish(&open.profile, &link).await.unwrap();
    assert_eq!(
        (told.step, code(&told).as_deref()),
        (SignInStep::Refused, Some("denied"))
    );
    assert!(!waiting(&open.profile).await.unwrap());
    let again = finish(&open.profile, &link).await.unwrap();
    assert_eq!(code(&again).as_deref(), Some("state_replayed"));
    let shown = current(&open.profile).await.unwrap().unwrap();
    assert_eq!(
        code(&shown).as_deref(),
        Some("denied"),
        "the first reason stays"
    );
    cancel(&open.profile, shown.id).await.unwrap();
    assert!(current(&open.profile).await.unwrap().is_none(), "put away");
}

#[tokio::test]
async fn an_unreachable_relay_keeps_the_code_for_five_minutes() {
    let open = offline_profile().await;
    let view = begin(&open, WayBack::Scheme).await;
    let link = format!(
        "shopbell://oauth/callback?code=sbc1.abc&state={}",
        state_of(&view)
    );
    let told = finish(&open.profile, &link).await.unwrap();
    assert_eq!(
        (told.step, code(&told).as_deref()),
        (SignInStep::Exchanging, Some("relay_unreachable"))
    );
    // After a restart it is still there, and the job goes on with it.
    open.profile.accounts.lock().ended.clear();
    assert_eq!(
        current(&open.profile).await.unwrap().unwrap().step,
        SignInStep::Exchanging
    );
    let payload = format!(r#"{{"sign_in":{}}}"#, view.id);
    assert_eq!(resume(&open.profile, &payload).await, JobOutcome::Failed);
    open.clock.advance(Duration::from_secs(301));
    assert_eq!(resume(&open.profile, &payload).await, JobOutcome::Done);
    let ended = current(&open.profile).await.unwrap().unwrap();
    assert_eq!(
        (ended.step, code(&ended).as_deref()),
        (SignInStep::Refused, Some("relay_unreachable"))
    );
}

#[tokio::test]
async fn one_at_a_time_and_not_for_ever() {
    let open = offline_profile().await;
    let first = begin(&open, WayBack::Scheme).await;
    let second = begin(&open, WayBack::Scheme).await;
    assert_ne!((first.id, state_of(&first)), (second.id, state_of(&second)));
    assert!(matches!(
        open_again(&open.profile, first.id).await,
        Err(SignInError::NotFound)
    ));
    let again = open_again(&open.profile, second.id).await.unwrap();
    assert_eq!(again.authorize_url, second.authorize_url);
    open.clock.advance(Duration::from_secs(15 * 60 + 1));
    let late = current(&open.profile).await.unwrap().unwrap();
    assert_eq!(
        (late.step, code(&late).as_deref()),
        (SignInStep::Refused, Some("expired"))
    );
    let third = begin(&open, WayBack::Scheme).await;
    let told = cancel(&open.profile, third.id).await.unwrap();
    assert_eq!(code(&told).as_deref(), Some("cancelled"));
    assert!(matches!(
        open_again(&open.profile, third.id).await,
        Err(SignInError::WrongStep)
    ));
}

#[tokio::test]
async fn the_loopback_door_takes_one_request_and_closes() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let open = offline_profile().await;
    let mut changes = open.profile.parts.changes.listen();
    let view = begin(&open, WayBack::Loopback).await;
    assert_eq!(view.way_back, WayBack::Loopback);
    let url = url::Url::parse(&view.authorize_url).unwrap();
    let redirect = url
        .query_pairs()
        .find(|(key, _)| key == "redirect_uri")
        .unwrap()
        .1
        .into_owned();
    assert!(shopbell_wire::is_allowed_redirect(&redirect));
    let host = redirect
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    let ask = async |line: String| {
        let mut socket = tokio::net::TcpStream::connect(&host).await.unwrap();
        socket
            .write_all(format!("{line} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    };
    assert!(
        ask("GET /favicon.ico".into())
            .await
            .starts_with("HTTP/1.1 404")
    );
    assert!(
        ask("GET /?error=access_denied&state=evil".into())
            .await
            .starts_with("HTTP/1.1 404")
    );
    while changes.try_recv().is_ok() {}
    let answer = ask(format!(
        "GET /?error=access_denied&state={}",
        state_of(&view)
    ))
    .await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("close this page"),
        "{answer}"
    );
    changes.recv().await.unwrap();
    assert_eq!(
        code(&current(&open.profile).await.unwrap().unwrap()).as_deref(),
        Some("denied")
    );
    assert!(
        tokio::net::TcpStream::connect(&host).await.is_err(),
        "the door is closed"
    );
}

#[tokio::test]
async fn secrets_are_sealed_and_end_with_the_sign_in() {
    let open = offline_profile().await;
    let view = begin(&open, WayBack::Scheme).await;
    let sealed = async || -> Vec<u8> {
        let mut read = open.profile.store.read().await.unwrap();
        sqlx::query_scalar("SELECT sealed FROM sign_ins")
            .fetch_one(&mut *read)
            .await
            .unwrap()
    };
    let before = sealed().await;
    assert!(!String::from_utf8_lossy(&before).contains("verifier"));
    cancel(&open.profile, view.id).await.unwrap();
    assert!(sealed().await.len() < before.len(), "the verifier is gone");
}
