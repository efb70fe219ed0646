//! People: whose profile is fetched when, from where, and what stays when it fails.
//!
//! Invariant: opening a conversation asks the platform anew, but never twice at once for one person, never more than once a minute, never
//! while the account is slowed down (decision A15). A failed fetch takes nothing away: name, flags and face stay as last known, with their
//! age and the reason. Faces are stored as bytes, because their addresses die within days.

pub(crate) mod avatar;
pub(crate) mod introduce;
mod refresh;
mod rule;
mod write;

pub use refresh::{Refreshed, refresh};
pub use rule::{Due, ProfileRule};

use crate::{
    Parts, Profile,
    domain::{ConversationId, IdentityId},
    flight::Flights,
    store::StoreError,
};

/// Profile fetches in flight.
pub struct Contacts {
    flights: Flights<i64>,
}

impl Contacts {
    /// From the profile's parts.
    pub fn new(_parts: &Parts) -> Self {
        Self {
            flights: Flights::default(),
        }
    }
}

/// The owner opened a conversation: fetches the person anew when the rule says so. Failures are shown beside the person, not returned.
pub async fn refresh_opened(profile: &Profile, conversation: ConversationId) {
    if let Err(error) = refresh_conversation(profile, conversation, false).await {
        tracing::warn!(%error, "a profile could not be stored");
    }
}

/// Fetches the person of a conversation. `force` ignores what is cached, not the once-a-minute rule.
///
/// # Errors
/// What the database says.
pub async fn refresh_conversation(
    profile: &Profile,
    conversation: ConversationId,
    force: bool,
) -> Result<Refreshed, StoreError> {
    let identity = {
        let mut connection = profile.store.read().await?;
        sqlx::query_scalar!(
            "SELECT identity_id FROM conversations WHERE id = ?",
            conversation.0
        )
        .fetch_optional(&mut *connection)
        .await?
    };
    match identity {
        Some(identity) => refresh(profile, IdentityId(identity), force).await,
        None => Ok(Refreshed::NotNow),
    }
}

#[cfg(test)]
mod tests;
