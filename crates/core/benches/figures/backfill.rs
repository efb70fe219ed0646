//! The first sync against the sandbox: with the platform's limits on, against the arithmetic minimum of calls; with limits off, against
//! the rate of ingest.
//!
//! The minimum: one call per 100 threads of the list, one per 100 messages that a thread holds beyond the 20 that come with the list, two
//! calls a second. Platform and relay run in this process, on the same processors.

use crate::{
    fixture,
    rows::{Bar, On, Rows},
};
use serde_json::{Value, json};
use shopbell_core::{
    Clock, Core, CoreConfig, Endpoints, OsEntropy, SystemClock, accounts, api::dispatch,
    clock::Sleep, domain::AccountId, ingest, store::Priority, vault::Keychain,
};
use shopbell_relay::{Config as RelayConfig, MetaApp, Relay, Upstreams};
use shopbell_sandbox::{Config as SandboxConfig, Entry, Sandbox, Size};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use url::Url;

/// Page `Bäckerei Kornblume` of the generated shop.
const PAGE: &str = "100000000000101";
const LIST_PAGE: usize = 100;
const OLDER_PAGE: usize = 100;
const NESTED: usize = 20;
const CALLS_PER_SECOND: usize = 2;

/// The computer's clock on which our own pace of calls passes a thousand times as fast: there is no switch that turns it off.
struct WithoutPace(SystemClock);

/// Longer waits are no pace.
const LONGEST_PACE: Duration = Duration::from_secs(3);

impl Clock for WithoutPace {
    fn now_ms(&self) -> i64 {
        self.0.now_ms()
    }

    fn monotonic_ms(&self) -> i64 {
        self.0.monotonic_ms() * 1_000
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let pace = duration <= LONGEST_PACE;
        self.0.sleep(if pace { duration / 1_000 } else { duration })
    }
}

/// What a first sync took.
struct Fetched {
    seconds: f64,
    calls: usize,
    messages: usize,
}

/// Both readings of what the platform gives beyond the newest 20 messages, with its limits and without.
pub async fn measure(rows: &Rows) {
    let size = if rows.quick {
        Size::Small
    } else {
        Size::Medium
    };
    for (name, whole) in [
        ("backfill_whole_threads", true),
        ("backfill_newest_20", false),
    ] {
        let shop = Shop::open(size, whole, true).await;
        let least = shop.least_calls(whole);
        let fetched = shop.fetch().await;
        let least_seconds = ((least - 1) / CALLS_PER_SECOND) as f64;
        // Where only the newest 20 can be had, three threads are asked in vain to learn just that, and the first page is small: stated
        // without a bar, because a few calls are many of so few.
        let bar = if whole {
            Bar::AtMost(1.1, On::Ratio)
        } else {
            Bar::None
        };
        rows.say(
            &format!("{name}_against_limits"),
            fetched.seconds,
            "s",
            Some(least_seconds),
            bar,
        );
        rows.say(
            &format!("{name}_calls"),
            fetched.calls as f64,
            "calls",
            Some(least as f64),
            Bar::None,
        );
        shop.core.shutdown().await;
    }
    let shop = Shop::open(
        if rows.quick {
            Size::Medium
        } else {
            Size::Large
        },
        true,
        false,
    )
    .await;
    let fetched = shop.fetch().await;
    let platform_seconds = shop.ask_again().await;
    shop.core.shutdown().await;
    let ingest = ingest_rate(fetched.messages as u64).await;
    // The platform answers on the same processors while we wait: what it needs for the same answers without us is not our time.
    let rate = fetched.messages as f64 / (fetched.seconds - platform_seconds);
    rows.say(
        "backfill_without_limits",
        rate,
        "1/s",
        Some(ingest),
        Bar::AtLeast(0.6, On::Ratio),
    );
    let whole = fetched.messages as f64 / fetched.seconds;
    rows.say(
        "backfill_without_limits_with_platform",
        whole,
        "1/s",
        Some(ingest),
        Bar::None,
    );
}

