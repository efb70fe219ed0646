//! The pages a person sees in the browser: connect, refused, what passes through here, what became of a wish for deletion.
//!
//! Invariant: self-contained (no font, picture or script from anywhere), strict policy by hash, every value
//! escaped, nothing happens without a press. They work without script; only the copy button needs it.

mod deletion;
mod html;
mod words;

use std::sync::{Arc, LazyLock};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
pub(crate) use deletion::{deletion, no_deletion};
use html::{Html, escape, icon};
use sha2::{Digest as _, Sha256};
use shopbell_wire::{Provider, Refusal};
use url::Url;
use words::{Words, words_for};

use crate::app::App;

const CSS: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(CSS),
        hash(SCRIPT)
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// What the connect page shows.
pub(crate) struct Connect<'a> {
    pub(crate) provider: Provider,
    pub(crate) number: u8,
    /// The app's redirect URI with code and state.
    pub(crate) link: &'a str,
    pub(crate) code: &'a str,
    pub(crate) until_ms: i64,
    /// Only when the platform tells at the callback; else empty and the app tells after the exchange.
    pub(crate) granted: &'a [String],
    pub(crate) declined: &'a [String],
    /// Authorize URL that asks for the declined ones.
    pub(crate) again: &'a str,
}

/// "Connect to the Shopbell that shows 47".
pub(crate) fn connect(app: &App, headers: &HeaderMap, shown: &Connect<'_>) -> Response {
    let words = words_for(headers);
    let platform = words.platform(shown.provider);
    let number = shown.number.to_string();
    let say = |text: &str| text.replace("{p}", platform).replace("{n}", &number);
    let bold = format!("<b>{number}</b>");
    let mut body = String::new();

    body += &format!(
        r#"<section class="relay__main" id="other"><p class="relay__done is-warn">{}{}</p><h1>{}</h1><p class="relay__say">{}</p><p class="relay__do"><a class="btn btn--xl" href="{}">{}</a></p></section>"#,
        icon("triangle-alert", "i i--s"),
        words.other_done,
        words.other_title,
        say(words.other_say),
        r##"#"##,
        words.back,
    );
    if !shown.declined.is_empty() {
        body += &partial(words, shown, &say);
    }
    body += &format!(
        r#"<section class="relay__main" id="connect"><p class="relay__done">{}{}</p><h1>{}</h1><p class="relay__no">{number}</p><p class="relay__say">{}</p>"#,
        icon("circle-check", "i i--s"),
        say(words.yes),
        words.connect_title,
        words.connect_say.replace("{n}", &bold),
    );
    body += &format!(
        r##"<p class="relay__do"><a class="btn btn--primary btn--xl" id="open" href="{}">{}</a><a class="btn btn--xl" href="#other">{}</a></p><p class="relay__hint">{}</p>"##,
        escape(shown.link),
        say(words.connect_button),
        words.other_button,
        words.may_ask,
    );
    body += &format!(
        r#"<details class="relay__code" open><summary>{}</summary><div class="relay__row"><code id="code">{}</code><button class="btn" id="copy-code" hidden data-done="{}">{}<span>{}</span></button></div><p>{} <b class="num" id="until" data-ms="{}" data-text="{}">{}</b>.</p><p class="notice">{}<span><b>{}</b> {}</span></p></details></section>"#,
        words.code_title,
        escape(shown.code),
        words.copied,
        icon("copy", "i i--s"),
        words.copy,
        words.code_say,
        shown.until_ms,
        words.code_until,
        words.code_minutes,
        icon("triangle-alert", "i"),
        words.code_never,
        words.code_never_more,
    );
    page(app, words, StatusCode::OK, &say(words.connect_title), &body)
}

