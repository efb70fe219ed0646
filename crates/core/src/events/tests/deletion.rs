//! Meta passes on what the owner did there: signed out, wishes for deletion. Nothing is deleted by it.

use crate::{
    accounts::{self, disconnect, testing},
    api::types::{AccountDisconnect, AccountState, DeletionAnswer, DeletionState},
    events::{
        self, AnswerError,
        testing::{BAKERY, FATES, Shop, notice, says},
    },
    jobs::JobOutcome,
};
use shopbell_wire::EventKind;
use std::time::Duration;

const DAY_MS: i64 = 86_400_000;

async fn asked() -> Shop {
    let mut shop = Shop::open().await;
    shop.hears("7011", "m_1", "Hallo").await;
    let wish = shop
        .sealing
        .event(EventKind::DELETION, "user/facebook", &notice(None));
    shop.take(vec![wish]).await;
    shop
}

async fn open_requests(shop: &Shop) -> Vec<DeletionState> {
    events::open_deletions(shop.profile())
        .await
        .unwrap()
        .iter()
        .map(|request| request.state)
        .collect()
}

async fn due(shop: &Shop) -> JobOutcome {
    events::deletion_due(shop.profile(), r#"{"id":1}"#).await
}

fn answer(erase: bool, permits: Vec<AccountDisconnect>) -> DeletionAnswer {
    DeletionAnswer {
        id: 1,
        erase,
        permits,
    }
}

#[tokio::test]
async fn a_wish_for_deletion_asks_the_owner_and_deletes_nothing() {
    let shop = asked().await;
    assert_eq!(shop.look(FATES).await, ["done -", "done -"]);
    let requests = events::open_deletions(shop.profile()).await.unwrap();
    assert_eq!(requests[0].account_ids, [shop.bakery.0, shop.cafe.0]);
    assert_eq!(requests[0].due_at_ms - requests[0].asked_at_ms, 30 * DAY_MS);
    assert_eq!(shop.look("SELECT mid FROM messages").await, ["m_1"]);
    assert_eq!(
        testing::view(shop.profile(), shop.bakery).await.state,
        AccountState::Live
    );
    shop.opened.clock.advance(Duration::from_secs(29 * 86_400));
    assert!(matches!(due(&shop).await, JobOutcome::Again { .. }));
    shop.opened.clock.advance(Duration::from_secs(86_400));
    assert_eq!(due(&shop).await, JobOutcome::Done, "nobody answered: kept");
    assert!(open_requests(&shop).await.is_empty());
    assert_eq!(
        shop.look("SELECT state FROM deletion_requests").await,
        ["kept"]
    );
    assert_eq!(shop.look("SELECT mid FROM messages").await, ["m_1"]);
}

#[tokio::test]
async fn the_owner_keeps_everything() {
    let shop = asked().await;
    events::answer_deletion(shop.profile(), &answer(false, vec![]))
        .await
        .unwrap();
    assert_eq!(due(&shop).await, JobOutcome::Done);
    assert_eq!(
        shop.look("SELECT state || (reported_at_ms IS NOT NULL) FROM deletion_requests")
            .await,
        ["kept1"]
    );
    assert!(matches!(
        events::answer_deletion(shop.profile(), &answer(true, vec![])).await,
        Err(AnswerError::Answered)
    ));
}

#[tokio::test]
async fn erasing_needs_the_owners_permit_for_every_account_and_is_said_when_they_are_gone() {
    let shop = asked().await;
    let profile = shop.profile();
    let permit = async |account| AccountDisconnect {
        id: account,
        erase_token: Some(
            disconnect::prepare(profile, crate::domain::AccountId(account))
                .await
                .unwrap()
                .token,
        ),
    };
    let bakery = permit(shop.bakery.0).await;
    assert!(matches!(
        events::answer_deletion(profile, &answer(true, vec![bakery])).await,
        Err(AnswerError::Erase(_))
    ));
    assert_eq!(open_requests(&shop).await, [DeletionState::Asked]);
    let cafe = permit(shop.cafe.0).await;
    events::answer_deletion(profile, &answer(true, vec![cafe]))
        .await
        .unwrap();
    assert_eq!(open_requests(&shop).await, [DeletionState::Erasing]);
    assert!(matches!(due(&shop).await, JobOutcome::Again { .. }));
    shop.opened.clock.advance(Duration::from_secs(86_400));
    for account in [shop.bakery, shop.cafe] {
        let payload = format!(r#"{{"account":{account}}}"#);
        assert_eq!(
            accounts::erase::run(profile, &payload).await,
            JobOutcome::Done
        );
    }
    assert_eq!(due(&shop).await, JobOutcome::Done);
    assert_eq!(
        shop.look("SELECT state FROM deletion_requests").await,
        ["erased"]
    );
    assert!(shop.look("SELECT mid FROM messages").await.is_empty());
    assert_eq!(
        shop.look("SELECT kind || '' FROM raw_events").await,
        ["5"],
        "events of the accounts went with them"
    );
}

#[tokio::test]
async fn an_erasure_called_off_is_asked_about_again() {
    let shop = asked().await;
    let profile = shop.profile();
    let mut permits = Vec::new();
    for account in [shop.bakery, shop.cafe] {
        let token = disconnect::prepare(profile, account).await.unwrap().token;
        permits.push(AccountDisconnect {
            id: account.0,
            erase_token: Some(token),
        });
    }
    events::answer_deletion(profile, &answer(true, permits))
        .await
        .unwrap();
    disconnect::undo_erase(profile, shop.cafe).await.unwrap();
    assert!(matches!(due(&shop).await, JobOutcome::Again { .. }));
    assert_eq!(open_requests(&shop).await, [DeletionState::Asked]);
}

#[tokio::test]
async fn signed_out_at_meta_forgets_tokens_and_erases_nothing() {
    let mut shop = Shop::open().await;
    shop.hears("7011", "m_1", "Hallo").await;
    shop.tamper("UPDATE credentials SET updated_at_ms = 0")
        .await;
    let out = shop
        .sealing
        .event(EventKind::DEAUTHORIZED, "user/facebook", &notice(None));
    shop.take(vec![out.clone()]).await;
    for account in [shop.bakery, shop.cafe] {
        let view = testing::view(shop.profile(), account).await;
        assert_eq!(
            (view.state, view.reason.unwrap().code.as_str()),
            (AccountState::ReconnectNow, "signed_out_by_meta")
        );
        assert!(accounts::access(shop.profile(), account).await.is_err());
    }
    assert_eq!(
        shop.look("SELECT DISTINCT state FROM credentials").await,
        ["none"]
    );
    assert_eq!(
        shop.look("SELECT DISTINCT kind FROM token_events ORDER BY kind")
            .await,
        ["forgotten", "revoked"]
    );
    assert_eq!(shop.look("SELECT mid FROM messages").await, ["m_1"]);
    // What still comes is taken in: the events are the owner's.
    shop.hears("7011", "m_2", "Noch da?").await;
    shop.take(vec![out]).await;
    assert_eq!(
        shop.look(FATES).await,
        ["done -", "done -", "done -", "ignored signed_out_already"]
    );
}

#[tokio::test]
async fn a_notice_older_than_the_sign_in_or_about_somebody_else_means_nothing() {
    let mut shop = Shop::open().await;
    // The fixture's tokens are from now, the notice is a minute old.
    let old = shop
        .sealing
        .event(EventKind::DEAUTHORIZED, "user/facebook", &notice(None));
    let other = String::from_utf8(notice(None))
        .unwrap()
        .replace("user-1", "user-2");
    let other = shop
        .sealing
        .event(EventKind::DEAUTHORIZED, "user/facebook", other.as_bytes());
    let still = shop
        .sealing
        .meta(BAKERY, &says(BAKERY, "7011", "m_1", "Hallo"));
    shop.take(vec![old, other, still]).await;
    assert_eq!(
        shop.look(FATES).await,
        [
            "ignored signed_in_since",
            "ignored unknown_user empty",
            "done -"
        ]
    );
    assert_eq!(
        testing::view(shop.profile(), shop.bakery).await.state,
        AccountState::Live
    );
}
