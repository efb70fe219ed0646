//! Use cases of this room, as the boundary offers them.

use super::{ApiError, types::*};
use crate::Core;

/// Not wired yet.
pub async fn conversations_list(core: &Core, _argument: ConversationsQuery) -> Result<ConversationPage, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn view_counts(core: &Core, _argument: CountsQuery) -> Result<ViewCounts, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn conversation_get(core: &Core, _argument: ById) -> Result<ConversationView, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn conversation_opened(core: &Core, _argument: ById) -> Result<Nothing, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn conversation_set_unread(core: &Core, _argument: SetUnread) -> Result<Nothing, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn conversation_set_state(core: &Core, _argument: SetState) -> Result<Nothing, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn draft_set(core: &Core, _argument: DraftSet) -> Result<Nothing, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn messages_list(core: &Core, _argument: MessagesQuery) -> Result<MessagePage, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn search(core: &Core, _argument: SearchQuery) -> Result<SearchPage, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}

/// Not wired yet.
pub async fn profile_refresh(core: &Core, _argument: ById) -> Result<PersonView, ApiError> {
    let _ = core.profile()?;
    Err(ApiError::locked())
}
