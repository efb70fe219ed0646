//! What both sides rely on: fixed vectors (so that a change of format is seen), round trips, and refusals of
//! everything that was changed on the way.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rand::{SeedableRng as _, rngs::StdRng};
use shopbell_wire::*;
use url::Url;

const NOW: i64 = 1_790_000_000_000;

fn keys(byte: u8) -> DeviceKeys {
    DeviceKeys::from_random_bytes(&std::array::from_fn(|i| {
        byte.wrapping_add(u8::try_from(i).unwrap())
    }))
}

fn grant() -> Grant {
    Grant {
        provider: Provider::Facebook,
        user: GrantedUser {
            id: "1207".into(),
            name: "Käthe 🌷".into(),
        },
        user_token: Some(UserToken {
            token: Secret::new("EAAcanary"),
            appsecret_proof: None,
            expires_at_ms: Some(NOW + 60 * 86_400_000),
            data_access_expires_at_ms: None,
        }),
        granted: vec!["pages_show_list".into()],
        declined: vec!["read_insights".into()],
        accounts: vec![GrantedAccount {
            kind: AccountKind::Page,
            platform_id: "1001".into(),
            name: "Acme".into(),
            username: None,
            picture_url: None,
            page_id: None,
            linked_instagram_id: None,
            token: Secret::new("EAAPcanary"),
            expires_at_ms: None,
            appsecret_proof: Some(Secret::new("00ff")),
            tasks: vec!["PROFILE_PLUS_MESSAGING".into()],
        }],
        renewal: None,
        issued_at_ms: NOW,
    }
}

