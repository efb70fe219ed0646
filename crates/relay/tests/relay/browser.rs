//! What the browser may and may not do: the start, Meta's answers, the pages.

use reqwest::StatusCode;
use shopbell_wire::*;

use super::harness::*;

type Change = Box<dyn FnOnce(&mut Vec<(String, String)>)>;

async fn authorize(
    world: &World,
    change: impl FnOnce(&mut Vec<(String, String)>),
) -> (StatusCode, String) {
    let challenge = Verifier::from_random_bytes(&[1; 32]).challenge();
    let params = AuthorizeParams::new(
        Provider::Facebook,
        SCHEME_REDIRECT,
        STATE,
        challenge,
        world.device.keys.thumbprint(),
    );
    let url = params.url(&world.relay.base_url);
    let mut query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    change(&mut query);
    let mut url = world.device.url(paths::AUTHORIZE);
    url.query_pairs_mut().extend_pairs(query);
    let answer = world.device.http.get(url).send().await.unwrap();
    assert!(!answer.headers().contains_key("location") || answer.status() == StatusCode::FOUND);
    (answer.status(), answer.text().await.unwrap())
}

fn set(name: &'static str, value: &'static str) -> impl FnOnce(&mut Vec<(String, String)>) {
    move |query| {
        query
            .iter_mut()
            .filter(|(key, _)| key == name)
            .for_each(|(_, old)| *old = value.into())
    }
}

