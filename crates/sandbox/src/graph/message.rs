//! One message as a node, with its attachments, shares, reactions and story, in the words of its product:
//! Messenger shows names and addresses, Instagram user names.

use serde_json::{Map, Value, json};

use super::Visit;
use super::catalog;
use super::error::GraphError;
use super::fields::Field;
use crate::clock::iso;
use crate::world::cards::{Card, CardKind};
use crate::world::people::Platform;
use crate::world::threads::{Attachment, AttachmentKind, Conversation, Message};

/// A message; beyond the detailed ones only `id` and `created_time` are left.
pub(crate) fn value(
    visit: &mut Visit<'_>,
    thread: &Conversation,
    message: &Message,
    asked: &[Field],
    detailed: bool,
) -> Result<Value, GraphError> {
    catalog::check("Message", asked)?;
    let mut node = Map::new();
    for field in asked {
        let name = field.name.as_str();
        let shown = field_value(visit, thread, message, name)?;
        if let Some(value) = shown
            && (detailed || matches!(name, "id" | "created_time"))
        {
            node.insert(name.to_owned(), value);
        }
    }
    Ok(Value::Object(node))
}

fn field_value(
    visit: &mut Visit<'_>,
    thread: &Conversation,
    message: &Message,
    name: &str,
) -> Result<Option<Value>, GraphError> {
    Ok(match name {
        "id" => Some(json!(message.id)),
        "created_time" => Some(json!(iso(message.created_ms))),
        "message" => Some(json!(message.text)),
        "from" => Some(person(visit, thread, !message.from_business)),
        "to" => Some(json!({"data": [person(visit, thread, message.from_business)]})),
        "tags" => Some(
            json!({"data": [{"name": "inbox"}, {"name": if message.from_business { "sent" } else { "read" }}]}),
        ),
        "sticker" => message
            .sticker
            .as_ref()
            .map(|path| json!(visit.world.signed(path))),
        "is_unsupported" => message.unsupported.then_some(json!(true)),
        "reply_to" => message.reply_to.as_ref().map(|mid| {
            let own = thread
                .message(mid)
                .is_some_and(|other| other.from_business == message.from_business);
            json!({"mid": mid, "is_self_reply": own})
        }),
        "attachments" => filled(
            message
                .attachments
                .iter()
                .map(|file| attachment(visit, file))
                .chain(message.cards.iter().filter_map(|card| product(visit, card)))
                .collect(),
        ),
        "shares" => filled(
            message
                .shares
                .iter()
                .map(|share| json!({"id": share.id, "link": share.link, "name": share.name}))
                .chain(
                    message
                        .cards
                        .iter()
                        .filter(|card| card.kind.is_share())
                        .map(|card| {
                            let link = visit.world.signed(&card.path);
                            json!({"id": card.id, "link": link, "name": card.title})
                        }),
                )
                .collect(),
        ),
        "reactions" => filled(
            message
                .reactions
                .iter()
                .map(|reaction| {
                    let by_customer = reaction.by == thread.customer;
                    let who = person(visit, thread, by_customer);
                    json!({"reaction": reaction.word, "emoji": reaction.emoji, "users": [who]})
                })
                .collect(),
        ),
        "story" => message.story.as_ref().map(|story| {
            let link = visit.world.signed(&story.path);
            let way = if story.mention { "mention" } else { "reply_to" };
            json!({ way: {"link": link, "id": story.id} })
        }),
        other => return Err(GraphError::no_field(other, "Message")),
    })
}

fn filled(data: Vec<Value>) -> Option<Value> {
    (!data.is_empty()).then(|| json!({ "data": data }))
}

/// Either side of a conversation.
pub(crate) fn person(visit: &Visit<'_>, thread: &Conversation, customer: bool) -> Value {
    let (id, name, username) = if customer {
        let person = visit.world.customers.get(&thread.customer);
        let name = person
            .filter(|person| !person.nameless)
            .map(|person| person.name());
        let username = person
            .map(|person| person.username.clone())
            .unwrap_or_default();
        (thread.customer.clone(), name.unwrap_or_default(), username)
    } else {
        let (name, username) = visit.world.account_names(&thread.account);
        (thread.account.id.clone(), name, username)
    };
    match thread.account.platform {
        Platform::Messenger => {
            json!({"name": name, "email": format!("{id}@facebook.com"), "id": id})
        }
        Platform::Instagram => json!({"username": username, "id": id}),
    }
}

/// A product of the catalogue is an attachment; other cards are shares or leave no trace.
fn product(visit: &Visit<'_>, card: &Card) -> Option<Value> {
    (card.kind == CardKind::Template).then(|| {
        let picture = visit.world.signed(&card.path);
        json!({"id": card.id, "generic_template": {"title": card.title, "media_url": picture}})
    })
}

fn attachment(visit: &Visit<'_>, file: &Attachment) -> Value {
    let url = visit.world.signed(&file.path);
    let mut node = json!({
        "id": file.id, "mime_type": file.mime, "name": file.name,
    });
    if let Some(size) = file.size {
        node["size"] = size.into();
    }
    match file.kind {
        AttachmentKind::Image => {
            node["image_data"] = json!({
                "width": file.width, "height": file.height,
                "max_width": file.width, "max_height": file.height,
                "url": url, "preview_url": url, "image_type": 1,
            });
        }
        AttachmentKind::Video => {
            node["video_data"] = json!({
                "width": file.width, "height": file.height, "length": 9, "video_type": 0,
                "url": url, "preview_url": url, "rotation": 0,
            });
        }
        AttachmentKind::Audio | AttachmentKind::File => node["file_url"] = url.into(),
    }
    node
}
