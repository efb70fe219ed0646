//! The person behind a conversation, in both products, with every refusal: no consent yet, no profile,
//! permission missing, nobody. Photo links are signed and run out.

use serde_json::{Map, Value, json};

use super::Visit;
use super::auth::needs_messaging;
use super::catalog;
use super::error::{GraphError, GraphResult};
use super::fields;
use crate::http::answer::Answer;
use crate::world::people::{Customer, Platform};

/// `GET /{psid}` or `/{igsid}`.
pub(crate) fn profile(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    let Some(customer) = visit.world.person(id).cloned() else {
        return Err(GraphError::no_object(id, "GET"));
    };
    if !visit.world.sees(&visit.token, &customer.account) {
        return Err(GraphError::no_object(id, "GET"));
    }
    needs_messaging(&visit.token, customer.account.platform)?;
    if !customer.consented {
        return Err(match customer.account.platform {
            Platform::Instagram => GraphError::new(
                230,
                "(#230) User consent is required to access user profile",
            )
            .status(403),
            Platform::Messenger => GraphError::no_object(id, "GET"),
        });
    }
    if customer.profile_missing {
        return Err(
            GraphError::new(100, "(#100) No profile available for this user.").sub(2_018_218),
        );
    }
    match customer.account.platform {
        Platform::Messenger => messenger(visit, &customer),
        Platform::Instagram => instagram(visit, &customer),
    }
}

fn messenger(visit: &mut Visit<'_>, customer: &Customer) -> GraphResult {
    let asked = fields::read(
        visit.call.param("fields"),
        &["first_name", "last_name", "profile_pic"],
    )?;
    catalog::check("MessengerProfile", &asked)?;
    let mut node = Map::new();
    for field in &asked {
        let value = match field.name.as_str() {
            "id" => json!(customer.id),
            "name" if !customer.nameless => json!(customer.name()),
            "first_name" if !customer.nameless => json!(customer.first_name),
            "last_name" if !customer.nameless => json!(customer.last_name),
            "profile_pic" if !customer.nameless => json!(visit.world.signed(&customer.picture)),
            "name" | "first_name" | "last_name" | "profile_pic" => Value::Null,
            "locale" | "timezone" | "gender" => {
                return Err(GraphError::new(
                    100,
                    &format!(
                        "(#100) Insufficient permission to access the field ({}) of this user",
                        field.name
                    ),
                )
                .sub(2_018_247));
            }
            other => return Err(GraphError::no_field(other, "MessengerProfile")),
        };
        node.insert(field.name.clone(), value);
    }
    Ok(Answer::json(Value::Object(node)))
}

fn instagram(visit: &mut Visit<'_>, customer: &Customer) -> GraphResult {
    let asked = fields::read(
        visit.call.param("fields"),
        &["name", "username", "profile_pic"],
    )?;
    catalog::check("IGBusinessScopedID", &asked)?;
    let mut node = Map::new();
    for field in &asked {
        let value = match field.name.as_str() {
            "id" => json!(customer.id),
            "username" => json!(customer.username),
            "name" | "profile_pic" if customer.nameless => Value::Null,
            "name" => json!(customer.name()),
            "profile_pic" => json!(visit.world.signed(&customer.picture)),
            "follower_count" => json!(customer.followers),
            "is_user_follow_business" => json!(customer.follows_business),
            "is_business_follow_user" => json!(customer.followed_by_business),
            "is_verified_user" => json!(customer.verified),
            other => return Err(GraphError::no_field(other, "IGBusinessScopedID")),
        };
        node.insert(field.name.clone(), value);
    }
    Ok(Answer::json(Value::Object(node)))
}
