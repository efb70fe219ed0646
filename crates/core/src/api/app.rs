//! Use cases about the program itself: is the profile open, the recovery key, the sample shop, health.

use super::{ApiError, types::*};
use crate::{Core, Profile, vault::VaultError};

/// Where everything stands. Never fails because the profile is locked: it says so.
///
/// # Errors
/// When the database cannot be read.
pub async fn app_status(core: &Core, _argument: Nothing) -> Result<AppStatus, ApiError> {
    let config = core.config();
    let mut status = AppStatus {
        version: env!("CARGO_PKG_VERSION").into(),
        vault: core.vault_status(),
        profile: if core.shows_sample() {
            ProfileKind::Sample
        } else {
            ProfileKind::Main
        },
        sandbox: config.endpoints.sandbox,
        first_run: false,
        recovery_key_pending: false,
        sign_in_waiting: false,
        now_ms: config.clock.now_ms(),
        clock_offset_ms: None,
        online: true,
        saved_at_ms: None,
    };
    let Ok(profile) = core.profile() else {
        return Ok(status);
    };
    let known = known(&profile).await?;
    status.first_run = known.accounts == 0;
    status.recovery_key_pending = known.accounts > 0 && profile.vault.recovery_pending();
    status.sign_in_waiting = known.sign_ins > 0;
    status.clock_offset_ms = profile.graph.clock_offset_ms();
    status.online = profile.graph.online();
    status.saved_at_ms = profile.store.saved_at_ms();
    Ok(status)
}

struct Known {
    accounts: i64,
    sign_ins: i64,
}

async fn known(profile: &Profile) -> Result<Known, ApiError> {
    let now_ms = profile.now_ms();
    let mut reader = profile.store.read().await?;
    let known = sqlx::query_as!(
        Known,
        r#"SELECT (SELECT COUNT(*) FROM accounts) AS "accounts!: i64",
             (SELECT COUNT(*) FROM sign_ins WHERE step IN ('waiting', 'exchanging', 'choosing', 'subscribing')
                AND (step <> 'waiting' OR expires_at_ms > ?)) AS "sign_ins!: i64""#,
        now_ms
    )
    .fetch_one(&mut *reader)
    .await?;
    Ok(known)
}

/// Tries again to open the profile.
///
/// # Errors
/// The reason's code when it is still not open.
pub async fn vault_retry(core: &Core, _argument: Nothing) -> Result<AppStatus, ApiError> {
    core.retry().await?;
    app_status(core, Nothing {}).await
}

/// Opens a profile that is protected by a passphrase.
///
/// # Errors
/// `passphrase_wrong`, or the reason's code.
pub async fn vault_unlock(core: &Core, argument: Passphrase) -> Result<AppStatus, ApiError> {
    core.unlock(argument.passphrase).await?;
    app_status(core, Nothing {}).await
}

/// First run on a computer without a keychain: protects the profile by a passphrase.
///
/// # Errors
/// `passphrase_short`, `vault_exists`, or the reason's code.
pub async fn vault_create_passphrase(
    core: &Core,
    argument: Passphrase,
) -> Result<AppStatus, ApiError> {
    core.create_passphrase(argument.passphrase).await?;
    app_status(core, Nothing {}).await
}

/// Opens the profile with the recovery key and puts the master key into the present keychain again.
///
/// # Errors
/// `recovery_key_wrong`, or the reason's code.
pub async fn vault_recover(core: &Core, argument: RecoveryKey) -> Result<AppStatus, ApiError> {
    core.recover(argument.groups).await?;
    app_status(core, Nothing {}).await
}

/// The recovery key, to be written down.
///
/// # Errors
/// `locked`, `sample`.
pub async fn recovery_key_show(core: &Core, _argument: Nothing) -> Result<RecoveryKey, ApiError> {
    let profile = own_profile(core)?;
    let groups = profile
        .vault
        .recovery_key()
        .await
        .map_err(|error| vault_error(&error))?;
    Ok(RecoveryKey { groups })
}

