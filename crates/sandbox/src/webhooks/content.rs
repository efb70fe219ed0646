//! What is told about posts and comments: `feed` of Pages with every verb, Instagram's `comments`,
//! `live_comments`, `mentions` and `story_insights`. Instagram tells of new comments only. Each function hands
//! one change to the mailbox.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::switches::FeedFrom;
use crate::world::World;
use crate::world::people::{Account, Platform};
use crate::world::posts::{Comment, Mention, Post, PostForm};

/// What happened, in the word of `verb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Add,
    Edited,
    Remove,
    Hide,
    Unhide,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Verb::Add => "add",
            Verb::Edited => "edited",
            Verb::Remove => "remove",
            Verb::Hide => "hide",
            Verb::Unhide => "unhide",
        }
    }
}

/// A comment came, changed or went.
pub(crate) fn comment(world: &mut World, post: &Post, comment: &Comment, verb: Verb) {
    match post.account.platform {
        Platform::Messenger => page_comment(world, post, comment, verb),
        Platform::Instagram if verb == Verb::Add => instagram_comment(world, post, comment),
        Platform::Instagram => {}
    }
}

fn page_comment(world: &mut World, post: &Post, comment: &Comment, verb: Verb) {
    let now = world.now_ms();
    let at = if verb == Verb::Add {
        comment.created_ms
    } else {
        now
    };
    let mut value = json!({
        "item": "comment",
        "verb": verb.word(),
        "post_id": post.id,
        "comment_id": comment.id,
        "parent_id": comment.parent.as_ref().unwrap_or(&post.id),
        "created_time": at / 1_000,
        "post": post_value(world, post),
    });
    name_author(world, &mut value, &post.account, comment.by.as_deref());
    match verb {
        Verb::Remove => {
            if let Some(value) = value.as_object_mut() {
                value.remove("post");
            }
        }
        Verb::Hide | Verb::Unhide => value["is_hidden"] = (verb == Verb::Hide).into(),
        Verb::Add | Verb::Edited => {}
    }
    if verb != Verb::Remove {
        value["message"] = comment.text.clone().into();
        if let Some(picture) = &comment.picture {
            value["photo"] = world.signed(picture).into();
        }
    }
    if verb == Verb::Edited {
        value["created_time"] = (comment.created_ms / 1_000).into();
        value["edited_time"] = (comment.edited_ms.unwrap_or(now) / 1_000).into();
    }
    world.emit_change(&post.account, "feed", value);
}

fn instagram_comment(world: &mut World, post: &Post, comment: &Comment) {
    if world.is_private(&post.account) {
        return world
            .mailbox
            .drop_letter(&post.account.id, "comments", "the account is private");
    }
    let mut media = json!({"id": post.id, "media_product_type": post.product()});
    if let Some(ad) = &post.ad {
        media["ad_id"] = ad.id.clone().into();
        media["ad_title"] = ad.title.clone().into();
        media["original_media_id"] = post.id.clone().into();
    }
    let field = if post.form == PostForm::Live {
        "live_comments"
    } else {
        "comments"
    };
    let value = comment_value(world, &post.account, comment, media);
    world.emit_change(&post.account, field, value);
}

fn comment_value(world: &World, account: &Account, comment: &Comment, media: Value) -> Value {
    let from = instagram_author(world, account, comment.by.as_deref());
    let mut value = json!({"from": from, "text": comment.text, "media": media});
    let through_page = world
        .route_of(account, "comments")
        .is_some_and(|(subscriber, _)| subscriber != account.id);
    let key = if world.switches.ig_comment_id_long && through_page {
        "comment_id"
    } else {
        "id"
    };
    value[key] = comment.id.clone().into();
    if let Some(parent) = &comment.parent {
        value["parent_id"] = parent.clone().into();
    }
    value
}

/// `from` of an Instagram comment; the account's own comments carry one id more.
pub(crate) fn instagram_author(world: &World, account: &Account, by: Option<&str>) -> Value {
    match by {
        Some(person) => {
            let username = world.person(person).map(|person| person.username.clone());
            json!({"id": person, "username": username.unwrap_or_default()})
        }
        None => {
            let (_, username) = world.account_names(account);
            let scoped = world
                .instagram
                .get(&account.id)
                .map(|ig| ig.app_scoped_id.clone());
            json!({"id": account.id, "username": username, "self_ig_scoped_id": scoped})
        }
    }
}

/// A post of the Page, or of a visitor on it, came, changed or went. Ads are never told.
pub(crate) fn post(world: &mut World, post: &Post, verb: Verb) {
    if post.account.platform == Platform::Instagram || post.ad.is_some() {
        return;
    }
    let item = match (post.form, &post.visitor) {
        (PostForm::Photo, _) => "photo",
        (PostForm::Carousel, _) => "album",
        (PostForm::Reel, _) => "video",
        (_, Some(_)) => "post",
        _ => "status",
    };
    let mut value = json!({
        "item": item, "verb": verb.word(), "post_id": post.id,
        "created_time": post.created_ms / 1_000,
        "published": u8::from(post.published),
    });
    name_author(world, &mut value, &post.account, post.visitor.as_deref());
    if verb == Verb::Remove {
        value["created_time"] = (world.now_ms() / 1_000).into();
    } else {
        value["message"] = post.text.clone().into();
        pictures(world, &mut value, post);
    }
    if verb == Verb::Edited {
        value["edited_time"] = (post.updated_ms / 1_000).into();
    }
    world.emit_change(&post.account, "feed", value);
}

