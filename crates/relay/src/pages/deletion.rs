//! What became of a data-deletion request, for whoever has its code.
//!
//! Invariant: only what happened and only as far as it was reported; no name, no id, no account.

use axum::{
    http::{HeaderMap, StatusCode},
    response::Response,
};
use shopbell_wire::DeletionOutcome;

use super::{
    html::{escape, icon},
    page,
    words::words_for,
};
use crate::{app::App, storage::Deletion};

/// The request and what each computer did.
pub(crate) fn deletion(
    app: &App,
    headers: &HeaderMap,
    code: &str,
    deletion: &Deletion,
) -> Response {
    let words = words_for(headers);
    let say = &words.deletion;
    let day = jiff::Timestamp::from_millisecond(deletion.asked_at_ms)
        .map(|at| at.strftime("%Y-%m-%d").to_string())
        .unwrap_or_default();
    let day = format!(r#"<time datetime="{day}"><bdi>{day}</bdi></time>"#);
    let mut body = format!(
        r#"<section class="relay__main"><p class="relay__done">{}{}</p><h1>{}</h1><p class="relay__say">{}</p>"#,
        icon("circle-check", "i i--s"),
        say.done,
        say.title,
        say.erased.replace("{d}", &day),
    );
    if deletion.told.is_empty() {
        body += &format!(r#"<p class="relay__say">{}</p>"#, say.nobody);
    } else {
        let count = say.told.replace("{n}", &deletion.told.len().to_string());
        body += &format!(r#"<p class="relay__say">{count}</p><ul class="plain">"#);
        for (n, device) in deletion.told.iter().enumerate() {
            let what = match deletion.outcomes.get(device.as_str()) {
                None => say.waits,
                Some(DeletionOutcome::Erased) => say.wiped,
                Some(DeletionOutcome::Kept) => say.keeps,
            };
            let computer = say.computer.replace("{n}", &(n + 1).to_string());
            body += &format!("<li>{computer}: {what}</li>");
        }
        body += &format!(r#"</ul><p class="relay__hint">{}</p>"#, say.why);
    }
    body += &format!(
        r#"<p class="relay__hint">{} <code>{}</code></p></section>"#,
        say.code,
        escape(code)
    );
    page(app, words, StatusCode::OK, say.title, &body)
}

/// No such request.
pub(crate) fn no_deletion(app: &App, headers: &HeaderMap) -> Response {
    let words = words_for(headers);
    let (done, title, say) = words.deletion.unknown;
    let body = format!(
        r#"<section class="relay__main"><p class="relay__done is-warn">{}{done}</p><h1>{title}</h1><p class="relay__say">{say}</p></section>"#,
        icon("triangle-alert", "i i--s"),
    );
    page(app, words, StatusCode::NOT_FOUND, title, &body)
}
