//! `POST /oauth/token` with a code: what is refused, in which order, and what survives a bad line.

use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::json;
use shopbell_wire::*;

use super::{harness::*, meta::*};

/// The form with one value changed.
fn with<'a>(
    mut form: [(&'a str, &'a str); 6],
    name: &str,
    value: &'a str,
) -> [(&'a str, &'a str); 6] {
    form.iter_mut()
        .filter(|(key, _)| *key == name)
        .for_each(|pair| pair.1 = value);
    form
}

#[tokio::test]
async fn everything_is_checked_before_meta_is_called() {
    let world = World::new().await;
    let (signin, code) = world.code(Provider::Facebook).await;
    let form = signin.form(&code);
    let other = Verifier::from_random_bytes(&[43; 32]);
    let torn = format!("{}A{}", &code[..40], &code[41..]);
    let send = async |form: &[(&str, &str)]| refused(world.device.post_form(form).await).await;

    assert_eq!(
        send(&with(form, "code", "sbc1.AAAA")).await,
        Refusal::CodeInvalid
    );
    assert_eq!(send(&with(form, "code", &torn)).await, Refusal::CodeInvalid);
    assert_eq!(
        send(&with(form, "code", "AQDcanaryMetaCode")).await,
        Refusal::CodeInvalid
    );
    assert_eq!(
        send(&with(form, "code", &signin.meta_state())).await,
        Refusal::CodeInvalid,
        "a state is no code"
    );
    assert_eq!(
        send(&with(form, "code_verifier", other.expose())).await,
        Refusal::VerifierMismatch
    );
    assert_eq!(
        send(&with(form, "code_verifier", "short")).await,
        Refusal::VerifierMismatch
    );
    assert_eq!(
        send(&with(form, "state", "another-state-0123456789")).await,
        Refusal::StateWrong
    );
    assert_eq!(
        send(&with(form, "redirect_uri", "http://127.0.0.1:1/")).await,
        Refusal::RedirectNotAllowed
    );
    assert_eq!(
        send(&with(form, "client_id", "x")).await,
        Refusal::UnknownClient
    );
    assert_eq!(
        send(&with(form, "grant_type", "password")).await,
        Refusal::InvalidRequest
    );
    assert_eq!(send(&form[..5]).await, Refusal::InvalidRequest, "no state");
    assert_eq!(
        send(&[&form[..], &form[..1]].concat()).await,
        Refusal::InvalidRequest,
        "one parameter twice"
    );
    assert_eq!(send(&[]).await, Refusal::InvalidRequest);
    assert_eq!(
        refused(world.device(2).redeem(&signin, &code).await).await,
        Refusal::DeviceMismatch
    );
    assert_eq!(world.meta.calls(), 0);

    ok::<TokenAnswer>(
        world
            .device
            .post_form(&with(form, "code", &format!(" {code}\n")))
            .await,
    )
    .await;
}

#[tokio::test]
async fn a_code_lives_five_minutes() {
    let world = World::new().await;
    let (signin, code) = world.code(Provider::Facebook).await;
    world.pass(CODE_LIFE_MS + 1);
    assert_eq!(
        refused(world.device.redeem(&signin, &code).await).await,
        Refusal::CodeExpired
    );
    assert_eq!(
        refused(world.device.redeem(&signin, &code).await).await,
        Refusal::CodeExpired
    );
    assert_eq!(world.meta.calls(), 0);
    let (signin, code) = world.code(Provider::Facebook).await;
    world.pass(CODE_LIFE_MS);
    ok::<TokenAnswer>(world.device.redeem(&signin, &code).await).await;
}