#[test]
fn fixed_vectors() {
    // RFC 7636 appendix B.
    let verifier = Verifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
    assert_eq!(
        verifier.challenge().as_str(),
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
    // RFC 8032 §7.1 test 1: the signing half of a device.
    let mut bytes = [7u8; 64];
    bytes[32..].copy_from_slice(
        &hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap(),
    );
    let device = DeviceKeys::from_random_bytes(&bytes);
    assert_eq!(
        hex::encode(device.public().sign_key()),
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    );
    // Ours: numbers and thumbprints are stored or shown on two sides and must never change.
    assert_eq!(verifier.challenge().number(), NUMBER_OF_RFC_CHALLENGE);
    assert_eq!(keys(1).thumbprint().as_str(), THUMBPRINT_OF_ONE);
}

// Computed with OpenSSL and Python, not with this crate.
const NUMBER_OF_RFC_CHALLENGE: u8 = 37;
const THUMBPRINT_OF_ONE: &str = "P3yGJM0QDOVFDSbqZ2pyzzkXL1mS2GBY4cEQcNcJ4e4";

#[test]
fn secrets_do_not_print() {
    let device = keys(3);
    let shown = format!(
        "{:?} {:?} {:?}",
        grant(),
        device,
        Verifier::from_random_bytes(&[9; 32])
    );
    for secret in [
        "canary",
        "00ff",
        &hex::encode(device.to_secret_bytes().as_slice()),
        "CQkJ",
    ] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(
        shown.contains(device.thumbprint().as_str()),
        "the public name is fine"
    );
}

#[test]
fn a_proof_holds_for_its_request_only() {
    let url = Url::parse("https://relay.example/oauth/token").unwrap();
    let proof = DeviceProof::sign(&keys(1), "POST", &url, NOW, &[5; 16]);
    let check = |method: &str, url: &str, at: i64| {
        DeviceProof::verify(
            proof.as_str(),
            method,
            &Url::parse(url).unwrap(),
            at,
            PROOF_SKEW_MS,
        )
    };
    let held = check(
        "POST",
        "https://relay.example/oauth/token?x=1#f",
        NOW + PROOF_SKEW_MS,
    )
    .unwrap();
    assert_eq!(held.thumbprint, keys(1).thumbprint());
    assert_eq!(held.device, keys(1).public());
    assert_eq!((held.iat_ms, held.nonce.len()), (NOW, 22));
    assert_eq!(
        check("GET", "https://relay.example/oauth/token", NOW),
        Err(ProofError::OtherRequest)
    );
    assert_eq!(
        check("POST", "https://relay.example/oauth/proof", NOW),
        Err(ProofError::OtherRequest)
    );
    assert_eq!(
        check("POST", "https://evil.example/oauth/token", NOW),
        Err(ProofError::OtherRequest)
    );
    assert_eq!(
        check(
            "POST",
            "https://relay.example/oauth/token",
            NOW + PROOF_SKEW_MS + 1
        ),
        Err(ProofError::Stale)
    );
    assert_eq!(
        check(
            "POST",
            "https://relay.example/oauth/token",
            NOW - PROOF_SKEW_MS - 1
        ),
        Err(ProofError::Stale)
    );
    assert_eq!(
        check("POST", "https://relay.example/oauth/token", i64::MIN),
        Err(ProofError::Stale)
    );
}

#[test]
fn a_proof_cannot_borrow_another_devices_parts() {
    let url = Url::parse("https://relay.example/oauth/token").unwrap();
    let mine = DeviceProof::sign(&keys(1), "POST", &url, NOW, &[5; 16]);
    let theirs = DeviceProof::sign(&keys(2), "POST", &url, NOW, &[5; 16]);
    let part = |proof: &DeviceProof, n: usize| proof.as_str().split('.').nth(n).unwrap().to_owned();
    for mixed in [
        format!("{}.{}.{}", part(&mine, 0), part(&mine, 1), part(&theirs, 2)),
        format!("{}.{}.{}", part(&theirs, 0), part(&mine, 1), part(&mine, 2)),
    ] {
        assert_eq!(
            DeviceProof::verify(&mixed, "POST", &url, NOW, PROOF_SKEW_MS),
            Err(ProofError::Signature)
        );
    }
    for odd in ["", ".", "..", "a.b.c", &"x".repeat(MAX_PROOF_BYTES + 1)] {
        assert_eq!(
            DeviceProof::verify(odd, "POST", &url, NOW, PROOF_SKEW_MS),
            Err(ProofError::Malformed)
        );
    }
}

#[test]
fn an_envelope_opens_for_its_device_only() {
    let mut rng = StdRng::seed_from_u64(1);
    let sealed = Envelope::seal(
        &keys(1).public(),
        EnvelopeKind::Grant,
        "jti",
        &grant(),
        &mut rng,
    )
    .unwrap();
    assert_eq!(sealed.open::<Grant>(&keys(1)).unwrap(), grant());
    assert_eq!(
        sealed.open::<Grant>(&keys(2)),
        Err(EnvelopeError::OtherDevice)
    );
    let changed = |change: fn(&mut Envelope)| {
        let mut envelope = sealed.clone();
        change(&mut envelope);
        envelope
    };
    let renamed = changed(|envelope| envelope.device = keys(2).thumbprint());
    assert_eq!(renamed.open::<Grant>(&keys(2)), Err(EnvelopeError::Seal));
    let other_id = changed(|envelope| envelope.jti = "other".into());
    assert_eq!(other_id.open::<Grant>(&keys(1)), Err(EnvelopeError::Seal));
    let newer = changed(|envelope| envelope.v = 2);
    assert_eq!(newer.open::<Grant>(&keys(1)), Err(EnvelopeError::Malformed));
    let again = Envelope::seal(
        &keys(1).public(),
        EnvelopeKind::Grant,
        "jti",
        &grant(),
        &mut rng,
    )
    .unwrap();
    assert_ne!(sealed, again, "fresh key each time");
    assert!(!sealed.to_compact().contains("canary"));
    let answer = TokenAnswer::new(&sealed);
    let over: TokenAnswer = serde_json::from_str(&serde_json::to_string(&answer).unwrap()).unwrap();
    assert_eq!(over.envelope().unwrap(), sealed);
    let bearer = TokenAnswer {
        token_type: "bearer".into(),
        ..answer
    };
    assert_eq!(bearer.envelope(), Err(EnvelopeError::Malformed));
}

#[test]
fn only_the_scheme_and_a_loopback_port_are_redirects() {
    for good in [
        SCHEME_REDIRECT,
        "http://127.0.0.1:1/",
        "http://127.0.0.1:65535/",
    ] {
        assert!(is_allowed_redirect(good), "{good}");
    }
    for bad in [
        "",
        "shopbell://oauth/callback/",
        "shopbell://oauth/callback?x",
        "SHOPBELL://oauth/callback",
        "shopbell:evil",
        "http://127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:080/",
        "http://127.0.0.1:+80/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:80",
        "http://127.0.0.1:80/x/",
        "http://127.0.0.1:80@evil/",
        "http://localhost:80/",
        "https://127.0.0.1:80/",
        "http://127.0.0.1.evil.example:80/",
    ] {
        assert!(!is_allowed_redirect(bad), "{bad}");
    }
}

#[test]
fn an_authorize_url_says_what_it_was_made_of() {
    let challenge = Verifier::from_random_bytes(&[1; 32]).challenge();
    let mut params = AuthorizeParams::new(
        Provider::Instagram,
        "http://127.0.0.1:4711/",
        "0123456789abcdef",
        challenge,
        keys(1).thumbprint(),
    );
    params.rerequest = true;
    let url = params.url(&Url::parse("https://relay.example/?left=over").unwrap());
    assert_eq!(url.path(), "/oauth/authorize");
    let map: serde_json::Map<String, serde_json::Value> = url
        .query_pairs()
        .map(|(k, v)| {
            let value = if k == "rerequest" {
                true.into()
            } else {
                v.into_owned().into()
            };
            (k.into_owned(), value)
        })
        .collect();
    let read: AuthorizeParams = serde_json::from_value(map.into()).unwrap();
    assert_eq!(read, params);
    read.check().unwrap();
    let with = |change: fn(&mut AuthorizeParams)| {
        let mut other = params.clone();
        change(&mut other);
        other.check().unwrap_err()
    };
    assert_eq!(with(|p| p.client_id = "x".into()), Refusal::UnknownClient);
    assert_eq!(
        with(|p| p.redirect_uri = "https://evil.example/".into()),
        Refusal::RedirectNotAllowed
    );
    assert_eq!(
        with(|p| p.response_type = "token".into()),
        Refusal::InvalidRequest
    );
    assert_eq!(
        with(|p| p.code_challenge_method = "plain".into()),
        Refusal::PkceRequired
    );
    assert_eq!(with(|p| p.state = "short".into()), Refusal::InvalidRequest);
    assert_eq!(
        with(|p| p.state = "0123456789abcdef<".into()),
        Refusal::InvalidRequest
    );
}

#[test]
fn what_the_browser_brings_is_read_strictly() {
    let read = Callback::parse("shopbell://oauth/callback?code=sbc1.x&state=s#_=_").unwrap();
    assert_eq!(
        read,
        Callback::Code {
            code: Secret::new("sbc1.x"),
            state: "s".into()
        }
    );
    let read =
        Callback::parse("http://127.0.0.1:4711/?error=access_denied&refusal=state_expired&state=s")
            .unwrap();
    assert!(matches!(
        read,
        Callback::Refused {
            refusal: Refusal::StateExpired,
            ..
        }
    ));
    let read = Callback::parse("shopbell://oauth/callback?error=access_denied&state=s").unwrap();
    assert!(matches!(
        read,
        Callback::Refused {
            refusal: Refusal::ConsentDenied,
            ..
        }
    ));
    let read = Callback::parse("shopbell://oauth/callback?error=x&refusal=from_the_future&state=s")
        .unwrap();
    assert!(matches!(
        read,
        Callback::Refused {
            refusal: Refusal::Unknown,
            ..
        }
    ));
    for bad in [
        "",
        "shopbell://oauth/callback",
        "shopbell://oauth/callback?code=a",
        "shopbell://oauth/callback?code=&state=s",
        "shopbell://oauth/callback?code=a&code=b&state=s",
        "shopbell://oauth/callback?code=a&error=b&state=s",
        "shopbell://evil/callback?code=a&state=s",
        "https://relay.example/?code=a&state=s",
        "http://127.0.0.1:4711/favicon.ico?code=a&state=s",
    ] {
        assert_eq!(Callback::parse(bad), Err(CallbackError), "{bad}");
    }
}

#[test]
fn token_requests_fit_a_form() {
    let text = serde_json::json!({
        "grant_type": "authorization_code", "client_id": CLIENT_ID, "code": "c", "redirect_uri": "r",
        "code_verifier": "v", "state": "s"
    });
    let TokenRequest::AuthorizationCode { code, state, .. } = serde_json::from_value(text).unwrap()
    else {
        panic!()
    };
    assert_eq!((code.expose(), state.as_str()), ("c", "s"));
    let text = serde_json::json!({"grant_type": "password", "client_id": CLIENT_ID});
    assert!(serde_json::from_value::<TokenRequest>(text).is_err());
}

#[test]
fn refusals_have_one_code_each_and_unknown_ones_are_read() {
    let mut codes: Vec<_> = Refusal::ALL.iter().map(|r| r.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Refusal::ALL.len());
    for refusal in Refusal::ALL {
        let answer = ErrorAnswer::new(*refusal, NOW, Some(5));
        let over: ErrorAnswer =
            serde_json::from_str(&serde_json::to_string(&answer).unwrap()).unwrap();
        assert_eq!(over, answer);
        assert_eq!(Refusal::parse(refusal.code()), *refusal);
        assert!((400..600).contains(&refusal.status()));
    }
    assert_eq!(
        serde_json::from_str::<Refusal>("\"from_the_future\"").unwrap(),
        Refusal::Unknown
    );
}

#[test]
fn notices_say_what_is_missing() {
    let mut shown = grant();
    assert_eq!(
        shown.notices(),
        [
            Notice::ConsentPartial {
                declined: vec!["read_insights".into()]
            },
            Notice::PageWithoutInstagram {
                page_ids: vec!["1001".into()]
            },
        ]
    );
    shown.declined.clear();
    shown.accounts[0].linked_instagram_id = Some("17841".into());
    shown.user_token.as_mut().unwrap().expires_at_ms = Some(NOW + 5_400_000);
    assert_eq!(
        shown.notices(),
        [Notice::ShortLivedToken {
            expires_at_ms: NOW + 5_400_000
        }]
    );
    shown.user_token.as_mut().unwrap().expires_at_ms = None;
    assert_eq!(shown.notices(), []);
}

proptest! {
    #[test]
    fn device_keys_survive_the_keychain(bytes in prop::array::uniform32(any::<u8>()), more in prop::array::uniform32(any::<u8>())) {
        let all: [u8; 64] = [bytes, more].concat().try_into().unwrap();
        let made = DeviceKeys::from_random_bytes(&all);
        let back = DeviceKeys::from_secret_bytes(made.to_secret_bytes().as_slice()).unwrap();
        prop_assert_eq!(made.public(), back.public());
        let text = serde_json::to_string(&made.public()).unwrap();
        prop_assert_eq!(serde_json::from_str::<DevicePublic>(&text).unwrap(), made.public());
        prop_assert_eq!(Thumbprint::parse(made.thumbprint().as_str()).unwrap(), made.thumbprint());
    }

    #[test]
    fn one_changed_character_breaks_a_proof(at in 0usize..400, with in "[A-Za-z0-9_.-]") {
        let url = Url::parse("https://relay.example/v1/bindings").unwrap();
        let good = DeviceProof::sign(&keys(1), "GET", &url, NOW, &[5; 16]);
        let mut text = good.as_str().to_owned();
        prop_assume!(at < text.len() && text[at..=at] != *with);
        text.replace_range(at..=at, &with);
        prop_assert!(DeviceProof::verify(&text, "GET", &url, NOW, PROOF_SKEW_MS).is_err());
    }

    #[test]
    fn one_changed_byte_breaks_an_envelope(at in 0usize..700, seed in any::<u64>()) {
        let mut rng = StdRng::seed_from_u64(seed);
        let sealed = Envelope::seal(&keys(1).public(), EnvelopeKind::Grant, "j", &"hello", &mut rng).unwrap();
        prop_assert_eq!(sealed.open::<String>(&keys(1)).unwrap(), "hello");
        let mut text = sealed.to_compact();
        prop_assume!((5..text.len()).contains(&at));
        let with = if &text[at..=at] == "A" { "B" } else { "A" };
        text.replace_range(at..=at, with);
        let opened = Envelope::from_compact(&text).and_then(|e| e.open::<String>(&keys(1)));
        prop_assert!(opened.is_err());
    }

    #[test]
    fn numbers_have_two_digits_and_verifiers_match_their_own_challenge(a in any::<[u8; 32]>(), b in any::<[u8; 32]>()) {
        let (one, two) = (Verifier::from_random_bytes(&a), Verifier::from_random_bytes(&b));
        prop_assert!((10..100).contains(&one.challenge().number()));
        prop_assert!(one.challenge().matches(&one));
        prop_assert_eq!(one.challenge().matches(&two), a == b);
        prop_assert_eq!(&Challenge::parse(one.challenge().as_str()).unwrap(), &one.challenge());
    }

    #[test]
    fn nothing_from_outside_panics(text in "\\PC{0,300}") {
        let url = Url::parse("https://relay.example/x").unwrap();
        let _ = DeviceProof::verify(&text, "GET", &url, NOW, PROOF_SKEW_MS);
        let _ = Envelope::from_compact(&text);
        let _ = Callback::parse(&text);
        let _ = (Verifier::parse(&text), Challenge::parse(&text), Thumbprint::parse(&text), is_allowed_redirect(&text));
        let _ = Refusal::parse(&text);
    }
}
