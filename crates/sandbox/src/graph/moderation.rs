//! What an account does about comments: comment, answer, edit, hide, like, delete, close. What is done here is told
//! by webhook as if the owner had done it on the phone.

use serde_json::json;

use super::Visit;
use super::content::{self, Right};
use super::error::{GraphError, GraphResult};
use crate::http::answer::Answer;
use crate::webhooks::content::{self as tell, Verb};
use crate::world::people::Platform;
use crate::world::posts::{Comment, Post, PostForm};

/// Older pages of the comments reference.
const IG_LETTERS: usize = 300;
const IG_HASHTAGS: usize = 4;

fn done() -> GraphResult {
    Ok(Answer::json(json!({"success": true})))
}

fn found(visit: &Visit<'_>, id: &str) -> Result<(Comment, Post), GraphError> {
    let found = visit
        .world
        .comment_with_post(id)
        .map(|(comment, post)| (comment.clone(), post.clone()));
    let (comment, post) = found.ok_or_else(|| GraphError::no_object(id, &visit.call.method))?;
    content::enter(visit, &post.account, id, Right::Moderate)?;
    Ok((comment, post))
}

/// `POST /{post}/comments`, `POST /{comment}/comments` (Pages) and `POST /{comment}/replies` (Instagram)
pub(crate) fn comment(visit: &mut Visit<'_>, id: &str, edge: &str) -> GraphResult {
    let (post, parent) = match visit.world.posts.get(id).cloned() {
        Some(post) => {
            content::enter(visit, &post.account, id, Right::Moderate)?;
            (post, None)
        }
        None => {
            let (comment, post) = found(visit, id)?;
            (post, Some(comment.id))
        }
    };
    let instagram = post.account.platform == Platform::Instagram;
    // Answers have an edge of their own on Instagram and the same one on Pages.
    let fits = match (instagram, parent.is_some()) {
        (true, true) => edge == "replies",
        (_, _) => edge == "comments",
    };
    if !fits {
        return Err(GraphError::no_object(id, "POST"));
    }
    let text = visit.call.param("message").unwrap_or_default().to_owned();
    let picture = visit.call.param("attachment_url").map(str::to_owned);
    if text.trim().is_empty() && (instagram || picture.is_none()) {
        return Err(GraphError::parameter("The parameter message is required"));
    }
    if instagram {
        check_instagram(visit, &post, &text)?;
    }
    if !post.takes_comments() {
        return Err(GraphError::parameter("Comments are turned off"));
    }
    let made = Comment {
        id: visit.world.new_comment_id(&post.id, post.account.platform),
        post: post.id.clone(),
        parent,
        by: None,
        text,
        picture,
        created_ms: visit.world.now_ms(),
        edited_ms: None,
        hidden: false,
        likes: 0,
        liked_by_account: false,
        private_reply: None,
    };
    let id = made.id.clone();
    visit.world.put_comment(made);
    if let Some(stored) = visit.world.comments.get(&id).cloned() {
        tell::comment(visit.world, &post, &stored, Verb::Add);
    }
    Ok(Answer::json(json!({ "id": id })))
}

fn check_instagram(visit: &Visit<'_>, post: &Post, text: &str) -> Result<(), GraphError> {
    if post.form == PostForm::Live {
        return Err(GraphError::parameter("Live media are not supported"));
    }
    let links = text.matches("http://").count() + text.matches("https://").count();
    let too_much =
        text.chars().count() > IG_LETTERS || text.matches('#').count() > IG_HASHTAGS || links > 1;
    if too_much && visit.world.switches.ig_comment_limits {
        return Err(GraphError::parameter(
            "The comment must not exceed 300 characters, 4 hashtags and 1 URL",
        ));
    }
    Ok(())
}

/// `POST /{comment}`: edit or hide on Pages, hide on Instagram; `POST /{media}`: open or close comments.
pub(crate) fn change(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    if let Some(post) = visit.world.posts.get(id).cloned() {
        content::enter(visit, &post.account, id, Right::Moderate)?;
        let Some(enabled) = flag(visit, "comment_enabled") else {
            return Err(GraphError::parameter(
                "The parameter comment_enabled is required",
            ));
        };
        if let Some(post) = visit.world.posts.get_mut(id) {
            post.comments_enabled = enabled;
        }
        return done();
    }
    let (mut comment, post) = found(visit, id)?;
    let instagram = post.account.platform == Platform::Instagram;
    let name = if instagram { "hide" } else { "is_hidden" };
    if let Some(hidden) = flag(visit, name) {
        let own = comment.by.is_none();
        if own && !instagram {
            return Err(GraphError::parameter("This comment can't be hidden"));
        }
        // Instagram takes the call and leaves the owner's own comments visible.
        if !own && comment.hidden != hidden {
            comment.hidden = hidden;
            visit
                .world
                .comments
                .insert(comment.id.clone(), comment.clone());
            let verb = if hidden { Verb::Hide } else { Verb::Unhide };
            tell::comment(visit.world, &post, &comment, verb);
        }
        return done();
    }
    let Some(text) = visit.call.param("message").filter(|_| !instagram) else {
        return Err(GraphError::parameter(&format!(
            "The parameter {name} is required"
        )));
    };
    if comment.by.is_some() {
        return Err(GraphError::new(
            200,
            "(#200) You do not have sufficient permissions to edit this comment",
        )
        .status(403));
    }
    comment.text = text.to_owned();
    comment.edited_ms = Some(visit.world.now_ms());
    visit
        .world
        .comments
        .insert(comment.id.clone(), comment.clone());
    tell::comment(visit.world, &post, &comment, Verb::Edited);
    done()
}

fn flag(visit: &Visit<'_>, name: &str) -> Option<bool> {
    visit
        .call
        .param(name)
        .map(|text| matches!(text, "true" | "1"))
}

/// `DELETE /{comment}`: anybody's below the own post.
pub(crate) fn remove(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    let (_, post) = found(visit, id)?;
    if post.form == PostForm::Live {
        return Err(GraphError::parameter("Live media are not supported"));
    }
    if let Some(gone) = visit.world.take_comment(id) {
        tell::comment(visit.world, &post, &gone, Verb::Remove);
    }
    done()
}

/// `POST | DELETE /{comment}/likes` on Pages, `POST | DELETE /{ig}/likes?comment_id=` on Instagram.
pub(crate) fn like(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    let named = visit.call.param("comment_id").map(str::to_owned);
    let id = named.as_deref().unwrap_or(id);
    found(visit, id)?;
    let liked = visit.call.method == "POST";
    if let Some(comment) = visit.world.comments.get_mut(id) {
        comment.liked_by_account = liked;
    }
    done()
}
