//! Business Login for Instagram with every shape its endpoints are known to answer.

use serde_json::json;
use shopbell_sandbox::{Consent, Death, Size, TokenOrder};

use crate::bench::{BACK, BAKERY_IG, Bench, DAY, HOUR};

const SCOPES: &str = "instagram_business_basic,instagram_business_manage_messages";

#[tokio::test]
async fn redirects_carry_the_fragment_and_refusals_their_words() {
    let bench = Bench::empty().await;
    let pairs = [
        ("client_id", "990000000000002"),
        ("redirect_uri", BACK),
        ("state", "s"),
        ("response_type", "code"),
        ("scope", SCOPES),
    ];
    let location = bench
        .dialog("www.instagram.com/oauth/authorize", &pairs)
        .await;
    assert!(
        location.contains("?code=AQB") && location.ends_with("&state=s#_"),
        "{location}"
    );
    bench.world().consent(Consent {
        cancel: true,
        ..Consent::default()
    });
    let location = bench
        .dialog("www.instagram.com/oauth/authorize", &pairs)
        .await;
    assert!(location.contains("error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request&state=s"));
}

#[tokio::test]
async fn the_exchange_answers_in_both_shapes() {
    let bench = Bench::empty().await;
    for (wrapped, array, numeric) in [
        (true, false, true),
        (false, true, true),
        (false, false, false),
    ] {
        bench.world().set_switches(|switches| {
            switches.ig_token_wrapped = wrapped;
            switches.ig_permissions_array = array;
            switches.ig_user_id_numeric = numeric;
        });
        let code = bench.instagram_code(SCOPES).await;
        let answer = bench.instagram_exchange(&code, BACK).await.json();
        assert_eq!(answer["data"].is_array(), wrapped);
        let flat = if wrapped { &answer["data"][0] } else { &answer };
        assert_eq!(flat["permissions"].is_array(), array);
        assert_eq!(flat["user_id"].is_u64(), numeric);
        if numeric {
            assert!(flat["user_id"].as_u64().unwrap() > 1 << 53);
        }
    }
}

#[tokio::test]
async fn errors_there_have_their_own_shape() {
    let bench = Bench::empty().await;
    let code = bench.instagram_code(SCOPES).await;
    assert_eq!(bench.instagram_exchange(&code, BACK).await.status, 200);
    let again = bench.instagram_exchange(&code, BACK).await;
    assert_eq!(again.status, 400);
    assert_eq!(
        again.json(),
        json!({"error_type": "OAuthException", "code": 400, "error_message": "Matching code was not found or was already used"})
    );
    let late = bench.instagram_code(SCOPES).await;
    bench.world().advance_ms(HOUR + 1);
    assert_eq!(bench.instagram_exchange(&late, BACK).await.status, 400);
    let other = bench.instagram_code(SCOPES).await;
    assert!(
        bench
            .instagram_exchange(&other, "http://127.0.0.1/else")
            .await
            .text
            .contains("redirect_uri")
    );
}

#[tokio::test]
async fn refreshing_waits_a_day_and_ends_after_sixty() {
    let bench = Bench::empty().await;
    let token = bench.instagram().await;
    let refresh = "graph.instagram.com/refresh_access_token?grant_type=ig_refresh_token";
    assert_eq!(bench.get(refresh, &token).await.error().0, 100);
    bench
        .world()
        .set_switches(|switches| switches.ig_refresh_too_young_code = 190);
    assert_eq!(bench.get(refresh, &token).await.error().0, 190);
    bench.world().advance_ms(DAY);
    let fresh = bench.get(refresh, &token).await.json();
    assert_eq!(fresh["expires_in"], 60 * DAY / 1_000);
    let fresh = fresh["access_token"].as_str().unwrap();
    bench.world().advance_ms(60 * DAY);
    assert_eq!(bench.get(refresh, fresh).await.error(), (190, 463));
    assert_eq!(
        bench
            .get("graph.instagram.com/v25.0/me", fresh)
            .await
            .error(),
        (190, 463)
    );
    let exchange = "graph.instagram.com/access_token?grant_type=ig_exchange_token&client_secret=fedcba9876543210fedcba9876543210";
    assert_eq!(bench.get(exchange, fresh).await.error(), (190, 463));
}

#[tokio::test]
async fn me_has_two_ids_and_two_shapes() {
    let bench = Bench::empty().await;
    let token = bench.instagram().await;
    let path = "graph.instagram.com/v25.0/me?fields=id,user_id,username,account_type,profile_picture_url,followers_count";
    let me = bench.get(path, &token).await.json();
    assert_eq!(me["user_id"], BAKERY_IG);
    assert_ne!(me["id"], me["user_id"]);
    assert_eq!(me["account_type"], "BUSINESS");
    bench
        .world()
        .set_switches(|switches| switches.ig_me_wrapped = true);
    assert_eq!(bench.get(path, &token).await.json()["data"][0], me);
    assert_eq!(
        bench
            .get("graph.instagram.com/v25.0/me?fields=tasks", &token)
            .await
            .error()
            .0,
        100
    );
    assert_eq!(bench.get("v25.0/me", &token).await.error().0, 190);
}

#[tokio::test]
async fn unticked_permissions_stay_away_and_basic_cannot_be_unticked() {
    let bench = Bench::empty().await;
    bench.world().consent(Consent {
        person: Some("maison.lune".into()),
        declined: vec![
            "instagram_business_manage_messages".into(),
            "instagram_business_basic".into(),
        ],
        ..Consent::default()
    });
    let token = bench.instagram().await;
    let me = bench
        .get("graph.instagram.com/v25.0/me?fields=username", &token)
        .await
        .json();
    assert_eq!(me["username"], "maison.lune");
    assert_eq!(
        bench
            .get("graph.instagram.com/v25.0/me/conversations", &token)
            .await
            .error()
            .0,
        10
    );
    bench.world().tokens(&TokenOrder {
        which: "instagram".into(),
        death: Some(Death::Revoked),
        ..TokenOrder::default()
    });
    assert_eq!(
        bench
            .get("graph.instagram.com/v25.0/me", &token)
            .await
            .error(),
        (190, 0)
    );
}

#[tokio::test]
async fn the_page_is_shown_to_people() {
    let config = shopbell_sandbox::Config {
        size: Size::Empty,
        ..Default::default()
    };
    let sandbox = shopbell_sandbox::Sandbox::start(config).await.unwrap();
    let url = format!(
        "{}?client_id=990000000000002&redirect_uri={BACK}&response_type=code&scope={SCOPES}",
        sandbox.host("www.instagram.com/oauth/authorize")
    );
    let page = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert!(
        page.contains("@kornblume.brot")
            && page.contains("instagram_business_basic\" checked disabled")
    );
}
