//! Owners, Pages and Instagram accounts as nodes, and `/me/accounts`. Which fields a node has is one list
//! per kind; asking for another is the platform's code 100.

use serde_json::{Map, Value, json};

use super::Visit;
use super::catalog;
use super::error::{GraphError, GraphResult};
use super::fields::{self, Field};
use super::paging::{self, Ask};
use crate::http::answer::Answer;
use crate::http::call::Host;
use crate::world::people::{InstagramAccount, Page};
use crate::world::tokens::Holder;

/// The token's own node.
pub(crate) fn me(visit: &mut Visit<'_>) -> GraphResult {
    match visit.token.holder.clone() {
        Holder::Owner(id) => owner(visit, &id),
        Holder::Page { page: id, .. } => page(visit, &id),
        Holder::Instagram(id) => instagram(visit, &id),
    }
}

fn owner(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    let asked = fields::read(visit.call.param("fields"), &["name"])?;
    catalog::check("User", &asked)?;
    let Some(owner) = visit.world.owners.get(id).cloned() else {
        return Err(GraphError::no_object(id, "GET"));
    };
    let mut node = Map::new();
    for field in &asked {
        let value = match field.name.as_str() {
            "id" => json!(owner.id),
            "name" => json!(owner.name()),
            "first_name" => json!(owner.first_name),
            "last_name" => json!(owner.last_name),
            "picture" => picture(visit, &format!("avatar/{}.jpg", owner.id)),
            "accounts" => {
                let inner = fields::inner_or(field, ACCOUNT_DEFAULTS);
                accounts_list(visit, &owner.pages, &inner, &Ask::nested(field))?
            }
            other => return Err(GraphError::no_field(other, "User")),
        };
        node.insert(field.name.clone(), value);
    }
    Ok(Answer::json(Value::Object(node)))
}

const ACCOUNT_DEFAULTS: &[&str] = &[
    "access_token",
    "category",
    "category_list",
    "name",
    "id",
    "tasks",
];

/// `/me/accounts`: the Pages ticked in the dialog.
pub(crate) fn accounts(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    let Holder::Owner(owner) = visit.token.holder.clone() else {
        return Err(GraphError::no_field("accounts", "Page"));
    };
    if id != "me" && id != owner {
        return Err(GraphError::no_object(id, "GET"));
    }
    let asked = fields::read(visit.call.param("fields"), ACCOUNT_DEFAULTS)?;
    let held = visit
        .world
        .owners
        .get(&owner)
        .map(|owner| owner.pages.clone())
        .unwrap_or_default();
    let list = accounts_list(visit, &held, &asked, &Ask::of(visit.call, visit.empty))?;
    Ok(Answer::json(list))
}

fn accounts_list(
    visit: &mut Visit<'_>,
    held: &[String],
    asked: &[Field],
    ask: &Ask,
) -> Result<Value, GraphError> {
    let shown: Vec<String> = if visit.token.has("pages_show_list") {
        let ticked = &visit.token.pages;
        held.iter()
            .filter(|page| ticked.contains(page))
            .cloned()
            .collect()
    } else {
        Vec::new()
    };
    let keys: Vec<String> = (0..shown.len()).map(|n| format!("{n:06}")).collect();
    let cut = paging::cut(&keys, ask);
    let mut data = Vec::new();
    for id in shown.get(cut.range.clone()).unwrap_or_default() {
        data.push(page_value(visit, id, asked)?);
    }
    let extra = [
        ("fields", fields::join(asked)),
        ("limit", ask.limit.to_string()),
    ];
    Ok(cut.list(data, visit.call, "me/accounts", &extra))
}

/// A Page node.
pub(crate) fn page(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    let seen = match &visit.token.holder {
        Holder::Owner(_) => visit.token.pages.iter().any(|page| page == id),
        Holder::Page { page, .. } => page == id,
        Holder::Instagram(_) => false,
    };
    if !seen {
        return Err(GraphError::no_object(id, "GET"));
    }
    let asked = fields::read(visit.call.param("fields"), &["name"])?;
    page_value(visit, id, &asked).map(Answer::json)
}

fn page_value(visit: &mut Visit<'_>, id: &str, asked: &[Field]) -> Result<Value, GraphError> {
    let Some(page) = visit.world.pages.get(id).cloned() else {
        return Err(GraphError::no_object(id, "GET"));
    };
    catalog::check("Page", asked)?;
    let mut node = Map::new();
    for field in asked {
        if let Some(value) = page_field(visit, &page, field)? {
            node.insert(field.name.clone(), value);
        }
    }
    Ok(Value::Object(node))
}

