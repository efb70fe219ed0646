//! Where a medium's bytes are: in a table, or at an address.

use super::Fetched;
use crate::{
    domain::AccountId,
    store::{StoreError, WriteTx},
};
use sqlx::SqliteConnection;

/// Kind of a post's picture or a comment's photo.
const IN_PUBLIC: &str = "in_public";

/// What an id stands for.
pub(super) enum Found {
    /// A face, an account's picture or a kept file.
    Stored(Vec<u8>),
    /// To be fetched.
    Remote(Remote),
}

/// An attachment or story at Meta's CDN.
pub(super) struct Remote {
    pub url: String,
    pub kind: String,
    pub position: i64,
    pub account: AccountId,
    pub mid: Option<String>,
    /// The post whose picture it is.
    pub post: Option<String>,
}

impl Remote {
    /// Stories are shown, never stored (Meta's terms); what stands in public can be had again.
    pub(super) fn may_be_stored(&self) -> bool {
        self.position >= 0 && !matches!(self.kind.as_str(), "story" | IN_PUBLIC)
    }
}

/// Looks an id up. `None` for one nobody gave out.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    media_id: &str,
) -> Result<Option<Found>, StoreError> {
    let stored = sqlx::query_scalar!(
        r#"SELECT bytes AS "bytes!: Vec<u8>" FROM avatars WHERE media_id = ?1
           UNION ALL SELECT bytes FROM account_pictures WHERE media_id = ?1
           UNION ALL SELECT bytes FROM media_blobs WHERE media_id = ?1"#,
        media_id
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(bytes) = stored {
        return Ok(Some(Found::Stored(bytes)));
    }
    let row = sqlx::query!(
        r#"SELECT a.url AS "url!: String", a.kind, a.position, m.account_id, m.mid
           FROM attachments a JOIN messages m ON m.id = a.message_id WHERE a.media_id = ? AND a.url IS NOT NULL AND m.deleted = 0"#,
        media_id
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(row) = row {
        return Ok(Some(Found::Remote(Remote {
            url: row.url,
            kind: row.kind,
            position: row.position,
            account: AccountId(row.account_id),
            mid: row.mid,
            post: None,
        })));
    }
    let row = sqlx::query!(
        r#"SELECT picture_url AS "url!: String", account_id AS "account_id!: i64", platform_id AS "post?: String"
           FROM posts WHERE media_id = ?1 AND picture_url IS NOT NULL AND removed = 0
           UNION ALL SELECT photo_url, account_id, NULL FROM comments WHERE media_id = ?1 AND photo_url IS NOT NULL AND removed = 0"#,
        media_id
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| {
        Found::Remote(Remote {
            url: row.url,
            kind: IN_PUBLIC.to_owned(),
            position: 0,
            account: AccountId(row.account_id),
            mid: None,
            post: row.post,
        })
    }))
}

/// Remembers a newer address.
pub(super) async fn keep_address(
    tx: &mut WriteTx<'_>,
    media_id: &str,
    url: &str,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE attachments SET url = ? WHERE media_id = ?",
        url,
        media_id
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "UPDATE posts SET picture_url = ? WHERE media_id = ? AND removed = 0",
        url,
        media_id
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps bytes, unless the message was taken back in the meantime.
pub(super) async fn keep_bytes(
    tx: &mut WriteTx<'_>,
    media_id: &str,
    fetched: &Fetched,
    now_ms: i64,
) -> Result<(), StoreError> {
    let (mime, bytes) = (fetched.mime, fetched.bytes.as_ref());
    sqlx::query!(
        "INSERT INTO media_blobs (media_id, mime, bytes, fetched_at_ms)
         SELECT media_id, ?2, ?3, ?4 FROM attachments WHERE media_id = ?1 ON CONFLICT (media_id) DO NOTHING",
        media_id,
        mime,
        bytes,
        now_ms
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
