//! The Send API on its three routes: a Page's own messages, Instagram through the linked Page, Instagram by
//! Instagram Login. A send is checked, stored, echoed; receipts follow by themselves or on command.
//! There is no idempotency key: asked twice, it sends twice.

use serde_json::{Value, json};

use super::Visit;
use super::auth::needs_messaging;
use super::error::{GraphError, GraphResult};
use super::private_reply;
use super::send_checks as checks;
use crate::http::answer::Answer;
use crate::webhooks::events;
use crate::world::people::{Customer, Platform};
use crate::world::schedule::Happening;
use crate::world::threads::{Attachment, AttachmentKind, Message, Reaction, Share};

/// `POST /{account}/messages`
pub(crate) fn send(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    let own = visit.account(id)?;
    let reply = private_reply::asked(visit)?;
    let person = match &reply {
        Some(reply) => reply.person.clone(),
        None => checks::recipient(visit, &own)?,
    };
    needs_messaging(&visit.token, person.account.platform)?;
    if let Some(action) = visit.call.param("sender_action").map(str::to_owned) {
        return sender_action(visit, &person, &action);
    }
    let message = match visit.call.value("message") {
        Some(message @ Value::Object(_)) => message,
        _ => {
            return Err(GraphError::parameter(
                "Message cannot be empty, must provide valid attachment or text",
            )
            .sub(2_018_034));
        }
    };
    check_rate(visit, &person, &message)?;
    checks::reachable(visit, &person)?;
    if reply.is_none() {
        checks::window(visit, &person)?;
    }
    let text = checks::text(person.account.platform, &message)?;
    let parts = checks::attachments(&message);
    let liked = parts.iter().any(|part| part["type"] == "like_heart");
    let sticker = message.get("sticker_id").is_some() || liked;
    if text.is_empty() && parts.is_empty() && !sticker {
        return Err(GraphError::parameter(
            "Message cannot be empty, must provide valid attachment or text",
        )
        .sub(2_018_034));
    }
    if !text.is_empty() && !parts.is_empty() && person.account.platform == Platform::Instagram {
        return Err(GraphError::parameter("Invalid message data").sub(2_534_015));
    }
    let mut files = Vec::new();
    let mut reusable = None;
    let mut shares = Vec::new();
    for part in &parts {
        match part["type"].as_str() {
            Some("like_heart") => continue,
            Some("MEDIA_SHARE") => {
                shares.push(post_share(&part["payload"])?);
                continue;
            }
            _ => {}
        }
        let (file, keep) = attachment(visit, &person, part, parts.len())?;
        if keep {
            reusable = Some(file.id.clone());
        }
        files.push(file);
    }
    let reply_to = reply_to(visit, &message);
    let sent = Message {
        id: visit.world.new_message_id(person.account.platform),
        created_ms: visit.world.now_ms(),
        from_business: true,
        text,
        attachments: files,
        shares,
        sticker: sticker.then(|| "product/thumb.png".into()),
        reply_to,
        app_id: Some(checks::sending_app(visit)),
        metadata: message["metadata"].as_str().map(str::to_owned),
        ..Message::default()
    };
    visit.world.adopt(&person.id);
    let message_id = deliver(visit, &person, sent);
    if let Some(reply) = &reply {
        private_reply::sent(visit, reply);
    }
    let mut answer = json!({"recipient_id": person.id, "message_id": message_id});
    if let Some(id) = reusable {
        answer["attachment_id"] = id.into();
    }
    Ok(Answer::json(answer))
}

/// A post of the account's own, shared into the thread.
fn post_share(payload: &Value) -> Result<Share, GraphError> {
    let Some(id) = payload["id"].as_str() else {
        return Err(GraphError::parameter("Invalid message data").sub(2_534_015));
    };
    let link = format!("https://www.instagram.com/p/{id}/");
    Ok(Share {
        id: id.to_owned(),
        name: link.clone(),
        link,
    })
}

fn reply_to(visit: &Visit<'_>, message: &Value) -> Option<String> {
    let beside = visit.call.value("reply_to");
    let given = beside.as_ref().unwrap_or(&message["reply_to"]);
    given["mid"].as_str().map(crate::webhooks::plain_mid)
}

fn check_rate(visit: &mut Visit<'_>, person: &Customer, message: &Value) -> Result<(), GraphError> {
    let heavy = checks::attachments(message)
        .iter()
        .any(|part| matches!(part["type"].as_str(), Some("audio" | "video")));
    let switches = &visit.world.switches;
    let (name, allowed) = match (heavy, person.account.platform) {
        (true, _) => ("media", switches.media_sends_per_second),
        (false, Platform::Messenger) => ("send", switches.sends_per_second_messenger),
        (false, Platform::Instagram) => ("send", switches.sends_per_second_instagram),
    };
    visit
        .world
        .check_rate(&format!("{name}/{}", person.account.id), allowed)
}

