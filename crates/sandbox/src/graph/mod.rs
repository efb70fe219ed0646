//! The two simulated graphs: routing, common headers, batch requests. Each child module answers one
//! group of edges; who may call is decided in `auth`, how often in `usage`.

pub(crate) mod auth;
pub(crate) mod catalog;
pub(crate) mod content;
pub(crate) mod error;
pub(crate) mod fields;
pub(crate) mod ig_oauth;
pub(crate) mod media;
pub(crate) mod media_comments;
pub(crate) mod message;
pub(crate) mod moderation;
pub(crate) mod nodes;
pub(crate) mod oauth;
pub(crate) mod page_comments;
pub(crate) mod paging;
pub(crate) mod posts;
pub(crate) mod private_reply;
pub(crate) mod profiles;
pub(crate) mod send;
pub(crate) mod send_checks;
pub(crate) mod subscriptions;
pub(crate) mod threads;
pub(crate) mod upload;
pub(crate) mod usage;

use auth::Caller;
use error::{GraphError, GraphResult};
use serde_json::{Value, json};
use usage::Usage;

use crate::faults::Fault;
use crate::http::answer::{Answer, Content};
use crate::http::call::{Call, Host};
use crate::world::World;
use crate::world::people::{Account, Platform};
use crate::world::tokens::{Holder, Token};

/// Runs when a call names no version, or one that is not known.
pub(crate) const CURRENT_VERSION: &str = "v25.0";
/// Every version that is served under its own name; all of them behave alike here.
const VERSIONS: [&str; 6] = ["v21.0", "v22.0", "v23.0", "v24.0", "v25.0", "v26.0"];
/// Calls in one batch.
const BATCH_LIMIT: usize = 50;

/// A call with its living token.
pub(crate) struct Visit<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) call: &'a Call,
    pub(crate) token: Token,
    /// A fault wants lists to answer an empty page that goes on.
    pub(crate) empty: bool,
}

/// Answers a graph call, batch or single.
pub(crate) fn answer(world: &mut World, call: &Call, fault: Option<&Fault>) -> Answer {
    let trace = format!("A{}", world.chance.word(14));
    let mut usage = Usage::new();
    let result = route(world, call, fault, &mut usage);
    let mut answer = result.unwrap_or_else(|error| error.into_answer(&trace));
    let asked = call.version.as_deref().unwrap_or(CURRENT_VERSION);
    let ran = VERSIONS
        .iter()
        .find(|known| **known == asked)
        .unwrap_or(&VERSIONS[0]);
    answer = answer
        .header(
            "facebook-api-version",
            if call.version.is_some() {
                ran
            } else {
                CURRENT_VERSION
            },
        )
        .header("date", &crate::clock::http_date(world.now_ms()))
        .header("x-fb-request-id", &trace)
        .header("x-fb-trace-id", &trace)
        .header("x-fb-rev", "1031000001")
        .header(
            "cache-control",
            "private, no-cache, no-store, must-revalidate",
        );
    // The platform's clock, not the computer's: callers learn from it how far their own is off.
    if let Some(now) = jiff::Timestamp::from_millisecond(world.clock.now_ms())
        .ok()
        .and_then(|now| {
            jiff::fmt::rfc2822::DateTimePrinter::new()
                .timestamp_to_rfc9110_string(&now)
                .ok()
        })
    {
        answer = answer.header("date", &now);
    }
    answer.headers.extend(usage);
    answer
}

fn route(world: &mut World, call: &Call, fault: Option<&Fault>, usage: &mut Usage) -> GraphResult {
    let path = call.path();
    if let Some(answer) = without_token(world, call, &path) {
        return answer;
    }
    let caller = world.caller(call)?;
    world.charge(
        call,
        &caller,
        fault.and_then(|fault| fault.throttle.as_ref()),
        usage,
    )?;
    if path.is_empty() && call.method == "POST" {
        return batch(world, call, fault);
    }
    let token = match caller {
        Caller::App => return subscriptions::app_edge(world, call),
        Caller::Token(token) => *token,
    };
    let empty = fault.is_some_and(|fault| fault.empty_page);
    Visit {
        world,
        call,
        token,
        empty,
    }
    .go(&path)
}

/// The edges that bring their own credentials.
fn without_token(world: &mut World, call: &Call, path: &[&str]) -> Option<GraphResult> {
    match (call.host, path) {
        (Host::GraphFacebook, ["oauth", "access_token"]) => Some(oauth::access_token(world, call)),
        (Host::GraphFacebook, ["debug_token"]) => Some(oauth::debug_token(world, call)),
        (Host::GraphInstagram, ["access_token"]) => Some(ig_oauth::exchange_token(world, call)),
        (Host::GraphInstagram, ["refresh_access_token"]) => {
            Some(ig_oauth::refresh_token(world, call))
        }
        _ => None,
    }
}

fn batch(world: &mut World, call: &Call, fault: Option<&Fault>) -> GraphResult {
    let Some(Value::Array(items)) = call.value("batch") else {
        return Err(GraphError::parameter(
            "Batch requires a batch parameter that is a list",
        ));
    };
    if items.len() > BATCH_LIMIT {
        return Err(GraphError::parameter(&format!(
            "Too many requests in batch message. Maximum batch size is {BATCH_LIMIT}"
        )));
    }
    let answers = items
        .iter()
        .map(|item| {
            let method = item["method"]
                .as_str()
                .unwrap_or("GET")
                .to_ascii_uppercase();
            let relative = item["relative_url"].as_str().unwrap_or_default();
            let inner = call.inner(&method, relative, item["body"].as_str().unwrap_or_default());
            if inner.segments.is_empty() {
                return json!({"code": 400, "headers": [], "body": "{}"});
            }
            let answer = answer(world, &inner, fault);
            let headers: Vec<Value> = answer
                .headers
                .iter()
                .map(|(name, value)| json!({"name": name, "value": value}))
                .collect();
            let body = match answer.content {
                Content::Json(value) => value.to_string(),
                Content::Text(text, _) => text,
                Content::Bytes(..) => String::new(),
            };
            json!({"code": answer.status, "headers": headers, "body": body})
        })
        .collect();
    Ok(Answer::json(Value::Array(answers)))
}

