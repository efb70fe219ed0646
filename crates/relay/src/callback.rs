//! `GET /oauth/callback/{provider}`: Meta comes back. Checks state and browser, exchanges nothing, shows the page.
//!
//! The page never redirects by itself (T5): a person compares two digits and presses a button.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use shopbell_wire::{CODE_LIFE_MS, Provider, Refusal, STATE_LIFE_MS, Secret};
use subtle::ConstantTimeEq as _;
use url::Url;

use crate::{
    app::App,
    code::{Code, Started, hash},
    failure::Failure,
    key::Purpose,
    pages,
    storage::Once,
};

/// Longest code of Meta that is taken.
const META_CODE_MAX: usize = 2048;

pub(crate) async fn callback(
    State(app): State<Arc<App>>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let Ok(provider) = provider.parse::<Provider>() else {
        return Failure::from(Refusal::NotFound).answer(app.now_ms());
    };
    // A browser that loads pages ahead would use the sign-in up before the person sees it.
    let ahead = |name: &str| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .is_some_and(|v| v.contains("prefetch") || v.contains("prerender"))
    };
    if ahead("sec-purpose") || ahead("purpose") {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let query = query.unwrap_or_default();
    let one = |name: &str| {
        let mut found =
            url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
        let first = found.next().map(|(_, value)| value.into_owned());
        if found.next().is_some() { None } else { first }
    };
    let sealed = one("state").unwrap_or_default();
    let mut response = match finish(&app, provider, &sealed, &headers, &one).await {
        Ok((started, Outcome::Code(code))) => connect(&app, &headers, &started, code, &one),
        Ok((started, Outcome::Refused(refusal))) => {
            let back = back_link(
                &started,
                &[("error", refusal.error()), ("refusal", refusal.code())],
            );
            pages::refused(&app, &headers, refusal, back.as_ref())
        }
        Err(failure) => {
            if let Failure::Fault(what) = &failure {
                tracing::error!(what, "callback");
            }
            pages::refused(&app, &headers, failure.refusal(), None)
        }
    };
    if let Some(started) = app.key.open::<Started>(Purpose::State, &sealed)
        && let Some(gone) = app.cookie(&started.jti, "")
    {
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    response
}

enum Outcome {
    Code(String),
    Refused(Refusal),
}

async fn finish(
    app: &App,
    provider: Provider,
    sealed: &str,
    headers: &HeaderMap,
    one: &impl Fn(&str) -> Option<String>,
) -> Result<(Started, Outcome), Failure> {
    let started: Started = app
        .key
        .open(Purpose::State, sealed)
        .ok_or(Refusal::StateWrong)?;
    if started.provider != provider {
        return Err(Refusal::StateWrong.into());
    }
    if !same_browser(app, &started, headers) {
        return Err(Refusal::BrowserMismatch.into());
    }
    let now_ms = app.now_ms();
    if now_ms > started.expires_at_ms {
        return Ok((started, Outcome::Refused(Refusal::StateExpired)));
    }
    let keep_until_ms = started.expires_at_ms.saturating_add(STATE_LIFE_MS);
    if !app
        .storage
        .use_once(Once::State, &started.jti, keep_until_ms)
        .await?
    {
        return Err(Refusal::StateReplayed.into());
    }
    let code = one("code").filter(|code| !code.is_empty() && code.len() <= META_CODE_MAX);
    let refusal = match (code, one("error"), one("error_code")) {
        (Some(meta_code), None, None) => {
            let code = seal_code(app, &started, Secret::new(meta_code), now_ms)?;
            return Ok((started, Outcome::Code(code)));
        }
        (_, Some(error), _) if error == "access_denied" => Refusal::ConsentDenied,
        (_, None, None) => Refusal::InvalidRequest,
        _ => Refusal::DialogFailed,
    };
    Ok((started, Outcome::Refused(refusal)))
}

fn same_browser(app: &App, started: &Started, headers: &HeaderMap) -> bool {
    let name = app.cookie_name(&started.jti);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .any(|(key, value)| {
            key == name
                && hash(value)
                    .as_bytes()
                    .ct_eq(started.cookie_hash.as_bytes())
                    .into()
        })
}

fn seal_code(
    app: &App,
    started: &Started,
    meta_code: Secret,
    now_ms: i64,
) -> Result<String, Failure> {
    let code = Code {
        jti: started.jti.clone(),
        expires_at_ms: now_ms.saturating_add(CODE_LIFE_MS),
        provider: started.provider,
        meta_code,
        redirect_uri: started.redirect_uri.clone(),
        challenge: started.challenge.clone(),
        state_hash: hash(&started.state),
        device: started.device.clone(),
    };
    app.key
        .seal(Purpose::Code, &code, app.entropy.as_ref())
        .ok_or(Failure::Fault("seal"))
}

fn connect(
    app: &App,
    headers: &HeaderMap,
    started: &Started,
    code: String,
    one: &impl Fn(&str) -> Option<String>,
) -> Response {
    let Some(link) = back_link(started, &[("code", &code)]) else {
        return pages::refused(app, headers, Refusal::Internal, None);
    };
    let scopes = |name: &str| -> Vec<String> {
        one(name)
            .unwrap_or_default()
            .split([',', ' '])
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
            .collect()
    };
    pages::connect(
        app,
        headers,
        &pages::Connect {
            provider: started.provider,
            number: started.challenge.number(),
            link: link.as_str(),
            code: &code,
            until_ms: app.now_ms().saturating_add(CODE_LIFE_MS),
            granted: &scopes("granted_scopes"),
            declined: &scopes("denied_scopes"),
            again: started.again().url(&app.public_url).as_str(),
        },
    )
}

/// The app's redirect URI with an answer and the app's own state.
fn back_link(started: &Started, answer: &[(&str, &str)]) -> Option<Url> {
    let mut url = Url::parse(&started.redirect_uri).ok()?;
    url.query_pairs_mut()
        .extend_pairs(answer)
        .append_pair("state", &started.state);
    Some(url)
}
