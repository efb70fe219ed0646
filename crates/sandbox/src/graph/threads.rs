//! Conversations and the messages in them: lists with cursors, nested expansion, the detail limit of
//! twenty, refusals of fields that the other product has. One conversation lists all its message ids,
//! details only of the newest.

use serde_json::{Map, Value, json};

use super::Visit;
use super::auth::needs_messaging;
use super::catalog;
use super::error::{GraphError, GraphResult};
use super::fields::{self, Field};
use super::message;
use super::paging::{self, Ask};
use crate::clock::{DAY, iso};
use crate::http::answer::Answer;
use crate::world::people::{Account, Platform};
use crate::world::threads::Conversation;

/// Idle Requests threads disappear after this.
const REQUESTS_LIFE_MS: i64 = 30 * DAY;

/// The error for a message that is gone or older than the detailed ones.
pub(crate) fn gone() -> GraphError {
    GraphError::new(
        9_000_001,
        "(#9000001) This Message has been deleted by the user or the business",
    )
}

/// Checks rate, permission and the owner's setting before anything of an account is read.
fn enter(visit: &mut Visit<'_>, account: &Account) -> Result<(), GraphError> {
    let allowed = visit.world.switches.conversations_per_second;
    visit
        .world
        .check_rate(&format!("conversations/{}", account.id), allowed)?;
    needs_messaging(&visit.token, account.platform)?;
    let refused = account.platform == Platform::Instagram
        && visit
            .world
            .instagram
            .get(&account.id)
            .is_some_and(|ig| !ig.messages_allowed);
    if refused {
        return Err(GraphError::new(200, "(#200) The owner of the Instagram account has disabled access to instagram direct messages.")
            .sub(2_534_041)
            .status(403));
    }
    Ok(())
}

/// `GET /{account}/conversations`
pub(crate) fn list(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    let own = visit.account(id)?;
    let wants_instagram = visit
        .call
        .param("platform")
        .is_some_and(|platform| platform.eq_ignore_ascii_case("instagram"));
    let account = match own.platform {
        Platform::Messenger if wants_instagram => visit.linked(&own)?,
        _ => own,
    };
    enter(visit, &account)?;
    let asked = fields::read(visit.call.param("fields"), &["id", "updated_time"])?;
    let person = visit.call.param("user_id").map(str::to_owned);
    let now = visit.world.now_ms();
    let mut found: Vec<(String, String)> = visit
        .world
        .conversations
        .values()
        .filter(|thread| thread.account == account && !thread.messages.is_empty())
        .filter(|thread| {
            person
                .as_ref()
                .is_none_or(|person| *person == thread.customer)
        })
        .filter(|thread| !(thread.requests && now - thread.updated_ms > REQUESTS_LIFE_MS))
        .map(|thread| {
            (
                paging::newest_first(thread.updated_ms, &thread.id),
                thread.id.clone(),
            )
        })
        .collect();
    found.sort();
    let keys: Vec<String> = found.iter().map(|(key, _)| key.clone()).collect();
    let ask = Ask::of(visit.call, visit.empty);
    refuse_too_much(visit, &asked, ask.limit)?;
    let cut = paging::cut(&keys, &ask);
    let mut data = Vec::new();
    for (_, thread) in found.get(cut.range.clone()).unwrap_or_default() {
        data.push(conversation_value(visit, thread, &asked)?);
    }
    let extra = paging::repeated(visit.call, &["fields", "platform", "user_id", "limit"]);
    Ok(Answer::json(cut.list(
        data,
        visit.call,
        &format!("{id}/conversations"),
        &extra,
    )))
}

fn refuse_too_much(visit: &Visit<'_>, asked: &[Field], limit: usize) -> Result<(), GraphError> {
    let Some(budget) = visit.world.switches.expansion_budget else {
        return Ok(());
    };
    let nested = asked
        .iter()
        .find(|field| field.name == "messages")
        .map_or(1, |field| Ask::nested(field).limit);
    if limit * nested > budget {
        return Err(GraphError::new(
            1,
            "Please reduce the amount of data you're asking for, then retry your request",
        ));
    }
    Ok(())
}

/// `GET /{conversation}`
pub(crate) fn conversation(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    open(visit, id)?;
    let asked = fields::read(visit.call.param("fields"), &["id", "updated_time"])?;
    conversation_value(visit, id, &asked).map(Answer::json)
}

/// `GET /{conversation}/messages`
pub(crate) fn messages(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    if !visit.world.conversations.contains_key(id) {
        return Err(GraphError::no_object(id, "GET"));
    }
    open(visit, id)?;
    let asked = fields::read(visit.call.param("fields"), &["id", "created_time"])?;
    let ask = Ask::of(visit.call, visit.empty);
    messages_value(visit, id, &asked, &ask, false).map(Answer::json)
}

