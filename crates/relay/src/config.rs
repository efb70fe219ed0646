//! What an operator sets: a TOML file, `SHOPBELL_RELAY_*` variables over it, defaults below both.
//!
//! Invariant: a configuration that starts is complete and safe: plain http only on a loopback address, a key
//! that outlives a restart wherever storage does. Secrets are typed and never printed.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD};
use serde::Deserialize;
use shopbell_wire::Secret;
use url::Url;

pub use crate::config_limits::Limits;
use crate::stream::StreamPace;

/// Events wait for thirty days at most: the length of a binding.
const RETENTION_DAYS_MAX: u16 = 30;

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not readable.
    #[error("cannot read the configuration file {0}: {1}")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// TOML, an unknown field or a value of the wrong type. Only the position is named: the line may be a secret.
    #[error("the configuration does not parse: {0}")]
    Malformed(String),
    /// A value that cannot work.
    #[error("{0}")]
    Invalid(&'static str),
}

/// One app at Meta. The Instagram product has its own pair, different from the Meta app's (facts sheet §1).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetaApp {
    /// App id, as text.
    pub app_id: String,
    /// App secret.
    pub app_secret: Secret,
    /// The secret before, while Meta is still signing with it after a reset. Good for signatures only.
    #[serde(default)]
    pub previous_secret: Option<Secret>,
    /// Facebook Login for Business: id of the dashboard's configuration, used instead of `scope`.
    #[serde(default)]
    pub config_id: Option<String>,
    /// Permissions to ask for; empty means the product's own list.
    #[serde(default)]
    pub scopes: Vec<String>,
}

impl MetaApp {
    /// An app with nothing but its id and secret.
    pub fn new(app_id: impl Into<String>, app_secret: Secret) -> Self {
        Self {
            app_id: app_id.into(),
            app_secret,
            previous_secret: None,
            config_id: None,
            scopes: Vec::new(),
        }
    }
}

/// Base addresses of the platform. Anything else than the defaults is the sandbox.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Upstreams {
    /// `https://graph.facebook.com`
    pub graph_facebook: Url,
    /// `https://graph.instagram.com`
    pub graph_instagram: Url,
    /// `https://api.instagram.com`
    pub api_instagram: Url,
    /// `https://www.facebook.com`
    pub www_facebook: Url,
    /// `https://www.instagram.com`
    pub www_instagram: Url,
}

fn fixed(text: &str) -> Url {
    Url::parse(text).expect("a constant address")
}

impl Default for Upstreams {
    fn default() -> Self {
        Self {
            graph_facebook: fixed("https://graph.facebook.com"),
            graph_instagram: fixed("https://graph.instagram.com"),
            api_instagram: fixed("https://api.instagram.com"),
            www_facebook: fixed("https://www.facebook.com"),
            www_instagram: fixed("https://www.instagram.com"),
        }
    }
}

impl Upstreams {
    /// All five hosts as path prefixes below one address, as the sandbox serves them.
    ///
    /// # Errors
    /// When `base` cannot be a base.
    pub fn below(base: &Url) -> Result<Self, url::ParseError> {
        Ok(Self {
            graph_facebook: base.join("/graph.facebook.com")?,
            graph_instagram: base.join("/graph.instagram.com")?,
            api_instagram: base.join("/api.instagram.com")?,
            www_facebook: base.join("/www.facebook.com")?,
            www_instagram: base.join("/www.instagram.com")?,
        })
    }
}

/// Certificate and key for TLS by the relay itself. Both are read again when they change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM: the certificate, then those that lead to a root.
    pub cert: PathBuf,
    /// PEM: the private key.
    pub key: PathBuf,
}

/// Where the relay's own 32-byte key comes from. Codes and started sign-ins are sealed under it.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// Base64url or hex text from the configuration.
    Given(Secret),
    /// A file with that text; made at the first start. Nodes that share their work must share the file.
    File(PathBuf),
    /// Fresh at every start; only for storage in memory.
    Ephemeral,
}

