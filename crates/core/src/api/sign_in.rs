//! Connecting: one sign-in at a time, from the click to the chosen accounts.

use super::{ApiError, accounts::own_profile, types::*};
use crate::{
    Core,
    accounts::sign_in::{self, SignInError},
    relay_client::RelayError,
};

impl From<SignInError> for ApiError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::NotFound => Self::not_found("sign-in"),
            SignInError::NotACode => Self::new(
                "not_a_code",
                "This is neither the link nor the code of the page.",
            )
            .with_field("pasted"),
            SignInError::WrongStep => Self::new("too_late", "The sign-in is at another step."),
            SignInError::NotChoosable => {
                Self::new("bad_argument", "One of these accounts cannot be chosen.")
                    .with_field("platform_ids")
            }
            SignInError::Loopback(cause) => {
                Self::new("no_way_back", "No port on this computer is free.")
                    .with_detail(cause.kind())
            }
            SignInError::Relay(RelayError::Keys(cause)) => Self::new(
                "keychain_locked",
                "The keychain does not give this computer's keys.",
            )
            .with_detail(cause),
            SignInError::Relay(error) => Self::internal("sign-in", &error),
            SignInError::Store(error) => Self::internal("sign-in", &error),
            SignInError::Access(error) => error.into(),
        }
    }
}

/// Begins one; the shell opens `authorize_url` in the browser. What was under way is given up.
///
/// # Errors
/// `keychain_locked`, `no_way_back`, `sample`, `locked`.
pub async fn sign_in_start(core: &Core, argument: SignInStart) -> Result<SignIn, ApiError> {
    Ok(sign_in::start(&own_profile(core)?, &argument).await?)
}

/// The one under way; or the one that ended since the program started, until it is put away with `sign_in_cancel`.
///
/// # Errors
/// `locked`.
pub async fn sign_in_current(core: &Core, _argument: Nothing) -> Result<Option<SignIn>, ApiError> {
    Ok(sign_in::current(&*core.profile()?).await?)
}

/// For "Open again": the same address while the browser is waited for.
///
/// # Errors
/// `not_found`, `too_late`, `sample`, `locked`.
pub async fn sign_in_open_again(core: &Core, argument: ById) -> Result<SignIn, ApiError> {
    Ok(sign_in::open_again(&*own_profile(core)?, argument.id).await?)
}

/// Takes the link that the browser brought, or the code that the owner pasted. A refusal is in the answer; one that is not this
/// sign-in's leaves its step as it is.
///
/// # Errors
/// `not_a_code` and `not_found` when no sign-in waits; `sample`, `locked`.
pub async fn sign_in_finish(core: &Core, argument: SignInFinish) -> Result<SignIn, ApiError> {
    Ok(sign_in::finish(&own_profile(core)?, &argument.pasted).await?)
}

/// Connects the chosen accounts: stores their tokens, switches their events on, begins fetching.
///
/// # Errors
/// `not_found`, `too_late`, `bad_argument`, `sample`, `locked`.
pub async fn sign_in_choose(core: &Core, argument: SignInChoose) -> Result<SignIn, ApiError> {
    Ok(sign_in::choose(&own_profile(core)?, &argument).await?)
}

/// Gives it up, or puts an ended one away.
///
/// # Errors
/// `not_found`, `too_late` while accounts are being subscribed; `sample`, `locked`.
pub async fn sign_in_cancel(core: &Core, argument: ById) -> Result<SignIn, ApiError> {
    Ok(sign_in::cancel(&*own_profile(core)?, argument.id).await?)
}
