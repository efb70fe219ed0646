//! One fetch of one person.

use super::{
    avatar,
    rule::{Due, ProfileRule},
    write,
};
use crate::{
    Profile,
    accounts::{self, AccessError},
    api::types::{ProfileKind, Reason},
    domain::{AccountId, Channel, IdentityId},
    platform::{Call, Fault, GraphError, RetryKind},
    store::StoreError,
};

/// What a wish for a fresh profile came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// Fetched and stored.
    Fetched,
    /// What is stored is fresh enough.
    Cached,
    /// Not asked: within the minute, slowed down, signed out, or the sample shop.
    NotNow,
    /// Asked, and it failed; the reason is stored beside the person.
    Failed,
}

/// Fetches a person's profile, when the platform's rule says that it is due.
///
/// # Errors
/// What the database says. A platform that fails is [`Refreshed::Failed`].
pub async fn refresh(
    profile: &Profile,
    identity: IdentityId,
    force: bool,
) -> Result<Refreshed, StoreError> {
    if profile.kind == ProfileKind::Sample || profile.store.is_read_only() {
        return Ok(Refreshed::NotNow);
    }
    let _turn = profile.contacts.flights.turn(identity.0).await;
    // Read inside the turn: whoever had it before may just have fetched.
    let row = {
        let mut connection = profile.store.read().await?;
        sqlx::query!(
            "SELECT i.account_id, i.platform_id, i.profile_fetched_at_ms, i.profile_tried_at_ms, a.channel
             FROM identities i JOIN accounts a ON a.id = i.account_id WHERE i.id = ?",
            identity.0
        )
        .fetch_optional(&mut *connection)
        .await?
    };
    let Some(row) = row else {
        return Ok(Refreshed::NotNow);
    };
    let Some(channel) = Channel::parse(&row.channel) else {
        return Ok(Refreshed::NotNow);
    };
    let now_ms = profile.now_ms();
    match ProfileRule::of(channel).due(
        row.profile_fetched_at_ms,
        row.profile_tried_at_ms,
        now_ms,
        force,
    ) {
        Due::Ask => {}
        Due::Cached => return Ok(Refreshed::Cached),
        Due::TooSoon => return Ok(Refreshed::NotNow),
    }
    let account = AccountId(row.account_id);
    let access = match accounts::access(profile, account).await {
        Ok(access) => access,
        Err(AccessError::Store(error)) => return Err(error),
        // The account says so itself, in its own words; the person is not at fault.
        Err(_) => return Ok(Refreshed::NotNow),
    };
    if profile.graph.throttled(&access) {
        write::failed(profile, identity, &Reason::new("throttled"), None).await?;
        return Ok(Refreshed::NotNow);
    }
    match profile.graph.profile(&access, &row.platform_id).await {
        Ok(told) => {
            accounts::report_ok(profile, account, Call::Profile).await;
            let face = match told.profile_pic.as_deref() {
                Some(address) => face(profile, address).await,
                None => None,
            };
            write::fetched(profile, identity, channel, &told, face, now_ms).await?;
            Ok(Refreshed::Fetched)
        }
        Err(error) => {
            accounts::report(profile, account, &error).await;
            // A call that never left does not count against the minute: the network may be back in a second.
            let tried = error.reached.then_some(now_ms);
            write::failed(profile, identity, &reason(&error), tried).await?;
            Ok(Refreshed::Failed)
        }
    }
}

/// The picture's bytes. A face that cannot be loaded leaves the old one in place.
async fn face(profile: &Profile, address: &str) -> Option<(&'static str, Vec<u8>)> {
    let fetched = match profile.media.fetch(address).await {
        Ok(fetched) => fetched,
        Err(error) => {
            tracing::debug!(%error, "a face was not loaded");
            return None;
        }
    };
    // Decoding takes milliseconds of pure computing.
    tokio::task::spawn_blocking(move || avatar::shrink(&fetched))
        .await
        .ok()
        .flatten()
}

/// Codes: `consent` (the person never wrote to us), `unavailable`, `throttled`, `offline`.
fn reason(error: &GraphError) -> Reason {
    let code = match (error.fault, error.kind, error.code, error.subcode) {
        (Fault::Offline | Fault::Unreachable | Fault::Broken | Fault::NotConfigured, ..) => {
            "offline"
        }
        (Fault::HeldBack, ..) | (_, RetryKind::RateLimited { .. }, ..) => "throttled",
        (_, _, Some(230), _) => "consent",
        _ => "unavailable",
    };
    Reason::new(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_a_word() {
        let error = |fault, kind, code, subcode| GraphError {
            kind,
            code,
            subcode,
            http: Some(400),
            reached: true,
            fault,
            call: Call::Profile,
        };
        let word = |fault, kind, code, subcode| reason(&error(fault, kind, code, subcode)).code;
        assert_eq!(
            word(Fault::Answered, RetryKind::Final, Some(230), None),
            "consent"
        );
        assert_eq!(
            word(
                Fault::Answered,
                RetryKind::Final,
                Some(100),
                Some(2_018_218)
            ),
            "unavailable"
        );
        assert_eq!(
            word(
                Fault::Answered,
                RetryKind::RateLimited { after_ms: 1 },
                Some(613),
                None
            ),
            "throttled"
        );
        assert_eq!(
            word(
                Fault::HeldBack,
                RetryKind::RateLimited { after_ms: 1 },
                None,
                None
            ),
            "throttled"
        );
        assert_eq!(
            word(
                Fault::Offline,
                RetryKind::Transient { after_ms: 1 },
                None,
                None
            ),
            "offline"
        );
    }
}
