//! Connecting: both logins, several Pages, partial and declined, every refusal, restarts, reconnecting, disconnecting, erasing.

use crate::world::{Clicks, START_MS, Stop, World, from};
use serde_json::json;
use shopbell_core::api::types::{AccountState, AccountView, ErasePrepared, SignIn, SignInStep};
use shopbell_sandbox::{Before, Config, Consent, Death, Fault, Size, Switches, TokenOrder};
use std::time::Duration;

const BAKERY: &str = "100000000000101";
const BAKERY_IG: &str = "17841400000000001";
const BOUTIQUE: &str = "100000000000102";
const BOUTIQUE_IG: &str = "17841400000000002";
const BIKES: &str = "100000000000103";

fn code(view: &SignIn) -> Option<&str> {
    view.refusal.as_ref().map(|reason| reason.code.as_str())
}

/// The link of the relay's page.
async fn link(world: &World, started: &SignIn) -> String {
    match world
        .browse(&started.authorize_url, &Clicks::default())
        .await
    {
        Stop::Connect { link, .. } => link,
        Stop::Refused { page, .. } => panic!("refused: {page}"),
    }
}

#[tokio::test]
async fn facebook_with_several_pages_and_their_instagram_accounts() {
    let world = World::new(Size::Empty).await;
    let started = world.start("facebook", "scheme").await;
    assert_eq!(started.step, SignInStep::Waiting);
    let status = world.call("app_status", json!({})).await;
    assert_eq!(status["sign_in_waiting"], true);
    let Stop::Connect { number, link, .. } = world
        .browse(&started.authorize_url, &Clicks::default())
        .await
    else {
        panic!("refused")
    };
    assert_eq!(number, started.number);

    let chosen = world.finish(&link).await;
    assert_eq!(chosen.step, SignInStep::Choosing, "{:?}", chosen.refusal);
    let found: Vec<&str> = chosen
        .found
        .iter()
        .map(|account| account.platform_id.as_str())
        .collect();
    for id in [BAKERY, BAKERY_IG, BOUTIQUE, BOUTIQUE_IG, BIKES] {
        assert!(found.contains(&id), "{id} in {found:?}");
    }
    let bakery_ig = chosen
        .found
        .iter()
        .find(|account| account.platform_id == BAKERY_IG)
        .unwrap();
    assert_eq!(bakery_ig.via_page.as_deref(), Some(BAKERY));
    assert!(
        chosen
            .found
            .iter()
            .all(|account| !account.known && account.obstacle.is_none())
    );
    assert!(
        chosen
            .granted
            .iter()
            .any(|permission| permission == "pages_messaging")
    );
    assert!(chosen.losses.is_empty());

    let done = world.choose(chosen.id, &[BAKERY, BAKERY_IG, BIKES]).await;
    assert_eq!(done.step, SignInStep::Done);
    for account in &done.found {
        let expected = [BAKERY, BAKERY_IG, BIKES]
            .contains(&account.platform_id.as_str())
            .then_some("ok");
        assert_eq!(
            account
                .subscription
                .as_ref()
                .map(|reason| reason.code.as_str()),
            expected,
            "{}",
            account.platform_id
        );
    }
    let accounts = world.accounts().await;
    assert_eq!(accounts.len(), 3);
    for account in &accounts {
        assert_eq!(
            account.state,
            AccountState::Importing,
            "{:?}",
            account.reason
        );
        assert!(
            account
                .subscribed_fields
                .iter()
                .any(|field| field == "messages")
        );
        assert_eq!(account.subscribed_at_ms, Some(START_MS));
        assert_eq!(account.token_expiry, "none", "a Page token has no date");
    }
    // The relay sends their events here, and only theirs.
    let again = world.choose(chosen.id, &[BOUTIQUE]).await;
    assert_eq!(
        (again.step, world.accounts().await.len()),
        (SignInStep::Done, 3),
        "a second click changes nothing"
    );

    // No token in any address that the platform saw.
    let state = serde_json::to_string(&world.meta().journal()).unwrap();
    assert!(
        !state.contains("access_token=EAA"),
        "the journal names tokens by hash; a raw one came in a path"
    );
}

