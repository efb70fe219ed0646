//! The server between Meta and the app.
//!
//! It holds the app secrets the desktop must not have, signs owners in, seals what it gets to the owner's
//! device and forgets it. Invariant: no token, no name and no readable message is ever stored or logged.
//! Here: devices and sign-in. Events (webhooks, streams) are a module of their own beside these; nothing of
//! the app's data model belongs here.

mod app;
mod authorize;
mod bindings;
mod callback;
mod caller;
pub mod check;
mod clock;
mod code;
mod config;
mod config_env;
mod config_limits;
mod events_in;
mod exchange;
mod failure;
mod hold;
mod key;
mod limits;
mod metrics;
mod pages;
#[cfg(feature = "planted")]
pub mod parsers;
#[cfg(feature = "planted")]
pub mod planted;
#[cfg(not(feature = "planted"))]
mod planted;
mod proof;
mod server;
mod storage;
mod stream;
mod tls;
mod token;
mod upkeep;
mod upstream;

pub use clock::{Clock, Entropy, SystemClock, SystemEntropy};
pub use config::{Config, ConfigError, KeySource, Limits, MetaApp, Tls, Upstreams};
pub use events_in::{KeptWebhook, operator_public_key, read_kept};
pub use hold::HoldError;
pub use key::KeyError;
pub use server::{Relay, StartError, restored};
pub use storage::StorageError;
pub use stream::StreamPace;
pub use tls::TlsError;
