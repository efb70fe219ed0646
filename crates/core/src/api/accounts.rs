//! Use cases of this room, as the boundary offers them.

use super::{ApiError, types::*};
use crate::Core;

/// Not wired yet.
pub async fn accounts_list(core: &Core, _argument: Nothing) -> Result<Vec<AccountView>, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn account_set(core: &Core, _argument: AccountSet) -> Result<AccountView, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn account_check_subscription(core: &Core, _argument: ById) -> Result<AccountView, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn account_erase_prepare(core: &Core, _argument: ById) -> Result<ErasePrepared, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn account_disconnect(core: &Core, _argument: AccountDisconnect) -> Result<AccountView, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn account_erase_undo(core: &Core, _argument: ById) -> Result<AccountView, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}
