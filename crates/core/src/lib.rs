//! Shopbell without a window: everything that matters, behind one [`Core`].
//!
//! One door in ([`ingest`]), one door out ([`outbox`]), one boundary ([`api`]). No tauri, no axum. Time, randomness, the keychain and
//! every address come in through [`CoreConfig`]; nothing here reads them from the surroundings.

pub mod accounts;
pub mod api;
pub mod changes;
pub mod clock;
pub mod comments;
pub mod contacts;
mod core;
pub mod doctor;
pub mod domain;
pub mod endpoints;
pub mod entropy;
pub mod events;
mod flight;
pub mod inbox;
pub mod ingest;
pub mod jobs;
pub mod media;
mod opening;
pub mod outbox;
#[cfg(feature = "planted")]
pub mod parsers;
#[cfg(feature = "planted")]
pub mod planted;
#[cfg(not(feature = "planted"))]
mod planted;
pub mod platform;
pub mod profile;
mod profile_lock;
pub mod relay_client;
pub mod sample;
pub mod search;
pub mod settings;
pub mod store;
pub mod sync;
pub mod vault;

pub use crate::{
    changes::Changes,
    clock::{Clock, ManualClock, SystemClock},
    core::{Core, CoreConfig, OpenAs},
    endpoints::Endpoints,
    entropy::{Entropy, OsEntropy, SeededEntropy},
    profile::{Parts, Profile},
};
