//! Facebook Login for Business, from the dialog to `debug_token`.

use serde_json::json;
use shopbell_sandbox::{Consent, Size};

use crate::bench::{BACK, BAKERY, Bench};

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
