//! Use cases of this room, as the boundary offers them.

use super::{ApiError, types::*};
use crate::Core;

/// Not wired yet.
pub async fn name(core: &Core, _argument: Argument) -> Result<Answer, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}
