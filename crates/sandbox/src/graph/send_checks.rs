//! What a send must satisfy before anything happens: recipient, window, tag, lengths, media. The order is
//! that of the platform as far as it is known: form, person, window, content.

use serde_json::Value;

use super::Visit;
use super::error::GraphError;
use crate::clock::DAY;
use crate::http::fetch::Fetched;
use crate::world::people::{Account, Customer, Platform};
use crate::world::tokens::Holder;

/// Instagram counts bytes.
const INSTAGRAM_BYTES: usize = 1_000;
/// Messenger counts characters.
const MESSENGER_LETTERS: usize = 2_000;
/// How long a human agent may answer.
const HUMAN_AGENT_MS: i64 = 7 * DAY;
/// `metadata` comes back in the echo.
const METADATA_LETTERS: usize = 1_000;

/// The person a send goes to.
pub(crate) fn recipient(visit: &Visit<'_>, account: &Account) -> Result<Customer, GraphError> {
    let given = visit.call.value("recipient").unwrap_or(Value::Null);
    let id = match &given["id"] {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return Err(GraphError::parameter("The parameter recipient is required")),
    };
    let own = visit.world.accounts_of(&visit.token);
    let person = visit
        .world
        .customers
        .get(&id)
        .filter(|person| own.contains(&person.account));
    let Some(person) = person else {
        return Err(match account.platform {
            Platform::Instagram => {
                GraphError::parameter("No matching Instagram user found").sub(2_534_014)
            }
            Platform::Messenger => GraphError::parameter("No matching user found").sub(2_018_001),
        });
    };
    Ok(person.clone())
}

/// Whether the account may send to this person at all.
pub(crate) fn reachable(visit: &Visit<'_>, person: &Customer) -> Result<(), GraphError> {
    let closed = person.account.platform == Platform::Instagram
        && visit
            .world
            .instagram
            .get(&person.account.id)
            .is_some_and(|ig| !ig.messages_allowed);
    if closed {
        return Err(GraphError::new(200, "(#200) The owner of the Instagram account has disabled access to instagram direct messages.")
            .sub(2_534_041)
            .status(403));
    }
    if person.blocked {
        return Err(
            GraphError::new(551, "(#551) This person isn't available right now.").sub(1_545_041),
        );
    }
    let thread = visit.world.conversation_with(&person.account, &person.id);
    if thread.is_some_and(|thread| thread.owned_by_other) {
        let subcode = match person.account.platform {
            Platform::Instagram => 2_534_037,
            Platform::Messenger => 2_018_300,
        };
        return Err(
            GraphError::parameter("Another app is controlling this thread now.").sub(subcode),
        );
    }
    Ok(())
}

/// Reply window and message tags.
pub(crate) fn window(visit: &Visit<'_>, person: &Customer) -> Result<(), GraphError> {
    let call = visit.call;
    let idle = visit.world.now_ms() - person.last_contact_ms;
    let instagram = person.account.platform == Platform::Instagram;
    let tag = call.param("tag");
    match (call.param("messaging_type"), tag) {
        (None | Some("RESPONSE" | "UPDATE" | "MESSAGE_TAG"), _) => {}
        (Some(other), _) => {
            return Err(GraphError::parameter(&format!(
                "Param messaging_type must be one of {{RESPONSE, UPDATE, MESSAGE_TAG}} - got \"{other}\""
            )));
        }
    }
    let allowed = match tag {
        None if call.param("messaging_type") == Some("MESSAGE_TAG") => {
            return Err(GraphError::parameter(
                "A tag is required for messaging_type MESSAGE_TAG",
            ));
        }
        None => DAY,
        Some("HUMAN_AGENT") if visit.world.switches.human_agent_approved => HUMAN_AGENT_MS,
        Some("HUMAN_AGENT") => return Err(GraphError::permission(10, "HUMAN_AGENT")),
        Some("CUSTOMER_FEEDBACK") if !instagram => HUMAN_AGENT_MS,
        // Retired on 27 April 2026, or never known on this product.
        Some(other) => {
            return Err(GraphError::parameter(&format!(
                "Param tag: \"{other}\" is not supported."
            )));
        }
    };
    if idle < allowed {
        return Ok(());
    }
    let subcode = if instagram { 2_534_022 } else { 2_018_278 };
    Err(GraphError::new(10, "(#10) This message is sent outside of allowed window. Learn more about the new policy here: https://developers.facebook.com/docs/messenger-platform/policy-overview")
        .sub(subcode)
        .status(403)
        .titled("Message outside of allowed window"))
}

