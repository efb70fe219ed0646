//! Where the outside world is. One value per profile, made in one place.

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
