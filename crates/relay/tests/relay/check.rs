//! The operator's check against a running relay and the sandbox: what is right is said to be right, what is wrong has one thing to do.

use std::sync::Arc;

use shopbell_relay::{
    Config, MetaApp, Relay, SystemClock, SystemEntropy, Upstreams,
    check::{self, Report, State},
};
use shopbell_sandbox::{Sandbox, Size};
use shopbell_wire::*;
use tokio::net::TcpListener;
use url::Url;

const VERIFY: &str = "canary-verify-token";

struct Place {
    dir: tempfile::TempDir,
    sandbox: Sandbox,
    relay: Relay,
    config: Config,
}

impl Place {
    async fn new() -> Self {
        let settings = shopbell_sandbox::Config {
            size: Size::Empty,
            ..Default::default()
        };
        let app = |keys: &shopbell_sandbox::AppKeys| {
            MetaApp::new(keys.id.clone(), Secret::new(keys.secret.clone()))
        };
        let (facebook, instagram) = (app(&settings.facebook), app(&settings.instagram));
        let sandbox = Sandbox::start(settings).await.unwrap();
        let upstream = Upstreams::below(&sandbox.base_url().parse().unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listen = listener.local_addr().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            listen,
            public_url: Some(Url::parse(&format!("http://{listen}")).unwrap()),
            storage: format!("sqlite:{}", dir.path().join("relay.db").display()),
            verify_token: Some(Secret::new(VERIFY)),
            ..Config::in_memory(upstream, Some(facebook), Some(instagram))
        };
        let relay = Relay::start_on(
            listener,
            config.clone(),
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
        )
        .await
        .unwrap();
        Self {
            dir,
            sandbox,
            relay,
            config,
        }
    }

    async fn check(&self, fix: bool) -> Report {
        look(self.config.clone(), fix).await
    }

    async fn with(&self, change: impl FnOnce(&mut Config)) -> Report {
        let mut config = self.config.clone();
        change(&mut config);
        look(config, false).await
    }
}

/// Runs the check and makes sure that nothing secret is in it.
async fn look(config: Config, fix: bool) -> Report {
    let secrets = [&config.facebook, &config.instagram]
        .into_iter()
        .flatten()
        .map(|app| app.app_secret.expose().to_owned())
        .chain([VERIFY.to_owned()])
        .collect::<Vec<_>>();
    let report = check::check(config, Arc::new(SystemClock), Arc::new(SystemEntropy), fix).await;
    let said = format!("{report}{}", report.json());
    for secret in secrets {
        assert!(!said.contains(&secret), "{said}");
    }
    report
}

/// State of the one finding of that name.
fn state(report: &Report, check: &str) -> State {
    match report.of(check).as_slice() {
        [one] => one.state,
        other => panic!("{check}: {other:?}\n{report}"),
    }
}