/// `GET /{message}`
pub(crate) fn message(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    let found = visit.world.home_of(id).map(|(thread, plain)| {
        let newer = thread
            .messages
            .iter()
            .rev()
            .take_while(|other| other.id != plain)
            .count();
        (thread.id.clone(), plain, newer)
    });
    let Some((home, plain, newer)) = found else {
        return Err(GraphError::no_object(id, "GET"));
    };
    open(visit, &home)?;
    if newer >= visit.world.switches.detailed_messages {
        return Err(gone());
    }
    let asked = fields::read(visit.call.param("fields"), &["id", "created_time"])?;
    let Some(thread) = visit.world.conversations.get(&home).cloned() else {
        return Err(GraphError::no_object(id, "GET"));
    };
    let Some(found) = thread.message(&plain) else {
        return Err(gone());
    };
    message::value(visit, &thread, found, &asked, true).map(Answer::json)
}

/// The right to read a conversation, counted.
fn open(visit: &mut Visit<'_>, id: &str) -> Result<(), GraphError> {
    let account = visit
        .world
        .conversations
        .get(id)
        .map(|thread| thread.account.clone());
    match account {
        Some(account) if visit.world.sees(&visit.token, &account) => enter(visit, &account),
        _ => Err(GraphError::no_object(id, "GET")),
    }
}

fn conversation_value(
    visit: &mut Visit<'_>,
    id: &str,
    asked: &[Field],
) -> Result<Value, GraphError> {
    let Some(thread) = visit.world.conversations.get(id).cloned() else {
        return Err(GraphError::no_object(id, "GET"));
    };
    catalog::check("UnifiedThread", asked)?;
    let mut node = Map::new();
    for field in asked {
        if let Some(value) = conversation_field(visit, &thread, field)? {
            node.insert(field.name.clone(), value);
        }
    }
    Ok(Value::Object(node))
}

const MESSENGER_ONLY: [&str; 5] = [
    "snippet",
    "message_count",
    "unread_count",
    "can_reply",
    "link",
];

fn conversation_field(
    visit: &mut Visit<'_>,
    thread: &Conversation,
    field: &Field,
) -> Result<Option<Value>, GraphError> {
    let name = field.name.as_str();
    if thread.account.platform == Platform::Instagram && MESSENGER_ONLY.contains(&name) {
        if visit.world.switches.ig_refuses_messenger_fields {
            return Err(GraphError::no_field(name, "InstagramThread"));
        }
        return Ok(None);
    }
    Ok(Some(match name {
        "id" => json!(thread.id),
        "updated_time" => json!(iso(thread.updated_ms)),
        "link" => json!(format!("/{}/inbox/{}/", thread.account.id, thread.customer)),
        "message_count" => json!(thread.messages.len()),
        "unread_count" => json!(thread.unread),
        "snippet" => json!(
            thread
                .messages
                .last()
                .map(|last| last.text.as_str())
                .unwrap_or_default()
        ),
        "can_reply" => json!(window_open(visit, thread)),
        "is_subscribed" => json!(true),
        "is_owner" => json!(!thread.owned_by_other),
        "participants" | "senders" => json!({"data": [
            message::person(visit, thread, true),
            message::person(visit, thread, false),
        ]}),
        "messages" => {
            let inner = fields::inner_or(field, &["id", "created_time"]);
            messages_value(visit, &thread.id, &inner, &Ask::nested(field), true)?
        }
        other => return Err(GraphError::no_field(other, "UnifiedThread")),
    }))
}

fn window_open(visit: &Visit<'_>, thread: &Conversation) -> bool {
    let last = visit
        .world
        .customers
        .get(&thread.customer)
        .map_or(0, |person| person.last_contact_ms);
    visit.world.now_ms() - last < DAY
}

/// The messages of a conversation, newest first.
fn messages_value(
    visit: &mut Visit<'_>,
    id: &str,
    asked: &[Field],
    ask: &Ask,
    nested: bool,
) -> Result<Value, GraphError> {
    let Some(thread) = visit.world.conversations.get(id).cloned() else {
        return Err(GraphError::no_object(id, "GET"));
    };
    let detailed = visit.world.switches.detailed_messages;
    let stops = nested && visit.world.switches.nested_messages_stop;
    let listed = if stops {
        thread.messages.len().min(detailed)
    } else {
        thread.messages.len()
    };
    let total = thread.messages.len();
    // Position in the conversation breaks ties: several messages may share a millisecond.
    let keys: Vec<String> = (0..listed)
        .filter_map(|back| {
            let at = total - 1 - back;
            let sent = thread.messages.get(at)?.created_ms;
            Some(paging::newest_first(sent, &format!("{:06}", 999_999 - at)))
        })
        .collect();
    let cut = paging::cut(&keys, ask);
    let mut data = Vec::new();
    for back in cut.range.clone() {
        if let Some(message) = thread.messages.get(total - 1 - back) {
            data.push(message::value(
                visit,
                &thread,
                message,
                asked,
                back < detailed,
            )?);
        }
    }
    let extra = [
        ("fields", fields::join(asked)),
        ("limit", ask.limit.to_string()),
    ];
    Ok(cut.list(data, visit.call, &format!("{id}/messages"), &extra))
}