#[tokio::test]
async fn instagram_login_in_every_shape_its_token_endpoint_has() {
    for (wrapped, array, numeric, me_wrapped) in [
        (true, false, true, false),
        (false, true, true, true),
        (false, false, false, false),
    ] {
        let switches = Switches {
            ig_token_wrapped: wrapped,
            ig_permissions_array: array,
            ig_user_id_numeric: numeric,
            ig_me_wrapped: me_wrapped,
            success_as_string: wrapped,
            require_appsecret_proof: array,
            ..Switches::default()
        };
        let world = World::with(Config {
            size: Size::Empty,
            switches,
            ..Config::default()
        })
        .await;
        let started = world.start("instagram", "scheme").await;
        let chosen = world.finish(&link(&world, &started).await).await;
        assert_eq!(chosen.step, SignInStep::Choosing, "{:?}", chosen.refusal);
        assert_eq!(chosen.found.len(), 1);
        let id = chosen.found[0].platform_id.clone();
        assert!(
            id.starts_with("17841"),
            "the id of paths and webhooks: {id}"
        );
        let done = world.choose(chosen.id, &[&id]).await;
        assert_eq!(done.found[0].subscription.as_ref().unwrap().code, "ok");
        let account = world.account(&id).await;
        assert_eq!(account.token_expiry, "dated");
        let days = (account.token_expires_at_ms.unwrap() - START_MS) / 86_400_000;
        assert!((50..=61).contains(&days), "{days}");
    }
}

#[tokio::test]
async fn a_declined_permission_is_named_with_what_it_costs_and_can_be_asked_for_again() {
    let switches = Switches {
        fb_login_all_or_nothing: false,
        ..Switches::default()
    };
    let world = World::with(Config {
        size: Size::Empty,
        switches,
        ..Config::default()
    })
    .await;
    let started = world.start("instagram", "scheme").await;
    let clicks = Clicks {
        untick: vec!["instagram_business_manage_comments".into()],
        ..Clicks::default()
    };
    let Stop::Connect { link, .. } = world.browse(&started.authorize_url, &clicks).await else {
        panic!("refused")
    };
    let chosen = world.finish(&link).await;
    assert_eq!(chosen.step, SignInStep::Choosing, "{:?}", chosen.refusal);
    assert_eq!(chosen.declined, ["instagram_business_manage_comments"]);
    assert_eq!(
        chosen
            .losses
            .iter()
            .map(|loss| loss.code.as_str())
            .collect::<Vec<_>>(),
        ["no_comments"]
    );
    assert!(
        chosen.found[0].obstacle.is_none(),
        "messages work all the same"
    );

    let again: SignIn = from(
        world
            .call(
                "sign_in_start",
                json!({ "provider": "instagram", "way_back": "scheme", "ask_again": true }),
            )
            .await,
    );
    assert!(again.authorize_url.contains("rerequest=true"));
    let chosen = world.finish(&self::link(&world, &again).await).await;
    assert!(chosen.declined.is_empty() && chosen.losses.is_empty());
}

#[tokio::test]
async fn a_cancelled_dialog_ends_in_one_plain_reason() {
    let world = World::new(Size::Empty).await;
    for provider in ["facebook", "instagram"] {
        let started = world.start(provider, "scheme").await;
        let clicks = Clicks {
            cancel: true,
            ..Clicks::default()
        };
        let Stop::Refused {
            link: Some(link), ..
        } = world.browse(&started.authorize_url, &clicks).await
        else {
            panic!("a cancelled dialog must come back")
        };
        let told = world.finish(&link).await;
        assert_eq!(
            (told.step, code(&told)),
            (SignInStep::Refused, Some("denied"))
        );
        assert_eq!(
            world.call("app_status", json!({})).await["sign_in_waiting"],
            false
        );
    }
    assert!(world.accounts().await.is_empty());
}

