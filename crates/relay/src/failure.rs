//! How a handler ends badly: a refusal the caller may know, or a fault only the log hears about.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use shopbell_wire::{ErrorAnswer, Refusal};

use crate::storage::StorageError;

/// A handler's error.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The caller is told this, with the time after which trying again makes sense.
    Refused(Refusal, Option<i64>),
    /// The caller is told `internal`; the log gets the kind of fault.
    Fault(&'static str),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal, None)
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        // Statements carry only ids, times and ciphertext (see `storage`), so the error text is safe.
        tracing::error!(%error, "storage");
        Self::Fault("storage")
    }
}

impl Failure {
    /// The refusal as the caller sees it.
    pub(crate) fn refusal(&self) -> Refusal {
        match self {
            Self::Refused(refusal, _) => *refusal,
            Self::Fault(_) => Refusal::Internal,
        }
    }

    /// The JSON answer.
    pub(crate) fn answer(&self, relay_time_ms: i64) -> Response {
        let (refusal, retry) = match self {
            Self::Refused(refusal, retry) => (*refusal, *retry),
            Self::Fault(what) => {
                tracing::error!(what, "fault");
                (Refusal::Internal, None)
            }
        };
        tracing::info!(refusal = refusal.code(), "refused");
        let status =
            StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (
            status,
            Json(ErrorAnswer::new(refusal, relay_time_ms, retry)),
        )
            .into_response();
        if let Some(ms) = retry {
            let seconds = ms.saturating_add(999) / 1000;
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
