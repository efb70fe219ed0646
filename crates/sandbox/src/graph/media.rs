//! Media of an Instagram account: the list, stories of the last day, broadcasts that run, one medium as a node, and
//! what somebody else's medium says about the account (`mentioned_media`, `mentioned_comment`).

use serde_json::{Map, Value, json};

use super::Visit;
use super::catalog;
use super::content::{self, Right};
use super::error::{GraphError, GraphResult};
use super::fields::{self, Field};
use super::media_comments;
use super::paging::{self, Ask};
use super::posts::{likes, still};
use crate::clock::{DAY, iso};
use crate::http::answer::Answer;
use crate::http::call::Host;
use crate::webhooks::content::permalink;
use crate::world::people::Platform;
use crate::world::posts::{Level, Mention, Post, PostForm};

/// `GET /{ig}/media | stories | live_media`, newest first.
pub(crate) fn list(visit: &mut Visit<'_>, id: &str, edge: &str) -> GraphResult {
    let account = content::owner(visit, id, Platform::Instagram)?;
    let asked = fields::read(visit.call.param("fields"), &["id"])?;
    let now = visit.world.now_ms();
    let mut found: Vec<(String, String)> = visit
        .world
        .posts
        .values()
        .filter(|post| post.account == account)
        .filter(|post| match (edge, post.form) {
            ("stories", form) => form == PostForm::Story && now - post.created_ms < DAY,
            ("live_media", form) => form == PostForm::Live && post.ended_ms.is_none(),
            (_, form) => !matches!(form, PostForm::Story | PostForm::Live),
        })
        .filter(|post| content::within(visit.call, post.created_ms))
        .map(|post| {
            (
                paging::newest_first(post.created_ms, &post.id),
                post.id.clone(),
            )
        })
        .collect();
    found.sort();
    let keys: Vec<String> = found.iter().map(|(key, _)| key.clone()).collect();
    let cut = paging::cut(&keys, &Ask::of(visit.call, visit.empty));
    let mut data = Vec::new();
    for (_, media) in found.get(cut.range.clone()).unwrap_or_default() {
        data.push(value(visit, media, &asked)?);
    }
    let extra = paging::repeated(visit.call, &["fields", "since", "until", "limit"]);
    Ok(Answer::json(cut.list(
        data,
        visit.call,
        &format!("{id}/{edge}"),
        &extra,
    )))
}

/// `GET /{media}`
pub(crate) fn node(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    let Some(post) = visit.world.posts.get(id).cloned() else {
        return Err(GraphError::no_object(id, "GET"));
    };
    content::enter(visit, &post.account, id, Right::Read)?;
    let asked = fields::read(visit.call.param("fields"), &["id"])?;
    value(visit, id, &asked).map(Answer::json)
}