/// Everything an operator decides.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address people and Meta use, without a path. Nothing: the bound address, on loopback only.
    pub public_url: Option<Url>,
    /// `sqlite:PATH`, `nats://…`, or `memory:` and `sqlite::memory:`, which forget.
    pub storage: String,
    /// The key as text; goes before `key_file`.
    pub key: Option<Secret>,
    /// File of the key. Nothing: beside the storage, `PATH.key`.
    pub key_file: Option<PathBuf>,
    /// Meta app, for Facebook Login.
    pub facebook: Option<MetaApp>,
    /// Instagram app, for Instagram Login.
    pub instagram: Option<MetaApp>,
    /// Token of Meta's webhook verification: any random text, the same here and in the app dashboard.
    pub verify_token: Option<Secret>,
    /// The operator's X25519 public key, base64url. Signed webhooks that cannot be read are kept sealed to it; without it they are dropped.
    pub operator_key: Option<String>,
    /// File they are kept in. Nothing: beside the storage, `PATH.unreadable`.
    pub operator_file: Option<PathBuf>,
    /// Days an event waits for its device, 30 at most. A device that is silent for as long is unbound.
    pub retention_days: u16,
    /// Graph version in paths (C18).
    pub graph_version: String,
    /// Platform addresses.
    pub upstream: Upstreams,
    /// Limits on public endpoints (E59).
    pub limits: Limits,
    /// Take the caller's address from the last `X-Forwarded-For` entry. Only behind a proxy that sets it.
    pub trust_forwarded: bool,
    /// TLS by the relay itself; nothing: a proxy does it.
    pub tls: Option<Tls>,
    /// A second address, for `/metrics` alone. Nothing: no such address.
    pub metrics_listen: Option<SocketAddr>,
    /// Bearer token for `/metrics`. With it `/metrics` is on the main address too.
    pub metrics_token: Option<Secret>,
    /// Waits of the streams. Not an option: tests shorten them.
    #[serde(skip)]
    pub stream_pace: StreamPace,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            public_url: None,
            storage: "sqlite:shopbell-relay.db".into(),
            key: None,
            key_file: None,
            facebook: None,
            instagram: None,
            verify_token: None,
            operator_key: None,
            operator_file: None,
            retention_days: RETENTION_DAYS_MAX,
            graph_version: "v25.0".into(),
            upstream: Upstreams::default(),
            limits: Limits::default(),
            trust_forwarded: false,
            tls: None,
            metrics_listen: None,
            metrics_token: None,
            stream_pace: StreamPace::default(),
        }
    }
}

