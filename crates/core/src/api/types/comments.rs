//! Posts and their comments.

use super::Reason;
use crate::domain::Channel;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Argument of `posts_list`.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PostsQuery {
    /// Only one account.
    pub account_id: Option<i64>,
    /// From `PostPage.next`.
    pub cursor: Option<String>,
    /// 1 to 100.
    pub limit: u32,
}

/// Posts with comments, the one with the newest comment first.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PostPage {
    /// In order.
    pub posts: Vec<PostView>,
    /// Absent on the last page.
    pub next: Option<String>,
}

/// One post, reel, story or broadcast.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct PostView {
    /// Internal id.
    pub id: i64,
    /// Account it was commented under.
    pub account_id: i64,
    /// Channel of that account.
    pub channel: Channel,
    /// Ours; `false` = a visitor's or one that names us, null = not told.
    pub own: Option<bool>,
    /// Whose, when it is not ours.
    pub author: Option<String>,
    /// It names us.
    pub mention: bool,
    /// `feed`, `reels`, `story`, `live`, `ad`, `status`, `photo`, `video`, `share`, `album`; null = not told.
    pub kind: Option<String>,
    /// Caption.
    pub text: Option<String>,
    /// Address to open in the browser.
    pub permalink: Option<String>,
    /// Opaque media id of its picture.
    pub picture: Option<String>,
    /// Title of the ad that shows it.
    pub ad_title: Option<String>,
    /// UTC ms.
    pub posted_at_ms: Option<i64>,
    /// Gone at the platform.
    pub removed: bool,
    /// Why caption and picture could not be had.
    pub unavailable: Option<Reason>,
    /// Comments that can be read.
    pub comments: i64,
    /// Newest comment, UTC ms.
    pub last_at_ms: i64,
    /// Its first words, at most 160 characters.
    pub last_preview: String,
    /// Who wrote it.
    pub last_author: Option<String>,
}

impl std::fmt::Debug for PostView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostView({})", self.id)
    }
}

/// Argument of `comments_list`.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CommentsQuery {
    /// Post.
    pub post_id: i64,
    /// From `CommentPage.next`.
    pub cursor: Option<String>,
    /// 1 to 100: comments that answer none.
    pub limit: u32,
}

/// Comments of a post, newest first, each with all its answers.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CommentPage {
    /// In order.
    pub comments: Vec<CommentThread>,
    /// Absent on the last page.
    pub next: Option<String>,
}

/// A comment with its answers, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct CommentThread {
    /// What was answered.
    pub comment: CommentView,
    /// Answers, and answers to them.
    pub answers: Vec<CommentView>,
}

/// One comment.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct CommentView {
    /// Internal id.
    pub id: i64,
    /// Post.
    pub post_id: i64,
    /// The comment it answers.
    pub parent_id: Option<i64>,
    /// It was told; else only that something answers it.
    pub known: bool,
    /// Name; null = not told.
    pub name: Option<String>,
    /// Handle without `@`.
    pub username: Option<String>,
    /// Opaque media id of the face, when the person also wrote to us.
    pub picture: Option<String>,
    /// Conversation with the same person, when there is one.
    pub conversation_id: Option<i64>,
    /// Written by the account itself.
    pub own: bool,
    /// Written during a broadcast.
    pub live: bool,
    /// It names us on somebody else's post.
    pub mention: bool,
    /// Text; null when there is none, or no more.
    pub text: Option<String>,
    /// Opaque media id of a photo in it.
    pub photo: Option<String>,
    /// UTC ms.
    pub written_at_ms: i64,
    /// Edited last, UTC ms.
    pub edited_at_ms: Option<i64>,
    /// Hidden from the public.
    pub hidden: bool,
    /// Removed; its words are erased here too.
    pub removed: bool,
}

impl std::fmt::Debug for CommentView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CommentView({})", self.id)
    }
}
