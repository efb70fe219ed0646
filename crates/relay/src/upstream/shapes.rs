//! The JSON Meta sends during a sign-in, in all the shapes seen (facts sheet §2.1, §2.2).
//!
//! Ids become text whether they came as strings or as numbers beyond 2^53; unknown fields are ignored.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use shopbell_wire::Secret;

struct Text;

impl de::Visitor<'_> for Text {
    type Value = String;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a whole number")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

/// Text, or a whole number as its digits.
pub(super) fn text_or_number<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    from.deserialize_any(Text)
}

/// A whole number, or its digits as text.
pub(super) fn number_or_text<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    text_or_number(from)?
        .parse()
        .map_err(|_| de::Error::custom("not a whole number"))
}

/// Anything serde can read as `T`, or nothing for `null` and for what it cannot.
fn lenient<'de, D: Deserializer<'de>, T: for<'a> Deserialize<'a>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(serde_json::Value::deserialize(from)?).ok())
}

#[derive(Deserialize)]
struct TextOrNumber(#[serde(deserialize_with = "text_or_number")] String);

/// Optional id.
pub(super) fn opt_text_or_number<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<String>, D::Error> {
    Ok(lenient::<D, TextOrNumber>(from)?
        .map(|TextOrNumber(text)| text)
        .filter(|text| !text.is_empty()))
}

/// Optional whole number.
pub(super) fn opt_number_or_text<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<i64>, D::Error> {
    Ok(lenient::<D, TextOrNumber>(from)?.and_then(|TextOrNumber(text)| text.parse().ok()))
}

/// `{"data":[{…}]}` (documented) or `{…}` (observed).
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum MaybeWrapped<T> {
    Wrapped { data: [T; 1] },
    Flat(T),
}

impl<T> MaybeWrapped<T> {
    pub(super) fn into_inner(self) -> T {
        match self {
            Self::Wrapped { data: [inner] } | Self::Flat(inner) => inner,
        }
    }
}

/// Every token endpoint's answer.
#[derive(Deserialize)]
pub(super) struct TokenBody {
    pub(super) access_token: Secret,
    /// Seconds. Missing for tokens without an end.
    #[serde(default, deserialize_with = "opt_number_or_text")]
    pub(super) expires_in: Option<i64>,
    #[serde(default)]
    pub(super) permissions: Permissions,
}

impl TokenBody {
    pub(super) fn into_token(self) -> super::Token {
        let expires_in_ms = self
            .expires_in
            .filter(|seconds| *seconds > 0)
            .map(|seconds| seconds.saturating_mul(1000));
        super::Token {
            token: self.access_token,
            expires_in_ms,
        }
    }
}

/// `"a,b"` (documented) or `["a","b"]` (observed).
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Permissions {
    Text(String),
    List(Vec<String>),
}

impl Default for Permissions {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl Permissions {
    pub(super) fn into_list(self) -> Vec<String> {
        match self {
            Self::List(list) => list,
            Self::Text(text) => text
                .split([',', ' '])
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// `/me` on graph.instagram.com. `user_id` is the account (webhooks, paths), `id` is app-scoped (trap 3).
#[derive(Deserialize)]
pub(crate) struct InstagramMe {
    #[serde(deserialize_with = "text_or_number")]
    pub(crate) id: String,
    #[serde(deserialize_with = "text_or_number")]
    pub(crate) user_id: String,
    #[serde(default)]
    pub(crate) username: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) account_type: Option<String>,
    #[serde(default)]
    pub(crate) profile_picture_url: Option<String>,
}

/// `/me` on graph.facebook.com.
#[derive(Deserialize)]
pub(crate) struct FacebookMe {
    #[serde(deserialize_with = "text_or_number")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
}

/// `data` of `debug_token`. Times are seconds; 0 means that no date is named.
#[derive(Deserialize)]
pub(super) struct DebugBody {
    pub(super) data: DebugData,
}

#[derive(Deserialize)]
pub(super) struct DebugData {
    #[serde(default)]
    pub(super) is_valid: bool,
    #[serde(default, deserialize_with = "opt_text_or_number")]
    pub(super) app_id: Option<String>,
    #[serde(default, rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(default, deserialize_with = "opt_text_or_number")]
    pub(super) user_id: Option<String>,
    #[serde(default, deserialize_with = "opt_text_or_number")]
    pub(super) profile_id: Option<String>,
    #[serde(default, deserialize_with = "opt_number_or_text")]
    pub(super) expires_at: Option<i64>,
    #[serde(default, deserialize_with = "opt_number_or_text")]
    pub(super) data_access_expires_at: Option<i64>,
    #[serde(default)]
    pub(super) scopes: Vec<String>,
    #[serde(default)]
    pub(super) error: Option<DebugError>,
}

#[derive(Deserialize)]
pub(super) struct DebugError {
    #[serde(
        default,
        deserialize_with = "opt_number_or_text",
        alias = "error_subcode"
    )]
    pub(super) subcode: Option<i64>,
}

/// One row of `/me/permissions`.
#[derive(Deserialize)]
pub(super) struct Permission {
    pub(super) permission: String,
    #[serde(default)]
    pub(super) status: String,
}

/// A list with cursors.
#[derive(Deserialize)]
pub(super) struct Paged<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) paging: Option<Paging>,
}

#[derive(Deserialize)]
pub(super) struct Paging {
    #[serde(default)]
    pub(super) cursors: Option<Cursors>,
    /// Holds the token; only that it is there is used.
    #[serde(default)]
    pub(super) next: Option<Secret>,
}

#[derive(Deserialize)]
pub(super) struct Cursors {
    #[serde(default)]
    pub(super) after: Option<String>,
}

/// One row of `/me/accounts`.
#[derive(Deserialize)]
pub(crate) struct Page {
    #[serde(deserialize_with = "text_or_number")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    /// Missing when the person may not act for the Page.
    #[serde(default)]
    pub(crate) access_token: Secret,
    #[serde(default)]
    pub(crate) tasks: Vec<String>,
    #[serde(default)]
    pub(crate) instagram_business_account: Option<LinkedInstagram>,
}

/// The professional account linked to a Page.
#[derive(Deserialize)]
pub(crate) struct LinkedInstagram {
    #[serde(deserialize_with = "text_or_number")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) username: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) profile_picture_url: Option<String>,
}

/// A Page asked for its link only.
#[derive(Deserialize)]
pub(super) struct PageLink {
    #[serde(default)]
    pub(super) instagram_business_account: Option<LinkedInstagram>,
}

#[cfg(test)]
#[path = "shapes_tests.rs"]
mod tests;
