//! Where the outside world is. One value per profile, made in one place.

use serde::Deserialize;
use std::path::Path;
use url::Url;

/// Newest version the product was checked with. Overridden per profile; the source is meta-platform §1.1.
pub const GRAPH_VERSION: &str = "v25.0";

/// Base addresses. A sandbox profile points all of them at one loopback address with the host as path prefix.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// Relay, without a path.
    pub relay: Url,
    /// `https://graph.facebook.com`
    pub graph_facebook: Url,
    /// `https://graph.instagram.com`
    pub graph_instagram: Url,
    /// `v25.0`
    pub graph_version: String,
    /// The profile talks to a sandbox; only then may a loopback address be a media host (decision C12).
    pub sandbox: bool,
    /// scheme://host:port triples from which media may be loaded besides Meta's own CDN hosts.
    pub media_origins: Vec<Url>,
}

impl Endpoints {
    /// The real platforms, with the relay at `relay`.
    ///
    /// # Errors
    /// Never for the built-in addresses; the parse result is passed on instead of being unwrapped.
    pub fn live(relay: Url) -> Result<Self, url::ParseError> {
        Ok(Self {
            relay,
            graph_facebook: Url::parse("https://graph.facebook.com")?,
            graph_instagram: Url::parse("https://graph.instagram.com")?,
            graph_version: GRAPH_VERSION.into(),
            sandbox: false,
            media_origins: Vec::new(),
        })
    }

    /// A sandbox at `sandbox` and a relay at `relay`.
    ///
    /// # Errors
    /// When `sandbox` cannot be a base.
    pub fn sandbox(sandbox: &Url, relay: Url) -> Result<Self, url::ParseError> {
        Ok(Self {
            relay,
            graph_facebook: sandbox.join("/graph.facebook.com/")?,
            graph_instagram: sandbox.join("/graph.instagram.com/")?,
            graph_version: GRAPH_VERSION.into(),
            sandbox: true,
            media_origins: vec![sandbox.clone()],
        })
    }
}

/// Where the relay is when nothing else is said. Set it at build time for a packaged product.
const DEFAULT_RELAY: &str = match option_env!("SHOPBELL_DEFAULT_RELAY") {
    Some(url) => url,
    None => "https://relay.shopbell.example",
};

/// `endpoints.json` in the profiles' folder: an own relay, or a sandbox for trying out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    relay: Option<Url>,
    sandbox: Option<Url>,
    graph_version: Option<String>,
}

/// Why `endpoints.json` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("endpoints.json cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// It is not what it should be.
    #[error("endpoints.json does not fit: {0}")]
    Json(#[from] serde_json::Error),
    /// An address in it is not one.
    #[error("an address in endpoints.json does not fit: {0}")]
    Address(#[from] url::ParseError),
    /// A sandbox must be on this computer.
    #[error("the sandbox in endpoints.json is not on this computer")]
    SandboxElsewhere,
}

/// Reads `folder/endpoints.json`; without one, the built-in relay and the real platforms.
///
/// # Errors
/// When the file is there and wrong: a wrong file must not silently mean the default.
pub fn load(folder: &Path) -> Result<Endpoints, LoadError> {
    let file = match std::fs::read(folder.join("endpoints.json")) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => File {
            relay: None,
            sandbox: None,
            graph_version: None,
        },
        Err(error) => return Err(error.into()),
    };
    let relay = file.relay.map_or_else(|| Url::parse(DEFAULT_RELAY), Ok)?;
    let mut endpoints = match file.sandbox {
        Some(sandbox) if !is_loopback(&sandbox) => return Err(LoadError::SandboxElsewhere),
        Some(sandbox) => Endpoints::sandbox(&sandbox, relay)?,
        None => Endpoints::live(relay)?,
    };
    if let Some(version) = file.graph_version {
        endpoints.graph_version = version;
    }
    Ok(endpoints)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    }
}