#[tokio::test]
async fn a_lost_answer_is_given_again_byte_for_byte_for_five_minutes() {
    let world = World::new().await;
    let (signin, code) = world.code(Provider::Facebook).await;
    world.pass(CODE_LIFE_MS - 10);
    let first = world
        .device
        .redeem(&signin, &code)
        .await
        .bytes()
        .await
        .unwrap();
    let calls = world.meta.calls();
    world.pass(CODE_LIFE_MS);
    let again = world.device.redeem(&signin, &code).await;
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(
        again.bytes().await.unwrap(),
        first,
        "also after the code itself has expired"
    );
    assert_eq!(
        refused(world.device(2).redeem(&signin, &code).await).await,
        Refusal::DeviceMismatch
    );
    world.pass(1);
    assert_eq!(
        refused(world.device.redeem(&signin, &code).await).await,
        Refusal::CodeExpired
    );
    world.relay.purge_now().await.unwrap();
    assert_eq!(
        refused(world.device.redeem(&signin, &code).await).await,
        Refusal::CodeExpired
    );
    assert_eq!(world.meta.calls(), calls, "Meta was asked once");
}

#[tokio::test]
async fn a_code_that_failed_for_good_is_spent() {
    let world = World::new().await;
    let (signin, code) = world.code(Provider::Facebook).await;
    world.meta.once(FB_TOKEN, 400, graph_error(100, 36007));
    assert_eq!(
        refused(world.device.redeem(&signin, &code).await).await,
        Refusal::CodeExpired
    );
    assert_eq!(
        refused(world.device.redeem(&signin, &code).await).await,
        Refusal::CodeReused
    );
    assert_eq!(world.meta.asked(FB_TOKEN).len(), 1);
}

#[tokio::test]
async fn a_code_that_meta_may_not_have_seen_can_be_tried_again() {
    let world = World::new().await;
    let (signin, code) = world.code(Provider::Facebook).await;
    world.meta.once(FB_TOKEN, 500, json!({}));
    assert_eq!(
        refused(world.device.redeem(&signin, &code).await).await,
        Refusal::PlatformUnavailable
    );
    world.meta.once(FB_TOKEN, 400, graph_error(4, 0));
    assert_eq!(
        refused(world.device.redeem(&signin, &code).await).await,
        Refusal::PlatformThrottled
    );
    ok::<TokenAnswer>(world.device.redeem(&signin, &code).await).await;
}

#[tokio::test]
async fn metas_refusals_have_their_own_codes() {
    for (error, refusal) in [
        (graph_error(100, 36009), Refusal::CodeReused),
        (graph_error(100, 36008), Refusal::RelayMisconfigured),
        (graph_error(101, 0), Refusal::RelayMisconfigured),
        (graph_error(1, 0), Refusal::RelayMisconfigured),
        (graph_error(100, 0), Refusal::CodeInvalid),
    ] {
        let world = World::new().await;
        let (signin, code) = world.code(Provider::Facebook).await;
        world.meta.once(FB_TOKEN, 400, error);
        assert_eq!(
            refused(world.device.redeem(&signin, &code).await).await,
            refusal
        );
    }
    let world = World::new().await;
    let (signin, code) = world.code(Provider::Instagram).await;
    let used = json!({"error_type": "OAuthException", "code": 400, "error_message": "Matching code was not found or was already used"});
    world.meta.once(IG_TOKEN, 400, used);
    assert_eq!(
        refused(world.device.redeem(&signin, &code).await).await,
        Refusal::CodeReused
    );
}

