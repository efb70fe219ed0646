//! Use cases of fetching, as the boundary offers them.

use super::{ApiError, types::*};
use crate::{Core, domain::AccountId, sync};

/// Looks for news of one account now. Answers at once; progress comes as [`Change::Sync`].
///
/// # Errors
/// `not_found`; `sample` in the sample shop.
pub async fn sync_now(core: &Core, argument: ById) -> Result<SyncStatus, ApiError> {
    let profile = core.profile()?;
    if profile.kind == ProfileKind::Sample {
        return Err(ApiError::new("sample", "The sample shop is never fetched."));
    }
    let account = AccountId(argument.id);
    let status = sync::status_of(&profile, account)
        .await?
        .ok_or_else(|| ApiError::not_found("account"))?;
    sync::wake(&profile, account);
    Ok(status)
}

/// What fetching is doing, per account.
///
/// # Errors
/// What the database says.
pub async fn sync_status(core: &Core, _argument: Nothing) -> Result<Vec<SyncStatus>, ApiError> {
    Ok(sync::status(&*core.profile()?).await?)
}

/// The newest 100 lines of an account's sync log, newest first.
///
/// # Errors
/// What the database says.
pub async fn sync_log(core: &Core, argument: ById) -> Result<Vec<SyncRun>, ApiError> {
    Ok(sync::log_of(&*core.profile()?, AccountId(argument.id)).await?)
}
