//! One relay, one scripted Meta, one device, one browser.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU8, Ordering},
};

use reqwest::{Response, StatusCode, redirect::Policy};
use serde_json::Value;
use shopbell_relay::{Config, MetaApp, Relay, Upstreams};
use shopbell_wire::*;
use url::Url;

use super::meta::{APP_SECRET, IG_SECRET, Meta};

/// Where every test's clock starts.
pub const NOW: i64 = 1_790_000_000_000;
pub const STATE: &str = "app-state-0123456789";

/// Credentials of the scripted Meta.
pub fn apps() -> (MetaApp, MetaApp) {
    let app = |id: &str, secret: &str| MetaApp::new(id, Secret::new(secret));
    (app("138", APP_SECRET), app("990", IG_SECRET))
}

pub struct World {
    pub meta: Meta,
    pub relay: Relay,
    pub now: Arc<AtomicI64>,
    pub device: Device,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let meta = Meta::start().await;
        let upstream = Upstreams::below(&meta.base).unwrap();
        let (facebook, instagram) = apps();
        let mut config = Config::in_memory(upstream, Some(facebook), Some(instagram));
        change(&mut config);
        Self::over(meta, config).await
    }

    /// Any configuration.
    pub async fn over(meta: Meta, config: Config) -> Self {
        Self::over_at(meta, config, NOW).await
    }

    /// At another time than usual.
    pub async fn over_at(meta: Meta, config: Config, at_ms: i64) -> Self {
        let now = Arc::new(AtomicI64::new(at_ms));
        let clock = Arc::clone(&now);
        let relay = Relay::start(config, move || clock.load(Ordering::SeqCst))
            .await
            .unwrap();
        let device = Device::new(1, &relay.base_url, &now);
        Self {
            meta,
            relay,
            now,
            device,
        }
    }

    pub fn device(&self, byte: u8) -> Device {
        Device::new(byte, &self.relay.base_url, &self.now)
    }

    pub fn pass(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    /// From the app's button to the code on the page.
    pub async fn code(&self, provider: Provider) -> (SignIn, String) {
        let signin = SignIn::start(self, provider).await;
        let page = signin.come_back(self, "code=AQDcanaryMetaCode").await;
        let code = code_of(&page);
        (signin, code)
    }

    /// A whole sign-in.
    pub async fn sign_in(&self, provider: Provider) -> Grant {
        let (signin, code) = self.code(provider).await;
        let answer: TokenAnswer = ok(self.device.redeem(&signin, &code).await).await;
        answer.envelope().unwrap().open(&self.device.keys).unwrap()
    }
}

/// A computer with the app.
pub struct Device {
    pub keys: DeviceKeys,
    pub http: reqwest::Client,
    relay: Url,
    now: Arc<AtomicI64>,
    nonce: AtomicU8,
}

impl Device {
    /// One that knows a relay by this address.
    pub fn new(byte: u8, relay: &Url, now: &Arc<AtomicI64>) -> Self {
        Self {
            keys: DeviceKeys::from_random_bytes(&[byte; 64]),
            http: reqwest::Client::builder()
                .redirect(Policy::none())
                .build()
                .unwrap(),
            relay: relay.clone(),
            now: Arc::clone(now),
            nonce: AtomicU8::new(0),
        }
    }

    pub fn url(&self, path: &str) -> Url {
        self.relay.join(path).unwrap()
    }

    /// A fresh proof for a request.
    pub fn proof(&self, method: &str, path: &str) -> DeviceProof {
        let nonce = [self.nonce.fetch_add(1, Ordering::SeqCst); 16];
        DeviceProof::sign(
            &self.keys,
            method,
            &self.url(path),
            self.now.load(Ordering::SeqCst),
            &nonce,
        )
    }

    pub async fn get(&self, path: &str) -> Response {
        let proof = self.proof("GET", path);
        self.http
            .get(self.url(path))
            .header(PROOF_HEADER, proof.as_str())
            .send()
            .await
            .unwrap()
    }

    pub async fn delete(&self, path: &str) -> Response {
        let proof = self.proof("DELETE", path);
        self.http
            .delete(self.url(path))
            .header(PROOF_HEADER, proof.as_str())
            .send()
            .await
            .unwrap()
    }

    pub async fn post_json<T: serde::Serialize>(&self, path: &str, body: &T) -> Response {
        let proof = self.proof("POST", path);
        self.http
            .post(self.url(path))
            .header(PROOF_HEADER, proof.as_str())
            .json(body)
            .send()
            .await
            .unwrap()
    }

