//! Facebook Login for Business, from the dialog to `debug_token`.

use serde_json::json;
use shopbell_sandbox::{Consent, Death, Size, TokenOrder};

use crate::bench::{BACK, BAKERY, Bench, DAY};

const DIALOG: &str = "www.facebook.com/v25.0/dialog/oauth";

fn asked<'a>(extra: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut pairs = vec![
        ("client_id", "138000000000001"),
        ("redirect_uri", BACK),
        ("state", "s t"),
        ("response_type", "code"),
    ];
    pairs.extend(extra);
    pairs
}

#[tokio::test]
async fn success_comes_back_with_state_and_fragment() {
    let bench = Bench::empty().await;
    let location = bench
        .dialog(DIALOG, &asked(&[("config_id", "556600000000003")]))
        .await;
    assert!(
        location.starts_with("http://127.0.0.1/back?code=AQD")
            && location.ends_with("&state=s+t#_=_"),
        "{location}"
    );
    bench
        .world()
        .set_switches(|switches| switches.redirect_fragments = false);
    let location = bench
        .dialog(DIALOG, &asked(&[("config_id", "556600000000003")]))
        .await;
    assert!(location.ends_with("state=s+t"));
}

#[tokio::test]
async fn a_wrong_redirect_is_never_redirected_to() {
    let bench = Bench::empty().await;
    let url = format!("{}/{DIALOG}", bench.sandbox.base_url());
    for uri in [
        "https://relay.example/meta/callback/",
        "https://evil.example/x",
        "http://127.0.0.1.evil.example/",
    ] {
        let pairs = [
            ("client_id", "138000000000001"),
            ("redirect_uri", uri),
            ("config_id", "556600000000003"),
        ];
        let answer = bench.send(bench.client.get(&url).query(&pairs)).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text.contains("URL blocked"), "{uri}");
    }
    bench
        .world()
        .set_switches(|switches| switches.development_mode = false);
    let answer = bench.send(bench.client.get(&url).query(&asked(&[]))).await;
    assert!(answer.text.contains("URL blocked"));
}

#[tokio::test]
async fn a_person_can_click_through_the_page() {
    let bench = Bench::with(Size::Empty, |_| {}).await;
    let url = format!("{}/{DIALOG}", bench.sandbox.base_url());
    let mut form = asked(&[("scope", "pages_show_list,pages_messaging")]);
    form.extend([
        ("person", "120000000000001"),
        ("page", BAKERY),
        ("permission", "pages_show_list"),
        ("answer", "continue"),
    ]);
    let answer = bench.send(bench.client.post(&url).form(&form)).await;
    let code = crate::bench::code_of(answer.header("location"));
    let token = bench
        .exchange(&[("code", &code), ("redirect_uri", BACK)])
        .await
        .json();
    let token = token["access_token"].as_str().unwrap();
    let granted = bench.get("v25.0/me/permissions", token).await.json();
    assert!(
        granted["data"]
            .as_array()
            .unwrap()
            .contains(&json!({"permission": "pages_messaging", "status": "declined"}))
    );
    let pages = bench.get("v25.0/me/accounts", token).await.json();
    assert_eq!(pages["data"].as_array().unwrap().len(), 1);
    form.pop();
    form.push(("answer", "cancel"));
    let answer = bench.send(bench.client.post(&url).form(&form)).await;
    assert!(answer.header("location").contains(
        "error=access_denied&error_reason=user_denied&error_description=Permissions+error."
    ));
}

