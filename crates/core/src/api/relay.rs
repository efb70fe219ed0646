//! Use cases of the stream from the relay: how it stands, what came, the owner's word about both.

use super::{ApiError, accounts::own_profile, types::*};
use crate::{
    Core,
    domain::AccountId,
    events::{self, AnswerError, RetryError},
    relay_client::stream::{self, AnswerHere},
};

impl From<RetryError> for ApiError {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::NotFound => Self::not_found("event"),
            RetryError::Settled => Self::new("too_late", "There is nothing left to try."),
            RetryError::Keys(error) => {
                Self::new(&error.reason().code, "The device keys are not available.")
            }
            RetryError::Store(error) => error.into(),
        }
    }
}

impl From<AnswerError> for ApiError {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::NotFound => Self::not_found("deletion"),
            AnswerError::Answered => Self::new("too_late", "The request was answered."),
            AnswerError::Erase(error) => error.into(),
            AnswerError::Store(error) => error.into(),
        }
    }
}

/// How the connection to the relay stands. Changes come as [`Change::Relay`].
///
/// # Errors
/// `locked`.
pub async fn relay_status(core: &Core, _argument: Nothing) -> Result<RelayStatus, ApiError> {
    Ok(stream::status(&*core.profile()?).await?)
}

/// Connects anew now, also when the connection was stopped.
///
/// # Errors
/// `sample`, `locked`.
pub async fn relay_reconnect(core: &Core, _argument: Nothing) -> Result<RelayStatus, ApiError> {
    let profile = own_profile(core)?;
    stream::reconnect(&profile);
    Ok(stream::status(&profile).await?)
}

/// The log of events, newest first. Changes come as [`Change::Events`].
///
/// # Errors
/// `locked`.
pub async fn events_list(core: &Core, argument: EventsQuery) -> Result<EventPage, ApiError> {
    let profile = core.profile()?;
    let mut read = profile.store.read().await?;
    Ok(events::page(&mut read, &argument).await?)
}

async fn event(core: &Core, id: i64) -> Result<EventView, ApiError> {
    let profile = core.profile()?;
    let mut read = profile.store.read().await?;
    events::one(&mut read, id)
        .await?
        .ok_or_else(|| ApiError::not_found("event"))
}

/// Tries a failed or ignored event again. What came of it is in the answer's state.
///
/// # Errors
/// `not_found`; `too_late` when it is done or nothing of it is left; `keychain_locked`, `locked`.
pub async fn event_retry(core: &Core, argument: ById) -> Result<EventView, ApiError> {
    events::try_again(&*core.profile()?, argument.id).await?;
    event(core, argument.id).await
}

/// Leaves a failed event: it is not tried again.
///
/// # Errors
/// `not_found`; `too_late` when it is not failed; `locked`.
pub async fn event_leave(core: &Core, argument: ById) -> Result<EventView, ApiError> {
    events::leave(&*core.profile()?, argument.id).await?;
    event(core, argument.id).await
}

/// Lets this computer answer for an account from now on. The relay's word comes as [`Change::Accounts`].
///
/// # Errors
/// `not_found`; `offline` without a connection to the relay; `sample`, `locked`.
pub async fn answering_take(core: &Core, argument: ById) -> Result<Nothing, ApiError> {
    let profile = own_profile(core)?;
    match stream::answer_here(&profile, AccountId(argument.id)).await? {
        AnswerHere::Asked => Ok(Nothing {}),
        AnswerHere::NoAccount => Err(ApiError::not_found("account")),
        AnswerHere::NotConnected => Err(ApiError::new("offline", "The relay is not connected.")),
    }
}

/// The owner's answer to a wish for deletion that Meta passed on.
///
/// # Errors
/// `not_found`, `too_late` when it was answered, `confirm_needed` when an account's permit is missing; `sample`, `locked`.
pub async fn deletion_answer(
    core: &Core,
    argument: DeletionAnswer,
) -> Result<RelayStatus, ApiError> {
    let profile = own_profile(core)?;
    events::answer_deletion(&profile, &argument).await?;
    Ok(stream::status(&profile).await?)
}
