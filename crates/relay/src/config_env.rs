//! Environment variables laid over the configuration file, one for every field an operator sets in a container.

use toml::{Table, Value};

use crate::{ConfigError, Limits};

enum Kind {
    Text,
    Number,
    Flag,
    List,
}

/// Variable (after `SHOPBELL_RELAY_`), place in the file, type.
const VARIABLES: &[(&str, &[&str], Kind)] = &[
    ("LISTEN", &["listen"], Kind::Text),
    ("PUBLIC_URL", &["public_url"], Kind::Text),
    ("STORAGE", &["storage"], Kind::Text),
    ("KEY", &["key"], Kind::Text),
    ("KEY_FILE", &["key_file"], Kind::Text),
    ("VERIFY_TOKEN", &["verify_token"], Kind::Text),
    ("OPERATOR_KEY", &["operator_key"], Kind::Text),
    ("OPERATOR_FILE", &["operator_file"], Kind::Text),
    ("RETENTION_DAYS", &["retention_days"], Kind::Number),
    ("METRICS_LISTEN", &["metrics_listen"], Kind::Text),
    ("METRICS_TOKEN", &["metrics_token"], Kind::Text),
    ("TLS_CERT", &["tls", "cert"], Kind::Text),
    ("TLS_KEY", &["tls", "key"], Kind::Text),
    ("GRAPH_VERSION", &["graph_version"], Kind::Text),
    ("TRUST_FORWARDED", &["trust_forwarded"], Kind::Flag),
    ("FACEBOOK_APP_ID", &["facebook", "app_id"], Kind::Text),
    (
        "FACEBOOK_APP_SECRET",
        &["facebook", "app_secret"],
        Kind::Text,
    ),
    (
        "FACEBOOK_PREVIOUS_SECRET",
        &["facebook", "previous_secret"],
        Kind::Text,
    ),
    ("FACEBOOK_CONFIG_ID", &["facebook", "config_id"], Kind::Text),
    ("FACEBOOK_SCOPES", &["facebook", "scopes"], Kind::List),
    ("INSTAGRAM_APP_ID", &["instagram", "app_id"], Kind::Text),
    (
        "INSTAGRAM_APP_SECRET",
        &["instagram", "app_secret"],
        Kind::Text,
    ),
    (
        "INSTAGRAM_PREVIOUS_SECRET",
        &["instagram", "previous_secret"],
        Kind::Text,
    ),
    (
        "INSTAGRAM_CONFIG_ID",
        &["instagram", "config_id"],
        Kind::Text,
    ),
    ("INSTAGRAM_SCOPES", &["instagram", "scopes"], Kind::List),
    (
        "UPSTREAM_GRAPH_FACEBOOK",
        &["upstream", "graph_facebook"],
        Kind::Text,
    ),
    (
        "UPSTREAM_GRAPH_INSTAGRAM",
        &["upstream", "graph_instagram"],
        Kind::Text,
    ),
    (
        "UPSTREAM_API_INSTAGRAM",
        &["upstream", "api_instagram"],
        Kind::Text,
    ),
    (
        "UPSTREAM_WWW_FACEBOOK",
        &["upstream", "www_facebook"],
        Kind::Text,
    ),
    (
        "UPSTREAM_WWW_INSTAGRAM",
        &["upstream", "www_instagram"],
        Kind::Text,
    ),
];

/// Every variable that is read, without its prefix.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = String> {
    let single = VARIABLES.iter().map(|(name, _, _)| (*name).to_owned());
    let limits = Limits::NAMES.iter();
    single.chain(limits.map(|limit| format!("LIMIT_{}", limit.to_ascii_uppercase())))
}

/// Puts every variable that is set into its place. Empty variables count as not set.
pub(crate) fn overlay(
    table: &mut Table,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), ConfigError> {
    let given = |name: &str| variable(name).filter(|text| !text.is_empty());
    for (name, place, kind) in VARIABLES {
        let name = format!("SHOPBELL_RELAY_{name}");
        if let Some(text) = given(&name) {
            put(table, place, read(kind, text, &name)?)?;
        }
    }
    for limit in Limits::NAMES {
        let name = format!("SHOPBELL_RELAY_LIMIT_{}", limit.to_ascii_uppercase());
        if let Some(text) = given(&name) {
            put(table, &["limits", limit], read(&Kind::Number, text, &name)?)?;
        }
    }
    Ok(())
}

fn read(kind: &Kind, text: String, name: &str) -> Result<Value, ConfigError> {
    let wrong = || ConfigError::Malformed(format!("{name} has the wrong type"));
    Ok(match kind {
        Kind::Text => Value::String(text),
        Kind::Number => Value::Integer(text.parse().map_err(|_| wrong())?),
        Kind::Flag => Value::Boolean(text.parse().map_err(|_| wrong())?),
        Kind::List => Value::Array(
            text.split([',', ' '])
                .filter(|part| !part.is_empty())
                .map(|part| Value::String(part.into()))
                .collect(),
        ),
    })
}

fn put(table: &mut Table, place: &[&str], value: Value) -> Result<(), ConfigError> {
    let Some((last, folders)) = place.split_last() else {
        return Ok(());
    };
    let mut here = table;
    for folder in folders {
        here = here
            .entry(*folder)
            .or_insert_with(|| Value::Table(Table::new()))
            .as_table_mut()
            .ok_or_else(|| ConfigError::Malformed(format!("{folder} is not a table")))?;
    }
    here.insert((*last).to_owned(), value);
    Ok(())
}