    pub async fn post_form(&self, form: &[(&str, &str)]) -> Response {
        let proof = self.proof("POST", paths::TOKEN);
        self.http
            .post(self.url(paths::TOKEN))
            .header(PROOF_HEADER, proof.as_str())
            .form(form)
            .send()
            .await
            .unwrap()
    }

    pub async fn redeem(&self, signin: &SignIn, code: &str) -> Response {
        self.post_form(&signin.form(code)).await
    }
}

/// One sign-in as app and browser hold it.
pub struct SignIn {
    pub verifier: Verifier,
    pub provider: Provider,
    pub redirect_uri: String,
    pub cookie: String,
    /// Where the browser was sent.
    pub dialog: Url,
}

impl SignIn {
    pub async fn start(world: &World, provider: Provider) -> Self {
        Self::start_to(world, provider, SCHEME_REDIRECT).await
    }

    pub async fn start_to(world: &World, provider: Provider, redirect_uri: &str) -> Self {
        let verifier = Verifier::from_random_bytes(&[42; 32]);
        let params = AuthorizeParams::new(
            provider,
            redirect_uri,
            STATE,
            verifier.challenge(),
            world.device.keys.thumbprint(),
        );
        let answer = world
            .device
            .http
            .get(params.url(&world.relay.base_url))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::FOUND);
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let cookie = header("set-cookie");
        assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
        Self {
            verifier,
            provider,
            redirect_uri: redirect_uri.into(),
            cookie: cookie.split(';').next().unwrap().to_owned(),
            dialog: Url::parse(&header("location")).unwrap(),
        }
    }

    pub fn meta_state(&self) -> String {
        self.dialog
            .query_pairs()
            .find(|(name, _)| name == "state")
            .unwrap()
            .1
            .into_owned()
    }

    pub async fn come_back_raw(
        &self,
        world: &World,
        query: &str,
        cookie: Option<&str>,
    ) -> Response {
        let mut url = world
            .device
            .url(&format!("/oauth/callback/{}", self.provider));
        url.set_query(Some(&format!("{query}&state={}", self.meta_state())));
        let mut request = world.device.http.get(url);
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        request.send().await.unwrap()
    }

    pub async fn come_back(&self, world: &World, query: &str) -> String {
        let answer = self.come_back_raw(world, query, Some(&self.cookie)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        answer.text().await.unwrap()
    }

    /// Goes through the dialog, which must answer at once, and back to the relay.
    pub async fn walk(&self, world: &World) -> Response {
        let dialog = world
            .device
            .http
            .get(self.dialog.clone())
            .send()
            .await
            .unwrap();
        let (status, location) = (dialog.status(), dialog.headers().get("location").cloned());
        let Some(location) = location else {
            panic!("{status} {}", dialog.text().await.unwrap())
        };
        let back = Url::parse(location.to_str().unwrap()).unwrap();
        world
            .device
            .http
            .get(back)
            .header("cookie", &self.cookie)
            .send()
            .await
            .unwrap()
    }

    pub fn form<'a>(&'a self, code: &'a str) -> [(&'a str, &'a str); 6] {
        [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT_ID),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", self.verifier.expose()),
            ("state", STATE),
        ]
    }
}

/// The address behind the page's button.
pub fn link_of(page: &str) -> Url {
    let (_, rest) = page.split_once(r#"id="open" href=""#).expect("a button");
    Url::parse(&rest.split('"').next().unwrap().replace("&amp;", "&")).unwrap()
}

/// The code behind the page's button; the same as the copyable one.
pub fn code_of(page: &str) -> String {
    let Callback::Code { code, state } = Callback::parse(link_of(page).as_str()).unwrap() else {
        panic!("{page}")
    };
    assert_eq!(state, STATE);
    assert!(page.contains(&format!(r#"<code id="code">{}</code>"#, code.expose())));
    code.expose().to_owned()
}

/// A good answer.
pub async fn ok<T: serde::de::DeserializeOwned>(answer: Response) -> T {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// A refusal, with its status checked against the contract.
pub async fn refused(answer: Response) -> Refusal {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    let error: ErrorAnswer =
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text}"));
    assert_eq!(status.as_u16(), error.refusal.status(), "{text}");
    assert_eq!(error.error, error.refusal.error());
    error.refusal
}

/// Meta's usual error object.
pub fn graph_error(code: i64, subcode: i64) -> Value {
    serde_json::json!({"error": {"message": "canary message", "type": "OAuthException", "code": code,
        "error_subcode": subcode, "fbtrace_id": "x"}})
}
