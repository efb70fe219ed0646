//! Facebook Login for Business: choose the person, the Pages, the permissions. With `config_id` it is all
//! or nothing; with `scope` single permissions can be unticked.

use super::{Asked, dead_end, html, page, ticked};
use crate::control::consent::Consent;
use crate::http::answer::Answer;
use crate::http::call::Call;
use crate::world::World;
use crate::world::tokens::{Code, Holder};

const BLUE: &str = "#0866ff";
const FRAGMENT: &str = "#_=_";
/// What the configuration behind `config_id` asks for.
const CONFIGURED: [&str; 12] = [
    "pages_show_list",
    "pages_messaging",
    "pages_manage_metadata",
    "pages_read_engagement",
    "pages_manage_engagement",
    "pages_read_user_content",
    "instagram_basic",
    "instagram_manage_messages",
    "instagram_manage_comments",
    "instagram_manage_insights",
    "business_management",
    "read_insights",
];
/// Granted without asking.
const AUTOMATIC: &str = "public_profile";

/// `/dialog/oauth`: the page, or the answer of its form.
pub(crate) fn answer(world: &mut World, call: &Call) -> Answer {
    if call.path() != ["dialog", "oauth"] {
        return Answer::html(
            404,
            dead_end("Page not found", BLUE, "This page isn't available."),
        );
    }
    let mut asked = Asked::of(call);
    if call.param("client_id") != Some(world.config.facebook.id.as_str()) {
        return Answer::html(
            400,
            dead_end(
                "Invalid App ID",
                BLUE,
                "The provided app ID does not look like a valid app ID.",
            ),
        );
    }
    if !world.redirect_known(&asked.redirect_uri) {
        return Answer::html(
            400,
            dead_end(
                "URL blocked",
                BLUE,
                "This redirect failed because the redirect URI is not white-listed in the app's client OAuth settings. Make sure that the client and web OAuth logins are on and add all your app domains as valid OAuth redirect URIs.",
            ),
        );
    }
    let configured = call.param("config_id").is_some();
    if configured {
        if call.param("config_id") != Some(world.config.login_config_id.as_str()) {
            return Answer::redirect(&asked.back(
                &[
                    ("error_code", "1349187"),
                    ("error_message", "Invalid configuration"),
                ],
                FRAGMENT,
            ));
        }
        asked.scopes = CONFIGURED.iter().map(|scope| (*scope).to_owned()).collect();
    }
    let bound = configured && world.switches.fb_login_all_or_nothing;
    if call.method == "POST" {
        return match call.param("answer") {
            Some("continue") => {
                let consent = Consent {
                    person: call.param("person").map(str::to_owned),
                    pages: Some(ticked(call, "page")),
                    declined: asked
                        .scopes
                        .iter()
                        .filter(|scope| !bound && !ticked(call, "permission").contains(scope))
                        .cloned()
                        .collect(),
                    ..Consent::default()
                };
                finish(world, &asked, &consent, bound)
            }
            _ => cancel(world, &asked),
        };
    }
    match world.next_consent() {
        Some(consent) => finish(world, &asked, &consent, bound),
        None => Answer::html(200, form(world, call, &asked, bound)),
    }
}

fn cancel(world: &World, asked: &Asked) -> Answer {
    let mut params = vec![
        ("error", "access_denied"),
        ("error_reason", "user_denied"),
        ("error_description", "Permissions error."),
    ];
    if world.switches.fb_cancel_error_code {
        params.push(("error_code", "200"));
    }
    Answer::redirect(&asked.back(&params, fragment(world)))
}

fn fragment(world: &World) -> &'static str {
    if world.switches.redirect_fragments {
        FRAGMENT
    } else {
        ""
    }
}