#[tokio::test]
async fn a_person_without_a_page_and_one_who_ticks_none() {
    let world = World::new(Size::Empty).await;
    for consent in [
        Consent {
            person: Some("Nils Nagel".into()),
            ..Consent::default()
        },
        Consent {
            pages: Some(Vec::new()),
            ..Consent::default()
        },
    ] {
        world.meta().consent(consent);
        let started = world.start("facebook", "scheme").await;
        let told = match world
            .browse(&started.authorize_url, &Clicks::default())
            .await
        {
            Stop::Connect { link, .. } => world.finish(&link).await,
            Stop::Refused { link, .. } => world.finish(&link.unwrap()).await,
        };
        assert_eq!(
            (told.step, code(&told)),
            (SignInStep::Refused, Some("no_page"))
        );
    }
    // A Page without Instagram is no refusal: it connects by itself.
    world.meta().consent(Consent {
        person: Some("Mona Meyer".into()),
        ..Consent::default()
    });
    let started = world.start("facebook", "scheme").await;
    let chosen = world.finish(&link(&world, &started).await).await;
    assert_eq!((chosen.step, chosen.found.len()), (SignInStep::Choosing, 1));
    assert_eq!(chosen.found[0].via_page, None);
}

#[tokio::test]
async fn wrong_replayed_reused_and_late_links() {
    let world = World::new(Size::Empty).await;
    // Another sign-in's link changes nothing.
    let old = world.start("facebook", "scheme").await;
    let old_link = link(&world, &old).await;
    let started = world.start("facebook", "scheme").await;
    let told = world.finish(&old_link).await;
    assert_eq!(
        (told.step, code(&told)),
        (SignInStep::Waiting, Some("state_wrong"))
    );
    assert_eq!(world.current().await.unwrap().refusal, None);
    let told = world.finish("what the cat typed").await;
    assert_eq!(
        (told.step, code(&told)),
        (SignInStep::Waiting, Some("not_a_code"))
    );

    // A code of another sign-in, pasted bare: made for another verifier.
    let foreign = old_link
        .split("code=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .to_owned();
    let told = world.finish(&foreign).await;
    assert_eq!(told.step, SignInStep::Refused);
    assert!(
        matches!(code(&told), Some("code_wrong_verifier" | "state_wrong")),
        "{:?}",
        told.refusal
    );

    // The same link twice.
    let started_again = world.start("facebook", "scheme").await;
    assert_ne!(started.id, started_again.id);
    let good = link(&world, &started_again).await;
    let chosen = world.finish(&good).await;
    assert_eq!(chosen.step, SignInStep::Choosing);
    let told = world.finish(&good).await;
    assert_eq!(
        (told.step, code(&told)),
        (SignInStep::Choosing, Some("state_replayed"))
    );

    // A code older than five minutes.
    let started = world.start("facebook", "scheme").await;
    let late = link(&world, &started).await;
    world.advance(Duration::from_secs(301));
    let told = world.finish(&late).await;
    assert_eq!(
        (told.step, code(&told)),
        (SignInStep::Refused, Some("expired"))
    );

    // A link altered on the way.
    let started = world.start("facebook", "scheme").await;
    let altered = link(&world, &started).await.replace("sbc1.", "sbc1.AAAA");
    let told = world.finish(&altered).await;
    assert_eq!(
        (told.step, code(&told)),
        (SignInStep::Refused, Some("not_a_code"))
    );
}

#[tokio::test]
async fn a_code_for_another_computer_is_refused() {
    let one = World::new(Size::Empty).await;
    let started = one.start("facebook", "scheme").await;
    let stolen = link(&one, &started).await;
    let stolen = stolen
        .split("code=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .to_owned();
    // The other computer's own sign-in at the same relay, and the stolen code pasted into it.
    let two = one.second_computer().await;
    two.start("facebook").await;
    let told = two.finish(&stolen).await;
    assert_eq!(told.step, SignInStep::Refused);
    assert!(
        matches!(
            code(&told),
            Some("code_other_device" | "code_wrong_verifier" | "state_wrong")
        ),
        "{:?}",
        told.refusal
    );
    // The rightful one still works: being refused elsewhere did not use it up.
    let chosen = one.finish(&stolen).await;
    assert_eq!(chosen.step, SignInStep::Choosing, "{:?}", chosen.refusal);
}

#[tokio::test]
async fn a_code_already_used_at_the_platform() {
    let world = World::new(Size::Empty).await;
    let started = world.start("facebook", "scheme").await;
    let good = link(&world, &started).await;
    world.meta().fault(Fault {
        path: "oauth/access_token".into(),
        times: 1,
        before: Some(Before::Error(shopbell_sandbox::FaultError {
            code: 100,
            subcode: Some(36_009),
            ..Default::default()
        })),
        ..Fault::default()
    });
    let told = world.finish(&good).await;
    assert_eq!(
        (told.step, code(&told)),
        (SignInStep::Refused, Some("code_reused"))
    );
}

#[tokio::test]
async fn the_pasted_code_does_what_the_link_does() {
    let world = World::new(Size::Empty).await;
    let started = world.start("instagram", "scheme").await;
    let Stop::Connect { code, .. } = world
        .browse(&started.authorize_url, &Clicks::default())
        .await
    else {
        panic!("refused")
    };
    let chosen = world.finish(&format!("  {code}\n")).await;
    assert_eq!(chosen.step, SignInStep::Choosing, "{:?}", chosen.refusal);
}

#[tokio::test]
async fn the_loopback_way_back_needs_nobody_to_paste() {
    let world = World::new(Size::Empty).await;
    let mut changes = world.core.changes().listen();
    let started = world.start("instagram", "loopback").await;
    let back = link(&world, &started).await;
    assert!(back.starts_with("http://127.0.0.1:"));
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(&back)
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_success());
    assert!(answer.text().await.unwrap().contains("close this page"));
    loop {
        if world.current().await.unwrap().step == SignInStep::Choosing {
            break;
        }
        changes.recv().await.unwrap();
    }
}

#[tokio::test]
async fn the_app_is_started_anew_at_every_step() {
    let mut world = World::new(Size::Empty).await;
    let started = world.start("facebook", "scheme").await;
    let good = link(&world, &started).await;
    world.restart().await;
    let waiting = world.current().await.unwrap();
    assert_eq!(
        (waiting.id, waiting.step, waiting.number),
        (started.id, SignInStep::Waiting, started.number)
    );
    let chosen = world.finish(&good).await;
    assert_eq!(chosen.step, SignInStep::Choosing, "{:?}", chosen.refusal);
    world.restart().await;
    let shown = world.current().await.unwrap();
    assert_eq!(
        (shown.step, shown.found.len()),
        (SignInStep::Choosing, chosen.found.len())
    );
    let done = world.choose(shown.id, &[BAKERY]).await;
    assert_eq!(done.step, SignInStep::Done);
    world.restart().await;
    assert!(
        world.current().await.is_none(),
        "an old success is not shown again"
    );
    assert_eq!(world.account(BAKERY).await.subscribed_at_ms, Some(START_MS));
    // The token is still there: a call with it works.
    let checked: AccountView = from(
        world
            .call(
                "account_check_subscription",
                json!({ "id": world.account(BAKERY).await.id }),
            )
            .await,
    );
    assert!(
        checked
            .subscribed_fields
            .iter()
            .any(|field| field == "messages")
    );
}

#[tokio::test]
async fn a_lost_answer_of_the_exchange_is_fetched_again() {
    let mut world = World::new(Size::Empty).await;
    let started = world.start("facebook", "scheme").await;
    let good = link(&world, &started).await;
    world.meta().fault(Fault {
        path: "me/accounts".into(),
        times: 1,
        before: Some(Before::Status { status: 502 }),
        ..Fault::default()
    });
    let told = world.finish(&good).await;
    if told.step != SignInStep::Choosing {
        assert_eq!(told.step, SignInStep::Exchanging, "{:?}", told.refusal);
        world.restart().await;
        world
            .until(async |world| world.current().await.unwrap().step != SignInStep::Exchanging)
            .await;
    }
    // Either fetched again, or the platform's single-use code was gone: then the reason says so.
    let end = world.current().await.unwrap();
    assert!(
        end.step == SignInStep::Choosing || code(&end) == Some("code_reused"),
        "{:?}",
        end.refusal
    );
}

#[tokio::test]
async fn reconnecting_finds_the_same_data_and_calls_an_erasure_off() {
    let world = World::new(Size::Empty).await;
    world.connect("facebook", &[BAKERY, BAKERY_IG]).await;
    let before = world.account(BAKERY).await;
    let prepared: ErasePrepared = from(
        world
            .call("account_erase_prepare", json!({ "id": before.id }))
            .await,
    );
    let gone: AccountView = from(
        world
            .call(
                "account_disconnect",
                json!({ "id": before.id, "erase_token": prepared.token }),
            )
            .await,
    );
    assert_eq!(
        (gone.state, gone.erase_at_ms),
        (AccountState::Disconnected, Some(START_MS + 86_400_000))
    );
    let other = world.account(BAKERY_IG).await;
    assert_eq!(
        other.state,
        AccountState::Importing,
        "the Instagram account of the same Page stays connected"
    );

    let started = world.start("facebook", "scheme").await;
    let chosen = world.finish(&link(&world, &started).await).await;
    let known: Vec<&str> = chosen
        .found
        .iter()
        .filter(|a| a.known)
        .map(|a| a.platform_id.as_str())
        .collect();
    assert_eq!(known, [BAKERY, BAKERY_IG]);
    world.choose(chosen.id, &[BAKERY]).await;
    let back = world.account(BAKERY).await;
    assert_eq!(
        (back.id, back.erase_at_ms),
        (before.id, None),
        "the same row, nothing will be erased"
    );
    assert_ne!(back.state, AccountState::Disconnected);
    assert_eq!(world.accounts().await.len(), 2);
}

#[tokio::test]
async fn disconnecting_switches_events_off_and_forgets_the_tokens() {
    let mut world = World::new(Size::Empty).await;
    world.connect("facebook", &[BAKERY, BAKERY_IG]).await;
    let (page, instagram) = (world.account(BAKERY).await, world.account(BAKERY_IG).await);
    world
        .call("account_disconnect", json!({ "id": instagram.id }))
        .await;
    let page = world
        .call("account_check_subscription", json!({ "id": page.id }))
        .await;
    let page: AccountView = from(page);
    assert!(
        !page.subscribed_fields.is_empty(),
        "the Page still needs the subscription both shared"
    );
    let off: AccountView = from(
        world
            .call("account_disconnect", json!({ "id": page.id }))
            .await,
    );
    assert_eq!(
        (off.state, off.erase_at_ms),
        (AccountState::Disconnected, None)
    );
    assert!(off.subscribed_fields.is_empty());
    let deleted = world
        .meta()
        .journal()
        .iter()
        .filter(|entry| entry.method == "DELETE")
        .count();
    assert_eq!(deleted, 1, "unsubscribed once, with the last of the two");
    world.restart().await;
    let refused = world
        .try_call("account_check_subscription", json!({ "id": page.id }))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "read_only");
    assert_eq!(world.accounts().await.len(), 2, "the data stays");
}

