//! Facebook tokens after the dialog: exchange, Pages, proofs, and every way to die.

use serde_json::json;
use shopbell_sandbox::{Consent, Death, Size, TokenOrder};

use crate::bench::{BACK, BAKERY, Bench, DAY};

#[tokio::test]
async fn exchange_renews_living_tokens_and_refuses_expired_ones() {
    let bench = Bench::empty().await;
    let user = bench.user().await;
    bench.world().advance_ms(20 * DAY);
    let renewed = bench
        .exchange(&[
            ("grant_type", "fb_exchange_token"),
            ("fb_exchange_token", &user),
        ])
        .await
        .json();
    assert_eq!(renewed["expires_in"], 60 * DAY / 1_000);
    bench
        .world()
        .set_switches(|switches| switches.fb_exchange_renews = false);
    let same = bench
        .exchange(&[
            ("grant_type", "fb_exchange_token"),
            ("fb_exchange_token", &user),
        ])
        .await
        .json();
    assert_eq!(same["expires_in"], 40 * DAY / 1_000);
    bench.world().advance_ms(41 * DAY);
    assert_eq!(
        bench
            .exchange(&[
                ("grant_type", "fb_exchange_token"),
                ("fb_exchange_token", &user)
            ])
            .await
            .error(),
        (190, 463)
    );
    assert_eq!(bench.get("v25.0/me", &user).await.error(), (190, 463));
}

#[tokio::test]
async fn system_user_and_immediately_long_tokens_are_switches() {
    let bench = Bench::with(Size::Empty, |switches| {
        switches.fb_code_gives_system_user = true
    })
    .await;
    let code = bench.facebook_code().await;
    let answer = bench
        .exchange(&[("code", &code), ("redirect_uri", BACK)])
        .await
        .json();
    assert!(answer["expires_in"].is_null());
    bench.world().set_switches(|switches| {
        switches.fb_code_gives_system_user = false;
        switches.fb_code_gives_long_lived = true;
    });
    let code = bench.facebook_code().await;
    let answer = bench
        .exchange(&[("code", &code), ("redirect_uri", BACK)])
        .await
        .json();
    assert_eq!(answer["expires_in"], 60 * DAY / 1_000);
}

#[tokio::test]
async fn accounts_of_none_one_and_many_pages() {
    let bench = Bench::empty().await;
    for (person, expected) in [("Nils Nagel", 0), ("Mona Meyer", 1), ("Astrid Lund", 120)] {
        bench.world().consent(Consent {
            person: Some(person.into()),
            ..Consent::default()
        });
        let user = bench.user().await;
        let mut url = format!(
            "{}/v25.0/me/accounts?limit=50&fields=id,tasks,instagram_business_account",
            bench.sandbox.base_url()
        );
        url.push_str(&format!("&access_token={user}"));
        let (mut found, mut calls) = (Vec::new(), 0);
        loop {
            let list = bench.fetch(&url).await.json();
            found.extend(list["data"].as_array().unwrap().clone());
            calls += 1;
            match list["paging"]["next"].as_str() {
                Some(next) => url = next.to_owned(),
                None => break,
            }
        }
        let mut ids: Vec<String> = found.iter().map(|page| page["id"].to_string()).collect();
        ids.dedup();
        assert_eq!(ids.len(), expected);
        assert_eq!(calls, expected / 50 + 1);
        assert!(
            found
                .iter()
                .all(|page| page["instagram_business_account"].is_null())
        );
        if expected == 1 {
            assert!(
                found[0]["tasks"]
                    .to_string()
                    .contains("PROFILE_PLUS_MESSAGING")
            );
        }
    }
}

#[tokio::test]
async fn page_tokens_have_no_end_but_die_with_what_happens_to_the_person() {
    let bench = Bench::empty().await;
    let user = bench.user().await;
    let page = bench.page_through(BAKERY, &user).await;
    let app = "138000000000001|0123456789abcdef0123456789abcdef";
    let debug = bench
        .get(
            &format!("v25.0/debug_token?input_token={page}&access_token={app}"),
            "x",
        )
        .await
        .json();
    assert_eq!(
        (
            &debug["data"]["expires_at"],
            &debug["data"]["type"],
            &debug["data"]["is_valid"]
        ),
        (&json!(0), &json!("PAGE"), &json!(true))
    );
    bench.world().advance_ms(70 * DAY);
    assert_eq!(bench.get("v25.0/me", &page).await.status, 200);
    let user = bench.user().await;
    let page = bench.page_through(BAKERY, &user).await;
    // A Page token can end alone; the user token then sees a fresh one.
    let order = TokenOrder {
        which: "page".into(),
        death: Some(Death::Expired),
        ..TokenOrder::default()
    };
    assert!(bench.world().tokens(&order) >= 1);
    assert_eq!(bench.get("v25.0/me", &page).await.error(), (190, 463));
    let fresh = bench.page_through(BAKERY, &user).await;
    assert_ne!(fresh, page);
    for (death, subcode) in [
        (Death::PasswordChanged, 460),
        (Death::AppRemoved, 458),
        (Death::Checkpointed, 459),
        (Death::Revoked, 0),
    ] {
        let order = TokenOrder {
            which: "user".into(),
            death: Some(death),
            ..TokenOrder::default()
        };
        bench.world().tokens(&order);
        assert_eq!(bench.get("v25.0/me", &user).await.error(), (190, subcode));
        assert_eq!(bench.get("v25.0/me", &fresh).await.error(), (190, subcode));
    }
    let debug = bench
        .get(
            &format!("v25.0/debug_token?input_token={fresh}&access_token={app}"),
            "x",
        )
        .await;
    assert_eq!(debug.status, 200);
    assert_eq!(debug.json()["data"]["is_valid"], false);
    let debug = bench
        .get(
            &format!("v25.0/debug_token?input_token=EAAnonsense&access_token={app}"),
            "x",
        )
        .await
        .json();
    assert_eq!(debug["data"]["error"]["code"], 190);
}

