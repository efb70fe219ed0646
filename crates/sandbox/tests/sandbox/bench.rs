//! A running sandbox, a client, and the way to a token.

use serde_json::Value;
use shopbell_sandbox::{Config, Sandbox, Size, Switches, WorldHandle};

pub(crate) const NOON: i64 = 1_795_165_200_000;
pub(crate) const BAKERY: &str = "100000000000101";
pub(crate) const BAKERY_IG: &str = "17841400000000001";
pub(crate) const BACK: &str = "http://127.0.0.1/back";
pub(crate) const DAY: i64 = 86_400_000;
pub(crate) const HOUR: i64 = 3_600_000;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// Code and subcode of an error, (0, 0) without one.
    pub(crate) fn error(&self) -> (u64, u64) {
        let error = &self.json()["error"];
        (
            error["code"].as_u64().unwrap_or(0),
            error["error_subcode"].as_u64().unwrap_or(0),
        )
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: reqwest::Client,
}

impl Bench {
    pub(crate) async fn with(size: Size, change: impl FnOnce(&mut Switches)) -> Self {
        let mut switches = Switches {
            conversations_per_second: 0,
            delivered_after_ms: None,
            ..Switches::default()
        };
        change(&mut switches);
        let config = Config {
            size,
            switches,
            start_ms: Some(NOON),
            auto_consent: true,
            ..Config::default()
        };
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Bench {
            sandbox: Sandbox::start(config).await.unwrap(),
            client,
        }
    }

    pub(crate) async fn empty() -> Self {
        Bench::with(Size::Empty, |_| {}).await
    }

    pub(crate) async fn small() -> Self {
        Bench::with(Size::Small, |_| {}).await
    }

    pub(crate) fn world(&self) -> WorldHandle {
        self.sandbox.world()
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            text: answer.text().await.unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        let url = format!("{}/{path}", self.sandbox.base_url());
        self.send(self.client.get(url).bearer_auth(token)).await
    }

    pub(crate) async fn fetch(&self, url: &str) -> Answer {
        self.send(self.client.get(url)).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        let url = format!("{}/{path}", self.sandbox.base_url());
        self.send(self.client.post(url).bearer_auth(token).json(&body))
            .await
    }

    pub(crate) async fn delete(&self, path: &str, token: &str) -> Answer {
        let url = format!("{}/{path}", self.sandbox.base_url());
        self.send(self.client.delete(url).bearer_auth(token)).await
    }

    /// An order over HTTP, as a script gives it.
    pub(crate) async fn control(&self, path: &str, body: Value) -> Answer {
        let url = format!("{}/_sandbox/{path}", self.sandbox.base_url());
        self.send(self.client.post(url).json(&body)).await
    }

    /// The redirect of a dialog.
    pub(crate) async fn dialog(&self, path: &str, pairs: &[(&str, &str)]) -> String {
        let url = format!("{}/{path}", self.sandbox.base_url());
        let answer = self.send(self.client.get(url).query(pairs)).await;
        assert_eq!(answer.status, 302, "{}", answer.text);
        answer.header("location").to_owned()
    }

    pub(crate) async fn facebook_code(&self) -> String {
        let pairs = [
            ("client_id", "138000000000001"),
            ("redirect_uri", BACK),
            ("state", "s"),
            ("response_type", "code"),
            ("config_id", "556600000000003"),
        ];
        code_of(
            &self
                .dialog("www.facebook.com/v25.0/dialog/oauth", &pairs)
                .await,
        )
    }

    pub(crate) async fn exchange(&self, pairs: &[(&str, &str)]) -> Answer {
        let url = format!(
            "{}/graph.facebook.com/v25.0/oauth/access_token",
            self.sandbox.base_url()
        );
        let keys = [
            ("client_id", "138000000000001"),
            ("client_secret", "0123456789abcdef0123456789abcdef"),
        ];
        self.send(self.client.get(url).query(&keys).query(pairs))
            .await
    }

    /// A long-lived user token with every permission.
    pub(crate) async fn user(&self) -> String {
        let code = self.facebook_code().await;
        let short = self
            .exchange(&[("code", &code), ("redirect_uri", BACK)])
            .await
            .json();
        let short = short["access_token"].as_str().unwrap().to_owned();
        let long = self
            .exchange(&[
                ("grant_type", "fb_exchange_token"),
                ("fb_exchange_token", &short),
            ])
            .await
            .json();
        long["access_token"].as_str().unwrap().to_owned()
    }

    /// The Page token of a Page, through a fresh log-in.
    pub(crate) async fn page(&self, id: &str) -> String {
        let user = self.user().await;
        self.page_through(id, &user).await
    }

    pub(crate) async fn page_through(&self, id: &str, user: &str) -> String {
        let list = self.get("v25.0/me/accounts?limit=100", user).await.json();
        let page = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .find(|page| page["id"] == id)
            .unwrap()
            .clone();
        page["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn instagram_code(&self, scopes: &str) -> String {
        let pairs = [
            ("client_id", "990000000000002"),
            ("redirect_uri", BACK),
            ("state", "s"),
            ("response_type", "code"),
            ("scope", scopes),
        ];
        code_of(
            &self
                .dialog("www.instagram.com/oauth/authorize", &pairs)
                .await,
        )
    }

    pub(crate) async fn instagram_exchange(&self, code: &str, redirect: &str) -> Answer {
        let url = format!(
            "{}/api.instagram.com/oauth/access_token",
            self.sandbox.base_url()
        );
        let form = [
            ("client_id", "990000000000002"),
            ("client_secret", "fedcba9876543210fedcba9876543210"),
            ("grant_type", "authorization_code"),
            ("redirect_uri", redirect),
            ("code", code),
        ];
        self.send(self.client.post(url).form(&form)).await
    }

    /// A long-lived Instagram token for kornblume.brot.
    pub(crate) async fn instagram(&self) -> String {
        self.instagram_with("instagram_business_basic,instagram_business_manage_messages")
            .await
    }

    /// The same with these permissions.
    pub(crate) async fn instagram_with(&self, scopes: &str) -> String {
        let code = self.instagram_code(scopes).await;
        let answer = self.instagram_exchange(&code, BACK).await.json();
        let flat = if answer["data"].is_array() {
            &answer["data"][0]
        } else {
            &answer
        };
        let short = flat["access_token"].as_str().unwrap();
        let url = "graph.instagram.com/access_token?grant_type=ig_exchange_token&client_secret=fedcba9876543210fedcba9876543210";
        self.get(url, short).await.json()["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

pub(crate) fn code_of(location: &str) -> String {
    let url = location.split('#').next().unwrap();
    let pairs: Vec<&str> = url.split_once('?').unwrap().1.split('&').collect();
    pairs
        .iter()
        .find_map(|pair| pair.strip_prefix("code="))
        .unwrap()
        .to_owned()
}
