//! The relay against the sandbox, which was written from the same facts by other hands: what one of them
//! understood differently shows here.

use shopbell_relay::{Config, MetaApp, Upstreams};
use shopbell_sandbox::{Consent, Death, Sandbox, Size, TokenOrder};
use shopbell_wire::*;

use super::{harness::*, meta::Meta};

pub const BAKERY: &str = "100000000000101";
pub const BAKERY_IG: &str = "17841400000000001";

/// Sandbox and relay.
pub struct Town {
    pub sandbox: Sandbox,
    pub world: World,
}

impl Town {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut MetaApp)) -> Self {
        let settings = shopbell_sandbox::Config {
            size: Size::Empty,
            auto_consent: true,
            start_ms: Some(NOW),
            ..Default::default()
        };
        let app = |keys: &shopbell_sandbox::AppKeys| {
            MetaApp::new(keys.id.clone(), Secret::new(keys.secret.clone()))
        };
        let (mut facebook, instagram) = (app(&settings.facebook), app(&settings.instagram));
        change(&mut facebook);
        let verify_token = settings.verify_token.clone();
        let sandbox = Sandbox::start(settings).await.unwrap();
        let upstream = Upstreams::below(&sandbox.base_url().parse().unwrap()).unwrap();
        let mut config = Config::in_memory(upstream, Some(facebook), Some(instagram));
        config.verify_token = Some(Secret::new(verify_token));
        let world = World::over(Meta::start().await, config).await;
        Self { sandbox, world }
    }

    fn pass(&self, ms: i64) {
        self.world.pass(ms);
        self.sandbox.world().advance_ms(ms);
    }

    async fn redeem(&self, provider: Provider) -> reqwest::Response {
        let signin = SignIn::start(&self.world, provider).await;
        let page = signin.walk(&self.world).await.text().await.unwrap();
        self.world.device.redeem(&signin, &code_of(&page)).await
    }

    pub async fn sign_in(&self, provider: Provider) -> Grant {
        self.open(self.redeem(provider).await).await
    }

    async fn open(&self, answer: reqwest::Response) -> Grant {
        let answer: TokenAnswer = ok(answer).await;
        answer
            .envelope()
            .unwrap()
            .open(&self.world.device.keys)
            .unwrap()
    }

    async fn renew(&self, token: &Secret) -> reqwest::Response {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", CLIENT_ID),
            ("refresh_token", token.expose()),
        ];
        self.world.device.post_form(&form).await
    }

    fn person(&self, name: &str, change: impl FnOnce(&mut Consent)) {
        let mut consent = Consent {
            person: Some(name.into()),
            ..Consent::default()
        };
        change(&mut consent);
        self.sandbox.world().consent(consent);
    }
}

#[tokio::test]
async fn facebook_gives_pages_with_their_instagram_accounts() {
    let town = Town::new().await;
    town.sandbox
        .world()
        .set_switches(|switches| switches.require_appsecret_proof = true);
    let grant = town.sign_in(Provider::Facebook).await;
    assert_eq!(grant.user.name, "Johanna Kornblum");
    assert_eq!(grant.declined, <Vec<String>>::new());
    let found: Vec<_> = grant
        .accounts
        .iter()
        .map(|a| (a.kind, a.platform_id.as_str()))
        .collect();
    assert_eq!(found.len(), 5);
    assert!(found.contains(&(AccountKind::Page, BAKERY)));
    assert!(found.contains(&(AccountKind::Instagram, BAKERY_IG)));
    let insta = grant
        .accounts
        .iter()
        .find(|a| a.platform_id == BAKERY_IG)
        .unwrap();
    assert_eq!(
        (insta.page_id.as_deref(), insta.username.as_deref()),
        (Some(BAKERY), Some("kornblume.brot"))
    );
    assert!(insta.picture_url.is_some());
    let user = grant.user_token.as_ref().unwrap();
    let days = (user.expires_at_ms.unwrap() - NOW) / 86_400_000;
    assert!((59..=60).contains(&days), "{days}");
    assert!(user.data_access_expires_at_ms.unwrap() > user.expires_at_ms.unwrap());
    assert_eq!(
        grant.notices().len(),
        1,
        "the workshop has no Instagram account: {:?}",
        grant.notices()
    );

    // The proof made here opens the sandbox with "Require App Secret" on.
    let page = &grant.accounts[0];
    let url = format!("{}/v25.0/me", town.sandbox.host("graph.facebook.com"));
    let request = |proof: &str| {
        town.world
            .device
            .http
            .get(&url)
            .bearer_auth(page.token.expose())
            .query(&[("appsecret_proof", proof)])
            .send()
    };
    let good = request(page.appsecret_proof.as_ref().unwrap().expose())
        .await
        .unwrap();
    assert_eq!(good.status(), 200);
    assert_eq!(request("00").await.unwrap().status(), 400);
}

