//! What a call to Meta needs of an account: where, as whom, with which token.

use crate::{
    api::{ApiError, types::Reason},
    domain::{AccountId, Channel, CredentialId, Provider},
};
use shopbell_wire::Secret;

/// The right to speak for one account, for a moment. Holds a token: not kept, not printed.
#[derive(Clone)]
pub struct Access {
    /// Row.
    pub account: AccountId,
    /// Where customers write.
    pub channel: Channel,
    /// Through which login.
    pub provider: Provider,
    /// Page id or Instagram professional account id.
    pub platform_id: String,
    /// For an Instagram account that comes through its Page: that Page.
    pub page_id: Option<String>,
    /// Handle, by which Instagram names us in messages.
    pub username: Option<String>,
    /// Row of the token.
    pub credential: CredentialId,
    /// The token.
    pub token: Secret,
    /// Its `appsecret_proof`, where the relay made one.
    pub proof: Option<Secret>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Access(account {})", self.account)
    }
}

/// Why there is no access.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// No such account.
    #[error("there is no such account")]
    NotFound,
    /// Paused by the owner.
    #[error("the account is paused")]
    Paused,
    /// Disconnected by the owner.
    #[error("the account is disconnected")]
    Disconnected,
    /// The token is dead or gone; only a new sign-in helps.
    #[error("the account is signed out")]
    SignedOut(Reason),
    /// The keychain does not answer at the moment.
    #[error("the keychain does not answer")]
    Locked,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

impl AccessError {
    /// For the owner. Codes: `not_found`, `paused`, `disconnected`, `signed_out` and its causes, `keychain_locked`, `internal`.
    pub fn reason(&self) -> Reason {
        match self {
            Self::NotFound => Reason::new("not_found"),
            Self::Paused => Reason::new("paused"),
            Self::Disconnected => Reason::new("disconnected"),
            Self::SignedOut(reason) => reason.clone(),
            Self::Locked => Reason::new("keychain_locked"),
            Self::Store(_) => Reason::new("internal"),
        }
    }
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        match &error {
            AccessError::NotFound => Self::not_found("account"),
            AccessError::SignedOut(reason) => {
                Self::new("needs_reconnect", "The account has to be connected again.")
                    .with_detail(&reason.code)
            }
            AccessError::Paused | AccessError::Disconnected => {
                Self::new("read_only", "The account is paused or disconnected.")
                    .with_detail(&error.reason().code)
            }
            AccessError::Locked => Self::new("keychain_locked", "The keychain does not answer."),
            AccessError::Store(cause) => Self::internal("accounts", cause),
        }
    }
}
