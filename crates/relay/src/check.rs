//! `shopbell-relay check`: everything that has to be right before an owner can sign in and events arrive, looked at one by one.
//!
//! Invariant: it changes nothing, unless `--fix` asks for Meta's subscriptions to be set, and it never opens a storage that a running
//! relay holds. A finding is one sentence in plain words and, where something is wrong, one thing to do. No secret, token or answer of
//! Meta is part of a finding. Mending anything else does not belong here.

mod here;
mod meta;
mod outside;
mod report;

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as B64};
pub use report::{Finding, Register, Report, State};
use shopbell_wire::{Provider, paths};
use url::Url;

use crate::{
    Clock, Config, ConfigError, Entropy, authorize,
    clock::random,
    key::RelayKey,
    upstream::{Upstream, below},
};

/// One call.
const CALL_MAX: Duration = Duration::from_secs(15);

/// What all checks share.
struct Check {
    config: Config,
    public_url: Url,
    key: Option<RelayKey>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    http: reqwest::Client,
    upstream: Upstream,
    fix: bool,
}

/// Looks at everything.
pub async fn check(
    config: Config,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    fix: bool,
) -> Report {
    let mut report = Report::default();
    if let Err(error) = config.check() {
        return refused(&error);
    }
    let public_url = match &config.public_url {
        Some(url) => url.clone(),
        None => match Url::parse(&format!("http://{}", here::near(config.listen))) {
            Ok(url) => url,
            Err(_) => return refused(&ConfigError::Invalid("the bound address is no URL")),
        },
    };
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(CALL_MAX)
        .tls_info(true)
        .user_agent(concat!("shopbell-relay-check/", env!("CARGO_PKG_VERSION")))
        .build();
    let (Ok(http), Ok(upstream)) = (http, Upstream::new(&config)) else {
        return refused(&ConfigError::Invalid("the HTTP client could not be built"));
    };
    here::configuration(&config, &mut report);
    let key = here::key(&config, entropy.as_ref(), &mut report);
    let check = Check {
        config,
        public_url,
        key,
        clock,
        entropy,
        http,
        upstream,
        fix,
    };
    let runs = check.storage(&mut report).await;
    check.clock(&mut report).await;
    check.public_url(runs, &mut report).await;
    check.certificate(&mut report).await;
    let verified = check.verify_token(&mut report).await;
    check.facebook(verified, &mut report).await;
    check.instagram(&mut report).await;
    for provider in [Provider::Facebook, Provider::Instagram] {
        check.dialog(provider, &mut report).await;
    }
    report.register = check.register();
    report
}

/// Whether the relay of this configuration answers on this computer, storage included.
pub async fn is_well(config: &Config) -> bool {
    outside::is_ready(config).await
}

/// The report of a configuration that was refused.
pub fn refused(error: &ConfigError) -> Report {
    let mut report = Report::default();
    report.failed(
        "configuration",
        format!("The configuration does not work: {error}."),
        "Correct it; relay.example.toml explains every option.",
    );
    report
}

impl Check {
    fn url(&self, path: &str) -> Url {
        let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        below(&self.public_url, &segments)
    }

    fn nonce(&self) -> String {
        B64.encode(random::<16>(self.entropy.as_ref()))
    }

    /// What has to be entered at Meta by hand.
    fn register(&self) -> Vec<Register> {
        let mut list = Vec::new();
        let mut add = |place: &'static str, url: Url| list.push(Register { place, url });
        let (webhooks, deauthorize, deletion) = (
            self.url(paths::WEBHOOKS_META),
            self.url(paths::DEAUTHORIZE),
            self.url(paths::DATA_DELETION),
        );
        if self.config.facebook.is_some() {
            let redirect = authorize::redirect(&self.public_url, Provider::Facebook);
            add(
                "Facebook Login for Business > Settings > Valid OAuth Redirect URIs",
                redirect,
            );
            add(
                "Facebook Login for Business > Settings > Deauthorize callback URL",
                deauthorize.clone(),
            );
            add(
                "Facebook Login for Business > Settings > Data deletion request URL",
                deletion.clone(),
            );
            add(
                "Webhooks > Page, and Webhooks > Instagram > Callback URL",
                webhooks.clone(),
            );
        }
        if self.config.instagram.is_some() {
            let redirect = authorize::redirect(&self.public_url, Provider::Instagram);
            add(
                "Instagram > API setup with Instagram login > Set up Instagram business login > OAuth redirect URIs",
                redirect,
            );
            add(
                "the same > Business login settings > Deauthorize callback URL",
                deauthorize,
            );
            add(
                "the same > Business login settings > Data deletion request URL",
                deletion,
            );
            add(
                "Instagram > API setup with Instagram login > Configure webhooks > Callback URL",
                webhooks,
            );
        }
        list
    }
}
