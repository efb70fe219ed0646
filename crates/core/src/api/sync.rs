//! Use cases of this room, as the boundary offers them.

use super::{ApiError, types::*};
use crate::Core;

/// Not wired yet.
pub async fn sync_now(core: &Core, _argument: ById) -> Result<SyncStatus, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn sync_status(core: &Core, _argument: Nothing) -> Result<Vec<SyncStatus>, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn sync_log(core: &Core, _argument: ById) -> Result<Vec<SyncRun>, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}
