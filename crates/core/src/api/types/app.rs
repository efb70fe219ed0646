//! The state of the program itself: is the profile open, which one, what does the first run still need.

use super::Reason;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Answer of `app_status`; the first thing every UI asks for.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AppStatus {
    /// Version of the program.
    pub version: String,
    /// Where the profile stands.
    pub vault: VaultStatus,
    /// Which profile is open.
    pub profile: ProfileKind,
    /// The profile talks to a sandbox, not to Meta.
    pub sandbox: bool,
    /// Nothing was ever connected here: show the first run.
    pub first_run: bool,
    /// The recovery key exists and was not yet confirmed by the owner (asked after the first account is connected).
    pub recovery_key_pending: bool,
    /// A sign-in that waits for the browser.
    pub sign_in_waiting: bool,
    /// Core time, UTC ms. The UI reckons with this clock, not with its own.
    pub now_ms: i64,
    /// Difference of the computer's clock to the platforms' (platform minus here), ms; null before the first answer.
    pub clock_offset_ms: Option<i64>,
    /// Is the network reachable as far as the last calls tell.
    pub online: bool,
    /// When something was last saved in the open profile, UTC ms.
    pub saved_at_ms: Option<i64>,
}

/// Which profile is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ProfileKind {
    /// The owner's own.
    Main,
    /// The committed sample shop.
    Sample,
}

/// Is the profile readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum VaultStatus {
    /// Being opened.
    Opening,
    /// The keychain has not answered yet ("waiting for your keychain").
    WaitingForKeychain,
    /// Open.
    Open {
        /// `keychain` or `passphrase`.
        kind: VaultKind,
    },
    /// Not open; the reason tells what the owner can do.
    /// Codes: `keychain_missing`, `keychain_locked`, `keychain_denied`, `keychain_slow`, `key_missing`, `key_wrong`, `key_ambiguous`,
    /// `key_corrupted`, `passphrase_needed`, `profile_in_use` (params: `pid`), `file_not_ours`, `file_plaintext`, `file_newer`
    /// (params: `found`, `known`), `disk_full`, `folder_read_only`, `file_damaged`.
    Locked {
        /// Why, and what helps.
        reason: Reason,
        /// Ways out that apply: `retry`, `passphrase`, `recovery_key`, `create_passphrase`.
        ways: Vec<String>,
    },
}

/// Where the master key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum VaultKind {
    /// The operating system's keychain.
    Keychain,
    /// A file protected by the owner's passphrase (Argon2id).
    Passphrase,
}

/// Argument of `vault_unlock` and `vault_create_passphrase`.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct Passphrase {
    /// What the owner typed.
    pub passphrase: String,
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// Argument of `vault_recover`; answer of `recovery_key_show`.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct RecoveryKey {
    /// Groups of characters as shown to the owner, in order.
    pub groups: Vec<String>,
}

impl std::fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryKey(…)")
    }
}

/// Argument of `recovery_key_confirm`: two groups typed by the owner.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct RecoveryKeyCheck {
    /// Index (from 0) and text of each typed group.
    pub groups: Vec<(u32, String)>,
}

impl std::fmt::Debug for RecoveryKeyCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryKeyCheck(…)")
    }
}