/// Lengths of text and metadata.
pub(crate) fn text(platform: Platform, message: &Value) -> Result<String, GraphError> {
    let text = message["text"].as_str().unwrap_or_default().to_owned();
    let (length, allowed) = match platform {
        Platform::Instagram => (text.len(), INSTAGRAM_BYTES),
        Platform::Messenger => (text.chars().count(), MESSENGER_LETTERS),
    };
    if length > allowed {
        return Err(GraphError::parameter(&format!(
            "Length of param message[text] must be less than or equal to {allowed}"
        )));
    }
    let metadata = message["metadata"].as_str().unwrap_or_default();
    if metadata.chars().count() >= METADATA_LETTERS {
        return Err(GraphError::parameter(
            "Length of param message[metadata] must be less than 1000",
        ));
    }
    Ok(text)
}

/// The attachments of a message as a list, whichever of the platform's three spellings was used.
pub(crate) fn attachments(message: &Value) -> Vec<Value> {
    [&message["attachment"], &message["attachments"]]
        .into_iter()
        .flat_map(|given| match given {
            Value::Array(list) => list.clone(),
            Value::Object(_) => vec![given.clone()],
            _ => Vec::new(),
        })
        .collect()
}

/// The file behind an attachment that names a URL.
pub(crate) fn fetched(
    visit: &Visit<'_>,
    kind: &str,
    url: &str,
) -> Result<(String, bytes::Bytes), GraphError> {
    match visit.call.fetched.get(url) {
        Some(Fetched::File { mime, bytes }) => {
            right_kind(kind, mime)?;
            Ok((mime.clone(), bytes.clone()))
        }
        Some(Fetched::TooBig) => {
            Err(GraphError::parameter("Attachment size exceeds allowable limit").sub(2_018_109))
        }
        _ => Err(GraphError::parameter("Failed to fetch the file from the url").sub(2_018_008)),
    }
}

/// The type a sender names must be that of the bytes.
pub(crate) fn right_kind(kind: &str, mime: &str) -> Result<(), GraphError> {
    let fits = match kind {
        "image" | "audio" | "video" => mime.starts_with(kind),
        _ => true,
    };
    if fits {
        Ok(())
    } else {
        Err(GraphError::parameter("Attachment type does not match the media").sub(2_018_047))
    }
}

/// What only one product takes.
pub(crate) fn product_limits(
    account: &Account,
    kind: &str,
    count: usize,
    mime: &str,
    size: usize,
) -> Result<(), GraphError> {
    if account.platform == Platform::Messenger {
        return Ok(());
    }
    if kind == "file" && mime != "application/pdf" {
        return Err(
            GraphError::parameter("Unsupported file type, only PDF files can be sent")
                .sub(2_534_015),
        );
    }
    if count > 10 || (kind == "image" && size > 8 * 1024 * 1024) {
        return Err(
            GraphError::parameter("Attachment size exceeds allowable limit").sub(2_018_109),
        );
    }
    Ok(())
}

/// The app that sends through this token: the Instagram app on its own host.
pub(crate) fn sending_app(visit: &Visit<'_>) -> String {
    match visit.token.holder {
        Holder::Instagram(_) => visit.world.config.instagram.id.clone(),
        _ => visit.world.config.facebook.id.clone(),
    }
}
