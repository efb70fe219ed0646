//! Use cases of this room, as the boundary offers them.

use super::{ApiError, types::*};
use crate::Core;

/// Not wired yet.
pub async fn message_send(core: &Core, _argument: MessageSend) -> Result<MessageView, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn message_undo(core: &Core, _argument: ById) -> Result<MessageView, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn message_retry(core: &Core, _argument: ById) -> Result<MessageView, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn message_check(core: &Core, _argument: ById) -> Result<MessageView, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn message_discard(core: &Core, _argument: ById) -> Result<Nothing, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}
