//! The owner's choices.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// All settings of the open profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Settings {
    /// `system`, `light` or `dark`.
    pub theme: String,
    /// `comfortable` or `compact`.
    pub density: String,
    /// Text size in percent, 90 to 130.
    pub text_percent: u32,
    /// `system`, `en`, `de` or `ar`.
    pub language: String,
    /// Seconds a person's message is held back before it leaves: 0, 5, 10, 20 or 30.
    pub hold_back_s: u32,
    /// Keep pictures that customers send (encrypted). Off by default: Meta's terms prefer links.
    pub keep_media: bool,
    /// Last place in the UI, opaque to the core (view, conversation, widths).
    pub place: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: "system".into(),
            density: "comfortable".into(),
            text_percent: 100,
            language: "system".into(),
            hold_back_s: 5,
            keep_media: false,
            place: String::new(),
        }
    }
}

/// Argument of `settings_set`. Null leaves a value as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct SettingsPatch {
    /// See [`Settings::theme`].
    pub theme: Option<String>,
    /// See [`Settings::density`].
    pub density: Option<String>,
    /// See [`Settings::text_percent`].
    pub text_percent: Option<u32>,
    /// See [`Settings::language`].
    pub language: Option<String>,
    /// See [`Settings::hold_back_s`].
    pub hold_back_s: Option<u32>,
    /// See [`Settings::keep_media`].
    pub keep_media: Option<bool>,
    /// See [`Settings::place`].
    pub place: Option<String>,
}
