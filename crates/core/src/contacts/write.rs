//! What is stored of a fetch, good or bad, and who is told.

use crate::{
    Profile,
    api::types::{Change, Reason},
    domain::{Channel, IdentityId},
    platform::RawProfile,
    search,
    store::{Priority, StoreError, WriteTx},
};

/// Stores what the platform told. What it left out stays as last known.
pub(super) async fn fetched(
    profile: &Profile,
    identity: IdentityId,
    channel: Channel,
    told: &RawProfile,
    face: Option<(&'static str, Vec<u8>)>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let source = match channel {
        Channel::Messenger => "facebook_api",
        Channel::Instagram => "instagram_api",
    };
    let clean = |text: Option<String>| {
        text.map(|text| text.replace('\0', "").trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    let (name, username) = (clean(told.display_name()), clean(told.username.clone()));
    let mut tx = profile.store.write(Priority::Background).await?;
    let now = sqlx::query!(
        r#"UPDATE identities SET name = coalesce(?, name), username = coalesce(?, username), follows_us = coalesce(?, follows_us),
             we_follow = coalesce(?, we_follow), verified = coalesce(?, verified), followers = coalesce(?, followers),
             profile_source = ?, profile_fetched_at_ms = ?, profile_tried_at_ms = ?, profile_error = NULL
           WHERE id = ? RETURNING name AS "name: String", username AS "username: String""#,
        name,
        username,
        told.is_user_follow_business,
        told.is_business_follow_user,
        told.is_verified_user,
        told.follower_count,
        source,
        now_ms,
        now_ms,
        identity.0
    )
    .fetch_optional(&mut *tx)
    .await?;
    // Erased while we asked.
    let Some(now) = now else { return Ok(()) };
    search::index_person(
        &mut tx,
        identity.0,
        now.name.as_deref(),
        now.username.as_deref(),
    )
    .await?;
    if let Some((mime, bytes)) = face {
        keep_face(profile, &mut tx, identity, mime, &bytes, now_ms).await?;
    }
    tell(&mut tx, identity).await?;
    tx.commit().await
}

/// A new picture gets a new id, so that nobody shows the old one from a cache; the same picture keeps its id.
async fn keep_face(
    profile: &Profile,
    tx: &mut WriteTx<'_>,
    identity: IdentityId,
    mime: &str,
    bytes: &[u8],
    now_ms: i64,
) -> Result<(), StoreError> {
    let mut random = [0_u8; 16];
    profile.parts.entropy.fill(&mut random);
    let media_id = hex::encode(random);
    sqlx::query!(
        "INSERT INTO avatars (identity_id, media_id, mime, bytes, fetched_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (identity_id) DO UPDATE SET media_id = iif(bytes = excluded.bytes, media_id, excluded.media_id),
           mime = excluded.mime, bytes = excluded.bytes, fetched_at_ms = excluded.fetched_at_ms",
        identity.0,
        media_id,
        mime,
        bytes,
        now_ms
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Stores why it failed. `tried_at_ms` is set when the platform was really asked.
pub(super) async fn failed(
    profile: &Profile,
    identity: IdentityId,
    reason: &Reason,
    tried_at_ms: Option<i64>,
) -> Result<(), StoreError> {
    // A code without parameters: writing it as JSON cannot fail.
    let reason = serde_json::to_string(reason).unwrap_or_default();
    let mut tx = profile.store.write(Priority::Background).await?;
    let changed = sqlx::query!(
        "UPDATE identities SET profile_error = ?1, profile_tried_at_ms = coalesce(?2, profile_tried_at_ms)
         WHERE id = ?3 AND (profile_error IS NOT ?1 OR ?2 IS NOT NULL)",
        reason,
        tried_at_ms,
        identity.0
    )
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() == 0 {
        return Ok(());
    }
    tell(&mut tx, identity).await?;
    tx.commit().await
}

async fn tell(tx: &mut WriteTx<'_>, identity: IdentityId) -> Result<(), StoreError> {
    let conversations = sqlx::query_scalar!(
        r#"SELECT id AS "id!: i64" FROM conversations WHERE identity_id = ?"#,
        identity.0
    )
    .fetch_all(&mut **tx)
    .await?;
    for id in conversations {
        tx.tell(Change::Conversation { id });
    }
    Ok(())
}
