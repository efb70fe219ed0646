//! Sort keys: sent time in ms, shifted, plus a counter. Unique, and fixed at first sight (decision T9).
//!
//! Inside one millisecond (one second, for polls) a message that comes later gets a higher counter, and a page of older history a lower
//! one, so that the platform's own order is kept.

use super::batch::Batch;
use crate::{
    domain::Source,
    store::{StoreError, WriteTx},
};
use std::collections::BTreeMap;

const SHIFT: u32 = 20;
/// Where counting begins: room for newer and older ones.
const MIDDLE: i64 = 1 << 19;
/// Highest time that fits.
const LATEST_MS: i64 = (1 << 43) - 1;

/// Lowest key of a millisecond.
pub fn key_floor(at_ms: i64) -> i64 {
    at_ms.clamp(0, LATEST_MS) << SHIFT
}

/// Highest key of a millisecond.
pub fn key_ceiling(at_ms: i64) -> i64 {
    key_floor(at_ms) | ((1 << SHIFT) - 1)
}

/// A time that a key can hold.
pub(super) fn sane(at_ms: i64) -> i64 {
    at_ms.clamp(0, LATEST_MS)
}

/// Gives the new messages their keys.
pub(super) async fn allocate(tx: &mut WriteTx<'_>, batch: &mut Batch) -> Result<(), StoreError> {
    let mut by_time: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (index, message) in batch.messages.iter().enumerate() {
        if message.id.is_none() {
            by_time.entry(message.sent_at_ms).or_default().push(index);
        }
    }
    if by_time.is_empty() {
        return Ok(());
    }
    let times: Vec<i64> = by_time.keys().copied().collect();
    let times_json = super::rows::encode(&times);
    let taken = sqlx::query_scalar!(
        r#"SELECT json_group_array(json_array(j.value,
             (SELECT min(sort_key) FROM messages WHERE sort_key BETWEEN j.value << 20 AND (j.value << 20) | 1048575),
             (SELECT max(sort_key) FROM messages WHERE sort_key BETWEEN j.value << 20 AND (j.value << 20) | 1048575)))
             AS "taken!: String" FROM json_each(?1) j"#,
        times_json
    )
    .fetch_one(&mut **tx)
    .await?;
    let taken: Vec<(i64, Option<i64>, Option<i64>)> = super::rows::decode(&taken)?;
    for (at_ms, lowest, highest) in taken {
        let Some(mut indexes) = by_time.remove(&at_ms) else {
            continue;
        };
        if batch.newest_first {
            indexes.reverse();
        }
        let count = i64::try_from(indexes.len()).unwrap_or(0);
        let first = match (lowest, highest) {
            (Some(lowest), _) if batch.source == Source::Backfill => lowest - count,
            (_, Some(highest)) => highest + 1,
            _ => key_floor(at_ms) + MIDDLE,
        };
        for (offset, index) in (0..).zip(indexes) {
            batch.messages[index].key = first + offset;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_times_do_and_never_overflow() {
        assert!(key_ceiling(1_767_603_600_000) < key_floor(1_767_603_600_001));
        assert_eq!(key_floor(-5), 0);
        assert!(key_ceiling(i64::MAX) > 0);
        assert_eq!(key_floor(7) >> SHIFT, 7);
    }
}
