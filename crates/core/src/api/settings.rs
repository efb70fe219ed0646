//! The owner's choices, as the boundary offers them.

use super::{ApiError, types::*};
use crate::{Core, settings};

/// All settings of the open profile.
///
/// # Errors
/// What the database says.
pub async fn settings_get(core: &Core, _argument: Nothing) -> Result<Settings, ApiError> {
    let profile = core.profile()?;
    let mut connection = profile.store.read().await?;
    Ok(settings::read(&mut connection).await?)
}

/// Changes some settings; all of them or none.
///
/// # Errors
/// `bad_argument` with the field for a value that is not offered.
pub async fn settings_set(core: &Core, argument: SettingsPatch) -> Result<Settings, ApiError> {
    if let Some(field) = settings::wrong_field(&argument) {
        return Err(ApiError::new("bad_argument", "This value is not offered.").with_field(field));
    }
    let profile = core.profile()?;
    Ok(settings::change(&profile.store, &argument).await?)
}