/// The redirect after somebody decided.
fn finish(world: &mut World, asked: &Asked, consent: &Consent, bound: bool) -> Answer {
    let held_back = asked
        .scopes
        .iter()
        .any(|scope| consent.declined.contains(scope));
    if consent.cancel || (bound && held_back) {
        return cancel(world, asked);
    }
    let owner = match &consent.person {
        Some(word) => world
            .owners
            .values()
            .find(|owner| owner.id == *word || owner.name() == *word),
        None => world.owners.values().next(),
    };
    let Some(owner) = owner.cloned() else {
        return Answer::html(
            400,
            dead_end("Log in", BLUE, "There is nobody of that name."),
        );
    };
    let pages = match &consent.pages {
        None => owner.pages.clone(),
        Some(chosen) => owner
            .pages
            .iter()
            .filter(|id| {
                let name = world.pages.get(*id).map(|page| page.name.as_str());
                chosen
                    .iter()
                    .any(|word| word == *id || Some(word.as_str()) == name)
            })
            .cloned()
            .collect(),
    };
    let mut scopes: Vec<String> = asked
        .scopes
        .iter()
        .filter(|scope| !consent.declined.contains(scope))
        .cloned()
        .collect();
    scopes.push(AUTOMATIC.to_owned());
    let declined: Vec<String> = asked
        .scopes
        .iter()
        .filter(|scope| consent.declined.contains(scope))
        .cloned()
        .collect();
    let code = world.new_code(Code {
        holder: Holder::Owner(owner.id),
        redirect_uri: asked.redirect_uri.clone(),
        scopes: scopes.clone(),
        declined: declined.clone(),
        pages,
        issued_ms: world.now_ms(),
        used: false,
    });
    let (granted, denied) = (scopes.join(","), declined.join(","));
    let mut params = vec![("code", code.as_str())];
    if asked.tells_scopes {
        params.extend([
            ("granted_scopes", granted.as_str()),
            ("denied_scopes", denied.as_str()),
        ]);
    }
    Answer::redirect(&asked.back(&params, fragment(world)))
}

fn form(world: &World, call: &Call, asked: &Asked, bound: bool) -> String {
    let chosen = call
        .param("person")
        .and_then(|id| world.owners.get(id))
        .or_else(|| world.owners.values().next());
    let Some(owner) = chosen else {
        return dead_end("Log in", BLUE, "There is nobody to log in as.");
    };
    let mut body = format!(
        "<h1>Shopbell wants to access your Pages</h1><form method=\"post\">{}<input type=\"hidden\" name=\"person\" value=\"{}\"><p>You are logged in as <b>{}</b>.<small style=\"margin:0\">Not you? {}</small></p>",
        asked.hidden(call),
        owner.id,
        html(&owner.name()),
        others(world, call, &owner.id)
    );
    body.push_str("<h2>Choose the Pages you want Shopbell to access</h2>");
    if owner.pages.is_empty() {
        body.push_str("<p>You have no Pages.</p>");
    }
    for page in owner.pages.iter().filter_map(|id| world.pages.get(id)) {
        let linked = match page
            .instagram
            .as_ref()
            .and_then(|id| world.instagram.get(id))
        {
            Some(ig) => format!("Instagram @{}", ig.username),
            None => "no Instagram account".to_owned(),
        };
        body.push_str(&format!(
            "<label><input type=\"checkbox\" name=\"page\" value=\"{}\" checked> {} <small>{}</small></label>",
            page.id, html(&page.name), html(&linked)
        ));
    }
    body.push_str("<h2>What Shopbell is allowed to do</h2>");
    for scope in &asked.scopes {
        let fixed = if bound { " disabled" } else { "" };
        body.push_str(&format!(
            "<label><input type=\"checkbox\" name=\"permission\" value=\"{0}\" checked{fixed}> {0}</label>",
            html(scope)
        ));
    }
    body.push_str("<nav><button name=\"answer\" value=\"cancel\">Cancel</button><button class=\"go\" name=\"answer\" value=\"continue\">Continue</button></nav></form>");
    page("Log in with Facebook", BLUE, &body)
}

/// Links to the same dialog as another person.
fn others(world: &World, call: &Call, present: &str) -> String {
    let links: Vec<String> = world
        .owners
        .values()
        .filter(|owner| owner.id != present)
        .map(|owner| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(call.params.iter().filter(|(key, _)| key != "person"));
            query.append_pair("person", &owner.id);
            format!(
                "<a href=\"?{}\">{}</a>",
                html(&query.finish()),
                html(&owner.name())
            )
        })
        .collect();
    links.join(" · ")
}
