#![allow(clippy::unwrap_used)]
//! What was only announced is asked for when it does not come, and never twice.

use super::*;
use crate::{
    ingest::testing::look,
    profile::testing::{Opened, offline_profile},
    sync::{
        remote::Fault,
        testing::{FakeRemote, account, held},
    },
};
use std::time::Duration;

const NOW: i64 = 1_767_603_600_000;

async fn announced(open: &Opened, account: AccountId, mids: &[&str]) {
    let items = mids
        .iter()
        .map(|mid| IncomingItem::Announced {
            mid: (*mid).into(),
            at_ms: 0,
        })
        .collect();
    let incoming = Incoming {
        account,
        source: Source::Webhook,
        observed_at_ms: open.profile.now_ms(),
        items,
    };
    ingest::take_in(&open.profile, incoming, Priority::Background)
        .await
        .unwrap();
}

async fn waiting(open: &Opened) -> String {
    look(open, "SELECT group_concat(mid, ' ') FROM waiting_news").await
}

#[tokio::test]
async fn it_gets_a_minute_to_come_by_itself() {
    let open = offline_profile().await;
    let account = account(&open.profile, "instagram").await;
    let remote = FakeRemote::default();
    let mid = remote.says("9001", NOW - 1_000, "hola");
    announced(&open, account, &[&mid]).await;
    let look_again = fetch(&open.profile, &remote, account).await.unwrap();
    assert_eq!(
        look_again,
        JobOutcome::Again {
            due_at_ms: NOW + 60_000
        }
    );
    assert!(remote.with(|world| world.calls.is_empty()));
    open.clock.advance(Duration::from_secs(60));
    fetch(&open.profile, &remote, account).await.unwrap();
    assert_eq!(held(&open.profile).await[&mid], "hola");
    assert_eq!(waiting(&open).await, "");
    assert_eq!(
        fetch(&open.profile, &remote, account).await.unwrap(),
        JobOutcome::Done
    );
    assert_eq!(remote.with(|world| world.calls.len()), 1);
}

#[tokio::test]
async fn what_nobody_may_have_is_given_up_and_trouble_only_delays() {
    let open = offline_profile().await;
    let account = account(&open.profile, "instagram").await;
    let remote = FakeRemote::default();
    announced(&open, account, &["gone", "later"]).await;
    open.clock.advance(Duration::from_secs(60));
    remote.with(|world| {
        world
            .next_faults
            .push_back(Fault::new(FaultKind::Gone, "deleted_or_older"));
        world
            .next_faults
            .push_back(Fault::new(FaultKind::RateLimited, "rate_limited").after(9_000));
    });
    let later = fetch(&open.profile, &remote, account).await.unwrap();
    assert_eq!(
        later,
        JobOutcome::Again {
            due_at_ms: NOW + 69_000
        }
    );
    assert_eq!(waiting(&open).await, "later");
    open.clock.advance(Duration::from_secs(86_400));
    remote.with(|world| {
        world
            .next_faults
            .push_back(Fault::new(FaultKind::Busy, "platform_trouble"))
    });
    fetch(&open.profile, &remote, account).await.unwrap();
    assert_eq!(
        waiting(&open).await,
        "",
        "after a day the comparison has found it, or nobody will"
    );
}

#[tokio::test]
async fn an_announcement_during_the_look_is_looked_at_too() {
    let open = offline_profile().await;
    let account = account(&open.profile, "instagram").await;
    announced(&open, account, &["first"]).await;
    let jobs = "SELECT attempts || ' ' || count(*) FROM jobs WHERE name GLOB 'announced:*'";
    let mut tx = open.profile.store.write(Priority::Owner).await.unwrap();
    sqlx::query("UPDATE jobs SET attempts = 1")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    announced(&open, account, &["second"]).await;
    assert_eq!(
        look(&open, jobs).await,
        "0 1",
        "its row outlives the run that has begun"
    );
}