#[tokio::test]
async fn instagram_gives_one_account_in_every_shape() {
    let town = Town::new().await;
    for wrapped in [true, false] {
        for array in [true, false] {
            for numeric in [true, false] {
                town.sandbox.world().set_switches(|switches| {
                    switches.ig_token_wrapped = wrapped;
                    switches.ig_me_wrapped = wrapped;
                    switches.ig_permissions_array = array;
                    switches.ig_user_id_numeric = numeric;
                });
                let grant = town.sign_in(Provider::Instagram).await;
                let [account] = &grant.accounts[..] else {
                    panic!("{grant:?}")
                };
                assert_eq!(account.platform_id, BAKERY_IG);
                assert_eq!(grant.declined, <Vec<String>>::new());
                assert_ne!(grant.user.id, account.platform_id);
            }
        }
    }
}

#[tokio::test]
async fn every_page_of_an_agency_is_found() {
    let town = Town::new().await;
    town.person("Astrid Lund", |_| {});
    assert_eq!(town.sign_in(Provider::Facebook).await.accounts.len(), 120);
}

#[tokio::test]
async fn the_ways_a_person_says_no_or_not_quite() {
    let town = Town::new().await;
    for provider in [Provider::Facebook, Provider::Instagram] {
        town.sandbox.world().consent(Consent {
            cancel: true,
            ..Consent::default()
        });
        let signin = SignIn::start(&town.world, provider).await;
        let page = signin.walk(&town.world).await.text().await.unwrap();
        let back = Callback::parse(link_of(&page).as_str()).unwrap();
        assert!(
            matches!(
                back,
                Callback::Refused {
                    refusal: Refusal::ConsentDenied,
                    ..
                }
            ),
            "{back:?}"
        );
    }
    town.person("Nils Nagel", |_| {});
    assert_eq!(
        refused(town.redeem(Provider::Facebook).await).await,
        Refusal::NoPage
    );
    town.person("Johanna Kornblum", |consent| {
        consent.pages = Some(Vec::new())
    });
    assert_eq!(
        refused(town.redeem(Provider::Facebook).await).await,
        Refusal::NoPage
    );
    town.person("Johanna Kornblum", |consent| {
        consent.declined = vec!["pages_show_list".into()]
    });
    assert_eq!(
        refused(town.redeem(Provider::Facebook).await).await,
        Refusal::ConsentPartial
    );
    town.person("Johanna Kornblum", |consent| {
        consent.declined = vec!["pages_messaging".into()]
    });
    let grant = town.sign_in(Provider::Facebook).await;
    assert_eq!(grant.declined, ["pages_messaging"]);
    town.sandbox.world().consent(Consent {
        declined: vec!["instagram_business_manage_messages".into()],
        ..Consent::default()
    });
    let grant = town.sign_in(Provider::Instagram).await;
    assert_eq!(grant.declined, ["instagram_business_manage_messages"]);
    town.person("Mona Meyer", |_| {});
    let grant = town.sign_in(Provider::Facebook).await;
    assert!(matches!(
        &grant.notices()[..],
        [Notice::PageWithoutInstagram { .. }]
    ));
}

#[tokio::test]
async fn a_configuration_is_all_or_nothing() {
    let id = shopbell_sandbox::Config::default().login_config_id;
    let town = Town::with(|app| app.config_id = Some(id)).await;
    let grant = town.sign_in(Provider::Facebook).await;
    assert_eq!(
        grant.declined,
        <Vec<String>>::new(),
        "what the configuration does not ask for was not declined"
    );
}

#[tokio::test]
async fn a_code_lives_at_meta_as_long_as_it_lives_here_and_is_used_once() {
    let town = Town::new().await;
    for provider in [Provider::Facebook, Provider::Instagram] {
        let signin = SignIn::start(&town.world, provider).await;
        let page = signin.walk(&town.world).await.text().await.unwrap();
        let code = code_of(&page);
        town.pass(CODE_LIFE_MS);
        let first = town
            .world
            .device
            .redeem(&signin, &code)
            .await
            .bytes()
            .await
            .unwrap();
        assert_eq!(
            town.world
                .device
                .redeem(&signin, &code)
                .await
                .bytes()
                .await
                .unwrap(),
            first
        );
        town.pass(CODE_LIFE_MS + 1);
        assert_eq!(
            refused(town.world.device.redeem(&signin, &code).await).await,
            Refusal::CodeExpired
        );
    }
}