fn page_field(
    visit: &mut Visit<'_>,
    page: &Page,
    field: &Field,
) -> Result<Option<Value>, GraphError> {
    let (category_id, category) = &page.category;
    Ok(Some(match field.name.as_str() {
        "id" => json!(page.id),
        "name" => json!(page.name),
        "username" => json!(page.username),
        "about" => json!(page.about),
        "category" => json!(category),
        "category_list" => json!([{"id": category_id, "name": category}]),
        "link" => json!(format!("https://www.facebook.com/{}", page.username)),
        "is_published" => json!(true),
        "fan_count" => json!(page.fans),
        "followers_count" => json!(page.fans + 17),
        "picture" => picture(visit, &page.picture),
        // Only the list of a user's Pages and a Page's own token show these two.
        "tasks" => match &visit.token.holder {
            Holder::Owner(_) => json!(page.tasks),
            _ => return Ok(None),
        },
        "access_token" => {
            let token = visit.token.clone();
            json!(visit.world.page_token(&token, &page.id))
        }
        "instagram_business_account" | "connected_instagram_account" => {
            let linked = page
                .instagram
                .as_ref()
                .and_then(|id| visit.world.instagram.get(id))
                .cloned();
            match linked {
                Some(account) => {
                    instagram_value(visit, &account, &fields::inner_or(field, &["id"]))?
                }
                None => return Ok(None),
            }
        }
        other => return Err(GraphError::no_field(other, "Page")),
    }))
}

/// An Instagram account node, on either host.
pub(crate) fn instagram(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    let Some(account) = visit.world.instagram.get(id).cloned() else {
        return Err(GraphError::no_object(id, "GET"));
    };
    let linked_page = visit.world.page_of(id).map(|page| page.id.clone());
    let (seen, scope) = match &visit.token.holder {
        Holder::Instagram(own) => (own == id, "instagram_business_basic"),
        Holder::Page { page, .. } => (linked_page.as_ref() == Some(page), "instagram_basic"),
        Holder::Owner(_) => (
            linked_page.is_some_and(|page| visit.token.pages.contains(&page)),
            "instagram_basic",
        ),
    };
    if !seen {
        return Err(GraphError::no_object(id, "GET"));
    }
    if !visit.token.has(scope) {
        return Err(GraphError::permission(10, scope));
    }
    let defaults: &[&str] = &["id"];
    let asked = fields::read(visit.call.param("fields"), defaults)?;
    let node = instagram_value(visit, &account, &asked)?;
    if visit.world.switches.ig_me_wrapped && visit.call.host == Host::GraphInstagram {
        return Ok(Answer::json(json!({ "data": [node] })));
    }
    Ok(Answer::json(node))
}

fn instagram_value(
    visit: &mut Visit<'_>,
    account: &InstagramAccount,
    asked: &[Field],
) -> Result<Value, GraphError> {
    let with_instagram_login = visit.call.host == Host::GraphInstagram;
    let kind = if with_instagram_login {
        "IGUserForIGOnlyAPI"
    } else {
        "IGUser"
    };
    catalog::check(kind, asked)?;
    let mut node = Map::new();
    for field in asked {
        let value = match (field.name.as_str(), with_instagram_login) {
            ("id", true) => json!(account.app_scoped_id),
            ("id", false) => json!(account.id),
            ("user_id", true) => json!(account.id),
            ("account_type", true) => json!(account.account_type),
            ("username", _) => json!(account.username),
            ("name", _) => json!(account.name),
            ("biography", _) => json!(account.biography),
            ("followers_count", _) => json!(account.followers),
            ("follows_count", _) => json!(account.follows),
            ("media_count", _) => json!(account.media),
            ("mentioned_media" | "mentioned_comment", false) => {
                super::media::mentioned(visit, &account.id, field)?
            }
            ("profile_picture_url", _) => json!(visit.world.signed(&account.picture)),
            (other, _) => return Err(GraphError::no_field(other, kind)),
        };
        node.insert(field.name.clone(), value);
    }
    Ok(Value::Object(node))
}

fn picture(visit: &mut Visit<'_>, path: &str) -> Value {
    json!({"data": {
        "height": 50, "width": 50, "is_silhouette": false, "url": visit.world.signed(path),
    }})
}
