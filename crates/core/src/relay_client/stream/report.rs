//! What the owner decided about a wish for deletion, for the relay's status page.

use crate::{
    relay_client::{JSON, RelayClient, RelayError},
    vault::Vault,
};
use reqwest::Method;
use shopbell_wire::{DeletionOutcome, DeletionReport, paths};

impl RelayClient {
    /// Tells what became of a request.
    ///
    /// # Errors
    /// As answered; a code that is none is not sent.
    pub(crate) async fn report_deletion(
        &self,
        vault: &Vault,
        code: &str,
        outcome: DeletionOutcome,
    ) -> Result<(), RelayError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if code.is_empty() || !code.bytes().all(plain) {
            return Err(RelayError::Answer);
        }
        let body =
            serde_json::to_vec(&DeletionReport { outcome }).map_err(|_| RelayError::Answer)?;
        let path = format!("{}/{code}", paths::DELETIONS);
        self.signed(vault, Method::POST, &path, Some((JSON, body)))
            .await
            .map(drop)
    }
}