impl Config {
    /// A relay on a free loopback port with everything in memory and no limits worth the name: for tests and
    /// in-process use, where the clock may stand still.
    pub fn in_memory(
        upstream: Upstreams,
        facebook: Option<MetaApp>,
        instagram: Option<MetaApp>,
    ) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            storage: "sqlite::memory:".into(),
            facebook,
            instagram,
            upstream,
            limits: Limits::all(100_000),
            ..Self::default()
        }
    }

    /// Reads TOML text, then lets the variables override it.
    ///
    /// # Errors
    /// [`ConfigError::Malformed`]; the message names the place, never the value.
    pub fn read(
        toml_text: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let mut table: toml::Table = toml::from_str(toml_text)
            .map_err(|e| ConfigError::Malformed(e.message().to_owned()))?;
        crate::config_env::overlay(&mut table, variable)?;
        let config: Self = table
            .try_into()
            .map_err(|e: toml::de::Error| ConfigError::Malformed(e.message().to_owned()))?;
        config.check()?;
        Ok(config)
    }

    /// Whether what is set can work and is safe.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with one sentence.
    pub fn check(&self) -> Result<(), ConfigError> {
        let invalid = |text| Err(ConfigError::Invalid(text));
        let kinds = ["sqlite:", "nats:", "memory:"];
        if !kinds.iter().any(|kind| self.storage.starts_with(kind)) {
            return invalid("storage is sqlite:PATH, nats://… or memory:");
        }
        if self.storage.starts_with("nats:") && self.key.is_none() && self.key_file.is_none() {
            return invalid("nodes that share a NATS storage share a key: set key or key_file");
        }
        if self.storage_in_memory() && !self.listen.ip().is_loopback() {
            return invalid("storage in memory forgets everything; it is for loopback addresses");
        }
        if self.facebook.is_none() && self.instagram.is_none() {
            return invalid("neither a Meta app nor an Instagram app is configured");
        }
        for app in [&self.facebook, &self.instagram].into_iter().flatten() {
            if app.app_id.is_empty() || app.app_secret.is_empty() {
                return invalid("an app needs its id and its secret");
            }
        }
        if self
            .secrets()
            .any(|secret| secret.expose().starts_with("CHANGE-ME"))
        {
            return invalid("a CHANGE-ME of the example is still there, where everybody knows it");
        }
        if self.limits.zero().is_some() {
            return invalid("a limit of 0 would refuse everybody");
        }
        if !(1..=RETENTION_DAYS_MAX).contains(&self.retention_days) {
            return invalid("retention_days is 1 to 30: bindings last no longer");
        }
        if self.operator_key().is_err() {
            return invalid("operator_key is 32 bytes in base64url");
        }
        if self.operator_key.is_some() && self.operator_file().is_none() {
            return invalid("operator_key needs operator_file where the storage is no file");
        }
        if self
            .metrics_token
            .as_ref()
            .is_some_and(|token| token.expose().len() < 16)
        {
            return invalid("metrics_token has at least 16 characters");
        }
        if self
            .metrics_listen
            .is_some_and(|address| address.port() != 0 && address == self.listen)
        {
            return invalid("metrics_listen is an address of its own");
        }
        if self.tls.is_some()
            && self
                .public_url
                .as_ref()
                .is_none_or(|url| url.scheme() != "https")
        {
            return invalid("with tls the public_url is https");
        }
        match &self.public_url {
            None if !self.listen.ip().is_loopback() => {
                invalid("public_url is needed unless the relay listens on a loopback address")
            }
            Some(url) if url.scheme() != "https" && !is_loopback(url) => {
                invalid("public_url must be https")
            }
            Some(url) if url.path() != "/" || url.query().is_some() => {
                invalid("public_url has no path and no query")
            }
            _ => Ok(()),
        }
    }

    /// Whether storage is gone with the process.
    pub(crate) fn storage_in_memory(&self) -> bool {
        self.storage.starts_with("memory:") || self.storage.contains(":memory:")
    }

    /// The file of a storage that is one.
    pub(crate) fn storage_file(&self) -> Option<PathBuf> {
        let path = self.storage.strip_prefix("sqlite:")?;
        let path = path.split('?').next().unwrap_or(path);
        (!self.storage_in_memory()).then(|| PathBuf::from(path.trim_start_matches("//")))
    }

    /// Whether only this computer is meant to reach it.
    pub(crate) fn is_local(&self) -> bool {
        self.listen.ip().is_loopback() && self.public_url.as_ref().is_none_or(is_loopback)
    }

    /// The operator's public key.
    ///
    /// # Errors
    /// When it is set and is no key.
    pub(crate) fn operator_key(&self) -> Result<Option<[u8; 32]>, base64::DecodeSliceError> {
        let Some(text) = &self.operator_key else {
            return Ok(None);
        };
        let mut key = [0u8; 32];
        match URL_SAFE_NO_PAD.decode_slice(text.trim().trim_end_matches('='), &mut key)? {
            32 => Ok(Some(key)),
            _ => Err(base64::DecodeSliceError::OutputSliceTooSmall),
        }
    }

    /// Where signed webhooks that cannot be read are kept; nothing when the storage is no file and none was named.
    pub(crate) fn operator_file(&self) -> Option<PathBuf> {
        let beside = || {
            let path = self.storage.strip_prefix("sqlite:")?;
            let path = path.trim_start_matches("//").split('?').next()?;
            Some(PathBuf::from(format!("{path}.unreadable")))
        };
        let named = self.operator_file.clone();
        named.or_else(|| beside().filter(|_| !self.storage_in_memory()))
    }

    /// How long an event waits for its device, milliseconds.
    pub(crate) fn retention_ms(&self) -> i64 {
        i64::from(self.retention_days) * 24 * 60 * 60 * 1000
    }

    /// Everything that has to be secret.
    fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let apps = [&self.facebook, &self.instagram].into_iter().flatten();
        let of_apps = apps.flat_map(|app| [Some(&app.app_secret), app.previous_secret.as_ref()]);
        let others = [&self.key, &self.verify_token, &self.metrics_token];
        of_apps.chain(others.map(Option::as_ref)).flatten()
    }

    /// Where the key comes from.
    pub(crate) fn key_source(&self) -> KeySource {
        match (&self.key, &self.key_file) {
            (Some(key), _) => KeySource::Given(key.clone()),
            (None, Some(path)) => KeySource::File(path.clone()),
            (None, None) if self.storage_in_memory() => KeySource::Ephemeral,
            (None, None) => {
                let path = self
                    .storage
                    .trim_start_matches("sqlite:")
                    .trim_start_matches("//");
                KeySource::File(PathBuf::from(format!("{path}.key")))
            }
        }
    }
}

/// http on this computer: development and the sandbox.
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http"
        && url.host_str().is_some_and(|host| {
            host == "localhost"
                || host
                    .trim_matches(['[', ']'])
                    .parse::<IpAddr>()
                    .is_ok_and(|ip| ip.is_loopback())
        })
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "config_example_tests.rs"]
mod example_tests;
