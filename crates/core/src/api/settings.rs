//! Use cases of this room, as the boundary offers them.

use super::{ApiError, types::*};
use crate::Core;

/// Not wired yet.
pub async fn settings_get(core: &Core, _argument: Nothing) -> Result<Settings, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn settings_set(core: &Core, _argument: SettingsPatch) -> Result<Settings, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}