#[tokio::test]
async fn the_page_shows_accounts_and_permissions_when_nobody_consents_by_script() {
    let config = shopbell_sandbox::Config {
        size: Size::Empty,
        ..Default::default()
    };
    let sandbox = shopbell_sandbox::Sandbox::start(config).await.unwrap();
    let client = reqwest::Client::new();
    let url = format!("{}/{DIALOG}", sandbox.base_url());
    let page = client
        .get(url)
        .query(&asked(&[("scope", "pages_messaging")]))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for word in [
        "Johanna Kornblum",
        "Bäckerei Kornblume",
        "@kornblume.brot",
        "pages_messaging",
        "Cancel",
        "value=\"s t\"",
    ] {
        assert!(page.contains(word), "{word}");
    }
    assert!(!page.contains("Töpferei Meyer"));
    let link = page
        .split("href=\"")
        .find(|part| part.contains("Mona Meyer"))
        .unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    let url = format!("{}/{DIALOG}{link}", sandbox.base_url());
    let other = client.get(url).send().await.unwrap().text().await.unwrap();
    assert!(
        other.contains("Töpferei Meyer") && !other.contains("Bäckerei Kornblume"),
        "{other}"
    );
}

#[tokio::test]
async fn all_or_nothing_with_a_configuration_and_its_opposite() {
    let bench = Bench::empty().await;
    let declines = Consent {
        declined: vec!["pages_messaging".into()],
        ..Consent::default()
    };
    bench.world().consent(declines.clone());
    let location = bench
        .dialog(DIALOG, &asked(&[("config_id", "556600000000003")]))
        .await;
    assert!(
        location.contains("error=access_denied") && location.contains("error_code=200"),
        "{location}"
    );
    bench.world().set_switches(|switches| {
        switches.fb_login_all_or_nothing = false;
        switches.fb_cancel_error_code = false;
    });
    bench.world().consent(declines);
    let location = bench
        .dialog(DIALOG, &asked(&[("config_id", "556600000000003")]))
        .await;
    assert!(location.contains("code=AQD"), "{location}");
    bench.world().consent(Consent {
        cancel: true,
        ..Consent::default()
    });
    let location = bench.dialog(DIALOG, &asked(&[])).await;
    assert!(!location.contains("error_code"), "{location}");
}

#[tokio::test]
async fn codes_are_single_use_expire_and_are_bound_to_their_redirect() {
    let bench = Bench::empty().await;
    let code = bench.facebook_code().await;
    assert_eq!(
        bench
            .exchange(&[("code", &code), ("redirect_uri", "http://127.0.0.1/other")])
            .await
            .error(),
        (100, 36_008)
    );
    assert_eq!(
        bench
            .exchange(&[("code", &code), ("redirect_uri", BACK)])
            .await
            .status,
        200
    );
    let again = bench
        .exchange(&[("code", &code), ("redirect_uri", BACK)])
        .await;
    assert_eq!(again.error(), (100, 36_009));
    assert!(
        again
            .header("www-authenticate")
            .contains("\"invalid_code\"")
    );
    let late = bench.facebook_code().await;
    bench.world().advance_ms(11 * 60_000);
    assert_eq!(
        bench
            .exchange(&[("code", &late), ("redirect_uri", BACK)])
            .await
            .error(),
        (100, 36_007)
    );
    assert_eq!(
        bench
            .exchange(&[("code", &late), ("client_secret", "wrong")])
            .await
            .error(),
        (1, 0)
    );
    assert_eq!(
        bench
            .exchange(&[("code", &late), ("client_id", "5")])
            .await
            .error(),
        (101, 0)
    );
}

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

#[tokio::test]
async fn scopes_are_told_when_asked_for() {
    let bench = Bench::empty().await;
    bench.world().consent(Consent {
        declined: vec!["pages_messaging".into()],
        ..Consent::default()
    });
    let mut pairs = asked(&[("scope", "pages_show_list,pages_messaging")]);
    pairs.retain(|(key, _)| *key != "response_type");
    pairs.push(("response_type", "code,granted_scopes"));
    let location = bench.dialog(DIALOG, &pairs).await;
    assert!(
        location.contains(
            "&granted_scopes=pages_show_list%2Cpublic_profile&denied_scopes=pages_messaging&"
        ),
        "{location}"
    );
}
