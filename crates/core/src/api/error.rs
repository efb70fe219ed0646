//! The one error that crosses the boundary. Built only here.
//!
//! A code exists only where a UI does something different for it; `message` is English for logs and the terminal and holds no token,
//! name or message text.

use crate::store::StoreError;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a shell gets when a use case fails.
#[derive(Debug, Clone, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// Stable code: `locked`, `not_found`, `bad_argument`, `unknown_command`, `window_closed`, `too_long`, `offline`, `rate_limited`,
    /// `needs_reconnect`, `confirm_needed`, `too_late`, `sample`, `read_only`, `disk_full`, `file_damaged`, `internal`, …
    pub code: String,
    /// English, for logs and the terminal.
    pub message: String,
    /// Technical part, folded in the UI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Worth trying again after this many ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<i64>,
    /// The argument's field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl ApiError {
    /// A code with its English message.
    pub fn new(code: &str, message: &str) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            detail: None,
            retry_after_ms: None,
            field: None,
        }
    }

    /// Adds the technical part. The caller vouches that it holds no secret, name or message text.
    pub fn with_detail(mut self, detail: impl ToString) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    /// Names the argument's field at fault.
    pub fn with_field(mut self, field: &str) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Worth trying again later.
    pub fn with_retry_after_ms(mut self, ms: i64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    /// The profile is not open.
    pub fn locked() -> Self {
        Self::new("locked", "The profile is not open.")
    }

    /// No such row.
    pub fn not_found(what: &str) -> Self {
        Self::new("not_found", "There is no such row.").with_detail(what)
    }

    /// JSON that does not fit. serde's message can quote input, so only its position is kept.
    pub(crate) fn bad_argument(command: &str, error: &serde_json::Error) -> Self {
        Self::new("bad_argument", "The argument does not fit.").with_detail(format!(
            "{command}: {:?} at column {}",
            error.classify(),
            error.column()
        ))
    }

    /// A fault of ours: logged with its cause, shown without.
    pub(crate) fn internal(place: &'static str, error: &dyn std::error::Error) -> Self {
        tracing::error!(place, %error, "internal error");
        Self::new("internal", "Something failed inside. Nothing was lost.").with_detail(place)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::locked(),
            StoreError::ReadOnly => {
                Self::new("read_only", "The profile can only be read right now.")
            }
            StoreError::Full => Self::new("disk_full", "The disk is full."),
            StoreError::Damaged => Self::new("file_damaged", "The database file is damaged."),
            error => Self::internal("database", &error),
        }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}
