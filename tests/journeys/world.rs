//! Sandbox, relay and core in one process, with one clock for all three, and a browser that follows redirects and clicks.
//!
//! Invariant: time moves only through [`World::advance`]; keys live in a keychain of the test; the folder goes with the world.
//! [`World::restart`] ends the program and starts it again on the same folder and keychain.

use crate::line::Line;
use reqwest::{StatusCode, header};
use serde_json::{Value, json};
use shopbell_core::{
    Clock, Core, CoreConfig, Endpoints, ManualClock, OsEntropy,
    api::types::{AccountState, AccountView, SignIn, VaultStatus},
    vault::Keychain,
};
use shopbell_relay::{Config as RelayConfig, MetaApp, Relay, Upstreams};
use shopbell_sandbox::{Config as SandboxConfig, Sandbox, Size, WorldHandle};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tempfile::TempDir;
use url::Url;

/// 2026-11-20 09:00 UTC: every world begins here.
pub const START_MS: i64 = 1_795_165_200_000;

/// Page `Bäckerei Kornblume` of the generated shop.
pub const BAKERY: &str = "100000000000101";
/// Its Instagram account.
pub const BAKERY_IG: &str = "17841400000000001";
/// Page `Maison Lune`.
pub const BOUTIQUE: &str = "100000000000102";
/// Its Instagram account.
pub const BOUTIQUE_IG: &str = "17841400000000002";
/// Page `Speiche & Kette`, without Instagram.
pub const BIKES: &str = "100000000000103";

/// Whether the account is well: fetching for the first time, or done with it.
pub fn working(account: &AccountView) -> bool {
    matches!(account.state, AccountState::Importing | AccountState::Live)
}

/// Everything.
pub struct World {
    pub sandbox: Sandbox,
    pub relay: Relay,
    pub line: Line,
    pub core: Core,
    pub clock: ManualClock,
    pub folder: TempDir,
    keychain: Keychain,
    endpoints: Endpoints,
    browser: reqwest::Client,
}

/// A second app on a folder and keychain of its own.
pub struct Computer {
    core: Core,
    _folder: TempDir,
}

impl Computer {
    /// Begins a sign-in.
    pub async fn start(&self, provider: &str) -> SignIn {
        let ask = json!({ "provider": provider, "way_back": "scheme" });
        from(
            shopbell_core::api::dispatch(&self.core, "sign_in_start", ask)
                .await
                .unwrap(),
        )
    }

    /// Hands the app what the browser or somebody brought.
    pub async fn finish(&self, pasted: &str) -> SignIn {
        from(
            shopbell_core::api::dispatch(&self.core, "sign_in_finish", json!({ "pasted": pasted }))
                .await
                .unwrap(),
        )
    }
}

/// Where the browser stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The relay's page with the number; the link of its button, and the code to copy.
    Connect {
        number: String,
        link: String,
        code: String,
    },
    /// The relay's page of a refusal; the link that brings the app back, if there is one.
    Refused { link: Option<String>, page: String },
}

/// What the person in front of the browser does.
#[derive(Debug, Clone, Default)]
pub struct Clicks {
    /// Id of the person, for a dialog that asks.
    pub person: Option<String>,
    /// Page ids to leave ticked; `None` = all.
    pub pages: Option<Vec<String>>,
    /// Permissions to untick.
    pub untick: Vec<String>,
    /// Press Cancel.
    pub cancel: bool,
}

impl World {
    /// A sandbox of this size.
    pub async fn new(size: Size) -> Self {
        Self::with(SandboxConfig {
            size,
            ..SandboxConfig::default()
        })
        .await
    }

    /// A sandbox as configured; its clock stands at [`START_MS`]. The limit of conversation calls per second is off: it would never
    /// pass while the clock stands. Switch it on where the clock is moved.
    pub async fn with(mut config: SandboxConfig) -> Self {
        config.switches.conversations_per_second = 0;
        let (facebook, instagram, config_id) = (
            config.facebook.clone(),
            config.instagram.clone(),
            config.login_config_id.clone(),
        );
        let sandbox = Sandbox::start(SandboxConfig {
            start_ms: Some(START_MS),
            ..config
        })
        .await
        .unwrap();
        let base = Url::parse(&sandbox.base_url()).unwrap();
        let clock = ManualClock::at(START_MS);
        let app = |keys: shopbell_sandbox::AppKeys, config_id: Option<String>| {
            Some(MetaApp {
                config_id,
                ..MetaApp::new(keys.id, shopbell_wire::Secret::new(keys.secret))
            })
        };
        let relay_clock = clock.clone();
        let line = Line::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let public = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let config = RelayConfig {
            public_url: Some(public),
            verify_token: Some(shopbell_wire::Secret::new("shopbell-verify")),
            ..RelayConfig::in_memory(
                Upstreams::below(&base).unwrap(),
                app(facebook, Some(config_id)),
                app(instagram, None),
            )
        };
        let relay = Relay::start(config, move || relay_clock.now_ms())
            .await
            .unwrap();
        line.serve(listener, relay.listening);
        let endpoints = Endpoints::sandbox(&base, relay.base_url.clone()).unwrap();
        let keychain = Keychain::Given(keyring_core::mock::Store::new().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let core = open(&folder, &endpoints, &clock, &keychain).await;
        let browser = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            sandbox,
            relay,
            line,
            core,
            clock,
            folder,
            keychain,
            endpoints,
            browser,
        }
    }

