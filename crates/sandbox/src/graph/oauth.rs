//! Facebook's token endpoints: code exchange, `fb_exchange_token`, `debug_token`, permissions. An expired
//! token is refused everywhere, also for exchange; no exchange renews the 90 days of data access.

use serde_json::{Value, json};

use super::Visit;
use super::error::{GraphError, GraphResult};
use crate::http::answer::Answer;
use crate::http::call::{Call, Host};
use crate::world::World;
use crate::world::tokens::{Death, Holder, LONG_LIFE_MS, Token, code_life_ms};

/// `GET /oauth/access_token`
pub(crate) fn access_token(world: &mut World, call: &Call) -> GraphResult {
    let app = &world.config.facebook;
    if call.param("client_id") != Some(app.id.as_str()) {
        return Err(GraphError::new(
            101,
            "Error validating application. Invalid application ID.",
        ));
    }
    if call.param("client_secret") != Some(app.secret.as_str()) {
        return Err(GraphError::new(1, "Error validating client secret.").status(400));
    }
    match call.param("grant_type") {
        Some("fb_exchange_token") => exchange(world, call),
        Some("client_credentials") => {
            let token = format!("{}|{}", app.id, app.secret);
            Ok(Answer::json(
                json!({"access_token": token, "token_type": "bearer"}),
            ))
        }
        _ => code(world, call),
    }
}

fn code(world: &mut World, call: &Call) -> GraphResult {
    let word = call.param("code").unwrap_or_default();
    let now = world.now_ms();
    let found = world
        .codes
        .get(word)
        .filter(|code| !matches!(code.holder, Holder::Instagram(_)))
        .cloned();
    let Some(found) = found else {
        return Err(
            GraphError::new(100, "Invalid verification code format.").challenge("invalid_code")
        );
    };
    if found.used {
        return Err(
            GraphError::new(100, "This authorization code has been used.")
                .sub(36_009)
                .challenge("invalid_code"),
        );
    }
    if now - found.issued_ms > code_life_ms(&found) {
        return Err(GraphError::new(100, "This authorization code has expired.")
            .sub(36_007)
            .challenge("invalid_code"));
    }
    if call.param("redirect_uri") != Some(found.redirect_uri.as_str()) {
        return Err(GraphError::new(100, "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request")
            .sub(36_008)
            .challenge("invalid_code"));
    }
    if let Some(code) = world.codes.get_mut(word) {
        code.used = true;
    }
    let token = world.token_from_code(&found);
    Ok(Answer::json(token_answer(&token, now)))
}

fn token_answer(token: &Token, now: i64) -> Value {
    let mut answer = json!({"access_token": token.value, "token_type": "bearer"});
    if let Some(end) = token.expires_ms {
        answer["expires_in"] = ((end - now) / 1_000).into();
    }
    answer
}

fn exchange(world: &mut World, call: &Call) -> GraphResult {
    let word = call.param("fb_exchange_token").unwrap_or_default();
    let now = world.now_ms();
    let token = world.living(word, Host::GraphFacebook)?;
    let Holder::Owner(_) = &token.holder else {
        return Err(GraphError::parameter("Only user tokens can be exchanged"));
    };
    if token.expires_ms.is_none() {
        return Ok(Answer::json(token_answer(&token, now)));
    }
    let end = if token.long_lived && !world.switches.fb_exchange_renews {
        token.expires_ms
    } else {
        Some(now + LONG_LIFE_MS)
    };
    let renewed = world.mint(Token {
        issued_ms: now,
        expires_ms: end,
        long_lived: true,
        death: None,
        parent: None,
        ..token
    });
    Ok(Answer::json(token_answer(&renewed, now)))
}

