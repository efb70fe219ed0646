//! The shapes that cross the boundary between the core and any shell (window, browser bridge, terminal).
//!
//! Invariant: plain data, `snake_case`, codes with parameters instead of sentences. The UI and the terminal turn codes into words.
//! Every type here is also a TypeScript type in `ui/src/gen/` (written by a test, checked in CI).

mod accounts;
mod app;
mod comments;
mod inbox;
mod messages;
mod relay;
mod settings;
mod sign_in;
mod sync;

pub use accounts::*;
pub use app::*;
pub use comments::*;
pub use inbox::*;
pub use messages::*;
pub use relay::*;
pub use settings::*;
pub use sign_in::*;
pub use sync::*;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// No arguments.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Nothing {}

/// A code with its parameters; the catalogue of the UI has one sentence per code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Reason {
    /// Stable `snake_case` code, for example `window_closed`.
    pub code: String,
    /// Named parameters of the sentence. Never a token; may hold a name, so never logged.
    #[serde(default)]
    pub params: std::collections::BTreeMap<String, String>,
}

impl Reason {
    /// A code without parameters.
    pub fn new(code: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            params: std::collections::BTreeMap::new(),
        }
    }

    /// Adds one parameter.
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.params.insert(name.to_owned(), value.to_string());
        self
    }
}

/// Names one row by its internal id.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, TS)]
pub struct ById {
    /// Internal id.
    pub id: i64,
}