/// The rate of ingest for as many messages, in portions as the list brings them.
async fn ingest_rate(count: u64) -> f64 {
    let (_folder, core, account) = fixture::empty().await;
    let profile = core.profile().unwrap();
    let portions: Vec<_> = fixture::portions(account, count, 200, 9).collect();
    let start = Instant::now();
    for portion in portions {
        ingest::take_in(&profile, portion, Priority::Background)
            .await
            .unwrap();
    }
    let seconds = start.elapsed().as_secs_f64();
    core.shutdown().await;
    count as f64 / seconds
}

struct Shop {
    sandbox: Sandbox,
    relay: Relay,
    core: Core,
    _folder: TempDir,
}

impl Shop {
    async fn open(size: Size, whole: bool, limits: bool) -> Self {
        let config = SandboxConfig {
            size,
            auto_consent: true,
            ..SandboxConfig::default()
        };
        let app = |keys: &shopbell_sandbox::AppKeys, config_id: Option<String>| {
            Some(MetaApp {
                config_id,
                ..MetaApp::new(
                    keys.id.clone(),
                    shopbell_wire::Secret::new(keys.secret.clone()),
                )
            })
        };
        let (facebook, instagram) = (
            app(&config.facebook, Some(config.login_config_id.clone())),
            app(&config.instagram, None),
        );
        let sandbox = Sandbox::start(config).await.unwrap();
        sandbox.world().set_switches(|switches| {
            if whole {
                switches.detailed_messages = usize::MAX;
            }
            if !limits {
                switches.conversations_per_second = 0;
                switches.account_call_budget = Some(u64::MAX);
            }
        });
        let base = Url::parse(&sandbox.base_url()).unwrap();
        let wall = SystemClock::new();
        let relay = Relay::start(
            RelayConfig::in_memory(Upstreams::below(&base).unwrap(), facebook, instagram),
            move || wall.now_ms(),
        )
        .await
        .unwrap();
        let clock: Arc<dyn Clock> = if limits {
            Arc::new(SystemClock::new())
        } else {
            Arc::new(WithoutPace(SystemClock::new()))
        };
        let folder = fixture::folder();
        let core = Core::new(CoreConfig {
            dir: folder.path().into(),
            endpoints: Endpoints::sandbox(&base, relay.base_url.clone()).unwrap(),
            clock,
            entropy: Arc::new(OsEntropy),
            keychain: Keychain::Given(keyring_core::mock::Store::new().unwrap()),
        });
        core.open().await;
        Self {
            sandbox,
            relay,
            core,
            _folder: folder,
        }
    }

    /// As few calls as the platform's page sizes allow.
    fn least_calls(&self, whole: bool) -> usize {
        let lengths = self.lengths();
        let older = |length: &usize| length.saturating_sub(NESTED).div_ceil(OLDER_PAGE);
        lengths.len().div_ceil(LIST_PAGE)
            + if whole {
                lengths.iter().map(older).sum()
            } else {
                0
            }
    }

    /// How many messages each thread of the Page holds.
    fn lengths(&self) -> Vec<usize> {
        let state = self.sandbox.world().state();
        state["conversations"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|thread| thread["account"].to_string().contains(PAGE))
            .map(|thread| thread["messages"].as_array().unwrap().len())
            .collect()
    }