#[tokio::test]
async fn removing_the_app_kills_removing_a_permission_declines() {
    let bench = Bench::empty().await;
    let user = bench.user().await;
    let page = bench.page_through(BAKERY, &user).await;
    let url = format!("{}/v25.0/me/permissions", bench.sandbox.base_url());
    let one = bench
        .send(
            bench
                .client
                .delete(format!("{url}/pages_messaging"))
                .bearer_auth(&user),
        )
        .await;
    assert_eq!(one.json()["success"], true);
    assert_eq!(
        bench.get("v25.0/me/conversations", &page).await.error().0,
        200
    );
    assert_eq!(
        bench
            .send(bench.client.delete(&url).bearer_auth(&user))
            .await
            .status,
        200
    );
    assert_eq!(bench.get("v25.0/me", &page).await.error(), (190, 458));
}

#[tokio::test]
async fn proofs_are_checked_and_can_be_required() {
    let bench = Bench::empty().await;
    let user = bench.user().await;
    let wrong = bench.get("v25.0/me?appsecret_proof=00", &user).await;
    assert_eq!(wrong.error(), (100, 0));
    assert!(
        wrong.text.contains("GraphMethodException")
            && wrong.text.contains("Invalid appsecret_proof")
    );
    bench
        .world()
        .set_switches(|switches| switches.require_appsecret_proof = true);
    let without = bench.get("v25.0/me", &user).await;
    assert!(without.text.contains("require an appsecret_proof argument"));
    assert!(
        without
            .header("www-authenticate")
            .contains("invalid_request")
    );
}

#[tokio::test]
async fn tokens_are_taken_from_query_form_and_header_and_only_on_their_host() {
    let bench = Bench::empty().await;
    let user = bench.user().await;
    let base = bench.sandbox.base_url();
    assert_eq!(
        bench
            .fetch(&format!("{base}/v25.0/me?access_token={user}"))
            .await
            .status,
        200
    );
    let posted = bench
        .send(
            bench
                .client
                .post(format!("{base}/v25.0/me?method=GET"))
                .form(&[("access_token", &user)]),
        )
        .await;
    assert_eq!(posted.json()["name"], "Johanna Kornblum");
    assert_eq!(
        bench
            .get("graph.instagram.com/v25.0/me", &user)
            .await
            .error(),
        (190, 0)
    );
    assert_eq!(
        bench.fetch(&format!("{base}/v25.0/me")).await.error(),
        (2500, 0)
    );
    assert_eq!(
        bench.fetch(&format!("{base}/v25.0/{BAKERY}")).await.error(),
        (104, 0)
    );
    let by_host = bench
        .send(
            bench
                .client
                .get(format!("{base}/v24.0/me"))
                .header("host", "graph.facebook.com")
                .bearer_auth(&user),
        )
        .await;
    assert_eq!(
        (by_host.status, by_host.header("facebook-api-version")),
        (200, "v24.0")
    );
    bench
        .world()
        .set_switches(|switches| switches.dead_token_status = 401);
    assert_eq!(bench.get("v25.0/me", "EAAnothing").await.status, 401);
}

#[tokio::test]
async fn data_access_ends_after_ninety_days_and_no_exchange_renews_it() {
    let bench = Bench::empty().await;
    let user = bench.user().await;
    let page = bench.page_through(BAKERY, &user).await;
    bench.world().advance_ms(50 * DAY);
    let again = [
        ("grant_type", "fb_exchange_token"),
        ("fb_exchange_token", user.as_str()),
    ];
    let renewed = bench.exchange(&again).await.json();
    let renewed = renewed["access_token"].as_str().unwrap().to_owned();
    bench.world().advance_ms(40 * DAY);
    assert_eq!(bench.get("v25.0/me", &page).await.error(), (190, 463));
    assert_eq!(bench.get("v25.0/me", &renewed).await.error(), (190, 463));
    bench
        .world()
        .set_switches(|switches| switches.data_access_ends = false);
    assert_eq!(bench.get("v25.0/me", &page).await.status, 200);
    assert_eq!(bench.get("v25.0/me", &renewed).await.status, 200);
}
