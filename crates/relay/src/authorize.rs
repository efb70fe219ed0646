//! `GET /oauth/authorize`: checks the request, ties it to this browser, sends the person to Meta's dialog.
//!
//! The whole started sign-in travels sealed in Meta's `state`, so nothing is stored and any node can finish.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use shopbell_wire::{AuthorizeParams, Provider, Refusal, STATE_LIFE_MS};
use url::Url;

use crate::{
    Config,
    app::App,
    clock::random,
    code::{Started, hash},
    config::MetaApp,
    failure::Failure,
    key::Purpose,
    pages,
};

/// Facebook permissions of the product (facts sheet §2.2). Used as `scope` when no `config_id` is set.
const FACEBOOK_SCOPES: &[&str] = &[
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
/// Instagram permissions of the product (facts sheet §2.1).
const INSTAGRAM_SCOPES: &[&str] = &[
    "instagram_business_basic",
    "instagram_business_manage_messages",
    "instagram_business_manage_comments",
    "instagram_business_manage_insights",
];

/// The permissions asked for.
fn scopes(provider: Provider, app: &MetaApp) -> Vec<String> {
    let own: &[&str] = match provider {
        Provider::Facebook => FACEBOOK_SCOPES,
        Provider::Instagram => INSTAGRAM_SCOPES,
    };
    if app.scopes.is_empty() {
        own.iter().map(|scope| (*scope).to_owned()).collect()
    } else {
        app.scopes.clone()
    }
}

/// The redirect URI of a relay as it is registered at Meta.
pub(crate) fn redirect(public_url: &Url, provider: Provider) -> Url {
    let mut url = public_url.clone();
    url.set_path(&format!("/oauth/callback/{provider}"));
    url
}

impl App {
    /// The app at Meta for a provider.
    pub(crate) fn meta_app(&self, provider: Provider) -> Result<&MetaApp, Failure> {
        match provider {
            Provider::Facebook => self.config.facebook.as_ref(),
            Provider::Instagram => self.config.instagram.as_ref(),
        }
        .ok_or_else(|| Refusal::ProviderNotConfigured.into())
    }

    /// The permissions asked for.
    pub(crate) fn scopes(&self, provider: Provider, app: &MetaApp) -> Vec<String> {
        scopes(provider, app)
    }

    /// The redirect URI registered at Meta. Must be the same at the dialog and at the exchange.
    pub(crate) fn meta_redirect(&self, provider: Provider) -> Url {
        redirect(&self.public_url, provider)
    }

    /// Name of the cookie of one sign-in. `__Host-` needs `Secure`, which a browser grants only over https;
    /// on a plain loopback relay (development) the prefix is left out and nothing else changes.
    pub(crate) fn cookie_name(&self, jti: &str) -> String {
        let short = jti.get(..8).unwrap_or(jti);
        if self.is_plain_loopback() {
            format!("shopbell-{short}")
        } else {
            format!("__Host-shopbell-{short}")
        }
    }

    /// The cookie with its attributes; an empty value removes it.
    pub(crate) fn cookie(&self, jti: &str, value: &str) -> Option<HeaderValue> {
        let secure = if self.is_plain_loopback() {
            ""
        } else {
            "; Secure"
        };
        let seconds = if value.is_empty() {
            0
        } else {
            STATE_LIFE_MS / 1000
        };
        // Lax: Meta's redirect back is a top-level navigation from another site.
        let text = format!(
            "{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}",
            self.cookie_name(jti)
        );
        HeaderValue::from_str(&text).ok()
    }
}

pub(crate) async fn authorize(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match start(&app, query.as_deref().unwrap_or_default()) {
        Ok(response) => response,
        // Shown, not redirected: an open redirect is worth more to an attacker than a tidy error to the app.
        Err(failure) => pages::refused(&app, &headers, failure.refusal(), None),
    }
}

fn start(app: &App, query: &str) -> Result<Response, Failure> {
    let params = read(query)?;
    params.check()?;
    let meta = app.meta_app(params.provider)?;
    let cookie: [u8; 32] = random(app.entropy.as_ref());
    let cookie = B64.encode(cookie);
    let started = Started {
        jti: B64.encode(random::<16>(app.entropy.as_ref())),
        expires_at_ms: app.now_ms().saturating_add(STATE_LIFE_MS),
        provider: params.provider,
        redirect_uri: params.redirect_uri,
        state: params.state,
        challenge: params.code_challenge,
        device: params.device,
        cookie_hash: hash(&cookie),
    };
    let state = app
        .key
        .seal(Purpose::State, &started, app.entropy.as_ref())
        .ok_or(Failure::Fault("seal"))?;
    let redirect = app.meta_redirect(params.provider);
    let to = dialog(
        &app.config,
        &redirect,
        meta,
        params.provider,
        &state,
        params.rerequest,
    );
    let location = HeaderValue::from_str(to.as_str()).map_err(|_| Failure::Fault("location"))?;
    let cookie = app
        .cookie(&started.jti, &cookie)
        .ok_or(Failure::Fault("cookie"))?;
    Ok((
        StatusCode::FOUND,
        [(header::LOCATION, location), (header::SET_COOKIE, cookie)],
    )
        .into_response())
}

/// Strict: each parameter exactly once, so that two readers can never understand two requests.
fn read(query: &str) -> Result<AuthorizeParams, Failure> {
    if query.len() > 4096 {
        return Err(Refusal::InvalidRequest.into());
    }
    let mut seen = serde_json::Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let value = match (&*name, &*value) {
            ("rerequest", text) => serde_json::Value::Bool(text == "true"),
            (_, text) => serde_json::Value::String(text.to_owned()),
        };
        if seen.insert(name.into_owned(), value).is_some() {
            return Err(Refusal::InvalidRequest.into());
        }
    }
    let missing = |name: &str| !seen.contains_key(name);
    if missing("code_challenge") || missing("code_challenge_method") {
        return Err(Refusal::PkceRequired.into());
    }
    serde_json::from_value(serde_json::Value::Object(seen))
        .map_err(|_| Refusal::InvalidRequest.into())
}

/// Meta's login page for one sign-in.
pub(crate) fn dialog(
    config: &Config,
    redirect: &Url,
    meta: &MetaApp,
    provider: Provider,
    state: &str,
    rerequest: bool,
) -> Url {
    let upstream = &config.upstream;
    let mut url = match provider {
        Provider::Facebook => crate::upstream::below(
            &upstream.www_facebook,
            &[&config.graph_version, "dialog", "oauth"],
        ),
        Provider::Instagram => {
            crate::upstream::below(&upstream.www_instagram, &["oauth", "authorize"])
        }
    };
    let mut query = url.query_pairs_mut();
    query.append_pair("client_id", &meta.app_id);
    query.append_pair("redirect_uri", redirect.as_str());
    query.append_pair("response_type", "code");
    query.append_pair("state", state);
    match (provider, &meta.config_id) {
        (Provider::Facebook, Some(config_id)) => {
            query.append_pair("config_id", config_id);
            query.append_pair("override_default_response_type", "true");
        }
        _ => {
            query.append_pair("scope", &scopes(provider, meta).join(","));
        }
    }
    match provider {
        Provider::Facebook if rerequest => query.append_pair("auth_type", "rerequest"),
        // Recommended since June 2025: the owner may be signed in to a private account in this browser.
        Provider::Instagram => query.append_pair("force_reauth", "true"),
        Provider::Facebook => &mut query,
    };
    drop(query);
    url
}