    /// Signs in and fetches everything.
    async fn fetch(&self) -> Fetched {
        let call = |name: &'static str, argument: Value| async move {
            dispatch(&self.core, name, argument).await.unwrap()
        };
        let started = call(
            "sign_in_start",
            json!({ "provider": "facebook", "way_back": "scheme" }),
        )
        .await;
        let link = self
            .browse(started["authorize_url"].as_str().unwrap())
            .await;
        let chosen = call("sign_in_finish", json!({ "pasted": link })).await;
        self.sandbox.world().clear_journal();
        let mut changes = self.core.changes().listen();
        let start = Instant::now();
        call(
            "sign_in_choose",
            json!({ "id": chosen["id"], "platform_ids": [PAGE] }),
        )
        .await;
        let profile = self.core.profile().unwrap();
        loop {
            let imported: Option<i64> = {
                let mut reader = profile.store.read().await.unwrap();
                sqlx::query_scalar("SELECT max(imported_at_ms) FROM sync_cursors")
                    .fetch_one(&mut *reader)
                    .await
                    .unwrap()
            };
            if imported.is_some() {
                break;
            }
            changes.recv().await.unwrap();
        }
        let seconds = start.elapsed().as_secs_f64();
        let calls = self.reads().len();
        let mut reader = profile.store.read().await.unwrap();
        let messages: i64 = sqlx::query_scalar("SELECT count(*) FROM messages")
            .fetch_one(&mut *reader)
            .await
            .unwrap();
        Fetched {
            seconds,
            calls,
            messages: usize::try_from(messages).unwrap(),
        }
    }

    /// The calls for threads and messages.
    fn reads(&self) -> Vec<Entry> {
        let reads = |entry: &Entry| {
            entry.method == "GET"
                && (entry.path.ends_with("/conversations") || entry.path.ends_with("/messages"))
        };
        let mut journal = self.sandbox.world().journal();
        journal.retain(reads);
        journal
    }

    /// Makes the same calls once more and throws the answers away; the seconds that takes.
    async fn ask_again(&self) -> f64 {
        let profile = self.core.profile().unwrap();
        let account: i64 = {
            let mut reader = profile.store.read().await.unwrap();
            sqlx::query_scalar("SELECT max(id) FROM accounts")
                .fetch_one(&mut *reader)
                .await
                .unwrap()
        };
        let access = accounts::access(&profile, AccountId(account))
            .await
            .unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let reads = self.reads();
        let start = Instant::now();
        for entry in reads {
            let address = format!("{}/{}{}", self.sandbox.base_url(), entry.host, entry.path);
            let mut url = Url::parse(&address).unwrap();
            let asked = entry.params.iter();
            url.query_pairs_mut()
                .extend_pairs(asked.filter(|(name, _)| name != "appsecret_proof"));
            let answer = client
                .get(url)
                .bearer_auth(access.token.expose())
                .send()
                .await
                .unwrap();
            assert!(answer.status().is_success(), "{}", answer.status());
            std::hint::black_box(answer.bytes().await.unwrap());
        }
        start.elapsed().as_secs_f64()
    }

    /// Follows redirects, with cookies, to the relay's page; the link of its button.
    async fn browse(&self, address: &str) -> String {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let mut cookies: BTreeMap<String, String> = BTreeMap::new();
        let mut url = Url::parse(address).unwrap();
        for _ in 0..20 {
            let jar: Vec<String> = cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let answer = client
                .get(url.clone())
                .header("cookie", jar.join("; "))
                .send()
                .await
                .unwrap();
            for cookie in answer.headers().get_all("set-cookie") {
                let (name, value) = cookie
                    .to_str()
                    .unwrap()
                    .split(';')
                    .next()
                    .unwrap()
                    .split_once('=')
                    .unwrap();
                cookies.insert(name.into(), value.into());
            }
            if answer.status().is_redirection() {
                url = url
                    .join(answer.headers()["location"].to_str().unwrap())
                    .unwrap();
                continue;
            }
            assert!(
                url.origin() == self.relay.base_url.origin(),
                "the dialog stays open"
            );
            let page = answer.text().await.unwrap();
            let tag = page
                .split('<')
                .find(|tag| tag.contains("id=\"open\""))
                .unwrap()
                .to_owned();
            let link = tag
                .split("href=\"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap();
            return link.replace("&amp;", "&");
        }
        panic!("the browser goes round in circles");
    }
}
