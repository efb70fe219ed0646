//! The relay as the app sees it: signed requests, sealed answers, typed refusals.
//!
//! Invariants: the app holds no app secret; every call is signed by this computer's own keys, which are made here at first use, live
//! in the vault's secrets, are never derived from the master key and never enter a backup (decision T7); a token goes to the relay
//! only inside a body. Calls are safe to repeat: the relay answers a redeemed code with the same bytes for five minutes.

mod device;
mod error;
mod oauth;
pub mod stream;

pub use device::keys_from_secret;
pub use error::{RelayError, refusal_reason};
pub use oauth::Redeem;

use crate::{Clock, Entropy, Parts, domain::Provider, platform::http, vault::Vault};
use reqwest::{Method, header};
use serde::{Serialize, de::DeserializeOwned};
use shopbell_wire::{
    AccountKind, BindingList, DeviceKeys, DeviceProof, ErrorAnswer, PROOF_HEADER,
    PROOF_REQUEST_MAX_TOKENS, ProofAnswer, ProofRequest, Refusal, Secret, ShowToken, paths,
};
use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU8, Ordering},
};
use tokio::sync::OnceCell;
use url::Url;

/// The relay of this profile.
pub struct RelayClient {
    http: Option<reqwest::Client>,
    base: Url,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    keys: OnceCell<Arc<DeviceKeys>>,
    /// Relay's clock minus ours, ms; corrected when a proof was stale.
    offset_ms: AtomicI64,
    /// 0 not asked yet, 1 answered, 2 did not answer.
    seen: AtomicU8,
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

impl RelayClient {
    /// From the profile's parts.
    pub fn new(parts: &Parts) -> Self {
        Self {
            http: http::client(parts.endpoints.sandbox),
            base: parts.endpoints.relay.clone(),
            clock: Arc::clone(&parts.clock),
            entropy: Arc::clone(&parts.entropy),
            keys: OnceCell::new(),
            offset_ms: AtomicI64::new(0),
            seen: AtomicU8::new(0),
        }
    }

    /// Whether the relay answered when last asked; `None` before the first call.
    pub fn answered(&self) -> Option<bool> {
        match self.seen.load(Ordering::Relaxed) {
            1 => Some(true),
            2 => Some(false),
            _ => None,
        }
    }

    /// This computer's keys; made and stored at first use.
    ///
    /// # Errors
    /// When the vault neither has them nor can keep new ones: unsaved keys would be another computer tomorrow.
    pub async fn keys(&self, vault: &Vault) -> Result<Arc<DeviceKeys>, RelayError> {
        let load = || device::load_or_make(vault, self.entropy.as_ref());
        self.keys.get_or_try_init(load).await.map(Arc::clone)
    }

    /// Asks whether the relay is there.
    pub async fn healthy(&self) -> bool {
        let Some(client) = &self.http else {
            return false;
        };
        let ok = client
            .get(self.address("/healthz"))
            .send()
            .await
            .is_ok_and(|answer| answer.status().is_success());
        self.seen.store(if ok { 1 } else { 2 }, Ordering::Relaxed);
        ok
    }

    /// `appsecret_proof` of tokens the relay has not made one for (decision T8b). Same order; nothing where a token does not work.
    ///
    /// # Errors
    /// As answered.
    pub async fn proofs(
        &self,
        vault: &Vault,
        provider: Provider,
        tokens: &[Secret],
    ) -> Result<Vec<Option<Secret>>, RelayError> {
        let mut proofs = Vec::with_capacity(tokens.len());
        for some in tokens.chunks(PROOF_REQUEST_MAX_TOKENS) {
            let body = ProofRequest {
                provider: wire_provider(provider),
                tokens: some.to_vec(),
            };
            let answer: ProofAnswer = self.post_json(vault, paths::PROOF, &body).await?;
            if answer.proofs.len() != some.len() {
                return Err(RelayError::Answer);
            }
            proofs.extend(answer.proofs);
        }
        Ok(proofs)
    }

    /// Shows a working token: renews this computer's lease on the account, or binds it anew.
    ///
    /// # Errors
    /// As answered.
    pub async fn renew_binding(
        &self,
        vault: &Vault,
        shown: &ShowToken,
    ) -> Result<BindingList, RelayError> {
        self.post_json(vault, paths::BINDINGS_RENEW, shown).await
    }

