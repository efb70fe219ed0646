//! Use cases of this room, as the boundary offers them.

use super::{ApiError, types::*};
use crate::Core;

/// Not wired yet.
pub async fn app_status(core: &Core, _argument: Nothing) -> Result<AppStatus, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn vault_retry(core: &Core, _argument: Nothing) -> Result<AppStatus, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn vault_unlock(core: &Core, _argument: Passphrase) -> Result<AppStatus, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn vault_create_passphrase(
    core: &Core,
    _argument: Passphrase,
) -> Result<AppStatus, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn vault_recover(core: &Core, _argument: RecoveryKey) -> Result<AppStatus, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn recovery_key_show(core: &Core, _argument: Nothing) -> Result<RecoveryKey, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn recovery_key_confirm(
    core: &Core,
    _argument: RecoveryKeyCheck,
) -> Result<AppStatus, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn sample_open(core: &Core, _argument: Nothing) -> Result<AppStatus, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn sample_leave(core: &Core, _argument: Nothing) -> Result<AppStatus, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn health_get(core: &Core, _argument: Nothing) -> Result<Health, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}
