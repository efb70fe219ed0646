#![allow(clippy::unwrap_used)]
//! The newest word of the platform counts.

use super::*;
use crate::{
    accounts::{report_ok, testing},
    domain::PolicyAction::{Block, Unblock, Warning},
    profile::testing::{Opened, offline_profile},
    store::Priority,
};

async fn told(open: &Opened, account: AccountId, action: PolicyAction, at_ms: i64) -> bool {
    let mut tx = open.profile.store.write(Priority::Owner).await.unwrap();
    let done = take(&mut tx, account, action, Some("Spam"), at_ms, 5)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    done
}

async fn state(open: &Opened, account: AccountId) -> (AccountState, String) {
    let view = testing::view(&open.profile, account).await;
    (
        view.state,
        view.reason.map(|reason| reason.code).unwrap_or_default(),
    )
}

#[tokio::test]
async fn a_stop_holds_until_the_platform_or_a_send_says_otherwise() {
    let open = offline_profile().await;
    let account = testing::page(&open.profile, "1001").await;
    assert!(told(&open, account, Warning, 100).await);
    assert_eq!(
        state(&open, account).await,
        (AccountState::Limited, "policy_warning".into())
    );
    assert!(told(&open, account, Block, 200).await);
    assert_eq!(
        state(&open, account).await,
        (AccountState::Blocked, "blocked_for_policy".into())
    );
    assert!(
        !told(&open, account, Unblock, 150).await,
        "older than what is known"
    );
    assert_eq!(state(&open, account).await.0, AccountState::Blocked);
    report_ok(&open.profile, account, Call::Read).await;
    assert_eq!(
        state(&open, account).await.0,
        AccountState::Blocked,
        "reading says nothing about sending"
    );
    assert!(told(&open, account, Unblock, 300).await);
    assert_eq!(
        state(&open, account).await,
        (AccountState::Live, String::new())
    );
    told(&open, account, Block, 400).await;
    report_ok(&open.profile, account, Call::Send).await;
    assert_eq!(
        state(&open, account).await.0,
        AccountState::Live,
        "a send worked"
    );
}

#[tokio::test]
async fn what_is_worse_stays_and_what_is_not_policy_is_left_alone() {
    let open = offline_profile().await;
    let account = testing::page(&open.profile, "1001").await;
    let set = async |state: &str| {
        let mut tx = open.profile.store.write(Priority::Owner).await.unwrap();
        sqlx::query("UPDATE accounts SET state = ?, reason = NULL WHERE id = ?")
            .bind(state)
            .bind(account.0)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    };
    set("reconnect_now").await;
    told(&open, account, Block, 100).await;
    assert_eq!(state(&open, account).await.0, AccountState::ReconnectNow);
    set("delayed").await;
    told(&open, account, Unblock, 200).await;
    assert_eq!(state(&open, account).await.0, AccountState::Delayed);
    assert!(!told(&open, AccountId(999), Block, 100).await);
}