/// `GET /debug_token`: always HTTP 200 for a token it can look at.
pub(crate) fn debug_token(world: &mut World, call: &Call) -> GraphResult {
    let caller = call.token().unwrap_or_default();
    if caller.is_empty() {
        return Err(GraphError::new(
            104,
            "An access token is required to request this resource.",
        ));
    }
    if !world.is_app_token(caller) {
        world.living(caller, Host::GraphFacebook)?;
    }
    let now = world.now_ms();
    let Some(input) = call.param("input_token") else {
        return Err(GraphError::parameter(
            "The parameter input_token is required.",
        ));
    };
    let Some(token) = world
        .tokens
        .get(input)
        .filter(|token| !matches!(token.holder, Holder::Instagram(_)))
    else {
        let error = GraphError::new(
            190,
            "Invalid OAuth access token - Cannot parse access token",
        );
        return Ok(Answer::json(json!({"data": {
            "error": {"code": 190, "message": error.message}, "is_valid": false, "scopes": [],
        }})));
    };
    let mut data = json!({
        "app_id": world.config.facebook.id,
        "application": "Shopbell",
        "data_access_expires_at": token.data_access_ms / 1_000,
        "expires_at": token.expires_ms.unwrap_or(0) / 1_000,
        "is_valid": world.dead(token).is_none(),
        "issued_at": token.issued_ms / 1_000,
        "scopes": token.scopes,
        "granular_scopes": granular(token),
    });
    match &token.holder {
        Holder::Owner(id) => {
            data["type"] = "USER".into();
            data["user_id"] = id.clone().into();
        }
        Holder::Page { page, owner } => {
            data["type"] = "PAGE".into();
            data["profile_id"] = page.clone().into();
            data["user_id"] = owner.clone().into();
        }
        Holder::Instagram(_) => {}
    }
    if let Some(death) = world.dead(token) {
        let error = GraphError::dead_token(
            death,
            token.expires_ms.unwrap_or_default(),
            now,
            &world.config.facebook.id,
        );
        data["error"] = json!({"code": 190, "message": error.message});
        if let Some(subcode) = error.subcode {
            data["error"]["subcode"] = subcode.into();
        }
    }
    Ok(Answer::json(json!({ "data": data })))
}

fn granular(token: &Token) -> Vec<Value> {
    token
        .scopes
        .iter()
        .filter(|scope| scope.starts_with("pages_") || scope.starts_with("instagram_"))
        .map(|scope| json!({"scope": scope, "target_ids": token.pages}))
        .collect()
}

/// `GET /me/permissions`
pub(crate) fn permissions(visit: &Visit<'_>) -> GraphResult {
    let Holder::Owner(_) = visit.token.holder else {
        return Err(GraphError::no_field("permissions", "Page"));
    };
    let entry = |names: &[String], status: &str| -> Vec<Value> {
        names
            .iter()
            .map(|name| json!({"permission": name, "status": status}))
            .collect()
    };
    let mut data = entry(&visit.token.scopes, "granted");
    data.extend(entry(&visit.token.declined, "declined"));
    Ok(Answer::json(json!({ "data": data })))
}

/// `DELETE /me/permissions[/{name}]`
pub(crate) fn remove_app(visit: &mut Visit<'_>, name: Option<&str>) -> GraphResult {
    let Holder::Owner(owner) = visit.token.holder.clone() else {
        return Err(GraphError::no_field("permissions", "Page"));
    };
    let of_owner = |token: &Token| match &token.holder {
        Holder::Owner(id) => *id == owner,
        Holder::Page { owner: id, .. } => *id == owner,
        Holder::Instagram(_) => false,
    };
    for token in visit
        .world
        .tokens
        .values_mut()
        .filter(|token| of_owner(token))
    {
        match name {
            None => token.death = Some(Death::AppRemoved),
            Some(name) => {
                token.scopes.retain(|scope| scope != name);
                if !token.declined.iter().any(|scope| scope == name) {
                    token.declined.push(name.to_owned());
                }
            }
        }
    }
    Ok(Answer::json(json!({"success": true})))
}