/// The name of the node type: each host has its own class.
fn kind(visit: &Visit<'_>) -> &'static str {
    match visit.call.host {
        Host::GraphInstagram => "IGMediaForIGOnlyAPI",
        _ => "IGMedia",
    }
}

/// A medium with the asked fields.
pub(crate) fn value(visit: &mut Visit<'_>, id: &str, asked: &[Field]) -> Result<Value, GraphError> {
    let Some(post) = visit.world.posts.get(id).cloned() else {
        return Err(GraphError::no_object(id, "GET"));
    };
    catalog::check(kind(visit), asked)?;
    let mut node = Map::new();
    for field in asked {
        if let Some(value) = field_value(visit, &post, field)? {
            node.insert(field.name.clone(), value);
        }
    }
    Ok(Value::Object(node))
}

fn field_value(
    visit: &mut Visit<'_>,
    post: &Post,
    field: &Field,
) -> Result<Option<Value>, GraphError> {
    let film = matches!(post.form, PostForm::Reel | PostForm::Live);
    Ok(match field.name.as_str() {
        "id" => Some(json!(post.id)),
        "caption" => (!post.text.is_empty()).then(|| json!(post.text)),
        "media_type" => Some(json!(match post.form {
            PostForm::Carousel => "CAROUSEL_ALBUM",
            _ if film => "VIDEO",
            _ => "IMAGE",
        })),
        "media_product_type" => Some(json!(post.product())),
        "media_url" => post
            .pictures
            .first()
            .map(|path| json!(visit.world.signed(path))),
        "thumbnail_url" if film => still(post).map(|path| json!(visit.world.signed(path))),
        "thumbnail_url" => None,
        "permalink" => Some(json!(permalink(visit.world, post))),
        "shortcode" => Some(json!(post.shortcode)),
        "timestamp" => Some(json!(iso(post.created_ms))),
        "username" => Some(json!(visit.world.account_names(&post.account).1)),
        "owner" => Some(json!({"id": post.account.id})),
        "like_count" => Some(json!(likes(post))),
        "comments_count" => {
            let all = visit.world.comments_below(&post.id, Level::All);
            Some(json!(all.len()))
        }
        "is_comment_enabled" => Some(json!(post.comments_enabled)),
        "is_shared_to_feed" => (post.form == PostForm::Reel).then_some(json!(true)),
        "children" => children(visit, post, field)?,
        "comments" => Some(media_comments::nested(visit, &post.id, None, field)?),
        other => return Err(GraphError::no_field(other, kind(visit))),
    })
}

/// The pictures of a carousel. They have ids of their own that lead nowhere else here.
fn children(visit: &Visit<'_>, post: &Post, field: &Field) -> Result<Option<Value>, GraphError> {
    if post.form != PostForm::Carousel {
        return Ok(None);
    }
    let asked = fields::inner_or(field, &["id"]);
    let mut data = Vec::new();
    for (number, path) in post.pictures.iter().enumerate() {
        let mut child = Map::new();
        for field in &asked {
            let value = match field.name.as_str() {
                "id" => json!(format!("{}{number}", post.id)),
                "media_type" => json!("IMAGE"),
                "media_url" => json!(visit.world.signed(path)),
                "permalink" => json!(permalink(visit.world, post)),
                "timestamp" => json!(iso(post.created_ms)),
                other => return Err(GraphError::no_field(other, kind(visit))),
            };
            child.insert(field.name.clone(), value);
        }
        data.push(Value::Object(child));
    }
    Ok(Some(json!({ "data": data })))
}

/// `/{ig}?fields=mentioned_media.media_id(…){…}` and `mentioned_comment.comment_id(…){…}`
pub(crate) fn mentioned(
    visit: &Visit<'_>,
    account: &str,
    field: &Field,
) -> Result<Value, GraphError> {
    let by_comment = field.name == "mentioned_comment";
    let key = if by_comment { "comment_id" } else { "media_id" };
    let Some(id) = field.arg(key) else {
        return Err(GraphError::parameter(&format!(
            "The parameter {key} is required"
        )));
    };
    let found = visit.world.mentions.values().find(|mention| {
        let comment = mention
            .comment
            .as_ref()
            .map(|(comment, _)| comment.as_str());
        mention.account.id == account
            && if by_comment {
                comment == Some(id)
            } else {
                mention.media == id
            }
    });
    let Some(mention) = found else {
        return Err(GraphError::no_object(id, "GET"));
    };
    if by_comment {
        mentioned_comment(visit, mention, field)
    } else {
        mentioned_media(visit, mention, &fields::inner_or(field, &["id"]))
    }
}

fn mentioned_media(
    visit: &Visit<'_>,
    mention: &Mention,
    asked: &[Field],
) -> Result<Value, GraphError> {
    let username = visit
        .world
        .person(&mention.by)
        .map(|person| person.username.clone());
    let mut node = Map::new();
    for field in asked {
        let value = match field.name.as_str() {
            "id" => json!(mention.media),
            "caption" => json!(mention.caption),
            "media_type" => json!("IMAGE"),
            "media_product_type" => json!("FEED"),
            "media_url" => json!(visit.world.signed(&mention.picture)),
            "permalink" => json!(format!("https://www.instagram.com/p/{}/", mention.media)),
            "timestamp" => json!(iso(mention.created_ms)),
            "username" => json!(username),
            "like_count" => json!(3),
            "comments_count" => json!(u8::from(mention.comment.is_some())),
            other => return Err(GraphError::no_field(other, "IGMedia")),
        };
        node.insert(field.name.clone(), value);
    }
    Ok(Value::Object(node))
}

fn mentioned_comment(
    visit: &Visit<'_>,
    mention: &Mention,
    field: &Field,
) -> Result<Value, GraphError> {
    let Some((id, text)) = &mention.comment else {
        return Err(GraphError::no_object(&mention.media, "GET"));
    };
    let mut node = Map::new();
    for inner in &fields::inner_or(field, &["id"]) {
        let value = match inner.name.as_str() {
            "id" => json!(id),
            "text" => json!(text),
            "timestamp" => json!(iso(mention.created_ms)),
            "like_count" => json!(0),
            "username" => json!(
                visit
                    .world
                    .person(&mention.by)
                    .map(|person| person.username.clone())
            ),
            "media" => mentioned_media(visit, mention, &fields::inner_or(inner, &["id"]))?,
            other => return Err(GraphError::no_field(other, "IGComment")),
        };
        node.insert(inner.name.clone(), value);
    }
    Ok(Value::Object(node))
}
