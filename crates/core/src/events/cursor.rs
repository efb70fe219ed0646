//! Where this computer's stream at a relay stands: which storage of the relay, up to which event, what was missed.
//!
//! Invariant: the offset moves in the transaction that takes the events in, and never back within one epoch.

use crate::{
    Profile, accounts,
    api::types::{Change, Reason},
    store::{Priority, StoreError, WriteTx},
};
use shopbell_wire::StreamState;

/// Place in a relay's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The relay's address.
    pub relay: String,
    /// The relay's storage; empty before the first connection.
    pub epoch: String,
    /// How often that storage lost its newest events and gives their offsets out again.
    pub rewinds: i64,
    /// Last event on our disk.
    pub committed: u64,
}

impl Place {
    /// What tells deliveries of one offset apart.
    pub(super) fn stream(&self) -> String {
        match self.rewinds {
            0 => self.epoch.clone(),
            rewinds => format!("{}/{rewinds}", self.epoch),
        }
    }

    /// As said in a hello.
    pub(crate) fn known_epoch(&self) -> Option<String> {
        Some(self.epoch.clone()).filter(|epoch| !epoch.is_empty())
    }
}

/// What is stored about a stream, for showing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    pub epoch: Option<String>,
    pub rewinds: i64,
    pub committed: i64,
    pub connected_at_ms: Option<i64>,
    pub last_event_at_ms: Option<i64>,
    pub gap_at_ms: Option<i64>,
    pub gap: Option<Reason>,
    pub outage: Option<(i64, i64)>,
}

/// The place at a relay.
///
/// # Errors
/// What the database says.
pub(crate) async fn load(profile: &Profile, relay: &str) -> Result<Place, StoreError> {
    let standing = standing(profile, relay).await?;
    Ok(Place {
        relay: relay.to_owned(),
        epoch: standing.epoch.unwrap_or_default(),
        rewinds: standing.rewinds,
        committed: u64::try_from(standing.committed).unwrap_or(0),
    })
}

/// Everything stored about a relay's stream.
///
/// # Errors
/// What the database says.
pub(crate) async fn standing(profile: &Profile, relay: &str) -> Result<Standing, StoreError> {
    let mut read = profile.store.read().await?;
    let row = sqlx::query!(
        "SELECT epoch, rewinds, committed, connected_at_ms, last_event_at_ms, gap_at_ms, gap, outage_from_ms, outage_to_ms
         FROM relay_streams WHERE relay = ?",
        relay
    )
    .fetch_optional(&mut *read)
    .await?;
    Ok(row.map_or_else(Standing::default, |row| Standing {
        epoch: row.epoch,
        rewinds: row.rewinds,
        committed: row.committed,
        connected_at_ms: row.connected_at_ms,
        last_event_at_ms: row.last_event_at_ms,
        gap_at_ms: row.gap_at_ms,
        gap: row.gap.and_then(|gap| serde_json::from_str(&gap).ok()),
        outage: row.outage_from_ms.zip(row.outage_to_ms),
    }))
}

/// The relay is ready: notes the connection. When the relay was away since we last heard, accounts are compared and their subscriptions
/// read back, because Meta may have switched events off.
///
/// # Errors
/// What the database says.
pub(crate) async fn ready(
    profile: &Profile,
    place: &Place,
    state: &StreamState,
) -> Result<(), StoreError> {
    let now_ms = profile.now_ms();
    let before = standing(profile, &place.relay).await?;
    let was_away = state.outage.is_some() && state.outage != before.outage;
    let (from_ms, to_ms) = state.outage.or(before.outage).unzip();
    let committed = stored(place.committed);
    let mut tx = profile.store.write(Priority::Background).await?;
    sqlx::query!(
        "INSERT INTO relay_streams (relay, epoch, committed, connected_at_ms, outage_from_ms, outage_to_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (relay) DO UPDATE SET committed = CASE WHEN epoch IS ?2 THEN max(committed, ?3) ELSE ?3 END, epoch = ?2,
           connected_at_ms = ?4, outage_from_ms = ?5, outage_to_ms = ?6",
        place.relay,
        place.epoch,
        committed,
        now_ms,
        from_ms,
        to_ms
    )
    .execute(&mut *tx)
    .await?;
    if was_away {
        accounts::check_all_soon(&mut tx, now_ms).await?;
    }
    tx.tell(Change::Relay);
    tx.commit().await?;
    if was_away {
        profile.sync.compare_all();
    }
    Ok(())
}

/// Events are missing: the stream goes on after `resume_after`, every account is compared with the platform and its subscription read
/// back.
///
/// # Errors
/// What the database says.
pub(crate) async fn gap(
    profile: &Profile,
    from: &Place,
    epoch: &str,
    resume_after: u64,
    reason: &Reason,
) -> Result<Place, StoreError> {
    let now_ms = profile.now_ms();
    let committed = stored(resume_after);
    let words = serde_json::to_string(reason).unwrap_or_default();
    tracing::warn!(target: "shopbell::events", reason = %reason.code, "events are missing; the accounts are compared");
    let mut tx = profile.store.write(Priority::Background).await?;
    let rewinds = sqlx::query_scalar!(
        r#"INSERT INTO relay_streams (relay, epoch, committed, gap_at_ms, gap) VALUES (?1, ?2, ?3, ?4, ?5)
           ON CONFLICT (relay) DO UPDATE SET rewinds = CASE WHEN epoch IS ?2 THEN rewinds + (committed > ?3) ELSE 0 END,
             epoch = ?2, committed = ?3, gap_at_ms = ?4, gap = ?5
           RETURNING rewinds AS "rewinds!: i64""#,
        from.relay,
        epoch,
        committed,
        now_ms,
        words
    )
    .fetch_one(&mut *tx)
    .await?;
    accounts::check_all_soon(&mut tx, now_ms).await?;
    tx.tell(Change::Relay);
    tx.commit().await?;
    profile.sync.compare_all();
    Ok(Place {
        relay: from.relay.clone(),
        epoch: epoch.to_owned(),
        rewinds,
        committed: resume_after,
    })
}

/// Moves the place with the events it covers.
pub(super) async fn advance(
    tx: &mut WriteTx<'_>,
    place: &Place,
    committed: u64,
    newest_ms: Option<i64>,
) -> Result<(), StoreError> {
    let committed = stored(committed);
    sqlx::query!(
        "UPDATE relay_streams SET committed = max(committed, ?1),
           last_event_at_ms = CASE WHEN ?2 IS NULL THEN last_event_at_ms ELSE max(coalesce(last_event_at_ms, 0), ?2) END
         WHERE relay = ?3 AND epoch = ?4 AND rewinds = ?5",
        committed,
        newest_ms,
        place.relay,
        place.epoch,
        place.rewinds
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Offsets beyond what is stored were refused when they were heard.
fn stored(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}