impl Visit<'_> {
    fn go(mut self, path: &[&str]) -> GraphResult {
        match (self.call.method.as_str(), path) {
            ("GET", ["me", "permissions"]) => oauth::permissions(&self),
            ("DELETE", ["me", "permissions"]) => oauth::remove_app(&mut self, None),
            ("DELETE", ["me", "permissions", name]) => oauth::remove_app(&mut self, Some(name)),
            ("GET", [id, "accounts"]) => nodes::accounts(&mut self, id),
            ("GET", [id, "conversations"]) => threads::list(&mut self, id),
            ("GET", [id, "messages"]) => threads::messages(&mut self, id),
            ("POST", [id, "messages"]) => send::send(&mut self, id),
            ("POST", [id, "message_attachments"]) => upload::upload(&mut self, id),
            (_, [id, "subscribed_apps"]) => subscriptions::account_edge(&mut self, id),
            ("GET", [id, edge @ ("feed" | "posts" | "published_posts")]) => {
                posts::list(&mut self, id, edge)
            }
            ("GET", [id, edge @ ("media" | "stories" | "live_media")]) => {
                media::list(&mut self, id, edge)
            }
            ("GET", [id, edge @ ("comments" | "replies")]) => self.comments(id, edge),
            ("POST", [id, edge @ ("comments" | "replies")]) => {
                moderation::comment(&mut self, id, edge)
            }
            ("POST" | "DELETE", [id, "likes"]) => moderation::like(&mut self, id),
            ("GET", [id]) => self.node(id),
            ("POST", [id]) => moderation::change(&mut self, id),
            ("DELETE", [id]) => moderation::remove(&mut self, id),
            (method, path) => {
                let id = path.first().copied().unwrap_or_default();
                Err(GraphError::no_object(id, method))
            }
        }
    }

    /// The comments below a post or a comment, on the edge its product has.
    fn comments(&mut self, id: &str, edge: &str) -> GraphResult {
        let found = match (self.world.posts.get(id), self.world.comment_with_post(id)) {
            (Some(post), _) => Some((post.account.platform, false)),
            (None, Some((_, post))) => Some((post.account.platform, true)),
            (None, None) => None,
        };
        match (found, edge) {
            (Some((Platform::Messenger, _)), "comments") => page_comments::list(self, id),
            (Some((Platform::Instagram, false)), "comments")
            | (Some((Platform::Instagram, true)), "replies") => media_comments::list(self, id),
            _ => Err(GraphError::no_object(id, "GET")),
        }
    }

    /// A post, a medium or a comment.
    fn content_node(&mut self, id: &str) -> Option<GraphResult> {
        let post = self.world.posts.get(id).map(|post| post.account.platform);
        if let Some(platform) = post {
            return Some(match platform {
                Platform::Messenger => posts::node(self, id),
                Platform::Instagram => media::node(self, id),
            });
        }
        let (_, post) = self.world.comment_with_post(id)?;
        Some(match post.account.platform {
            Platform::Messenger => page_comments::node(self, id),
            Platform::Instagram => media_comments::node(self, id),
        })
    }

    /// A single node of any kind.
    fn node(&mut self, id: &str) -> GraphResult {
        if id == "me" {
            return nodes::me(self);
        }
        if self.world.conversations.contains_key(id) {
            return threads::conversation(self, id);
        }
        if self
            .world
            .message_home
            .contains_key(&crate::webhooks::plain_mid(id))
        {
            return threads::message(self, id);
        }
        if self.world.unsent.contains(&crate::webhooks::plain_mid(id)) {
            return Err(threads::gone());
        }
        if self.world.pages.contains_key(id) {
            return nodes::page(self, id);
        }
        if self.world.instagram.contains_key(id) {
            return nodes::instagram(self, id);
        }
        if let Some(answer) = self.content_node(id) {
            return answer;
        }
        if self.world.person(id).is_some() {
            return profiles::profile(self, id);
        }
        if self.world.owners.contains_key(id) && self.token.holder == Holder::Owner(id.to_owned()) {
            return nodes::me(self);
        }
        Err(GraphError::no_object(id, "GET"))
    }

    /// The account an edge is called on: `me`, the Page, or the Instagram account. With a Page token and
    /// `platform=instagram` (or a linked person as recipient) callers go on to the linked account.
    pub(crate) fn account(&self, id: &str) -> Result<Account, GraphError> {
        let own = self.world.accounts_of(&self.token);
        let Some(first) = own.first() else {
            return Err(GraphError::new(
                210,
                "(#210) A page access token is required to request this resource.",
            ));
        };
        if id == "me" || id == first.id {
            return Ok(first.clone());
        }
        Err(GraphError::no_object(id, &self.call.method))
    }

    /// The Instagram account linked to the Page of this token.
    pub(crate) fn linked(&self, page: &Account) -> Result<Account, GraphError> {
        let linked = self
            .world
            .pages
            .get(&page.id)
            .and_then(|page| page.instagram.as_deref());
        linked.map(Account::instagram).ok_or_else(|| {
            GraphError::parameter("The Page is not linked to an Instagram account").sub(2_534_013)
        })
    }
}