#[tokio::test]
async fn a_start_that_is_not_ours_goes_nowhere() {
    let world = World::new().await;
    assert_eq!(authorize(&world, |_| {}).await.0, StatusCode::FOUND);
    let cases: Vec<(Change, Refusal)> = vec![
        (Box::new(set("client_id", "other")), Refusal::UnknownClient),
        (
            Box::new(set("redirect_uri", "https://evil.example/")),
            Refusal::RedirectNotAllowed,
        ),
        (
            Box::new(set("redirect_uri", "http://localhost:80/")),
            Refusal::RedirectNotAllowed,
        ),
        (
            Box::new(set("response_type", "token")),
            Refusal::InvalidRequest,
        ),
        (
            Box::new(set("code_challenge_method", "plain")),
            Refusal::PkceRequired,
        ),
        (
            Box::new(set("code_challenge", "short")),
            Refusal::InvalidRequest,
        ),
        (Box::new(set("device", "x")), Refusal::InvalidRequest),
        (Box::new(set("provider", "tiktok")), Refusal::InvalidRequest),
        (
            Box::new(set("state", "<script>alert(1)</script>")),
            Refusal::InvalidRequest,
        ),
        (
            Box::new(|q: &mut Vec<_>| q.retain(|(k, _)| k != "code_challenge")),
            Refusal::PkceRequired,
        ),
        (
            Box::new(|q: &mut Vec<_>| q.push(("state".into(), STATE.into()))),
            Refusal::InvalidRequest,
        ),
        (
            Box::new(|q: &mut Vec<_>| q.push(("x".into(), "y".repeat(5000)))),
            Refusal::InvalidRequest,
        ),
    ];
    for (change, refusal) in cases {
        let (status, page) = authorize(&world, change).await;
        assert_eq!(status.as_u16(), refusal.status(), "{refusal:?}");
        assert!(page.contains(refusal.code()), "{refusal:?}");
        assert!(
            !page.contains("evil.example") && !page.contains("alert(1)"),
            "nothing of the request comes back"
        );
        assert!(
            !page.contains(r#"id="open""#),
            "no button to an unchecked address"
        );
    }
    assert_eq!(world.meta.calls(), 0);
}

#[tokio::test]
async fn a_login_that_is_not_set_up_says_so() {
    let world = World::with(|config| config.instagram = None).await;
    let (status, page) = authorize(&world, set("provider", "instagram")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("not set up for that login"));
}

async fn refused_page(answer: reqwest::Response, refusal: Refusal) -> String {
    let (status, page) = (answer.status(), answer.text().await.unwrap());
    assert!(
        page.contains(&format!("<code>{}</code>", refusal.code())),
        "{refusal:?} {page}"
    );
    if page.contains(r#"id="open""#) {
        assert_eq!(status, StatusCode::OK);
        let back = Callback::parse(link_of(&page).as_str()).unwrap();
        let Callback::Refused {
            refusal: told,
            state,
            error,
        } = back
        else {
            panic!("{back:?}")
        };
        assert_eq!(
            (told, state.as_str(), error.as_str()),
            (refusal, STATE, refusal.error())
        );
    } else {
        assert_eq!(status.as_u16(), refusal.status());
    }
    page
}

#[tokio::test]
async fn consent_denied_brings_the_app_back() {
    let world = World::new().await;
    for query in [
        "error=access_denied&error_reason=user_denied&error_description=Permissions+error.",
        "error=access_denied&error_code=200&error_reason=user_denied",
    ] {
        let signin = SignIn::start(&world, Provider::Facebook).await;
        let answer = signin
            .come_back_raw(&world, query, Some(&signin.cookie))
            .await;
        let page = refused_page(answer, Refusal::ConsentDenied).await;
        assert_eq!(link_of(&page).scheme(), "shopbell");
    }
    assert_eq!(world.meta.calls(), 0);
}

#[tokio::test]
async fn a_fault_of_metas_dialog_brings_the_app_back() {
    let world = World::new().await;
    for query in [
        "error_code=1349048&error_message=App+not+active",
        "error=server_error",
        "code=&x=1",
        "code=a&code=b",
        "",
    ] {
        let signin = SignIn::start(&world, Provider::Instagram).await;
        let answer = signin
            .come_back_raw(&world, query, Some(&signin.cookie))
            .await;
        let expected = if query.contains("error") {
            Refusal::DialogFailed
        } else {
            Refusal::InvalidRequest
        };
        assert!(
            !refused_page(answer, expected)
                .await
                .contains("App not active"),
            "Meta's words are not shown"
        );
    }
}

#[tokio::test]
async fn a_state_is_ours_fresh_and_used_once() {
    let world = World::new().await;
    let signin = SignIn::start(&world, Provider::Facebook).await;

    let mut wrong = world.device.url("/oauth/callback/facebook");
    wrong.set_query(Some("code=x&state=sbs1.AAAA"));
    let answer = world
        .device
        .http
        .get(wrong)
        .header("cookie", &signin.cookie)
        .send()
        .await
        .unwrap();
    refused_page(answer, Refusal::StateWrong).await;

    let mut other_login = world.device.url("/oauth/callback/instagram");
    other_login.set_query(Some(&format!("code=x&state={}", signin.meta_state())));
    let answer = world
        .device
        .http
        .get(other_login)
        .header("cookie", &signin.cookie)
        .send()
        .await
        .unwrap();
    refused_page(answer, Refusal::StateWrong).await;

    for cookie in [
        None,
        Some("shopbell-x=1"),
        Some(&*signin.cookie.replace('=', "=A")),
    ] {
        refused_page(
            signin.come_back_raw(&world, "code=x", cookie).await,
            Refusal::BrowserMismatch,
        )
        .await;
    }

    signin.come_back(&world, "code=x").await;
    let again = signin
        .come_back_raw(&world, "code=x", Some(&signin.cookie))
        .await;
    refused_page(again, Refusal::StateReplayed).await;

    let late = SignIn::start(&world, Provider::Facebook).await;
    world.pass(STATE_LIFE_MS + 1);
    let answer = late
        .come_back_raw(&world, "code=x", Some(&late.cookie))
        .await;
    refused_page(answer, Refusal::StateExpired).await;
    assert_eq!(world.meta.calls(), 0);
}

#[tokio::test]
async fn two_sign_ins_in_one_browser_do_not_disturb_each_other() {
    let world = World::new().await;
    let one = SignIn::start(&world, Provider::Facebook).await;
    let two = SignIn::start(&world, Provider::Instagram).await;
    let jar = format!("{}; {}", one.cookie, two.cookie);
    for signin in [&two, &one] {
        let answer = signin.come_back_raw(&world, "code=x", Some(&jar)).await;
        let gone = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(
            gone.contains("Max-Age=0")
                && gone.starts_with(signin.cookie.split('=').next().unwrap())
        );
        code_of(&answer.text().await.unwrap());
    }
}

#[tokio::test]
async fn looking_ahead_does_not_use_a_sign_in_up() {
    let world = World::new().await;
    let signin = SignIn::start(&world, Provider::Facebook).await;
    let mut url = world.device.url("/oauth/callback/facebook");
    url.set_query(Some(&format!("code=x&state={}", signin.meta_state())));
    let send = |request: reqwest::RequestBuilder| request.header("cookie", &signin.cookie).send();
    let head = send(world.device.http.head(url.clone())).await.unwrap();
    assert_eq!(head.status(), StatusCode::METHOD_NOT_ALLOWED);
    let ahead = send(
        world
            .device
            .http
            .get(url)
            .header("sec-purpose", "prefetch;prerender"),
    )
    .await
    .unwrap();
    assert_eq!(ahead.status(), StatusCode::SERVICE_UNAVAILABLE);
    signin.come_back(&world, "code=x").await;
}

#[tokio::test]
async fn behind_https_the_cookie_has_the_host_prefix() {
    let world = World::with(|config| {
        config.public_url = Some("https://relay.example".parse().unwrap());
        config.key = Some(Secret::new("07".repeat(32)));
    })
    .await;
    let params = AuthorizeParams::new(
        Provider::Facebook,
        SCHEME_REDIRECT,
        STATE,
        Verifier::from_random_bytes(&[1; 32]).challenge(),
        world.device.keys.thumbprint(),
    );
    let here = format!("http://{}", world.relay.listening).parse().unwrap();
    let answer = world
        .device
        .http
        .get(params.url(&here))
        .send()
        .await
        .unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("__Host-shopbell-")
            && cookie.ends_with("; Secure")
            && cookie.contains("Path=/;")
    );
    assert!(!cookie.contains("Domain"));
    assert!(
        answer.headers()["location"]
            .to_str()
            .unwrap()
            .contains("https%3A%2F%2Frelay.example%2Foauth%2Fcallback")
    );
    assert!(answer.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn a_partial_consent_that_meta_tells_is_shown_with_a_way_to_ask_again() {
    let world = World::new().await;
    let signin = SignIn::start(&world, Provider::Facebook).await;
    let page = signin
        .come_back(&world, "code=x&granted_scopes=pages_show_list,instagram_basic&denied_scopes=pages_messaging,%3Cb%3E")
        .await;
    assert!(page.contains("Without messages, the inbox stays empty"));
    assert!(page.contains("Facebook said yes to 2 of 3 things."));
    assert!(!page.contains("<b>pages") && !page.contains("<b>,"));
    let (_, rest) = page.split_once(r#"btn--xl" href="http"#).unwrap();
    let again = format!("http{}", rest.split('"').next().unwrap()).replace("&amp;", "&");
    let answer = world.device.http.get(again).send().await.unwrap();
    assert!(
        answer.headers()["location"]
            .to_str()
            .unwrap()
            .contains("auth_type=rerequest")
    );
    code_of(&page);
}

#[tokio::test]
async fn pages_are_self_contained_and_speak_the_readers_language() {
    let world = World::new().await;
    for (asked, lang, dir, word) in [
        ("en-GB", "en", "ltr", "Nobody will ever ask you"),
        ("de", "de", "ltr", "Niemand wird Sie je"),
        ("ar-EG", "ar", "rtl", "لن يطلب منك أحد"),
    ] {
        let signin = SignIn::start(&world, Provider::Instagram).await;
        let mut url = world.device.url("/oauth/callback/instagram");
        url.set_query(Some(&format!("code=x&state={}", signin.meta_state())));
        let request = world
            .device
            .http
            .get(url)
            .header("cookie", &signin.cookie)
            .header("accept-language", asked);
        let answer = request.send().await.unwrap();
        let policy = answer.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-")
                && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
        assert_eq!(answer.headers()["x-frame-options"], "DENY");
        let page = answer.text().await.unwrap();
        assert!(
            page.contains(&format!(r#"<html lang="{lang}" dir="{dir}">"#)) && page.contains(word),
            "{asked}"
        );
        for outside in ["src=", "@import", "url(", "<link", " style=\"", " onclick"] {
            assert!(!page.contains(outside), "{outside} in the page");
        }
        // The policy holds for exactly these bytes.
        use base64::Engine as _;
        use sha2::Digest as _;
        for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
            let inside = page
                .split_once(open)
                .unwrap()
                .1
                .split_once(close)
                .unwrap()
                .0;
            let hash =
                base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(inside));
            assert!(policy.contains(&hash), "{open}");
        }
    }
    let passes = world
        .device
        .http
        .get(world.device.url("/passes"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(passes.contains("Never kept") && passes.contains("127.0.0.1"));
}
