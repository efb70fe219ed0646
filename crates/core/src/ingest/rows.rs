//! Many values in one parameter, many rows in one answer: what crosses to SQLite's thread is one JSON text each way.

use crate::store::StoreError;
use serde::{Serialize, de::DeserializeOwned};

/// As one parameter for `json_each`. Plain data of our own always encodes; an empty list would only leave rows unread.
pub(crate) fn encode<T: Serialize + ?Sized>(rows: &T) -> String {
    serde_json::to_string(rows).unwrap_or_else(|_| "[]".to_owned())
}

/// From one answer of `json_group_array` or `json_object`.
///
/// # Errors
/// When the statement answers in another shape than its reader expects: a fault of ours, told without the content.
pub(crate) fn decode<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| {
        let place = format!("{:?} at column {}", error.classify(), error.column());
        StoreError::Sql(sqlx::Error::Decode(place.into()))
    })
}