#[tokio::test]
async fn renewal_of_living_unrenewed_expired_and_dead_tokens() {
    let town = Town::new().await;
    let grant = town.sign_in(Provider::Facebook).await;
    let token = grant.user_token.unwrap().token;
    town.pass(20 * 86_400_000);
    let renewed = town.open(town.renew(&token).await).await;
    assert!(renewed.renewal.unwrap().extended);
    town.sandbox
        .world()
        .set_switches(|switches| switches.fb_exchange_renews = false);
    town.pass(86_400_000);
    let same = town
        .open(
            town.renew(&renewed.user_token.as_ref().unwrap().token)
                .await,
        )
        .await;
    assert!(!same.renewal.unwrap().extended, "{:?}", same.renewal);
    assert_eq!(same.accounts.len(), 5, "fresh page tokens all the same");

    town.pass(70 * 86_400_000);
    assert_eq!(
        refused(town.renew(&token).await).await,
        Refusal::TokenExpired
    );
    let fresh = town
        .sign_in(Provider::Facebook)
        .await
        .user_token
        .unwrap()
        .token;
    let order = TokenOrder {
        which: "user".into(),
        death: Some(Death::PasswordChanged),
        ..TokenOrder::default()
    };
    assert!(town.sandbox.world().tokens(&order) > 0);
    assert_eq!(
        refused(town.renew(&fresh).await).await,
        Refusal::TokenInvalid
    );
}

#[tokio::test]
async fn leases_and_proofs_by_living_tokens_only() {
    let town = Town::new().await;
    let facebook = town.sign_in(Provider::Facebook).await;
    let instagram = town.sign_in(Provider::Instagram).await;
    let page = facebook
        .accounts
        .iter()
        .find(|a| a.platform_id == BAKERY)
        .unwrap();
    let shop = town.world.device(2);
    let show = async |kind: AccountKind, id: &str, provider: Provider, token: &Secret| {
        let account = AccountRef {
            kind,
            platform_id: id.into(),
        };
        let shown = ShowToken {
            account,
            provider,
            token: token.clone(),
        };
        shop.post_json(paths::BINDINGS_RENEW, &shown).await
    };
    let insta = &instagram.accounts[0].token;
    for (kind, id, provider, token) in [
        (AccountKind::Page, BAKERY, Provider::Facebook, &page.token),
        (
            AccountKind::Instagram,
            BAKERY_IG,
            Provider::Facebook,
            &page.token,
        ),
        (
            AccountKind::Instagram,
            BAKERY_IG,
            Provider::Instagram,
            insta,
        ),
    ] {
        let list: BindingList = ok(show(kind, id, provider, token).await).await;
        assert_eq!(list.bindings.len(), 2);
    }
    let wrong_host = show(AccountKind::Page, BAKERY, Provider::Facebook, insta).await;
    assert_eq!(refused(wrong_host).await, Refusal::TokenInvalid);

    let ask = ProofRequest {
        provider: Provider::Facebook,
        tokens: vec![page.token.clone(), insta.clone()],
    };
    let answer: ProofAnswer = ok(town.world.device.post_json(paths::PROOF, &ask).await).await;
    assert_eq!(answer.proofs, [page.appsecret_proof.clone(), None]);

    let order = TokenOrder {
        which: "all".into(),
        death: Some(Death::AppRemoved),
        ..TokenOrder::default()
    };
    town.sandbox.world().tokens(&order);
    let answer = show(AccountKind::Page, BAKERY, Provider::Facebook, &page.token).await;
    assert_eq!(refused(answer).await, Refusal::TokenInvalid);
    let answer = show(
        AccountKind::Instagram,
        BAKERY_IG,
        Provider::Instagram,
        insta,
    )
    .await;
    assert_eq!(refused(answer).await, Refusal::TokenInvalid);
    let answer: ProofAnswer = ok(town.world.device.post_json(paths::PROOF, &ask).await).await;
    assert_eq!(answer.proofs, [None, None]);
    let own: BindingList = ok(town.world.device.get(paths::BINDINGS).await).await;
    assert_eq!(own.bindings.len(), 5, "a lease outlives a dead token");
}