    /// The accounts whose events come to this computer.
    ///
    /// # Errors
    /// As answered.
    pub async fn bindings(&self, vault: &Vault) -> Result<BindingList, RelayError> {
        let body = self
            .signed(vault, Method::GET, paths::BINDINGS, None)
            .await?;
        serde_json::from_slice(&body).map_err(|_| RelayError::Answer)
    }

    /// Takes this computer off an account. Not being on it is fine.
    ///
    /// # Errors
    /// As answered.
    pub async fn unbind(
        &self,
        vault: &Vault,
        kind: AccountKind,
        platform_id: &str,
    ) -> Result<(), RelayError> {
        if platform_id.is_empty()
            || !platform_id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_')
        {
            return Err(RelayError::Answer);
        }
        let path = format!("{}/{}/{platform_id}", paths::BINDINGS, kind.as_str());
        match self.signed(vault, Method::DELETE, &path, None).await {
            Ok(_)
            | Err(RelayError::Refused {
                refusal: Refusal::NotBound,
                ..
            }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn post_json<T: DeserializeOwned>(
        &self,
        vault: &Vault,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, RelayError> {
        let body = serde_json::to_vec(body).map_err(|_| RelayError::Answer)?;
        let answer = self
            .signed(vault, Method::POST, path, Some((JSON, body)))
            .await?;
        serde_json::from_slice(&answer).map_err(|_| RelayError::Answer)
    }

    fn address(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    /// One signed call. A clock that differs is corrected by the relay's own and the call made once more.
    async fn signed(
        &self,
        vault: &Vault,
        method: Method,
        path: &str,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Result<Vec<u8>, RelayError> {
        match self.once(vault, method.clone(), path, body.clone()).await {
            Err(RelayError::Refused {
                refusal: Refusal::ProofStale,
                ..
            }) => self.once(vault, method, path, body).await,
            other => other,
        }
    }

    async fn once(
        &self,
        vault: &Vault,
        method: Method,
        path: &str,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Result<Vec<u8>, RelayError> {
        let keys = self.keys(vault).await?;
        let client = self.http.as_ref().ok_or(RelayError::Unreachable)?;
        let url = self.address(path);
        let mut nonce = [0_u8; 16];
        self.entropy.fill(&mut nonce);
        let now = self.clock.now_ms() + self.offset_ms.load(Ordering::Relaxed);
        let proof = DeviceProof::sign(&keys, method.as_str(), &url, now, &nonce);
        let mut request = client
            .request(method, url)
            .header(PROOF_HEADER, proof.as_str())
            .header(header::ACCEPT, JSON);
        if let Some((kind, body)) = body {
            request = request.header(header::CONTENT_TYPE, kind).body(body);
        }
        let answer = request.send().await.map_err(|error| {
            self.seen.store(2, Ordering::Relaxed);
            if http::looks_offline(&error) {
                RelayError::Offline
            } else {
                RelayError::Unreachable
            }
        })?;
        let status = answer.status().as_u16();
        let body = http::read_body(answer)
            .await
            .map_err(|_| RelayError::Unreachable)?;
        if (200..300).contains(&status) {
            self.seen.store(1, Ordering::Relaxed);
            return Ok(body);
        }
        // A proxy's own error page is the relay not answering.
        let Ok(told) = serde_json::from_slice::<ErrorAnswer>(&body) else {
            self.seen.store(2, Ordering::Relaxed);
            return Err(RelayError::Unreachable);
        };
        self.seen.store(1, Ordering::Relaxed);
        tracing::debug!(
            status,
            refusal = told.refusal.code(),
            path,
            "the relay refused"
        );
        if told.refusal == Refusal::ProofStale {
            self.offset_ms
                .store(told.relay_time_ms - self.clock.now_ms(), Ordering::Relaxed);
        }
        Err(RelayError::Refused {
            refusal: told.refusal,
            retry_after_ms: told.retry_after_ms,
        })
    }
}

/// The same word on both sides.
pub(crate) fn wire_provider(provider: Provider) -> shopbell_wire::Provider {
    match provider {
        Provider::Facebook => shopbell_wire::Provider::Facebook,
        Provider::Instagram => shopbell_wire::Provider::Instagram,
    }
}

#[cfg(test)]
#[path = "relay_client_tests.rs"]
mod tests;
