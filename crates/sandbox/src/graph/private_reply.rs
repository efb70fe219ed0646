//! The one message that may follow a comment: to whom, whether still, and what it leaves behind. It opens no reply
//! window: the person has to answer first.

use serde_json::Value;

use super::Visit;
use super::content::{self, Right};
use super::error::GraphError;
use super::page_comments::PRIVATE_REPLY_MS;
use crate::world::people::{Customer, Platform};
use crate::world::posts::PostForm;

/// A private reply that may be sent.
#[derive(Debug)]
pub(crate) struct PrivateReply {
    pub(crate) person: Customer,
    comment: String,
}

/// The private reply a send asks for with `recipient.comment_id`; `None` for every other send.
pub(crate) fn asked(visit: &Visit<'_>) -> Result<Option<PrivateReply>, GraphError> {
    let recipient = visit.call.value("recipient").unwrap_or(Value::Null);
    let id = match &recipient["comment_id"] {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return Ok(None),
    };
    let gone = || GraphError::no_object(&id, "POST");
    let (comment, post) = visit.world.comment_with_post(&id).ok_or_else(gone)?;
    content::enter(visit, &post.account, &id, Right::Authors)?;
    let instagram = post.account.platform == Platform::Instagram;
    let invalid =
        || GraphError::parameter("The comment is invalid for private reply").sub(2_534_025);
    let Some(person) = comment.by.as_ref().and_then(|by| visit.world.person(by)) else {
        return Err(invalid());
    };
    if comment.private_reply.is_some() {
        return Err(if instagram {
            invalid()
        } else {
            GraphError::new(10_900, "(#10900) Activity already replied to")
        });
    }
    if post.form == PostForm::Live && post.ended_ms.is_some() {
        return Err(invalid());
    }
    if visit.world.now_ms() - comment.created_ms >= PRIVATE_REPLY_MS {
        let subcode = if instagram { 2_534_022 } else { 2_018_278 };
        return Err(
            GraphError::new(10, "(#10) This message is sent outside of allowed window.")
                .sub(subcode)
                .status(403),
        );
    }
    Ok(Some(PrivateReply {
        person: person.clone(),
        comment: id,
    }))
}

/// Marks the comment as answered, after the message lies in its conversation.
pub(crate) fn sent(visit: &mut Visit<'_>, reply: &PrivateReply) {
    let person = &reply.person;
    let thread = visit
        .world
        .conversation_with(&person.account, &person.id)
        .map(|thread| thread.id.clone());
    if let Some(comment) = visit.world.comments.get_mut(&reply.comment) {
        comment.private_reply = thread;
    }
}
