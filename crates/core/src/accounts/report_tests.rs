#![allow(clippy::unwrap_used)]
//! What failed and good calls make of an account's state.

use super::*;
use crate::{accounts::testing, profile::testing::offline_profile};

fn error(call: Call, code: i64, subcode: Option<i64>, kind: RetryKind) -> GraphError {
    GraphError {
        kind,
        code: Some(code),
        subcode,
        http: Some(400),
        reached: true,
        fault: Fault::Answered,
        call,
    }
}

#[tokio::test]
async fn only_an_authorization_error_signs_out_and_a_good_call_of_the_same_kind_clears() {
    let open = offline_profile().await;
    let profile = &*open.profile;
    let account = testing::page(profile, "1001").await;
    let state = async || testing::view(profile, account).await.state;

    let limited = error(Call::Send, 200, Some(2_534_041), RetryKind::Permission);
    assert_eq!(report(profile, account, &limited).await, Remedy::GiveUp);
    let view = testing::view(profile, account).await;
    assert_eq!(
        (view.state, view.reason.unwrap().code.as_str()),
        (AccountState::Limited, "messages_not_allowed")
    );
    report_ok(profile, account, Call::Read).await;
    assert_eq!(
        state().await,
        AccountState::Limited,
        "reading works, sending still does not"
    );
    report_ok(profile, account, Call::Send).await;
    assert_eq!(state().await, AccountState::Live);

    let slow = error(
        Call::Read,
        80_006,
        None,
        RetryKind::RateLimited { after_ms: 9 },
    );
    assert_eq!(
        report(profile, account, &slow).await,
        Remedy::Wait { after_ms: 9 }
    );
    assert_eq!(state().await, AccountState::Delayed);
    report_ok(profile, account, Call::Read).await;
    assert_eq!(state().await, AccountState::Live);

    for harmless in [
        error(Call::Profile, 230, None, RetryKind::Permission),
        error(Call::Send, 10, Some(2_018_278), RetryKind::Final),
        error(Call::Read, 9_000_001, None, RetryKind::Final),
        error(Call::Send, 2, None, RetryKind::Ambiguous),
    ] {
        report(profile, account, &harmless).await;
        assert_eq!(state().await, AccountState::Live, "{harmless}");
    }

    let blocked = error(
        Call::Send,
        368,
        None,
        RetryKind::RateLimited { after_ms: 1 },
    );
    report(profile, account, &blocked).await;
    assert_eq!(state().await, AccountState::Blocked);
    report(profile, account, &slow).await;
    assert_eq!(
        state().await,
        AccountState::Blocked,
        "a delay does not hide it"
    );

    let password = error(Call::Read, 190, Some(460), RetryKind::Reconnect);
    assert_eq!(report(profile, account, &password).await, Remedy::GiveUp);
    let view = testing::view(profile, account).await;
    assert_eq!(
        (view.state, view.reason.unwrap().code.as_str()),
        (AccountState::ReconnectNow, "password_changed")
    );
    report_ok(profile, account, Call::Read).await;
    assert_eq!(
        state().await,
        AccountState::ReconnectNow,
        "a late good answer does not sign in again"
    );
    assert!(matches!(
        crate::accounts::access(profile, account).await,
        Err(crate::accounts::AccessError::SignedOut(_))
    ));
    let story = {
        let mut read = profile.store.read().await.unwrap();
        crate::accounts::token_events(&mut read, 10).await.unwrap()
    };
    assert_eq!(story[0].kind, "revoked");
}

#[tokio::test]
async fn an_expired_token_with_nobody_to_ask_waits_instead_of_signing_out() {
    let open = offline_profile().await;
    let account = testing::page(&open.profile, "1001").await;
    let expired = error(Call::Read, 190, Some(463), RetryKind::Reconnect);
    assert!(matches!(
        report(&open.profile, account, &expired).await,
        Remedy::Wait { .. }
    ));
    assert_eq!(
        testing::view(&open.profile, account).await.state,
        AccountState::Live
    );
}

#[tokio::test]
async fn pausing_and_going_on_keeps_what_is_known() {
    let open = offline_profile().await;
    let profile = &*open.profile;
    let account = testing::page(profile, "1001").await;
    let ask = |paused| crate::api::types::AccountSet {
        id: account.0,
        auto_sync: Some(false),
        paused: Some(paused),
    };
    assert!(
        crate::accounts::list::set(profile, &ask(true))
            .await
            .unwrap()
    );
    let view = testing::view(profile, account).await;
    assert!(view.paused && !view.auto_sync);
    assert_eq!(view.state, AccountState::Paused);
    assert!(matches!(
        crate::accounts::access(profile, account).await,
        Err(crate::accounts::AccessError::Paused)
    ));
    assert!(
        crate::accounts::list::set(profile, &ask(false))
            .await
            .unwrap()
    );
    assert_eq!(
        testing::view(profile, account).await.state,
        AccountState::Live
    );
    assert!(crate::accounts::access(profile, account).await.is_ok());
}
