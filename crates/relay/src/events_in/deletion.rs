//! What became of a data-deletion request: a public page by its code, and the report of each computer that was told.
//!
//! Invariant: the page says what happened and nothing about anybody. A computer reports for itself only, and only where it was told.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use shopbell_wire::{DeletionReport, Refusal};

use crate::{
    app::App,
    caller::{self, Caller},
    failure::Failure,
    pages,
};

/// Path of the page.
pub(crate) fn page_of(code: &str) -> String {
    format!("/deletion/{code}")
}

/// Codes are made by `SignedRequest::code`; nothing else is asked of the storage.
fn is_code(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// `GET /deletion/{code}`.
pub(crate) async fn status(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = if is_code(&code) {
        app.storage.deletion(&code).await
    } else {
        Ok(None)
    };
    match found {
        Ok(Some(deletion)) => pages::deletion(&app, &headers, &code, &deletion),
        Ok(None) => pages::no_deletion(&app, &headers),
        Err(error) => {
            let failure = Failure::from(error);
            pages::refused(&app, &headers, failure.refusal(), None)
        }
    }
}

/// `POST /v1/deletions/{code}`.
pub(crate) async fn report(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
    Caller(proof): Caller,
    body: Body,
) -> Response {
    let outcome = async {
        let report: DeletionReport = caller::json(body).await?;
        let told = is_code(&code)
            && app
                .storage
                .settle_deletion(&code, &proof.thumbprint, report.outcome)
                .await?;
        if told {
            Ok(StatusCode::NO_CONTENT.into_response())
        } else {
            Err(Refusal::NotFound.into())
        }
    };
    app.respond(outcome.await)
}
