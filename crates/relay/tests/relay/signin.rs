//! The way that works, with both logins.

use shopbell_wire::*;
use url::Url;

use super::{harness::*, meta::*};

#[tokio::test]
async fn facebook_from_the_button_to_the_grant() {
    let world = World::new().await;
    let signin = SignIn::start(&world, Provider::Facebook).await;
    assert_eq!(signin.dialog.path(), "/www.facebook.com/v25.0/dialog/oauth");
    let asked: std::collections::HashMap<_, _> = signin.dialog.query_pairs().into_owned().collect();
    assert_eq!(asked["client_id"], "138");
    assert_eq!(
        asked["redirect_uri"],
        world.device.url("/oauth/callback/facebook").as_str()
    );
    assert!(asked["scope"].contains("pages_messaging"));
    assert!(
        !signin.dialog.as_str().contains(STATE),
        "the app's own state is sealed"
    );
    assert_eq!(world.meta.calls(), 0);

    let page = signin.come_back(&world, "code=AQDcanaryMetaCode").await;
    let number = signin.verifier.challenge().number().to_string();
    assert!(page.contains(&format!(r#"<p class="relay__no">{number}</p>"#)));
    assert!(
        !page.contains("http-equiv") && !page.contains("location"),
        "nothing moves by itself"
    );
    assert_eq!(world.meta.calls(), 0, "the callback exchanges nothing");
    let code = code_of(&page);
    assert!(code.starts_with(CODE_PREFIX) && !code.contains("canary"));

    let answer: TokenAnswer = ok(world.device.redeem(&signin, &code).await).await;
    let grant: Grant = answer.envelope().unwrap().open(&world.device.keys).unwrap();
    assert_eq!(
        (grant.provider, grant.issued_at_ms),
        (Provider::Facebook, NOW)
    );
    assert_eq!(
        (grant.user.id.as_str(), grant.user.name.as_str()),
        ("1207", "Canary Owner Name")
    );
    let user = grant.user_token.as_ref().unwrap();
    assert_eq!(user.token.expose(), LONG);
    assert_eq!(user.expires_at_ms, Some((NOW / 1000 + 60 * DAY) * 1000));
    assert_eq!(
        user.data_access_expires_at_ms,
        Some((NOW / 1000 + 90 * DAY) * 1000)
    );
    assert_eq!(grant.granted, ["pages_show_list", "pages_messaging"]);
    assert!(
        grant.declined.contains(&"read_insights".into())
            && grant.declined.contains(&"instagram_basic".into())
    );
    assert_eq!(
        grant
            .declined
            .iter()
            .filter(|scope| *scope == "read_insights")
            .count(),
        1
    );

    let kinds: Vec<_> = grant
        .accounts
        .iter()
        .map(|a| (a.kind, a.platform_id.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            (AccountKind::Page, "1001"),
            (AccountKind::Instagram, IG_ID),
            (AccountKind::Page, "1002")
        ]
    );
    let [page, insta, second] = &grant.accounts[..] else {
        panic!()
    };
    assert_eq!(page.token.expose(), PAGE_TOKEN);
    assert_eq!(
        (page.expires_at_ms, page.linked_instagram_id.as_deref()),
        (None, Some(IG_ID))
    );
    assert_eq!(insta.token, page.token);
    assert_eq!(
        (insta.page_id.as_deref(), insta.username.as_deref()),
        (Some("1001"), Some("acme"))
    );
    assert_eq!(insta.appsecret_proof, page.appsecret_proof);
    assert_eq!(page.appsecret_proof.as_ref().unwrap().expose().len(), 64);
    assert_ne!(page.appsecret_proof, second.appsecret_proof);
    assert_eq!(page.tasks, ["MESSAGING", "MODERATE"]);
    let notices = grant.notices();
    assert!(
        notices.contains(&Notice::PageWithoutInstagram {
            page_ids: vec!["1002".into()]
        }),
        "{notices:?}"
    );

    let exchange = &world.meta.asked(FB_TOKEN)[0];
    assert_eq!(
        (exchange.method.as_str(), exchange.params["code"].as_str()),
        ("GET", "AQDcanaryMetaCode")
    );
    assert_eq!(
        exchange.params["redirect_uri"],
        world.device.url("/oauth/callback/facebook").as_str()
    );
    let accounts = &world.meta.asked(FB_ACCOUNTS)[0];
    assert_eq!(
        accounts.bearer.as_deref(),
        Some(LONG),
        "page tokens come from the long-lived token"
    );
    assert!(
        !accounts.params.contains_key("access_token")
            && accounts.params.contains_key("appsecret_proof")
    );

    let bound: BindingList = ok(world.device.get(paths::BINDINGS).await).await;
    assert_eq!(bound.bindings.len(), 3);
    assert!(
        bound
            .bindings
            .iter()
            .all(|b| b.mine && b.lease_until_ms == NOW + LEASE_MS)
    );
}

#[tokio::test]
async fn instagram_from_the_button_to_the_grant() {
    let world = World::new().await;
    let (signin, code) = world.code(Provider::Instagram).await;
    assert_eq!(signin.dialog.path(), "/www.instagram.com/oauth/authorize");
    let answer: TokenAnswer = ok(world.device.redeem(&signin, &code).await).await;
    let grant: Grant = answer.envelope().unwrap().open(&world.device.keys).unwrap();
    let [account] = &grant.accounts[..] else {
        panic!()
    };
    assert_eq!(
        (account.kind, account.platform_id.as_str()),
        (AccountKind::Instagram, IG_ID),
        "user_id, not id"
    );
    assert_eq!(
        grant.user.id, "24600000000000017",
        "app-scoped id, not the token answer's"
    );
    assert_eq!(account.token.expose(), IG_LONG);
    assert_eq!(account.expires_at_ms, Some(NOW + 5_183_944_000));
    assert!(grant.user_token.is_none());
    assert_eq!(grant.declined, ["instagram_business_manage_insights"]);
    let asked = &world.meta.asked(IG_TOKEN)[0];
    assert_eq!(asked.method, "POST");
    assert_eq!(
        asked.params["client_secret"], IG_SECRET,
        "the Instagram app's own secret"
    );
    assert_eq!(asked.params["grant_type"], "authorization_code");
}

#[tokio::test]
async fn a_loopback_redirect_works_like_the_scheme() {
    let world = World::new().await;
    let signin = SignIn::start_to(&world, Provider::Instagram, "http://127.0.0.1:4711/").await;
    let page = signin.come_back(&world, "code=c").await;
    let link = link_of(&page);
    assert_eq!(
        (link.host_str(), link.port(), link.path()),
        (Some("127.0.0.1"), Some(4711), "/")
    );
    ok::<TokenAnswer>(world.device.redeem(&signin, &code_of(&page)).await).await;
}

#[tokio::test]
async fn a_configuration_id_takes_the_place_of_scopes() {
    let world =
        World::with(|config| config.facebook.as_mut().unwrap().config_id = Some("5566".into()))
            .await;
    let signin = SignIn::start(&world, Provider::Facebook).await;
    let asked: std::collections::HashMap<_, _> = signin.dialog.query_pairs().into_owned().collect();
    assert_eq!(asked["config_id"], "5566");
    assert!(!asked.contains_key("scope"));
    let grant = world.sign_in(Provider::Facebook).await;
    assert_eq!(
        grant.declined,
        ["read_insights", "email"],
        "only what Meta itself calls not granted"
    );
}

#[tokio::test]
async fn another_node_with_the_same_key_finishes() {
    let key = Secret::new("07".repeat(32));
    let world = World::with(|config| config.key = Some(key.clone())).await;
    let public = world.relay.base_url.clone();
    let (signin, code) = world.code(Provider::Facebook).await;
    let (facebook, _) = apps();
    let mut config = shopbell_relay::Config::in_memory(
        shopbell_relay::Upstreams::below(&world.meta.base).unwrap(),
        Some(facebook),
        None,
    );
    config.key = Some(key);
    config.public_url = Some(public);
    let other = shopbell_relay::Relay::start(config, || NOW).await.unwrap();
    let proof = world.device.proof("POST", paths::TOKEN);
    let to = Url::parse(&format!("http://{}{}", other.listening, paths::TOKEN)).unwrap();
    let request = world
        .device
        .http
        .post(to)
        .header(PROOF_HEADER, proof.as_str())
        .form(&signin.form(&code));
    let answer: TokenAnswer = ok(request.send().await.unwrap()).await;
    let grant: Grant = answer.envelope().unwrap().open(&world.device.keys).unwrap();
    assert_eq!(grant.accounts.len(), 3);
}

#[tokio::test]
async fn more_than_a_hundred_pages_are_all_found() {
    let world = World::new().await;
    world.meta.script(FB_ACCOUNTS, |asked| {
        let row = |n: usize| {
            serde_json::json!({"id": (2000 + n).to_string(), "name": n.to_string(), "access_token": format!("EAAPageTokenNumber{n:05}")})
        };
        let page = |rows: std::ops::Range<usize>, after: &str, more: bool| {
            let mut page = serde_json::json!({"data": rows.map(row).collect::<Vec<_>>(), "paging": {"cursors": {"after": after}}});
            if more {
                page["paging"]["next"] = "https://evil.example/?access_token=stolen&after=wrong".into();
            }
            (200, page)
        };
        match asked.params.get("after").map(String::as_str) {
            None => page(0..100, "one", true),
            Some("one") => page(0..0, "two", true),
            Some("two") => {
                let (status, mut last) = page(99..137, "three", false);
                let rows = last["data"].as_array_mut().unwrap();
                rows.push(serde_json::json!({"id": "1", "name": "a Page this person may only look at"}));
                (status, last)
            }
            Some(_) => (400, serde_json::json!({})),
        }
    });
    let grant = world.sign_in(Provider::Facebook).await;
    assert_eq!(
        grant.accounts.len(),
        137,
        "an empty page in the middle, a repeated row, and the last page"
    );
    assert_eq!(world.meta.asked(FB_ACCOUNTS).len(), 3);
}

#[tokio::test]
async fn a_passing_fault_of_meta_does_not_spoil_a_sign_in() {
    let world = World::new().await;
    for path in [FB_DEBUG, FB_ME, FB_PERMISSIONS, FB_ACCOUNTS] {
        world.meta.once(
            path,
            500,
            serde_json::json!({"error": {"message": "m", "code": 2, "is_transient": true}}),
        );
    }
    assert_eq!(world.sign_in(Provider::Facebook).await.accounts.len(), 3);
}

#[tokio::test]
async fn a_system_user_token_without_an_end_is_taken_as_it_is() {
    let world = World::new().await;
    world
        .meta
        .fixed(FB_TOKEN, 200, serde_json::json!({"access_token": LONG}));
    world.meta.fixed(FB_PERMISSIONS, 400, graph_error(100, 0));
    world.meta.fixed(
        FB_DEBUG,
        200,
        serde_json::json!({"data": {"app_id": "138", "is_valid": true, "type": "SYSTEM_USER",
        "user_id": "1207", "expires_at": 0, "scopes": ["pages_show_list", "pages_messaging"]}}),
    );
    let grant = world.sign_in(Provider::Facebook).await;
    assert_eq!(world.meta.asked(FB_TOKEN).len(), 1, "nothing to extend");
    assert_eq!(grant.user_token.unwrap().expires_at_ms, None);
    assert_eq!(grant.granted, ["pages_show_list", "pages_messaging"]);
}
