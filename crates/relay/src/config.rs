//! What an operator sets: a TOML file, `SHOPBELL_RELAY_*` variables over it, defaults below both.
//!
//! Invariant: a configuration that starts is complete and safe: plain http only on a loopback address, a key
//! that outlives a restart wherever storage does. Secrets are typed and never printed.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use serde::Deserialize;
use shopbell_wire::Secret;
use url::Url;

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
    /// Facebook Login for Business: id of the dashboard's configuration, used instead of `scope`.
    #[serde(default)]
    pub config_id: Option<String>,
    /// Permissions to ask for; empty means the product's own list.
    #[serde(default)]
    pub scopes: Vec<String>,
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

/// How many calls a minute are served, per caller.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Per address (an IPv6 network of 64 bits counts as one).
    pub address_per_minute: u32,
    /// Per device, after its proof was checked.
    pub device_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            address_per_minute: 120,
            device_per_minute: 60,
        }
    }
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
    /// `sqlite:PATH` or `sqlite::memory:`.
    pub storage: String,
    /// The key as text; goes before `key_file`.
    pub key: Option<Secret>,
    /// File of the key. Nothing: beside the storage, `PATH.key`.
    pub key_file: Option<PathBuf>,
    /// Meta app, for Facebook Login.
    pub facebook: Option<MetaApp>,
    /// Instagram app, for Instagram Login.
    pub instagram: Option<MetaApp>,
    /// Token of Meta's webhook verification; read by the events part.
    pub verify_token: Option<Secret>,
    /// Graph version in paths (C18).
    pub graph_version: String,
    /// Platform addresses.
    pub upstream: Upstreams,
    /// Limits on public endpoints (E59).
    pub limits: Limits,
    /// Take the caller's address from the last `X-Forwarded-For` entry. Only behind a proxy that sets it.
    pub trust_forwarded: bool,
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
            graph_version: "v25.0".into(),
            upstream: Upstreams::default(),
            limits: Limits::default(),
            trust_forwarded: false,
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
            limits: Limits {
                address_per_minute: 100_000,
                device_per_minute: 100_000,
            },
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
        if !self.storage.starts_with("sqlite:") {
            return invalid("storage is sqlite:PATH or sqlite::memory:");
        }
        if self.facebook.is_none() && self.instagram.is_none() {
            return invalid("neither a Meta app nor an Instagram app is configured");
        }
        for app in [&self.facebook, &self.instagram].into_iter().flatten() {
            if app.app_id.is_empty() || app.app_secret.is_empty() {
                return invalid("an app needs its id and its secret");
            }
        }
        if self.limits.address_per_minute == 0 || self.limits.device_per_minute == 0 {
            return invalid("a limit of 0 would refuse everybody");
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
        self.storage.contains(":memory:")
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