    /// Gives orders to the simulated platform.
    pub fn meta(&self) -> WorldHandle {
        self.sandbox.world()
    }

    /// Moves the one clock: platform first, so that what the app then asks for is there.
    pub fn advance(&self, by: Duration) {
        self.meta()
            .advance_ms(i64::try_from(by.as_millis()).unwrap());
        self.clock.advance(by);
    }

    /// Ends the program as a quit does, and starts it again.
    pub async fn restart(&mut self) {
        self.core.shutdown().await;
        self.core = open(&self.folder, &self.endpoints, &self.clock, &self.keychain).await;
    }

    /// One use case, as a shell calls it.
    pub async fn call(&self, name: &str, argument: Value) -> Value {
        self.try_call(name, argument)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// One use case; the code of its error.
    pub async fn try_call(
        &self,
        name: &str,
        argument: Value,
    ) -> Result<Value, shopbell_core::api::ApiError> {
        shopbell_core::api::dispatch(&self.core, name, argument).await
    }

    /// Begins a sign-in.
    pub async fn start(&self, provider: &str, way_back: &str) -> SignIn {
        from(
            self.call(
                "sign_in_start",
                json!({ "provider": provider, "way_back": way_back }),
            )
            .await,
        )
    }

    /// Hands the app what the browser or the owner brought.
    pub async fn finish(&self, pasted: &str) -> SignIn {
        from(
            self.call("sign_in_finish", json!({ "pasted": pasted }))
                .await,
        )
    }

    /// The sign-in as the window shows it.
    pub async fn current(&self) -> Option<SignIn> {
        from(self.call("sign_in_current", json!({})).await)
    }

    /// Chooses accounts.
    pub async fn choose(&self, id: i64, platform_ids: &[&str]) -> SignIn {
        from(
            self.call(
                "sign_in_choose",
                json!({ "id": id, "platform_ids": platform_ids }),
            )
            .await,
        )
    }

    /// The accounts page.
    pub async fn accounts(&self) -> Vec<AccountView> {
        from(self.call("accounts_list", json!({})).await)
    }

    /// The account with this platform id.
    pub async fn account(&self, platform_id: &str) -> AccountView {
        self.accounts()
            .await
            .into_iter()
            .find(|account| account.platform_id == platform_id)
            .unwrap()
    }

    /// From the click to connected accounts, everything allowed.
    pub async fn connect(&self, provider: &str, platform_ids: &[&str]) -> SignIn {
        let started = self.start(provider, "scheme").await;
        let Stop::Connect { number, link, .. } = self
            .browse(&started.authorize_url, &Clicks::default())
            .await
        else {
            panic!("the browser was refused");
        };
        assert_eq!(number, started.number, "both screens show the same number");
        let chosen = self.finish(&link).await;
        let done = self.choose(chosen.id, platform_ids).await;
        assert_eq!(
            done.step,
            shopbell_core::api::types::SignInStep::Done,
            "{:?}",
            done.refusal
        );
        done
    }

    /// Ends once `done` holds. Looks again after every change that the core tells; nothing is polled.
    pub async fn until(&self, done: impl AsyncFn(&Self) -> bool) {
        let mut changes = self.core.changes().listen();
        while !done(self).await {
            changes.recv().await.unwrap();
        }
    }

    /// Another computer of somebody, at the same relay and platform.
    pub async fn second_computer(&self) -> Computer {
        let folder = tempfile::tempdir().unwrap();
        let keychain = Keychain::Given(keyring_core::mock::Store::new().unwrap());
        let core = open(&folder, &self.endpoints, &self.clock, &keychain).await;
        Computer {
            core,
            _folder: folder,
        }
    }

    /// The link of the relay's page, everything allowed.
    pub async fn link(&self, started: &SignIn) -> String {
        match self
            .browse(&started.authorize_url, &Clicks::default())
            .await
        {
            Stop::Connect { link, .. } => link,
            Stop::Refused { page, .. } => panic!("refused: {page}"),
        }
    }

    /// Follows redirects, clicks the dialog by form posts, stops at the relay's page. Keeps cookies as a browser does.
    pub async fn browse(&self, address: &str, clicks: &Clicks) -> Stop {
        let mut cookies: BTreeMap<String, String> = BTreeMap::new();
        let mut url = Url::parse(address).unwrap();
        let mut form: Option<Vec<(String, String)>> = None;
        for _ in 0..20 {
            let jar: Vec<String> = cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let request = match form.take() {
                Some(fields) => self.browser.post(url.clone()).form(&fields),
                None => self.browser.get(url.clone()),
            };
            let answer = request
                .header(header::COOKIE, jar.join("; "))
                .header(header::ACCEPT_LANGUAGE, "en")
                .send()
                .await
                .unwrap();
            for cookie in answer.headers().get_all(header::SET_COOKIE) {
                let pair = cookie.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                cookies.insert(name.into(), value.into());
            }
            let status = answer.status();
            if status.is_redirection() {
                let to = answer.headers()[header::LOCATION].to_str().unwrap();
                url = url.join(to).unwrap();
                continue;
            }
            let page = answer.text().await.unwrap();
            if url.origin() == self.relay.base_url.origin() {
                return stop(status, &page);
            }
            assert!(status.is_success(), "{status} at {}", url.path());
            form = Some(fill(&page, clicks));
        }
        panic!("the browser goes round in circles");
    }
}

async fn open(
    folder: &TempDir,
    endpoints: &Endpoints,
    clock: &ManualClock,
    keychain: &Keychain,
) -> Core {
    let core = Core::new(CoreConfig {
        dir: folder.path().to_owned(),
        endpoints: endpoints.clone(),
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(OsEntropy),
        keychain: keychain.clone(),
    });
    let status = core.open().await;
    assert!(matches!(status, VaultStatus::Open { .. }), "{status:?}");
    core
}

/// An answer of the boundary as its type.
pub fn from<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// The value of an attribute of the first tag that contains `mark`.
fn attribute(page: &str, mark: &str, name: &str) -> Option<String> {
    let tag = page
        .split('<')
        .find(|tag| tag.split('>').next().is_some_and(|tag| tag.contains(mark)))?;
    let tag = tag.split('>').next()?;
    let value = tag.split(&format!("{name}=\"")).nth(1)?.split('"').next()?;
    Some(unescape(value))
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

/// What the relay's page says.
fn stop(status: StatusCode, page: &str) -> Stop {
    let link = attribute(page, "id=\"open\"", "href");
    let number = page
        .split("class=\"relay__no\">")
        .nth(1)
        .and_then(|rest| rest.split('<').next());
    match (number, link) {
        (Some(number), Some(link)) if status.is_success() => {
            let callback = Url::parse(&link).unwrap();
            let code = callback
                .query_pairs()
                .find(|(key, _)| key == "code")
                .unwrap()
                .1
                .into_owned();
            assert!(page.contains(&code), "the code can be copied");
            Stop::Connect {
                number: number.trim().into(),
                link,
                code,
            }
        }
        (_, link) => Stop::Refused {
            link,
            page: page.into(),
        },
    }
}

/// The dialog's form as a person leaves it.
fn fill(page: &str, clicks: &Clicks) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for tag in page
        .split("<input")
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
    {
        let get = |name: &str| {
            tag.split(&format!(" {name}=\""))
                .nth(1)
                .and_then(|rest| rest.split('"').next())
                .map(unescape)
        };
        let (Some(name), Some(value)) = (get("name"), get("value")) else {
            continue;
        };
        let kind = get("type").unwrap_or_default();
        let ticked = match kind.as_str() {
            "hidden" => true,
            "radio" if clicks.person.is_some() => clicks.person.as_deref() == Some(value.as_str()),
            "radio" => tag.contains(" checked"),
            "checkbox" if name == "permission" => {
                tag.contains(" checked") && !clicks.untick.contains(&value)
            }
            "checkbox" if name == "page" => clicks
                .pages
                .as_ref()
                .is_none_or(|pages| pages.contains(&value)),
            _ => tag.contains(" checked"),
        };
        if ticked {
            fields.push((name, value));
        }
    }
    let go = if page.contains("value=\"continue\"") {
        "continue"
    } else {
        "allow"
    };
    fields.push((
        "answer".into(),
        if clicks.cancel { "cancel" } else { go }.into(),
    ));
    fields
}
