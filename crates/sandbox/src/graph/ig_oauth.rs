//! Instagram Login's token endpoints: the code exchange on api.instagram.com with its own error shape and
//! its two success shapes, the long-lived exchange and the refresh on graph.instagram.com.

use serde_json::{Value, json};

use super::error::{GraphError, GraphResult};
use crate::clock::DAY;
use crate::http::answer::Answer;
use crate::http::call::{Call, Host};
use crate::world::World;
use crate::world::tokens::{Holder, LONG_LIFE_MS, Token, code_life_ms};

fn refusal(status: u16, message: &str) -> Answer {
    let mut answer = Answer::json(json!({
        "error_type": "OAuthException", "code": status, "error_message": message,
    }));
    answer.status = status;
    answer
}

/// `POST https://api.instagram.com/oauth/access_token`
pub(crate) fn exchange_code(world: &mut World, call: &Call) -> Answer {
    if call.path() != ["oauth", "access_token"] || call.method != "POST" {
        return refusal(404, "Not found");
    }
    let app = &world.config.instagram;
    if call.param("client_id") != Some(app.id.as_str()) {
        return refusal(400, "Invalid platform app");
    }
    if call.param("client_secret") != Some(app.secret.as_str()) {
        return refusal(400, "Error validating client secret.");
    }
    if call.param("grant_type") != Some("authorization_code") {
        return refusal(400, "Invalid grant_type");
    }
    let word = call.param("code").unwrap_or_default();
    let now = world.now_ms();
    let found = world
        .codes
        .get(word)
        .filter(|code| matches!(code.holder, Holder::Instagram(_)))
        .filter(|code| !code.used && now - code.issued_ms <= code_life_ms(code))
        .cloned();
    let Some(found) = found else {
        return refusal(400, "Matching code was not found or was already used");
    };
    if call.param("redirect_uri") != Some(found.redirect_uri.as_str()) {
        return refusal(
            400,
            "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request",
        );
    }
    if let Some(code) = world.codes.get_mut(word) {
        code.used = true;
    }
    let token = world.token_from_code(&found);
    Answer::json(token_shape(world, &token))
}

/// Flat or wrapped, permissions as text or list, the id as text or as a number beyond 2^53.
fn token_shape(world: &World, token: &Token) -> Value {
    let switches = &world.switches;
    let id = match &token.holder {
        Holder::Instagram(id) => world
            .instagram
            .get(id)
            .map(|account| account.token_user_id.clone()),
        _ => None,
    }
    .unwrap_or_default();
    let user_id = match id.parse::<u64>() {
        Ok(number) if switches.ig_user_id_numeric => json!(number),
        _ => json!(id),
    };
    let permissions = if switches.ig_permissions_array {
        json!(token.scopes)
    } else {
        json!(token.scopes.join(","))
    };
    let flat = json!({"access_token": token.value, "user_id": user_id, "permissions": permissions});
    if switches.ig_token_wrapped {
        json!({ "data": [flat] })
    } else {
        flat
    }
}

/// `GET /access_token?grant_type=ig_exchange_token`
pub(crate) fn exchange_token(world: &mut World, call: &Call) -> GraphResult {
    if call.param("grant_type") != Some("ig_exchange_token") {
        return Err(GraphError::parameter("Unsupported grant_type").kind("IGApiException"));
    }
    if call.param("client_secret") != Some(world.config.instagram.secret.as_str()) {
        return Err(GraphError::new(1, "Error validating client secret.")
            .status(400)
            .kind("IGApiException"));
    }
    let token = world.living(call.token().unwrap_or_default(), Host::GraphInstagram)?;
    Ok(renewed(world, token))
}

/// `GET /refresh_access_token?grant_type=ig_refresh_token`
pub(crate) fn refresh_token(world: &mut World, call: &Call) -> GraphResult {
    if call.param("grant_type") != Some("ig_refresh_token") {
        return Err(GraphError::parameter("Unsupported grant_type").kind("IGApiException"));
    }
    let token = world.living(call.token().unwrap_or_default(), Host::GraphInstagram)?;
    if !token.long_lived {
        return Err(
            GraphError::parameter("Only long-lived tokens can be refreshed").kind("IGApiException"),
        );
    }
    if !token.has("instagram_business_basic") {
        return Err(GraphError::permission(10, "instagram_business_basic"));
    }
    if world.now_ms() - token.issued_ms < DAY {
        let code = world.switches.ig_refresh_too_young_code;
        return Err(GraphError::new(
            code,
            "The access token is too young to be refreshed: it must be at least 24 hours old",
        )
        .kind("IGApiException"));
    }
    Ok(renewed(world, token))
}

fn renewed(world: &mut World, token: Token) -> Answer {
    let now = world.now_ms();
    let fresh = world.mint(Token {
        issued_ms: now,
        expires_ms: Some(now + LONG_LIFE_MS),
        long_lived: true,
        death: None,
        ..token
    });
    Answer::json(json!({
        "access_token": fresh.value,
        "token_type": "bearer",
        "expires_in": LONG_LIFE_MS / 1_000,
        "permissions": fresh.scopes.join(","),
    }))
}
