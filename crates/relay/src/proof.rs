//! `POST /oauth/proof`: `appsecret_proof` for tokens the relay has not seen (T8b).
//!
//! The proof is HMAC-SHA256 with the app secret over the text sent, which is also how Meta signs webhooks and
//! `signed_request`. Without care this endpoint would sign anything for anybody. So: only text in the form of
//! a token, and only after Meta said that it is a living token of our own app.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use shopbell_wire::{
    PROOF_REQUEST_MAX_TOKENS, ProofAnswer, ProofRequest, Provider, Refusal, Secret,
};

use crate::{
    app::App,
    caller::{self, Caller},
    failure::Failure,
    upstream::appsecret_proof,
};

/// How many tokens are shown to Meta at the same time.
const AT_ONCE: usize = 4;

pub(crate) async fn proof(State(app): State<Arc<App>>, Caller(_): Caller, body: Body) -> Response {
    let outcome = answer(&app, body).await;
    app.respond(outcome.map(|answer| Json(answer).into_response()))
}

async fn answer(app: &App, body: Body) -> Result<ProofAnswer, Failure> {
    let request: ProofRequest = caller::json(body).await?;
    if request.tokens.is_empty() || request.tokens.len() > PROOF_REQUEST_MAX_TOKENS {
        return Err(Refusal::InvalidRequest.into());
    }
    let proofs = stream::iter(request.tokens)
        .map(|token| async move { prove(app, request.provider, &token).await })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(ProofAnswer { proofs })
}

async fn prove(app: &App, provider: Provider, token: &Secret) -> Result<Option<Secret>, Failure> {
    let meta = app.meta_app(provider)?;
    match app.show(provider, token).await {
        Ok(_) => Ok(Some(appsecret_proof(&meta.app_secret, token))),
        Err(Failure::Refused(Refusal::TokenInvalid | Refusal::TokenExpired, _)) => Ok(None),
        Err(failure) => Err(failure),
    }
}
