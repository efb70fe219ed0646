//! Connecting: both logins, several Pages, partial and declined, every refusal, restarts.

use crate::world::{
    BAKERY, BAKERY_IG, BIKES, BOUTIQUE, BOUTIQUE_IG, Clicks, START_MS, Stop, World, from, working,
};
use serde_json::json;
use shopbell_core::api::types::{AccountView, SignIn, SignInStep};
use shopbell_sandbox::{Before, Config, Consent, Fault, Size, Switches};
use std::time::Duration;

fn code(view: &SignIn) -> Option<&str> {
    view.refusal.as_ref().map(|reason| reason.code.as_str())
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
        assert!(working(account), "{:?}", account.reason);
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
        let chosen = world.finish(&world.link(&started).await).await;
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
    let chosen = world.finish(&world.link(&again).await).await;
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
    let chosen = world.finish(&world.link(&started).await).await;
    assert_eq!((chosen.step, chosen.found.len()), (SignInStep::Choosing, 1));
    assert_eq!(chosen.found[0].via_page, None);
}

#[tokio::test]
async fn wrong_replayed_reused_and_late_links() {
    let world = World::new(Size::Empty).await;
    // Another sign-in's link changes nothing.
    let old = world.start("facebook", "scheme").await;
    let old_link = world.link(&old).await;
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
    let good = world.link(&started_again).await;
    let chosen = world.finish(&good).await;
    assert_eq!(chosen.step, SignInStep::Choosing);
    let told = world.finish(&good).await;
    assert_eq!(
        (told.step, code(&told)),
        (SignInStep::Choosing, Some("state_replayed"))
    );

    // A code older than five minutes.
    let started = world.start("facebook", "scheme").await;
    let late = world.link(&started).await;
    world.advance(Duration::from_secs(301));
    let told = world.finish(&late).await;
    assert_eq!(
        (told.step, code(&told)),
        (SignInStep::Refused, Some("expired"))
    );

    // A link altered on the way.
    let started = world.start("facebook", "scheme").await;
    let altered = world.link(&started).await.replace("sbc1.", "sbc1.AAAA");
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
    let stolen = one.link(&started).await;
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
    let good = world.link(&started).await;
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
    let back = world.link(&started).await;
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
    let good = world.link(&started).await;
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
