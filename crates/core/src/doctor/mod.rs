//! What is well and what is not, as codes: for `shopbell-cli doctor` and, later, the Health page.
//!
//! Invariant: looking changes nothing; a finding names no token, customer or text. Works with a profile that does not open.

use crate::{
    Core, Profile,
    api::types::{Reason, VaultKind, VaultStatus},
    opening,
    vault::FileState,
};
use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Works, but not as safe or as fast as it could.
    Advice,
    /// Something does not work.
    Trouble,
}

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `folder`, `disk`, `vault`, `recovery_key`, `keychain`, `database`, `relay`, `clock`.
    pub subject: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub reason: Reason,
}

/// Less than this on the profile's disk is worth a word: a first sync of a busy shop writes some hundred megabytes.
const LOW_DISK_BYTES: u64 = 500 * 1024 * 1024;
/// Reply windows are hours, but sign-ins are minutes.
const CLOCK_OFF_MS: i64 = 60_000;

/// Looks at everything.
pub async fn examine(core: &Core) -> Vec<Finding> {
    let mut found = vec![folder(core), disk(core)];
    let kind = vault(core, &mut found).await;
    found.push(keychain(core, kind).await);
    match core.profile() {
        Ok(profile) => {
            found.push(database(&profile).await);
            found.push(relay(&profile).await);
            found.push(clock(&profile));
        }
        Err(_) => found.push(not_open(core)),
    }
    found
}

fn finding(subject: &'static str, level: Level, reason: Reason) -> Finding {
    Finding {
        subject,
        level,
        reason,
    }
}

fn folder(core: &Core) -> Finding {
    let dir = opening::main_folder(&core.config().dir);
    let Ok(metadata) = std::fs::metadata(&dir) else {
        return finding("folder", Level::Advice, Reason::new("folder_missing"));
    };
    if open_to_others(&metadata) {
        return finding(
            "folder",
            Level::Advice,
            Reason::new("folder_open_to_others"),
        );
    }
    if metadata.permissions().readonly() {
        return finding("folder", Level::Trouble, Reason::new("folder_read_only"));
    }
    finding("folder", Level::Ok, Reason::new("folder_ok"))
}

#[cfg(unix)]
fn open_to_others(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn open_to_others(_metadata: &std::fs::Metadata) -> bool {
    false
}

fn disk(core: &Core) -> Finding {
    match fs4::available_space(&core.config().dir) {
        Ok(free) if free < LOW_DISK_BYTES => finding(
            "disk",
            Level::Advice,
            Reason::new("disk_low").with("free_bytes", free),
        ),
        Ok(free) => finding(
            "disk",
            Level::Ok,
            Reason::new("disk_ok").with("free_bytes", free),
        ),
        Err(_) => finding("disk", Level::Advice, Reason::new("disk_unknown")),
    }
}

/// `vault.json`, its copy and the recovery key.
async fn vault(core: &Core, found: &mut Vec<Finding>) -> Option<VaultKind> {
    let state = match opening::place(core).examine().await {
        Ok(state) => state,
        Err(error) => {
            found.push(finding("vault", Level::Trouble, error.reason()));
            return None;
        }
    };
    let Some(FileState {
        kind,
        copied,
        recovery,
    }) = state
    else {
        found.push(finding(
            "vault",
            Level::Advice,
            Reason::new("vault_missing"),
        ));
        return None;
    };
    let (level, code) = if copied {
        (Level::Ok, "vault_ok")
    } else {
        (Level::Advice, "vault_copy_missing")
    };
    found.push(finding(
        "vault",
        level,
        Reason::new(code).with("kind", word(kind)),
    ));
    let (level, code) = if recovery {
        (Level::Ok, "recovery_key_confirmed")
    } else {
        (Level::Advice, "recovery_key_unconfirmed")
    };
    found.push(finding("recovery_key", level, Reason::new(code)));
    Some(kind)
}

fn word(kind: VaultKind) -> &'static str {
    match kind {
        VaultKind::Keychain => "keychain",
        VaultKind::Passphrase => "passphrase",
    }
}

async fn keychain(core: &Core, kind: Option<VaultKind>) -> Finding {
    if kind == Some(VaultKind::Passphrase) {
        return finding("keychain", Level::Ok, Reason::new("keychain_not_used"));
    }
    // An entry nobody ever makes: asking for it tells whether somebody answers.
    match core.keychain_line().get("doctor").await {
        Ok(_) => finding(
            "keychain",
            Level::Ok,
            Reason::new("keychain_ok").with("keychain", KEYCHAIN),
        ),
        Err(error) => finding("keychain", Level::Trouble, error.reason()),
    }
}

/// What the system calls it.
const KEYCHAIN: &str = if cfg!(target_os = "macos") {
    "Keychain"
} else if cfg!(target_os = "windows") {
    "Credential Manager"
} else {
    "Secret Service"
};

async fn database(profile: &Profile) -> Finding {
    let (level, reason) = match whole(profile).await {
        Ok(true) => {
            let reason = Reason::new("database_ok").with("bytes", profile.store.size_bytes());
            (Level::Ok, reason)
        }
        Ok(false) => (Level::Trouble, Reason::new("file_damaged")),
        Err(error) => (
            Level::Trouble,
            crate::store::OpenError::from(error).reason(),
        ),
    };
    finding("database", level, reason)
}

async fn whole(profile: &Profile) -> Result<bool, crate::store::StoreError> {
    let mut reader = profile.store.read().await?;
    let answer: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut *reader)
        .await?;
    Ok(answer == "ok")
}

fn not_open(core: &Core) -> Finding {
    match core.vault_status() {
        VaultStatus::Locked { reason, .. } => finding("database", Level::Trouble, reason),
        _ => finding("database", Level::Advice, Reason::new("not_open")),
    }
}

async fn relay(profile: &Profile) -> Finding {
    let url = profile.parts.endpoints.relay.to_string();
    if profile.relay.healthy().await {
        finding("relay", Level::Ok, Reason::new("relay_ok").with("url", url))
    } else {
        finding(
            "relay",
            Level::Trouble,
            Reason::new("relay_unreachable").with("url", url),
        )
    }
}

fn clock(profile: &Profile) -> Finding {
    match profile.graph.clock_offset_ms() {
        None => finding("clock", Level::Ok, Reason::new("clock_unknown")),
        Some(off) if off.abs() > CLOCK_OFF_MS => finding(
            "clock",
            Level::Trouble,
            Reason::new("clock_off").with("ms", off),
        ),
        Some(off) => finding("clock", Level::Ok, Reason::new("clock_ok").with("ms", off)),
    }
}

#[cfg(test)]
#[path = "doctor_tests.rs"]
mod tests;