#[tokio::test]
async fn what_the_person_did_not_give_is_named() {
    let world = World::new().await;
    world.meta.fixed(FB_ACCOUNTS, 200, json!({"data": []}));
    let (signin, code) = world.code(Provider::Facebook).await;
    assert_eq!(
        refused(world.device.redeem(&signin, &code).await).await,
        Refusal::NoPage
    );

    world.meta.fixed(FB_PERMISSIONS, 200, json!({"data": [
        {"permission": "email", "status": "granted"}, {"permission": "pages_show_list", "status": "declined"}]}));
    let (signin, code) = world.code(Provider::Facebook).await;
    assert_eq!(
        refused(world.device.redeem(&signin, &code).await).await,
        Refusal::ConsentPartial
    );

    world.meta.fixed(
        IG_TOKEN,
        200,
        json!({"access_token": IG_SHORT, "user_id": "1", "permissions": ""}),
    );
    let (signin, code) = world.code(Provider::Instagram).await;
    assert_eq!(
        refused(world.device.redeem(&signin, &code).await).await,
        Refusal::ConsentPartial
    );

    world.meta.fixed(IG_TOKEN, 200, json!({"access_token": IG_SHORT, "user_id": "1", "permissions": ["instagram_business_basic"]}));
    world.meta.fixed(
        IG_ME,
        200,
        json!({"id": "2", "user_id": "3", "username": "x", "account_type": "PERSONAL"}),
    );
    let (signin, code) = world.code(Provider::Instagram).await;
    assert_eq!(
        refused(world.device.redeem(&signin, &code).await).await,
        Refusal::NotProfessional
    );

    let bound: BindingList = ok(world.device.get(paths::BINDINGS).await).await;
    assert_eq!(bound.bindings, [], "a failed sign-in binds nothing");
}

#[tokio::test]
async fn a_page_without_instagram_is_a_notice_and_no_refusal() {
    let world = World::new().await;
    world.meta.fixed(
        FB_ACCOUNTS,
        200,
        json!({"data": [{"id": "7", "name": "N", "access_token": "EAAcanaryPageToken7"}]}),
    );
    let grant = world.sign_in(Provider::Facebook).await;
    assert!(grant.notices().contains(&Notice::PageWithoutInstagram {
        page_ids: vec!["7".into()]
    }));
}

#[tokio::test]
async fn two_redemptions_at_once_are_one_exchange() {
    let world = Arc::new(World::new().await);
    let (signin, code) = world.code(Provider::Facebook).await;
    let gate = world.meta.hold(FB_TOKEN);
    let (signin, code) = (Arc::new(signin), Arc::new(code));
    let first = tokio::spawn({
        let (world, signin, code) = (Arc::clone(&world), Arc::clone(&signin), Arc::clone(&code));
        async move {
            world
                .device
                .redeem(&signin, &code)
                .await
                .bytes()
                .await
                .unwrap()
        }
    });
    world.meta.until_asked(FB_TOKEN, 1).await;
    let answer = world.device.redeem(&signin, &code).await;
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(refused(answer).await, Refusal::CodeInUse);
    gate.add_permits(10);
    let first = first.await.unwrap();
    assert_eq!(
        world
            .device
            .redeem(&signin, &code)
            .await
            .bytes()
            .await
            .unwrap(),
        first
    );
}

#[tokio::test]
async fn hanging_up_during_the_exchange_loses_nothing() {
    let world = Arc::new(World::new().await);
    let (signin, code) = world.code(Provider::Facebook).await;
    let gate = world.meta.hold(FB_ACCOUNTS);
    let form: Vec<(String, String)> = signin
        .form(&code)
        .iter()
        .map(|(k, v)| ((*k).into(), (*v).into()))
        .collect();
    let caller = tokio::spawn({
        let world = Arc::clone(&world);
        async move {
            let form: Vec<(&str, &str)> =
                form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            world.device.post_form(&form).await
        }
    });
    world.meta.until_asked(FB_ACCOUNTS, 1).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    gate.add_permits(10);
    // The app asks again, as it does after a lost line, until the relay has finished what it began.
    let answer = loop {
        let answer = world.device.redeem(&signin, &code).await;
        if answer.status() == StatusCode::OK {
            break answer;
        }
        assert_eq!(refused(answer).await, Refusal::CodeInUse);
        tokio::task::yield_now().await;
    };
    let answer: TokenAnswer = ok(answer).await;
    let grant: Grant = answer.envelope().unwrap().open(&world.device.keys).unwrap();
    assert_eq!(grant.accounts.len(), 3);
    assert_eq!(
        world.meta.asked(FB_TOKEN).len(),
        2,
        "one code, one extension"
    );
}
