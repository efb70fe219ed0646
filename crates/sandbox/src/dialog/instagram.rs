//! Business Login for Instagram: choose one account, untick optional permissions, allow or cancel.

use super::{Asked, dead_end, html, page, ticked};
use crate::control::consent::Consent;
use crate::http::answer::Answer;
use crate::http::call::Call;
use crate::world::World;
use crate::world::tokens::{Code, Holder};

const PINK: &str = "#c13584";
const FRAGMENT: &str = "#_";
/// Cannot be unticked.
const BASIC: &str = "instagram_business_basic";
const KNOWN: [&str; 5] = [
    BASIC,
    "instagram_business_manage_messages",
    "instagram_business_manage_comments",
    "instagram_business_content_publish",
    "instagram_business_manage_insights",
];

/// `/oauth/authorize`: the page, or the answer of its form.
pub(crate) fn answer(world: &mut World, call: &Call) -> Answer {
    if call.path() != ["oauth", "authorize"] {
        return Answer::html(
            404,
            dead_end("Page not found", PINK, "Sorry, this page isn't available."),
        );
    }
    let asked = Asked::of(call);
    if call.param("client_id") != Some(world.config.instagram.id.as_str()) {
        return Answer::html(
            400,
            dead_end(
                "Invalid platform app",
                PINK,
                "Invalid Request: Request parameters are invalid: Invalid platform app",
            ),
        );
    }
    if !world.redirect_known(&asked.redirect_uri) {
        return Answer::html(
            400,
            dead_end(
                "Invalid redirect_uri",
                PINK,
                "Invalid Request: Request parameters are invalid: Invalid redirect_uri",
            ),
        );
    }
    let unknown = asked
        .scopes
        .iter()
        .any(|scope| !KNOWN.contains(&scope.as_str()));
    if unknown
        || !asked.scopes.iter().any(|scope| scope == BASIC)
        || call.param("response_type") != Some("code")
    {
        return Answer::html(
            400,
            dead_end(
                "Invalid request",
                PINK,
                "Invalid Request: Request parameters are invalid: Invalid scope or response_type",
            ),
        );
    }
    if call.method == "POST" {
        let consent = Consent {
            person: call.param("account").map(str::to_owned),
            declined: asked
                .scopes
                .iter()
                .filter(|scope| *scope != BASIC && !ticked(call, "permission").contains(scope))
                .cloned()
                .collect(),
            cancel: call.param("answer") != Some("allow"),
            ..Consent::default()
        };
        return finish(world, &asked, &consent);
    }
    match world.next_consent() {
        Some(consent) => finish(world, &asked, &consent),
        None => Answer::html(200, form(world, call, &asked)),
    }
}

fn finish(world: &mut World, asked: &Asked, consent: &Consent) -> Answer {
    let fragment = if world.switches.redirect_fragments {
        FRAGMENT
    } else {
        ""
    };
    if consent.cancel {
        let params = [
            ("error", "access_denied"),
            ("error_reason", "user_denied"),
            ("error_description", "The user denied your request"),
        ];
        return Answer::redirect(&asked.back(&params, fragment));
    }
    let account = match &consent.person {
        Some(word) => world
            .instagram
            .values()
            .find(|ig| ig.id == *word || ig.username == *word),
        None => world.instagram.values().next(),
    };
    let Some(id) = account.map(|account| account.id.clone()) else {
        return Answer::html(
            400,
            dead_end(
                "Log in",
                PINK,
                "There is no professional account of that name.",
            ),
        );
    };
    let declines = |scope: &&String| *scope != BASIC && consent.declined.contains(scope);
    let code = world.new_code(Code {
        holder: Holder::Instagram(id),
        redirect_uri: asked.redirect_uri.clone(),
        scopes: asked
            .scopes
            .iter()
            .filter(|scope| !declines(scope))
            .cloned()
            .collect(),
        declined: asked.scopes.iter().filter(declines).cloned().collect(),
        pages: Vec::new(),
        issued_ms: world.now_ms(),
        used: false,
    });
    Answer::redirect(&asked.back(&[("code", &code)], fragment))
}

fn form(world: &World, call: &Call, asked: &Asked) -> String {
    let mut body = format!(
        "<h1>Shopbell is requesting access to your account</h1><form method=\"post\">{}<h2>Account</h2>",
        asked.hidden(call)
    );
    for (index, account) in world.instagram.values().enumerate() {
        let checked = if index == 0 { " checked" } else { "" };
        body.push_str(&format!(
            "<label><input type=\"radio\" name=\"account\" value=\"{}\"{checked}> @{} <small>{}</small></label>",
            account.id, html(&account.username), html(&account.name)
        ));
    }
    body.push_str("<h2>Shopbell will be able to</h2>");
    for scope in &asked.scopes {
        let fixed = if scope == BASIC { " disabled" } else { "" };
        body.push_str(&format!(
            "<label><input type=\"checkbox\" name=\"permission\" value=\"{0}\" checked{fixed}> {0}</label>",
            html(scope)
        ));
    }
    body.push_str("<nav><button name=\"answer\" value=\"cancel\">Cancel</button><button class=\"go\" name=\"answer\" value=\"allow\">Allow</button></nav></form>");
    page("Log in with Instagram", PINK, &body)
}
