#![allow(clippy::unwrap_used)]

use super::*;

const SMALL: &str = r#"
public_url = "https://relay.example"
[facebook]
app_id = "138"
app_secret = "canary-secret"
"#;

#[test]
fn file_and_variables_meet() {
    let config = Config::read(SMALL, |name| match name {
        "SHOPBELL_RELAY_INSTAGRAM_APP_ID" => Some("990".into()),
        "SHOPBELL_RELAY_INSTAGRAM_APP_SECRET" => Some("x".into()),
        "SHOPBELL_RELAY_INSTAGRAM_SCOPES" => Some("a,b c".into()),
        "SHOPBELL_RELAY_LIMIT_DEVICE_PER_MINUTE" => Some("7".into()),
        "SHOPBELL_RELAY_TRUST_FORWARDED" => Some("true".into()),
        "SHOPBELL_RELAY_UPSTREAM_GRAPH_FACEBOOK" => {
            Some("http://127.0.0.1:9/graph.facebook.com".into())
        }
        "SHOPBELL_RELAY_PUBLIC_URL" => Some(String::new()),
        _ => None,
    })
    .unwrap();
    assert_eq!(config.instagram.as_ref().unwrap().scopes, ["a", "b", "c"]);
    assert_eq!(config.limits.device_per_minute, 7);
    assert!(config.trust_forwarded);
    assert_eq!(config.upstream.graph_facebook.port(), Some(9));
    assert_eq!(
        config.upstream.api_instagram.as_str(),
        "https://api.instagram.com/"
    );
    assert_eq!(
        config.public_url.unwrap().as_str(),
        "https://relay.example/"
    );
}

#[test]
fn unsafe_configurations_do_not_start() {
    let none = |_: &str| None;
    let over = |line: &str| format!("{line}\n[facebook]\napp_id='1'\napp_secret='s'\n");
    for (text, why) in [
        (String::new(), "neither"),
        (over("public_url = 'http://relay.example'"), "https"),
        (over("public_url = 'https://relay.example/sub'"), "no path"),
        (over("listen = '0.0.0.0:80'"), "public_url is needed"),
        (over("storage = 'postgres:x'"), "sqlite"),
        (over("verify_token = 'CHANGE-ME'"), "CHANGE-ME"),
        (over("storage = 'nats://n1:4222'"), "share a key"),
        (
            over("listen = '0.0.0.0:80'\nstorage = 'memory:'"),
            "forgets",
        ),
        (over("retention_days = 31"), "30"),
        (over("operator_key = 'AAAA'"), "operator_key"),
        (over("metrics_token = 'short'"), "16"),
        (
            over("metrics_listen = '127.0.0.1:8787'"),
            "address of its own",
        ),
        (over("tls = { cert = 'a', key = 'b' }"), "https"),
        (over("limits = { device_per_minute = 0 }"), "0"),
        (
            "[facebook]\napp_id=''\napp_secret='s'".into(),
            "id and its secret",
        ),
        (over("colour = 'red'"), "colour"),
    ] {
        let error = Config::read(&text, none).unwrap_err().to_string();
        assert!(error.contains(why), "{error} should say {why}");
    }
    Config::read(&over("public_url = 'http://127.0.0.1:5'"), none).unwrap();
    Config::read(&over("public_url = 'http://[::1]:5'"), none).unwrap();
}

#[test]
fn errors_and_debug_do_not_show_secrets() {
    let config = Config::read(SMALL, |_| None).unwrap();
    assert!(!format!("{config:?}").contains("canary"));
    let broken = SMALL.replace(
        "app_secret = \"canary-secret\"",
        "app_secret = [\"canary-secret\"]",
    );
    assert!(
        !Config::read(&broken, |_| None)
            .unwrap_err()
            .to_string()
            .contains("canary")
    );
    let torn = SMALL.replace("\"canary-secret\"", "\"canary-secret");
    assert!(
        !Config::read(&torn, |_| None)
            .unwrap_err()
            .to_string()
            .contains("canary")
    );
}

#[test]
fn the_key_lies_beside_the_storage_unless_told_otherwise() {
    let mut config = Config::read(SMALL, |_| None).unwrap();
    assert!(
        matches!(config.key_source(), KeySource::File(path) if path.ends_with("shopbell-relay.db.key"))
    );
    config.storage = "sqlite::memory:".into();
    assert!(matches!(config.key_source(), KeySource::Ephemeral));
    config.key = Some(Secret::new("k"));
    assert!(matches!(config.key_source(), KeySource::Given(_)));
}
