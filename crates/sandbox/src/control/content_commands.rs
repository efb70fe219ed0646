//! Orders about posts and comments, as they come over HTTP and as a test writes them. Every field has a default.

use serde::{Deserialize, Serialize};

use crate::world::posts::PostForm;

/// An account publishes, or a visitor writes on its wall.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Publish {
    /// Page id or name, Instagram account id or user name.
    pub account: String,
    /// Message or caption.
    pub text: String,
    /// What it is.
    pub form: PostForm,
    /// Words like `cake` or `dress`, or URLs; left out = one, where the form needs one.
    pub pictures: Vec<String>,
    /// A visitor of the Page: id, full name or user name; an unknown one becomes a new person.
    pub visitor: Option<String>,
    /// Boosted: the title of the ad.
    pub ad: Option<String>,
    /// Not visible yet (Pages).
    pub unpublished: bool,
    /// Send no webhook.
    pub silent: bool,
    /// Published this many milliseconds ago.
    pub ago_ms: i64,
}

/// What a command on posts did.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Published {
    /// Post or media id.
    pub post_id: String,
    /// Page or Instagram account id.
    pub account_id: String,
    /// UTC milliseconds.
    pub created_ms: i64,
}

/// Somebody comments.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Remark {
    /// Post or media id; may be left out for an answer.
    pub post: String,
    /// The comment this answers.
    pub comment: Option<String>,
    /// Id, full name or user name; an unknown one becomes a new person.
    pub customer: Option<String>,
    /// The account itself comments, from the phone.
    pub by_account: bool,
    /// What is said.
    pub text: String,
    /// A picture (Pages): a word like `cake`, or a URL.
    pub picture: Option<String>,
    /// Send no webhook.
    pub silent: bool,
    /// Written this many milliseconds ago.
    pub ago_ms: i64,
}

/// What a command on comments did.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Remarked {
    /// Comment id.
    pub comment_id: String,
    /// Post or media id.
    pub post_id: String,
    /// Who wrote it; nothing for the account itself.
    pub customer_id: Option<String>,
    /// UTC milliseconds.
    pub created_ms: i64,
}

/// One comment, named.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneComment {
    /// Comment id.
    pub comment: String,
    /// The new text of an edit.
    pub text: String,
    /// For `comment-hide`: show it again.
    pub unhide: bool,
}

/// One post, named.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OnePost {
    /// Post or media id.
    pub post: String,
    /// The new text of an edit.
    pub text: String,
    /// For `post-change`: whether comments are open.
    pub comments_enabled: Option<bool>,
}

/// Somebody reacts to a post or a comment of a Page.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PostReact {
    /// Post id; may be left out with a comment.
    pub post: String,
    /// The comment, when it is one.
    pub comment: Option<String>,
    /// Id, full name or user name; an unknown one becomes a new person.
    pub customer: Option<String>,
    /// `like`, `love`, `wow`, `haha`, `sorry`, `anger`, `care`; empty takes it back.
    pub reaction: String,
}

/// A broadcast begins, or ends.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    /// Instagram account id or user name.
    pub account: String,
    /// Its title.
    pub text: String,
    /// End this one.
    pub end: Option<String>,
}

/// Somebody names an Instagram account elsewhere.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MentionOrder {
    /// Instagram account id or user name.
    pub account: String,
    /// Id, full name or user name; an unknown one becomes a new person.
    pub customer: Option<String>,
    /// The caption of the foreign medium.
    pub caption: String,
    /// A comment below it that names the account; left out = the caption does.
    pub comment: Option<String>,
    /// Send no webhook.
    pub silent: bool,
}

/// What a mention made.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Mentioned {
    /// The foreign medium.
    pub media_id: String,
    /// The comment, when it is one.
    pub comment_id: Option<String>,
    /// Who wrote it.
    pub customer_id: String,
}

/// What a story was seen by when it ended.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoryInsights {
    /// Media id of a story.
    pub post: String,
    /// How many saw it.
    pub reach: i64,
}
