//! The subscription layers: the app's per object (with its GET verification), and the account's
//! `subscribed_apps`. An event needs both to leave.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Visit;
use super::error::{GraphError, GraphResult};
use crate::http::Shared;
use crate::http::answer::Answer;
use crate::http::call::{Call, Host};
use crate::webhooks::verify;
use crate::world::World;
use crate::world::tokens::Holder;

/// Field names of a Page.
const PAGE_FIELDS: [&str; 21] = [
    "messages",
    "message_echoes",
    "message_deliveries",
    "message_reads",
    "message_reactions",
    "message_edits",
    "messaging_postbacks",
    "messaging_referrals",
    "messaging_optins",
    "messaging_handovers",
    "messaging_policy_enforcement",
    "messaging_account_linking",
    "messaging_feedback",
    "response_feedback",
    "send_cart",
    "standby",
    "feed",
    "mention",
    "ratings",
    "leadgen",
    "messaging_customer_information",
];
/// Field names of an Instagram account.
const INSTAGRAM_FIELDS: [&str; 14] = [
    "messages",
    "message_echoes",
    "message_reactions",
    "message_edit",
    "messaging_postbacks",
    "messaging_seen",
    "messaging_referral",
    "messaging_handover",
    "messaging_optins",
    "standby",
    "comments",
    "live_comments",
    "mentions",
    "story_insights",
];

/// Every field of an object.
pub(crate) fn fields_of(object: &str) -> &'static [&'static str] {
    match object {
        "page" => &PAGE_FIELDS,
        "instagram" => &INSTAGRAM_FIELDS,
        _ => &[],
    }
}

/// `GET | POST | DELETE /{account}/subscribed_apps`
pub(crate) fn account_edge(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    let account = visit.account(id)?;
    let on_instagram = matches!(visit.token.holder, Holder::Instagram(_));
    let scope = if on_instagram {
        "instagram_business_basic"
    } else {
        "pages_manage_metadata"
    };
    if !visit.token.has(scope) {
        return Err(GraphError::permission(200, scope));
    }
    match visit.call.method.as_str() {
        "GET" => {
            let fields = visit.world.mailbox.subscription(&account.id);
            let data = match fields {
                Some(fields) => json!([app_entry(visit.world, on_instagram, fields)]),
                None => json!([]),
            };
            Ok(Answer::json(json!({ "data": data })))
        }
        "POST" => {
            let known: &[&str] = if on_instagram {
                &INSTAGRAM_FIELDS
            } else {
                &PAGE_FIELDS
            };
            let fields = asked_fields(visit.call, known)?;
            let messaging = fields.iter().any(|field| field.starts_with("messag"));
            if messaging && !on_instagram && !visit.token.has("pages_messaging") {
                return Err(GraphError::permission(200, "pages_messaging"));
            }
            visit.world.mailbox.subscribe(&account.id, fields);
            Ok(success(visit.world))
        }
        "DELETE" => {
            visit.world.mailbox.unsubscribe(&account.id);
            Ok(success(visit.world))
        }
        other => Err(GraphError::no_object(id, other)),
    }
}

fn app_entry(world: &World, on_instagram: bool, fields: &[String]) -> Value {
    if on_instagram {
        return json!({"app_id": world.config.instagram.id, "subscribed_fields": fields});
    }
    json!({
        "category": "Business",
        "link": "https://shopbell.example/",
        "name": "Shopbell",
        "id": world.config.facebook.id,
        "subscribed_fields": fields,
    })
}

fn asked_fields(call: &Call, known: &[&str]) -> Result<Vec<String>, GraphError> {
    let given = match call.value("subscribed_fields") {
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(|field| field.as_str().map(str::to_owned))
            .collect(),
        Some(Value::String(text)) => text
            .split(',')
            .map(|field| field.trim().to_owned())
            .collect(),
        _ => Vec::new(),
    };
    let given: Vec<String> = given
        .into_iter()
        .filter(|field| !field.is_empty())
        .collect();
    if given.is_empty() {
        return Err(GraphError::parameter(
            "The parameter subscribed_fields is required.",
        ));
    }
    match given.iter().find(|field| !known.contains(&field.as_str())) {
        Some(wrong) => Err(GraphError::parameter(&format!(
            "Param subscribed_fields[0] must be one of {{{}}} - got \"{wrong}\".",
            known.join(", ")
        ))),
        None => Ok(given),
    }
}

fn success(world: &World) -> Answer {
    if world.switches.success_as_string {
        Answer::json(json!({"success": "true"}))
    } else {
        Answer::json(json!({"success": true}))
    }
}

/// `/{app}/subscriptions` with the app token.
pub(crate) fn app_edge(world: &mut World, call: &Call) -> GraphResult {
    let path = call.path();
    let ["subscriptions"] = path.get(1..).unwrap_or_default() else {
        return Err(GraphError::no_object(
            path.first().copied().unwrap_or_default(),
            &call.method,
        ));
    };
    if path.first().copied() != Some(world.config.facebook.id.as_str()) {
        return Err(GraphError::no_object(
            path.first().copied().unwrap_or_default(),
            &call.method,
        ));
    }
    match call.method.as_str() {
        "GET" => Ok(Answer::json(
            json!({ "data": world.mailbox.app_subscriptions() }),
        )),
        "POST" => {
            let (object, callback) = (call.param("object"), call.param("callback_url"));
            let (Some(object), Some(callback)) = (object, callback) else {
                return Err(GraphError::parameter(
                    "The parameters object and callback_url are required",
                ));
            };
            let fields = call.param("fields").unwrap_or_default();
            let fields = fields
                .split(',')
                .map(|field| field.trim().to_owned())
                .filter(|field| !field.is_empty())
                .collect();
            world.mailbox.app_subscribe(object, callback, fields);
            Ok(success(world))
        }
        "DELETE" => {
            world.mailbox.app_unsubscribe(call.param("object"));
            Ok(success(world))
        }
        other => Err(GraphError::no_object("subscriptions", other)),
    }
}

/// Saving an app subscription asks the callback first; a wrong answer refuses the call.
pub(crate) async fn verify_first(shared: &Arc<Shared>, call: &Call) -> Option<Answer> {
    let saving = call.host == Host::GraphFacebook
        && call.method == "POST"
        && call
            .segments
            .last()
            .is_some_and(|last| last == "subscriptions");
    if !saving
        || !shared
            .world()
            .is_app_token(call.token().unwrap_or_default())
    {
        return None;
    }
    let callback = call.param("callback_url")?;
    let token = call.param("verify_token").unwrap_or_default();
    let challenge = shared.world().chance.digits("1", 10);
    match verify::ask(&shared.client, callback, token, &challenge).await {
        Ok(()) => None,
        Err(reason) => Some(
            GraphError::new(
                2200,
                &format!(
                    "(#2200) Callback verification failed with the following errors: {reason}"
                ),
            )
            .into_answer("verification"),
        ),
    }
}