/// Stores a checked message, echoes it, plans the receipts.
fn deliver(visit: &mut Visit<'_>, person: &Customer, sent: Message) -> String {
    let world = &mut *visit.world;
    let thread = world
        .conversation_with(&person.account, &person.id)
        .map(|thread| thread.id.clone());
    let thread =
        thread.unwrap_or_else(|| world.open_conversation(person.account.clone(), &person.id));
    let id = sent.id.clone();
    let now = world.now_ms();
    world.put_message(&thread, sent);
    events::message(world, &thread, &id);
    if person.account.platform == Platform::Messenger
        && let Some(wait) = world.switches.delivered_after_ms
    {
        world.plan(
            now + wait,
            Happening::Delivered {
                conversation: thread.clone(),
                message: id.clone(),
            },
        );
    }
    if let Some(wait) = world.switches.read_after_ms {
        world.plan(
            now + wait,
            Happening::Read {
                conversation: thread,
                message: id.clone(),
            },
        );
    }
    crate::webhooks::shown_mid(world, &id)
}

/// One attachment of a send; true when it may be reused.
fn attachment(
    visit: &mut Visit<'_>,
    person: &Customer,
    part: &Value,
    count: usize,
) -> Result<(Attachment, bool), GraphError> {
    let word = part["type"].as_str().unwrap_or_default().to_owned();
    let Some(kind) = AttachmentKind::named(&word) else {
        return Err(
            GraphError::parameter(&format!("Attachment type \"{word}\" is not supported"))
                .sub(2_534_015),
        );
    };
    let payload = &part["payload"];
    let by_id = match &payload["attachment_id"] {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    };
    if let Some(id) = by_id {
        let own = visit.world.accounts_of(&visit.token);
        let upload = visit.world.uploads.get(&id).cloned();
        let upload = upload.filter(|upload| {
            upload
                .account
                .as_ref()
                .is_some_and(|account| own.iter().any(|one| one.id == *account))
        });
        let Some(upload) = upload else {
            return Err(
                GraphError::parameter("The attachment does not belong to this account")
                    .sub(2_018_074),
            );
        };
        checks::right_kind(&word, &upload.mime)?;
        checks::product_limits(
            &person.account,
            &word,
            count,
            &upload.mime,
            upload.bytes.len(),
        )?;
        return Ok((super::upload::as_attachment(&id, kind, &upload), false));
    }
    if let Some(url) = payload["url"].as_str() {
        let (mime, bytes) = checks::fetched(visit, &word, url)?;
        checks::product_limits(&person.account, &word, count, &mime, bytes.len())?;
        let keep = payload["is_reusable"].as_bool().unwrap_or(false);
        let owner = keep.then(|| person.account.id.clone());
        let (id, upload) = super::upload::store(visit.world, mime, bytes, owner);
        return Ok((super::upload::as_attachment(&id, kind, &upload), keep));
    }
    // A file of the same multipart request.
    if let Some(file) = visit
        .call
        .parts
        .iter()
        .find(|file| file.name == "filedata")
        .cloned()
    {
        checks::right_kind(&word, &file.mime)?;
        checks::product_limits(&person.account, &word, count, &file.mime, file.bytes.len())?;
        let (id, upload) = super::upload::store(visit.world, file.mime, file.bytes, None);
        return Ok((super::upload::as_attachment(&id, kind, &upload), false));
    }
    Err(GraphError::parameter("Failed to fetch the file from the url").sub(2_018_008))
}

/// Typing, seen, reactions of the business. They open nothing, and a business's own reaction is no event.
fn sender_action(visit: &mut Visit<'_>, person: &Customer, action: &str) -> GraphResult {
    if visit.call.param("message").is_some() {
        return Err(
            GraphError::parameter("Message and sender state can not be sent together")
                .sub(2_018_014),
        );
    }
    checks::reachable(visit, person)?;
    let world = &mut *visit.world;
    let thread = world
        .conversation_with(&person.account, &person.id)
        .map(|thread| thread.id.clone());
    match action {
        "typing_on" | "typing_off" => {}
        "mark_seen" => {
            if let Some(thread) = thread.and_then(|id| world.conversations.get_mut(&id)) {
                thread.unread = 0;
            }
        }
        "react" | "unreact" => {
            let payload = visit.call.value("payload").unwrap_or(Value::Null);
            let mid = payload["message_id"]
                .as_str()
                .map(crate::webhooks::plain_mid)
                .unwrap_or_default();
            let message = thread
                .and_then(|id| world.conversations.get_mut(&id))
                .and_then(|thread| thread.message_mut(&mid));
            let Some(message) = message else {
                return Err(GraphError::parameter("Invalid message data").sub(2_534_015));
            };
            message
                .reactions
                .retain(|reaction| reaction.by != person.account.id);
            if action == "react" {
                let word = payload["reaction"].as_str().unwrap_or("love");
                let emoji = if word == "love" { "❤" } else { word };
                message.reactions.push(Reaction {
                    word: if word == "love" {
                        "love".into()
                    } else {
                        "other".into()
                    },
                    emoji: emoji.into(),
                    by: person.account.id.clone(),
                });
            }
        }
        other => {
            return Err(GraphError::parameter(&format!(
                "Invalid sender action {other}"
            )));
        }
    }
    Ok(Answer::json(json!({"recipient_id": person.id})))
}
