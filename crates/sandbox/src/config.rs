//! How a sandbox is set up: its port, its shop, and the Meta app it pretends to serve. Every value has
//! a fixed default (listed in the crate's README), because a demo, a test and a relay must agree on them
//! without talking. The secrets here are made up and open nothing.

use serde::{Deserialize, Serialize};

use crate::switches::Switches;

/// One product's app: the Facebook app or the Instagram app, which have separate ids and secrets.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct AppKeys {
    /// The app id as text.
    pub id: String,
    /// The app secret; signs webhooks and proofs.
    pub secret: String,
}

/// How much the generated shops hold.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// No conversation at all; tests that write their own begin here.
    Empty,
    /// About 40 conversations with about 600 messages.
    #[default]
    Small,
    /// About 400 conversations with about 8,000 messages.
    Medium,
    /// About 2,000 conversations.
    Large,
}

/// Everything a sandbox is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// TCP port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The word that decides the whole generated world.
    pub seed: String,
    /// How much that world holds.
    pub size: Size,
    /// Dialogs redirect at once as if a person had ticked everything.
    pub auto_consent: bool,
    /// Where webhooks go; `None` until one is set or an app subscription names one.
    pub webhook_url: Option<String>,
    /// The token of the GET verification.
    pub verify_token: String,
    /// The Facebook app.
    pub facebook: AppKeys,
    /// The Instagram app.
    pub instagram: AppKeys,
    /// The Facebook Login for Business configuration id that dialogs accept.
    pub login_config_id: String,
    /// Registered redirect URIs, matched exactly.
    pub redirect_uris: Vec<String>,
    /// A standing clock at this UTC millisecond; `None` follows the computer's clock.
    pub start_ms: Option<i64>,
    /// The open behaviours at start.
    pub switches: Switches,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            port: 0,
            seed: "kornblume".into(),
            size: Size::Small,
            auto_consent: false,
            webhook_url: None,
            verify_token: "shopbell-verify".into(),
            facebook: AppKeys {
                id: "138000000000001".into(),
                secret: "0123456789abcdef0123456789abcdef".into(),
            },
            instagram: AppKeys {
                id: "990000000000002".into(),
                secret: "fedcba9876543210fedcba9876543210".into(),
            },
            login_config_id: "556600000000003".into(),
            redirect_uris: vec![
                "https://relay.example/meta/callback".into(),
                "https://relay.example/meta/callback/facebook".into(),
                "https://relay.example/meta/callback/instagram".into(),
            ],
            start_ms: None,
            switches: Switches::default(),
        }
    }
}