fn partial(words: &Words, shown: &Connect<'_>, say: &impl Fn(&str) -> String) -> String {
    let mut rows = String::new();
    let mut row = |scopes: &[String], class: &str, mark: &str| {
        let mut said: Vec<&str> = scopes
            .iter()
            .filter_map(|scope| words.permission(scope))
            .collect();
        said.sort_unstable();
        said.dedup();
        for text in &said {
            rows += &format!("<li{class}>{}{text}</li>", icon(mark, "i i--s"));
        }
        said.len()
    };
    let yes = row(shown.granted, r#" class="is-ok""#, "circle-check");
    let no = row(shown.declined, "", "circle-x");
    let messages = shown.declined.iter().any(|scope| scope.contains("messag"));
    let count = |text: &str| {
        say(text)
            .replace("{a}", &yes.to_string())
            .replace("{b}", &(yes + no).to_string())
    };
    format!(
        r##"<section class="relay__main" id="partial"><p class="relay__done is-warn">{}{}</p><h1>{}</h1><p class="relay__say">{}</p><ul class="grants">{rows}</ul><p class="relay__do"><a class="btn btn--primary btn--xl" href="{}">{}</a><a class="btn btn--xl" href="#connect">{}</a></p></section>"##,
        icon("triangle-alert", "i i--s"),
        count(words.partial_done),
        if messages {
            words.partial_title_messages
        } else {
            words.partial_title
        },
        say(words.partial_say),
        escape(shown.again),
        say(words.partial_again),
        words.partial_go_on,
    )
}

/// A sign-in that ended in the browser. `back` opens the app with the reason, where that is safe.
pub(crate) fn refused(
    app: &App,
    headers: &HeaderMap,
    refusal: Refusal,
    back: Option<&Url>,
) -> Response {
    let words = words_for(headers);
    let (title, say) = words.refusal(refusal);
    let mut body = format!(
        r#"<section class="relay__main"><p class="relay__done is-warn">{}{}</p><h1>{title}</h1><p class="relay__say">{say}</p>"#,
        icon("triangle-alert", "i i--s"),
        words.nothing_connected,
    );
    if let Some(back) = back {
        body += &format!(
            r#"<p class="relay__do"><a class="btn btn--primary btn--xl" id="open" href="{}">{}</a></p><p class="relay__hint">{}</p>"#,
            escape(back.as_str()),
            words.back_to_app,
            words.may_ask,
        );
    }
    body += &format!(
        r#"<p class="relay__hint">{} <code>{}</code></p></section>"#,
        words.reason,
        refusal.code()
    );
    let status = match StatusCode::from_u16(refusal.status()) {
        // The person said no: the page itself is what was asked for.
        _ if back.is_some() => StatusCode::OK,
        Ok(status) => status,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    page(app, words, status, title, &body)
}

/// What the relay sees and keeps, in the words of its design.
pub(crate) async fn passes(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let words = words_for(&headers);
    let mut body = format!(
        r#"<section class="relay__main"><h1>{}</h1>"#,
        words.passes_title
    );
    for (title, rows) in words.passes {
        body += &format!(r#"<h2>{title}</h2><ul class="plain">"#);
        for row in *rows {
            body += &format!("<li>{row}</li>");
        }
        body += "</ul>";
    }
    body += "</section>";
    page(&app, words, StatusCode::OK, words.passes_title, &body)
}

fn page(app: &App, words: &Words, status: StatusCode, title: &str, body: &str) -> Response {
    let host = app.public_url.host_str().unwrap_or_default();
    let foot = words
        .foot
        .replace("{h}", &format!("<bdi>{}</bdi>", escape(host)));
    let text = Html {
        lang: words.lang,
        dir: words.dir,
        title,
        css: CSS,
        script: SCRIPT,
        body,
        foot: &foot,
        more: words.foot_more,
    }
    .render();
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CONTENT_SECURITY_POLICY, POLICY.clone()),
        (
            header::CONTENT_LANGUAGE,
            HeaderValue::from_static(words.lang),
        ),
        (header::VARY, HeaderValue::from_static("accept-language")),
    ];
    (status, headers, text).into_response()
}
