//! Use cases of this room, as the boundary offers them.

use super::{ApiError, types::*};
use crate::Core;

/// Not wired yet.
pub async fn sign_in_start(core: &Core, _argument: SignInStart) -> Result<SignIn, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn sign_in_current(core: &Core, _argument: Nothing) -> Result<Option<SignIn>, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn sign_in_open_again(core: &Core, _argument: ById) -> Result<SignIn, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn sign_in_finish(core: &Core, _argument: SignInFinish) -> Result<SignIn, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn sign_in_choose(core: &Core, _argument: SignInChoose) -> Result<SignIn, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn sign_in_cancel(core: &Core, _argument: ById) -> Result<SignIn, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}