/// The owner typed two groups of the recovery key: it was written down.
///
/// # Errors
/// `recovery_key_wrong` with the group in `field`.
pub async fn recovery_key_confirm(
    core: &Core,
    argument: RecoveryKeyCheck,
) -> Result<AppStatus, ApiError> {
    let profile = own_profile(core)?;
    let typed: Vec<_> = argument
        .groups
        .into_iter()
        .map(|(place, text)| (usize::try_from(place).unwrap_or(usize::MAX), text))
        .collect();
    profile
        .vault
        .confirm_recovery(&typed)
        .await
        .map_err(|error| vault_error(&error))?;
    core.changes().send(Change::Status);
    app_status(core, Nothing {}).await
}

/// Shows the sample shop.
///
/// # Errors
/// When its folder cannot be written.
pub async fn sample_open(core: &Core, _argument: Nothing) -> Result<AppStatus, ApiError> {
    core.open_sample().await?;
    app_status(core, Nothing {}).await
}

/// Leaves the sample shop and deletes it.
///
/// # Errors
/// When its folder cannot be deleted.
pub async fn sample_leave(core: &Core, _argument: Nothing) -> Result<AppStatus, ApiError> {
    core.leave_sample().await?;
    app_status(core, Nothing {}).await
}

/// What the Health page shows.
///
/// # Errors
/// `locked`, or that the database cannot be read.
pub async fn health_get(core: &Core, _argument: Nothing) -> Result<Health, ApiError> {
    let profile = core.profile()?;
    let mut reader = profile.store.read().await?;
    let counts = sqlx::query!(
        r#"SELECT (SELECT COUNT(*) FROM outbox WHERE state IN ('scheduled', 'queued', 'sending')) AS "waiting!: i64",
             (SELECT COUNT(*) FROM outbox WHERE state = 'unknown') AS "unknown!: i64",
             (SELECT COUNT(*) FROM raw_events WHERE state = 'failed' AND state <> 'done') AS "failed!: i64""#
    )
    .fetch_one(&mut *reader)
    .await?;
    let events = sqlx::query!(
        "SELECT at_ms, kind, account_id, reason FROM token_events ORDER BY id DESC LIMIT 50"
    )
    .fetch_all(&mut *reader)
    .await?;
    drop(reader);
    Ok(Health {
        relay_url: profile.parts.endpoints.relay.to_string(),
        relay_ok: profile.relay.answered(),
        vault: profile.vault.kind(),
        recovery_key_confirmed: !profile.vault.recovery_pending(),
        clock_offset_ms: profile.graph.clock_offset_ms(),
        outbox_waiting: counts.waiting,
        outbox_unknown: counts.unknown,
        events_failed: counts.failed,
        database_bytes: i64::try_from(profile.store.size_bytes()).unwrap_or(i64::MAX),
        platform_trouble: profile.graph.platform_trouble(),
        token_events: events
            .into_iter()
            .map(|event| TokenEvent {
                at_ms: event.at_ms,
                kind: event.kind,
                account_id: event.account_id,
                reason: event
                    .reason
                    .and_then(|reason| serde_json::from_str(&reason).ok()),
            })
            .collect(),
    })
}

/// The recovery key belongs to the owner's profile, not to the sample shop.
fn own_profile(core: &Core) -> Result<std::sync::Arc<Profile>, ApiError> {
    if core.shows_sample() {
        return Err(ApiError::new(
            "sample",
            "The sample shop has no recovery key.",
        ));
    }
    core.profile()
}

fn vault_error(error: &VaultError) -> ApiError {
    let api = ApiError::new(&error.reason().code, "The vault refused.").with_detail(error);
    match error {
        VaultError::RecoveryGroup(place) => api.with_field(&format!("groups.{place}")),
        _ => api,
    }
}