#[tokio::test]
async fn a_dead_token_does_not_hold_a_disconnect_up() {
    let world = World::new(Size::Empty).await;
    world.connect("facebook", &[BAKERY]).await;
    world.meta().tokens(&TokenOrder {
        which: "all".into(),
        death: Some(Death::Revoked),
        ..TokenOrder::default()
    });
    let account = world.account(BAKERY).await;
    let off: AccountView = from(
        world
            .call("account_disconnect", json!({ "id": account.id }))
            .await,
    );
    assert_eq!(off.state, AccountState::Disconnected);
}

#[tokio::test]
async fn an_erasure_waits_a_day_and_can_be_called_off_until_then() {
    let world = World::new(Size::Empty).await;
    world.connect("facebook", &[BAKERY, BIKES]).await;
    let account = world.account(BAKERY).await;
    let refused = world
        .try_call(
            "account_disconnect",
            json!({ "id": account.id, "erase_token": "guessed" }),
        )
        .await
        .unwrap_err();
    assert_eq!(refused.code, "confirm_needed");
    let prepare = async || -> String {
        let prepared: ErasePrepared = from(
            world
                .call("account_erase_prepare", json!({ "id": account.id }))
                .await,
        );
        prepared.token
    };
    let token = prepare().await;
    world
        .call(
            "account_disconnect",
            json!({ "id": account.id, "erase_token": token }),
        )
        .await;
    let kept: AccountView = from(
        world
            .call("account_erase_undo", json!({ "id": account.id }))
            .await,
    );
    assert_eq!(
        (kept.state, kept.erase_at_ms),
        (AccountState::Disconnected, None)
    );
    world.advance(Duration::from_secs(25 * 3_600));
    assert_eq!(world.accounts().await.len(), 2);

    let token = prepare().await;
    world
        .call(
            "account_disconnect",
            json!({ "id": account.id, "erase_token": token }),
        )
        .await;
    world.advance(Duration::from_secs(24 * 3_600));
    world
        .until(async |world| world.accounts().await.len() == 1)
        .await;
    assert_eq!(world.accounts().await[0].platform_id, BIKES);
}

