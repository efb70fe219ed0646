//! The owner's choices: one row per choice, as JSON, so that a newer program can add some and an older one keeps what it does not know.
//!
//! Invariant: what is stored was offered; a row that cannot be understood counts as not set.

use crate::{
    api::types::{Change, Settings, SettingsPatch},
    ingest::rows::decode,
    store::{Priority, Store, StoreError},
};
use serde_json::{Map, Value};
use sqlx::SqliteConnection;

/// Longest remembered place, bytes.
const LONGEST_PLACE: usize = 16 * 1024;

/// The field whose value is not offered, if any.
pub fn wrong_field(patch: &SettingsPatch) -> Option<&'static str> {
    let outside = |value: &Option<String>, offered: &[&str]| {
        value
            .as_deref()
            .is_some_and(|value| !offered.contains(&value))
    };
    if outside(&patch.theme, &["system", "light", "dark"]) {
        return Some("theme");
    }
    if outside(&patch.density, &["comfortable", "compact"]) {
        return Some("density");
    }
    if patch
        .text_percent
        .is_some_and(|percent| !(90..=130).contains(&percent))
    {
        return Some("text_percent");
    }
    if outside(&patch.language, &["system", "en", "de", "ar"]) {
        return Some("language");
    }
    if patch
        .hold_back_s
        .is_some_and(|seconds| ![0, 5, 10, 20, 30].contains(&seconds))
    {
        return Some("hold_back_s");
    }
    if patch
        .place
        .as_ref()
        .is_some_and(|place| place.len() > LONGEST_PLACE)
    {
        return Some("place");
    }
    None
}

/// All settings; what was never set has its default.
///
/// # Errors
/// What the database says.
pub async fn read(connection: &mut SqliteConnection) -> Result<Settings, StoreError> {
    let packed = sqlx::query_scalar!(
        r#"SELECT json_group_array(json_array(key, value)) AS "rows!: String" FROM settings"#
    )
    .fetch_one(connection)
    .await?;
    let rows: Vec<(String, String)> = decode(&packed)?;
    let mut settings = Settings::default();
    for (key, value) in rows {
        let Ok(value) = serde_json::from_str::<Value>(&value) else {
            continue;
        };
        // Each by itself, through the same check as a change: one odd row must not take the others with it.
        let patch =
            serde_json::from_value::<SettingsPatch>(Value::Object(Map::from_iter([(key, value)])));
        if let Some(patch) = patch.ok().filter(|patch| wrong_field(patch).is_none()) {
            settings = with(settings, &patch);
        }
    }
    Ok(settings)
}

/// Stores a patch that [`wrong_field`] finds nothing in, and tells.
///
/// # Errors
/// What the database says.
pub async fn change(store: &Store, patch: &SettingsPatch) -> Result<Settings, StoreError> {
    let mut tx = store.write(Priority::Owner).await?;
    let values = match serde_json::to_value(patch) {
        Ok(Value::Object(values)) => values,
        _ => Map::new(),
    };
    for (key, value) in values.into_iter().filter(|(_, value)| !value.is_null()) {
        let value = value.to_string();
        sqlx::query!("INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
            .execute(&mut *tx)
            .await?;
    }
    let settings = read(&mut tx).await?;
    tx.tell(Change::Settings);
    tx.commit().await?;
    Ok(settings)
}

fn with(settings: Settings, patch: &SettingsPatch) -> Settings {
    let patch = patch.clone();
    Settings {
        theme: patch.theme.unwrap_or(settings.theme),
        density: patch.density.unwrap_or(settings.density),
        text_percent: patch.text_percent.unwrap_or(settings.text_percent),
        language: patch.language.unwrap_or(settings.language),
        hold_back_s: patch.hold_back_s.unwrap_or(settings.hold_back_s),
        keep_media: patch.keep_media.unwrap_or(settings.keep_media),
        place: patch.place.unwrap_or(settings.place),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::testing;

    #[tokio::test]
    async fn choices_survive_a_restart_and_odd_rows_count_as_not_set() {
        let (folder, store) = testing::store().await;
        let patch = SettingsPatch {
            theme: Some("dark".into()),
            hold_back_s: Some(20),
            ..SettingsPatch::default()
        };
        let set = change(&store, &patch).await.unwrap();
        assert_eq!(
            (set.theme.as_str(), set.hold_back_s, set.text_percent),
            ("dark", 20, 100)
        );
        let mut tx = store.write(Priority::Owner).await.unwrap();
        for (key, value) in [
            ("density", "\"huge\""),
            ("language", "{"),
            ("future", "1"),
            ("text_percent", "\"x\""),
        ] {
            sqlx::query("INSERT INTO settings (key, value) VALUES (?, ?)")
                .bind(key)
                .bind(value)
                .execute(&mut *tx)
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
        store.close().await;
        let store = testing::open(folder.path()).await;
        let read_back = read(&mut store.read().await.unwrap()).await.unwrap();
        assert_eq!(read_back, set);
    }

    #[test]
    fn only_offered_values_pass() {
        let wrong = |patch| wrong_field(&patch);
        assert_eq!(
            wrong(SettingsPatch {
                theme: Some("pink".into()),
                ..Default::default()
            }),
            Some("theme")
        );
        assert_eq!(
            wrong(SettingsPatch {
                text_percent: Some(131),
                ..Default::default()
            }),
            Some("text_percent")
        );
        assert_eq!(
            wrong(SettingsPatch {
                hold_back_s: Some(7),
                ..Default::default()
            }),
            Some("hold_back_s")
        );
        assert_eq!(
            wrong(SettingsPatch {
                language: Some("fr".into()),
                ..Default::default()
            }),
            Some("language")
        );
        assert_eq!(
            wrong(SettingsPatch {
                place: Some("x".repeat(LONGEST_PLACE + 1)),
                ..Default::default()
            }),
            Some("place")
        );
        assert_eq!(
            wrong(SettingsPatch {
                density: Some("compact".into()),
                keep_media: Some(true),
                ..Default::default()
            }),
            None
        );
    }
}
