//! Posts, and comments that name us, as the API tells them → [`crate::domain`] values. Pure.
//!
//! What the API shows is how it reads now, so its text counts from the moment of asking.

use super::{
    RawPerson,
    adapter::{address, filled_text, time_ms},
    raw::{id_text, lenient, list},
    webhook::{product, status_kind},
};
use crate::{
    accounts::Access,
    domain::{Channel, IncomingComment, IncomingPerson, IncomingPost},
};
use serde::Deserialize;
use serde_json::Value;

/// A post of a Page, or a medium of Instagram.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawPost {
    /// `{page}_{post}`, or the medium's id.
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    /// Text of a Page's post.
    #[serde(deserialize_with = "lenient")]
    pub message: Option<String>,
    /// Text on Instagram.
    #[serde(deserialize_with = "lenient")]
    pub caption: Option<String>,
    /// `IMAGE`, `VIDEO`, `CAROUSEL_ALBUM`.
    #[serde(deserialize_with = "lenient")]
    pub media_type: Option<String>,
    /// `FEED`, `REELS`, `STORY`, `AD`.
    #[serde(deserialize_with = "lenient")]
    pub media_product_type: Option<String>,
    /// Signed address of picture or film.
    #[serde(deserialize_with = "lenient")]
    pub media_url: Option<String>,
    /// Signed address of a film's picture.
    #[serde(deserialize_with = "lenient")]
    pub thumbnail_url: Option<String>,
    /// Signed address of a Page post's picture.
    #[serde(deserialize_with = "lenient")]
    pub full_picture: Option<String>,
    /// Instagram.
    #[serde(deserialize_with = "lenient")]
    pub permalink: Option<String>,
    /// Page.
    #[serde(deserialize_with = "lenient")]
    pub permalink_url: Option<String>,
    /// Instagram.
    pub timestamp: Value,
    /// Page.
    pub created_time: Value,
    /// Page: how it was made.
    #[serde(deserialize_with = "lenient")]
    pub status_type: Option<String>,
    /// Instagram: whose.
    #[serde(deserialize_with = "lenient")]
    pub username: Option<String>,
    /// Instagram: whose; told for our own only.
    #[serde(deserialize_with = "lenient")]
    pub owner: Option<RawPerson>,
    /// Page: whose.
    #[serde(deserialize_with = "lenient")]
    pub from: Option<RawPerson>,
}

/// A comment that names us, on somebody else's post.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawMention {
    /// Comment.
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    /// Text.
    #[serde(deserialize_with = "lenient")]
    pub text: Option<String>,
    /// When.
    pub timestamp: Value,
    /// Who.
    #[serde(deserialize_with = "lenient")]
    pub username: Option<String>,
    /// Under which medium: a list of one or the medium itself.
    #[serde(deserialize_with = "list")]
    pub media: Vec<RawPost>,
}

/// A post under the id that was asked for. `now_ms` is when it was asked for.
pub fn post(access: &Access, id: &str, raw: &RawPost, now_ms: i64) -> IncomingPost {
    let by_handle = match (&raw.username, &access.username) {
        (Some(theirs), Some(ours)) => Some(theirs.eq_ignore_ascii_case(ours)),
        _ => None,
    };
    let by_id = raw.owner.as_ref().or(raw.from.as_ref()).and_then(|who| {
        let id = who.id.as_deref()?;
        Some(id == access.platform_id || access.page_id.as_deref() == Some(id))
    });
    let own = by_id.or(by_handle);
    let author = match &raw.from {
        Some(from) => from.id.clone().map(|platform_id| IncomingPerson {
            platform_id,
            name: from.name.clone(),
            username: from.username.clone(),
        }),
        None => raw.username.clone().map(|username| IncomingPerson {
            // Instagram names the author of somebody else's medium by handle alone.
            platform_id: String::new(),
            name: None,
            username: Some(username),
        }),
    };
    let film = raw.media_type.as_deref() == Some("VIDEO");
    let picture = [&raw.thumbnail_url, &raw.full_picture]
        .into_iter()
        .find_map(Clone::clone)
        .or_else(|| raw.media_url.clone().filter(|_| !film));
    IncomingPost {
        platform_id: id.to_owned(),
        own,
        author: author.filter(|_| own == Some(false)),
        kind: match access.channel {
            Channel::Instagram => raw.media_product_type.as_deref().and_then(product),
            Channel::Messenger => raw.status_type.as_deref().and_then(status_kind),
        },
        text: Some((
            filled_text(&raw.message.clone().or_else(|| raw.caption.clone())).unwrap_or_default(),
            now_ms,
        )),
        permalink: address(&raw.permalink).or_else(|| address(&raw.permalink_url)),
        picture: address(&picture),
        posted_at_ms: time_ms(&raw.timestamp).or_else(|| time_ms(&raw.created_time)),
        ..IncomingPost::default()
    }
}

/// A comment that names us. `None` when it has no time.
pub fn mention(post: &str, comment: &str, raw: &RawMention) -> Option<IncomingComment> {
    let at_ms = time_ms(&raw.timestamp)?;
    Some(IncomingComment {
        platform_id: comment.to_owned(),
        post: IncomingPost {
            platform_id: post.to_owned(),
            own: Some(false),
            ..IncomingPost::default()
        },
        parent: None,
        author: raw.username.clone().map(|username| IncomingPerson {
            platform_id: String::new(),
            name: None,
            username: Some(username),
        }),
        own: false,
        live: false,
        mention: true,
        text: filled_text(&raw.text),
        text_at_ms: at_ms,
        edited: false,
        photo: None,
        written_at_ms: at_ms,
    })
}
