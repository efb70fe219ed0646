//! Why a call ended without its answer.

use crate::words;
use serde_json::json;
use shopbell_core::api::{ApiError, types::Reason};
use std::io::Write;

/// A code and a sentence.
#[derive(Debug)]
pub struct Trouble {
    pub code: String,
    pub message: String,
    detail: Option<String>,
}

impl Trouble {
    pub fn new(code: &str, message: &str) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            detail: None,
        }
    }

    pub fn io(what: &str, error: &std::io::Error) -> Self {
        Self {
            detail: Some(error.kind().to_string()),
            ..Self::new("io", &format!("{what} cannot be read or written."))
        }
    }

    /// Tells it on stderr.
    pub fn tell(&self, as_json: bool) {
        let mut out = std::io::stderr().lock();
        // Nobody is left to tell when stderr is closed.
        let _ = if as_json {
            writeln!(
                out,
                "{}",
                json!({ "error": { "code": self.code, "message": self.message, "detail": self.detail } })
            )
        } else {
            match &self.detail {
                Some(detail) => writeln!(out, "{} ({}: {detail})", self.message, self.code),
                None => writeln!(out, "{} ({})", self.message, self.code),
            }
        };
    }
}

impl From<Reason> for Trouble {
    fn from(reason: Reason) -> Self {
        Self {
            message: words::sentence(&reason),
            code: reason.code,
            detail: None,
        }
    }
}

impl From<ApiError> for Trouble {
    fn from(error: ApiError) -> Self {
        let reason = Reason::new(error.code.clone());
        let message = words::known(&reason).unwrap_or(error.message);
        Self {
            code: error.code,
            message,
            detail: error.detail.or(error.field),
        }
    }
}