fn said(report: &Report, check: &str) -> String {
    let texts = report
        .of(check)
        .into_iter()
        .map(|found| found.text.as_str());
    texts.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_new_relay_lacks_only_the_subscriptions_and_fix_sets_them() {
    let place = Place::new().await;
    let report = place.check(false).await;
    assert!(!report.is_ok());
    for right in [
        "configuration",
        "key",
        "storage",
        "clock",
        "public_url",
        "webhook_address",
        "facebook_app",
        "instagram_app",
        "facebook_login",
        "instagram_login",
    ] {
        assert_eq!(state(&report, right), State::Ok, "{right}\n{report}");
    }
    let lacking = report.of("subscriptions");
    assert!(lacking.iter().all(|found| found.state == State::Failed));
    assert_eq!(lacking.len(), 2, "page and instagram");
    assert_eq!(
        lacking[0].todo.as_deref(),
        Some("Run the check with --fix.")
    );

    let report = place.check(true).await;
    assert!(report.is_ok(), "{report}");
    let fixed = report.of("subscriptions");
    assert!(
        fixed.iter().all(|found| found.state == State::Fixed),
        "{report}"
    );

    let report = place.check(false).await;
    assert!(report.is_ok(), "{report}");
    let callback = place.relay.base_url.join(paths::WEBHOOKS_META).unwrap();
    let registered: Vec<&str> = report.register.iter().map(|r| r.url.as_str()).collect();
    for path in [
        "oauth/callback/facebook",
        "oauth/callback/instagram",
        "meta/deauthorize",
        "meta/data-deletion",
    ] {
        let url = place.relay.base_url.join(path).unwrap();
        assert!(registered.contains(&url.as_str()), "{url}");
    }
    assert!(registered.contains(&callback.as_str()));
    assert!(report.to_string().contains(callback.as_str()));
}

#[tokio::test]
async fn events_that_go_elsewhere_are_found_and_brought_back() {
    let place = Place::new().await;
    assert!(place.check(true).await.is_ok());
    let report = place
        .with(|config| {
            config.public_url = config.public_url.as_ref().map(|url| {
                url.as_str()
                    .replace("127.0.0.1", "localhost")
                    .parse()
                    .unwrap()
            });
        })
        .await;
    assert!(
        said(&report, "subscriptions").contains("another address"),
        "{report}"
    );
}

#[tokio::test]
async fn wrong_secrets_are_told_apart_from_wrong_addresses() {
    let place = Place::new().await;
    let wrong = |app: &mut Option<MetaApp>| {
        let app = app.as_mut().unwrap();
        app.app_secret = Secret::new("of-another-app");
    };
    let report = place.with(|config| wrong(&mut config.facebook)).await;
    assert_eq!(state(&report, "facebook_app"), State::Failed);
    assert_eq!(state(&report, "subscriptions"), State::Skipped);
    assert_eq!(state(&report, "instagram_app"), State::Ok);
    let report = place.with(|config| wrong(&mut config.instagram)).await;
    assert_eq!(state(&report, "instagram_app"), State::Failed);
    let report = place
        .with(|config| config.instagram.as_mut().unwrap().app_id = "77".into())
        .await;
    assert_eq!(state(&report, "instagram_app"), State::Failed);
    assert_eq!(state(&report, "instagram_login"), State::Failed);
}

#[tokio::test]
async fn a_blocked_redirect_and_a_wrong_configuration_id_are_recognised() {
    let place = Place::new().await;
    let report = place
        .with(|config| config.facebook.as_mut().unwrap().config_id = Some("1".into()))
        .await;
    assert!(
        said(&report, "facebook_login").contains("configuration"),
        "{report}"
    );
    place
        .sandbox
        .world()
        .set_switches(|switches| switches.development_mode = false);
    let report = place.check(false).await;
    for login in ["facebook_login", "instagram_login"] {
        assert!(said(&report, login).contains("URL blocked"), "{report}");
    }
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_by_how_much() {
    let place = Place::new().await;
    let slow = |by_ms: i64| {
        let config = place.config.clone();
        let clock = move || shopbell_relay::Clock::now_ms(&SystemClock) - by_ms;
        check::check(config, Arc::new(clock), Arc::new(SystemEntropy), false)
    };
    assert_eq!(state(&slow(100_000).await, "clock"), State::Warning);
    let report = slow(900_000).await;
    assert_eq!(state(&report, "clock"), State::Failed);
    assert!(said(&report, "clock").contains("900") || said(&report, "clock").contains("899"));
}

#[tokio::test]
async fn another_relay_at_the_address_is_not_taken_for_this_one() {
    let place = Place::new().await;
    let report = place
        .with(|config| config.key = Some(Secret::new("11".repeat(32))))
        .await;
    assert_eq!(state(&report, "public_url"), State::Failed);
    assert!(said(&report, "public_url").contains("not this relay"));
    assert_eq!(state(&report, "storage"), State::Failed);
    let report = place
        .with(|config| config.verify_token = Some(Secret::new("of-yesterday")))
        .await;
    assert_eq!(state(&report, "webhook_address"), State::Failed);
}

#[tokio::test]
async fn without_a_running_relay_the_storage_is_looked_at_and_nothing_is_made() {
    let Place {
        dir,
        sandbox: _sandbox,
        relay,
        config,
    } = Place::new().await;
    relay.shutdown().await;
    let report = look(config.clone(), true).await;
    assert_eq!(state(&report, "storage"), State::Ok);
    assert!(
        said(&report, "storage").contains("takes writes"),
        "{report}"
    );
    assert_eq!(state(&report, "public_url"), State::Failed);
    let subscriptions = report.of("subscriptions");
    assert!(
        subscriptions
            .iter()
            .all(|found| found.state == State::Failed),
        "nothing is saved at Meta that Meta could not verify\n{report}"
    );

    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let fresh = Config {
        storage: format!("sqlite:{}", empty.join("relay.db").display()),
        ..config.clone()
    };
    let report = look(fresh, false).await;
    assert_eq!(state(&report, "storage"), State::Ok);
    assert_eq!(state(&report, "key"), State::Warning);
    assert_eq!(std::fs::read_dir(&empty).unwrap().count(), 0);

    let nowhere = Config {
        storage: "sqlite:/nowhere/relay.db".into(),
        ..config
    };
    assert_eq!(state(&look(nowhere, false).await, "storage"), State::Failed);
}

#[test]
fn the_program_ends_with_1_and_says_why_for_people_and_programs() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("relay.toml");
    std::fs::write(&file, "colour = 'red'").unwrap();
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_shopbell-relay"))
            .env_clear()
            .arg("check")
            .args(arguments)
            .arg("--config")
            .arg(&file)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    let words = run(&[]);
    assert!(words.starts_with("FAILED   configuration"), "{words}");
    let json: serde_json::Value = serde_json::from_str(&run(&["--json"])).unwrap();
    assert_eq!(json["ok"], false);
    assert_eq!(json["findings"][0]["check"], "configuration");
    assert_eq!(json["findings"][0]["state"], "failed");
}
