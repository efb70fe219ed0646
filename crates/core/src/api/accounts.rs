//! Connected accounts: list, switches, events, disconnecting, erasing.

use super::{ApiError, types::*};
use crate::{
    Core, Profile,
    accounts::{
        self,
        disconnect::{self, DisconnectError},
        list,
    },
    domain::AccountId,
    store::StoreError,
};
use std::sync::Arc;

impl From<DisconnectError> for ApiError {
    fn from(error: DisconnectError) -> Self {
        match error {
            DisconnectError::NotFound => Self::not_found("account"),
            DisconnectError::NotConfirmed => Self::new(
                "confirm_needed",
                "The confirmation is missing, used or too old.",
            ),
            DisconnectError::TooLate => Self::new("too_late", "The erasure has begun."),
            DisconnectError::Store(error) => failed(&error),
        }
    }
}

fn failed(error: &StoreError) -> ApiError {
    ApiError::internal("accounts", error)
}

/// The owner's own profile: the sample shop speaks to nobody.
pub(super) fn own_profile(core: &Core) -> Result<Arc<Profile>, ApiError> {
    let profile = core.profile()?;
    if profile.kind == ProfileKind::Sample {
        return Err(ApiError::new(
            "sample",
            "The sample shop is not connected to anything.",
        ));
    }
    Ok(profile)
}

async fn view(profile: &Profile, id: i64) -> Result<AccountView, ApiError> {
    list::one(profile, AccountId(id))
        .await
        .map_err(|error| failed(&error))?
        .ok_or_else(|| ApiError::not_found("account"))
}

/// Every account, disconnected ones included, in the order they were connected.
///
/// # Errors
/// `locked`.
pub async fn accounts_list(core: &Core, _argument: Nothing) -> Result<Vec<AccountView>, ApiError> {
    let profile = core.profile()?;
    let mut read = profile.store.read().await.map_err(|error| failed(&error))?;
    list::all(&mut read).await.map_err(|error| failed(&error))
}

/// Fetch by itself, pause.
///
/// # Errors
/// `not_found` also for a disconnected account; `sample`, `locked`.
pub async fn account_set(core: &Core, argument: AccountSet) -> Result<AccountView, ApiError> {
    let profile = own_profile(core)?;
    if !list::set(&profile, &argument)
        .await
        .map_err(|error| failed(&error))?
    {
        return Err(ApiError::not_found("account"));
    }
    view(&profile, argument.id).await
}

/// Reads the account's events back from Meta, switches them on again when they are off. What came of it is in the answer's state.
///
/// # Errors
/// `not_found`, `needs_reconnect`, `read_only`, `offline` and others of the call; `sample`, `locked`.
pub async fn account_check_subscription(
    core: &Core,
    argument: ById,
) -> Result<AccountView, ApiError> {
    let profile = own_profile(core)?;
    match accounts::check_subscription(&profile, AccountId(argument.id)).await {
        Ok(_) => {}
        Err(accounts::SubscriptionError::Access(error)) => return Err(error.into()),
        Err(accounts::SubscriptionError::Store(error)) => return Err(failed(&error)),
        Err(error) if error.passes() => {
            let reason = error.reason();
            let code = if reason.code == "rate_limited" {
                "rate_limited"
            } else {
                "offline"
            };
            return Err(
                ApiError::new(code, "The platform could not be asked.").with_detail(reason.code)
            );
        }
        // Meta's no is in the account's state.
        Err(_) => {}
    }
    view(&profile, argument.id).await
}

/// What an erasure would take, and the token that permits it.
///
/// # Errors
/// `not_found`, `sample`, `locked`.
pub async fn account_erase_prepare(core: &Core, argument: ById) -> Result<ErasePrepared, ApiError> {
    let profile = own_profile(core)?;
    Ok(disconnect::prepare(&profile, AccountId(argument.id)).await?)
}

/// Disconnects; keeps the data, or erases it after 24 hours.
///
/// # Errors
/// `not_found`, `confirm_needed`, `sample`, `locked`.
pub async fn account_disconnect(
    core: &Core,
    argument: AccountDisconnect,
) -> Result<AccountView, ApiError> {
    let profile = own_profile(core)?;
    disconnect::disconnect(
        &profile,
        AccountId(argument.id),
        argument.erase_token.as_deref(),
    )
    .await?;
    view(&profile, argument.id).await
}

/// Calls the erasure off; the account stays disconnected.
///
/// # Errors
/// `not_found`, `too_late`, `sample`, `locked`.
pub async fn account_erase_undo(core: &Core, argument: ById) -> Result<AccountView, ApiError> {
    let profile = own_profile(core)?;
    disconnect::undo_erase(&profile, AccountId(argument.id)).await?;
    view(&profile, argument.id).await
}
