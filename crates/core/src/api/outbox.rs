//! Use cases of answering, as the boundary offers them.

use super::{ApiError, types::*};
use crate::{
    Core,
    domain::{ConversationId, MessageId},
    inbox,
    outbox::{self, change},
    sync::graph::GraphRemote,
};
use std::sync::Arc;

/// Sends a text: it is in the thread at once, and leaves after the hold-back.
///
/// # Errors
/// See [`outbox::send_text`].
pub async fn message_send(core: &Core, argument: MessageSend) -> Result<MessageView, ApiError> {
    let profile = core.profile()?;
    let conversation = ConversationId(argument.conversation_id);
    let message = outbox::send_text(&profile, argument).await?;
    // Whoever answers has read.
    inbox::opened(&profile.store, conversation).await?;
    Ok(message)
}

/// Takes a message back before it leaves.
///
/// # Errors
/// `too_late`, `not_found`.
pub async fn message_undo(core: &Core, argument: ById) -> Result<MessageView, ApiError> {
    change::undo(&*core.profile()?, MessageId(argument.id)).await
}

/// Sends a failed message again, or, by the owner's own decision, one that is not known to have arrived.
///
/// # Errors
/// See [`change::retry`].
pub async fn message_retry(core: &Core, argument: ById) -> Result<MessageView, ApiError> {
    change::retry(&*core.profile()?, MessageId(argument.id)).await
}

/// Looks now whether a message arrived.
///
/// # Errors
/// See [`change::check`].
pub async fn message_check(core: &Core, argument: ById) -> Result<MessageView, ApiError> {
    let profile = core.profile()?;
    let remote = GraphRemote::new(Arc::clone(&profile));
    change::check(&profile, &remote, MessageId(argument.id)).await
}

/// Gives a message up.
///
/// # Errors
/// `too_late`, `not_found`.
pub async fn message_discard(core: &Core, argument: ById) -> Result<Nothing, ApiError> {
    change::discard(&*core.profile()?, MessageId(argument.id)).await?;
    Ok(Nothing {})
}
