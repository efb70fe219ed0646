//! Who handles which job: one line per kind, the part of the name before the colon.

use super::{Job, JobOutcome};
use crate::{Profile, accounts, comments, contacts, events, sync};
use std::sync::Arc;

/// A job of a newer program waits this long before it is looked at again.
const NOT_OURS_MS: i64 = 24 * 3_600_000;

pub(super) async fn handle(profile: &Arc<Profile>, job: &Job) -> JobOutcome {
    let kind = job.name.split(':').next().unwrap_or_default();
    match kind {
        "mirror-secret" => accounts::mirror(profile, &job.payload).await,
        "account-picture" => accounts::picture::fetch(profile, &job.payload).await,
        "check-token" => accounts::checks::token(profile, &job.payload).await,
        "check-subscription" => accounts::checks::subscription(profile, &job.payload).await,
        "sign-in" => accounts::sign_in::resume(profile, &job.payload).await,
        "unbind" => accounts::disconnect::unbind(profile, &job.payload).await,
        "introduce" => contacts::introduce::run(profile, &job.payload).await,
        "erase" => accounts::erase::run(profile, &job.payload).await,
        "announced" => sync::announced::run(profile, &job.payload).await,
        "post" => comments::fetch::post(profile, &job.payload).await,
        "mention" => comments::fetch::mentions(profile, &job.payload).await,
        "retry-events" => events::retry_due(profile).await,
        "clean-events" => events::clean(profile).await,
        "scrub" => events::scrub(profile).await,
        "deletion" => events::deletion_due(profile, &job.payload).await,
        _ => {
            tracing::warn!(target: "shopbell::jobs", kind, "nobody here knows this kind of job");
            JobOutcome::Again {
                due_at_ms: profile.now_ms() + NOT_OURS_MS,
            }
        }
    }
}
