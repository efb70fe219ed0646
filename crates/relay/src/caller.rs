//! The device behind a request: reads the signed header, checks it, uses its nonce up.

use std::sync::Arc;

use axum::{body::Body, extract::FromRequestParts, http::request::Parts, response::Response};
use serde::de::DeserializeOwned;
use shopbell_wire::{DeviceProof, PROOF_HEADER, PROOF_SKEW_MS, ProofError, Refusal, VerifiedProof};

use crate::{
    app::{App, BODY_MAX},
    failure::Failure,
    storage::Once,
};

/// A request whose device proof holds and was not seen before.
pub(crate) struct Caller(pub(crate) VerifiedProof);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        check(parts, app)
            .await
            .map(Self)
            .map_err(|failure| failure.answer(app.now_ms()))
    }
}

async fn check(parts: &Parts, app: &App) -> Result<VerifiedProof, Failure> {
    let mut values = parts.headers.get_all(PROOF_HEADER).iter();
    let value = values.next().ok_or(Refusal::ProofMissing)?;
    if values.next().is_some() {
        return Err(Refusal::ProofInvalid.into());
    }
    let value = value.to_str().map_err(|_| Refusal::ProofInvalid)?;
    let url = app.url(parts.uri.path());
    let proof = DeviceProof::verify(
        value,
        parts.method.as_str(),
        &url,
        app.now_ms(),
        PROOF_SKEW_MS,
    )
    .map_err(|e| match e {
        ProofError::Stale => Refusal::ProofStale,
        ProofError::Malformed | ProofError::Signature | ProofError::OtherRequest => {
            Refusal::ProofInvalid
        }
    })?;
    app.gate.device(&proof.thumbprint)?;
    // A proof can be shown until its time plus the skew; the mark must outlive that.
    let id = format!("{}:{}", proof.thumbprint, proof.nonce);
    let keep_until_ms = proof.iat_ms.saturating_add(2 * PROOF_SKEW_MS);
    if !app
        .storage
        .use_once(Once::Nonce, &id, keep_until_ms)
        .await?
    {
        return Err(Refusal::ProofReplayed.into());
    }
    Ok(proof)
}

/// Reads a body of at most [`BODY_MAX`] bytes.
pub(crate) async fn bytes(body: Body) -> Result<zeroize::Zeroizing<Vec<u8>>, Failure> {
    let read = axum::body::to_bytes(body, BODY_MAX)
        .await
        .map_err(|_| Refusal::TooLarge)?;
    Ok(zeroize::Zeroizing::new(read.to_vec()))
}

/// Reads a JSON body. The parser's message is dropped: it may quote the body.
pub(crate) async fn json<T: DeserializeOwned>(body: Body) -> Result<T, Failure> {
    serde_json::from_slice(&bytes(body).await?).map_err(|_| Refusal::InvalidRequest.into())
}