#[tokio::test]
async fn an_expired_page_token_is_replaced_with_the_living_user_token() {
    let world = World::new(Size::Empty).await;
    world.connect("facebook", &[BAKERY]).await;
    let account = world.account(BAKERY).await;
    world.meta().tokens(&TokenOrder {
        which: "page".into(),
        death: Some(Death::Expired),
        ..TokenOrder::default()
    });
    world
        .call("account_check_subscription", json!({ "id": account.id }))
        .await;
    assert_ne!(
        world.account(BAKERY).await.state,
        AccountState::ReconnectNow
    );
    let checked: AccountView = from(
        world
            .call("account_check_subscription", json!({ "id": account.id }))
            .await,
    );
    assert!(!checked.subscribed_fields.is_empty());
    let health = world.call("health_get", json!({})).await;
    let kinds: Vec<&str> = health["token_events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["kind"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"refreshed"), "{kinds:?}");
}

#[tokio::test]
async fn a_changed_password_signs_out_and_says_so() {
    let world = World::new(Size::Empty).await;
    world.connect("facebook", &[BAKERY]).await;
    let account = world.account(BAKERY).await;
    world.meta().tokens(&TokenOrder {
        which: "all".into(),
        death: Some(Death::PasswordChanged),
        ..TokenOrder::default()
    });
    let _ = world
        .try_call("account_check_subscription", json!({ "id": account.id }))
        .await;
    let account = world.account(BAKERY).await;
    assert_eq!(account.state, AccountState::ReconnectNow);
    assert_eq!(account.reason.unwrap().code, "password_changed");
    // Reconnecting helps.
    world.connect("facebook", &[BAKERY]).await;
    assert_eq!(world.account(BAKERY).await.state, AccountState::Importing);
}
