//! Who handles which job: one line per kind, the part of the name before the colon.

use super::{Job, JobOutcome};
use crate::Profile;
use std::sync::Arc;

/// A job of a newer program waits this long before it is looked at again.
const NOT_OURS_MS: i64 = 24 * 3_600_000;

pub(super) async fn handle(profile: &Arc<Profile>, job: &Job) -> JobOutcome {
    let kind = job.name.split(':').next().unwrap_or_default();
    match kind {
        _ => {
            tracing::warn!(target: "shopbell::jobs", kind, "nobody here knows this kind of job");
            JobOutcome::Again {
                due_at_ms: profile.now_ms() + NOT_OURS_MS,
            }
        }
    }
}