fn pictures(world: &World, value: &mut Value, post: &Post) {
    let links: Vec<String> = post
        .pictures
        .iter()
        .map(|path| world.signed(path))
        .collect();
    let number = post.id.rsplit('_').next().unwrap_or(&post.id);
    match (post.form, links.first()) {
        (PostForm::Reel, Some(link)) => {
            value["video"] = link.clone().into();
            value["video_id"] = number.into();
            value["link"] = link.clone().into();
        }
        (PostForm::Carousel, _) => value["photos"] = links.into(),
        (_, Some(link)) => {
            value["photo_id"] = number.into();
            value["link"] = link.clone().into();
        }
        (_, None) => {}
    }
}

/// Somebody reacts to a post or a comment of a Page, or takes it back.
pub(crate) fn reaction(
    world: &mut World,
    post: &Post,
    comment: Option<&Comment>,
    by: &str,
    kind: &str,
    verb: Verb,
) {
    if post.account.platform == Platform::Instagram {
        return;
    }
    let mut value = json!({
        "item": "reaction", "verb": verb.word(), "reaction_type": kind, "post_id": post.id,
        "parent_id": post.id, "created_time": world.now_ms() / 1_000,
        "post": post_value(world, post),
    });
    if let Some(comment) = comment {
        value["comment_id"] = comment.id.clone().into();
        value["parent_id"] = comment.parent.clone().unwrap_or(post.id.clone()).into();
    }
    name_author(world, &mut value, &post.account, Some(by));
    world.emit_change(&post.account, "feed", value);
}

/// An account is named by somebody else. Through a Page these are `mentions` with ids only; Instagram Login
/// has no such field and folds them into `comments`.
pub(crate) fn mention(world: &mut World, mention: &Mention) {
    let account = &mention.account;
    if world.is_private(account) {
        return world
            .mailbox
            .drop_letter(&account.id, "mentions", "the account is private");
    }
    let own_way = world.mailbox.subscription(&account.id).is_some();
    let mut ids = json!({"media_id": mention.media});
    if let Some((comment, _)) = &mention.comment {
        ids["comment_id"] = comment.clone().into();
    }
    match (&mention.comment, own_way) {
        (_, false) => world.emit_change(account, "mentions", ids),
        (None, true) => world.emit_change(account, "comments", ids),
        (Some((id, text)), true) => {
            let from = instagram_author(world, account, Some(&mention.by));
            let media = json!({"id": mention.media, "media_product_type": "FEED"});
            let value = json!({"id": id, "from": from, "text": text, "media": media});
            world.emit_change(account, "comments", value);
        }
    }
}

/// What a story was seen by, once, when it ends. Small figures come as -1.
pub(crate) fn story_insights(world: &mut World, account: &Account, media: &str, reach: i64) {
    let shown = |count: i64| if count < 5 { -1 } else { count };
    let value = json!({
        "media_id": media, "impressions": shown(reach + reach / 9), "reach": shown(reach),
        "taps_forward": shown(reach / 2), "taps_back": shown(reach / 11),
        "exits": shown(reach / 5), "replies": shown(reach / 40),
    });
    world.emit_change(account, "story_insights", value);
}

fn post_value(world: &World, post: &Post) -> Value {
    json!({
        "id": post.id,
        "status_type": status_type(post),
        "is_published": post.published,
        "updated_time": iso(post.updated_ms),
        "permalink_url": permalink(world, post),
        "promotion_status": if post.ad.is_some() { "active" } else { "inactive" },
    })
}

/// The platform's word for what a Page did.
pub(crate) fn status_type(post: &Post) -> &'static str {
    match (post.form, &post.visitor) {
        (_, Some(_)) => "wall_post",
        (PostForm::Photo | PostForm::Carousel, _) => "added_photos",
        (PostForm::Reel, _) => "added_video",
        _ => "mobile_status_update",
    }
}

/// The public address of a post.
pub(crate) fn permalink(world: &World, post: &Post) -> String {
    match (post.account.platform, post.form) {
        (Platform::Messenger, _) => {
            let (_, username) = world.account_names(&post.account);
            let number = post.id.rsplit('_').next().unwrap_or(&post.id);
            format!("https://www.facebook.com/{username}/posts/{number}")
        }
        (_, PostForm::Reel) => format!("https://www.instagram.com/reel/{}/", post.shortcode),
        (_, PostForm::Story) => {
            let (_, username) = world.account_names(&post.account);
            format!("https://www.instagram.com/stories/{username}/{}", post.id)
        }
        _ => format!("https://www.instagram.com/p/{}/", post.shortcode),
    }
}

fn name_author(world: &World, value: &mut Value, account: &Account, by: Option<&str>) {
    let (id, name) = match by {
        Some(person) => (
            person.to_owned(),
            world.person(person).map(|person| person.name()),
        ),
        None => (account.id.clone(), Some(world.account_names(account).0)),
    };
    let name = name.unwrap_or_default();
    match world.switches.feed_from {
        FeedFrom::From => value["from"] = json!({"id": id, "name": name}),
        FeedFrom::Sender => {
            value["sender_id"] = id.into();
            value["sender_name"] = name.into();
        }
        FeedFrom::Missing => {}
    }
}

impl World {
    /// Private accounts' comments and mentions are not told.
    pub(crate) fn is_private(&self, account: &Account) -> bool {
        self.instagram
            .get(&account.id)
            .is_some_and(|instagram| instagram.private)
    }
}
