//! `POST /oauth/token`: redeems a code, or renews a Facebook user token.
//!
//! Order is the security (T3, T4): proof, form, seal of the code, device, verifier, state, expiry, single use;
//! only then is Meta called. The redemption runs to its end even when the caller hangs up, and its sealed
//! answer is repeatable, so a lost response is not a lost sign-in.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use shopbell_wire::{
    AccountRef, CLIENT_ID, CODE_LIFE_MS, Envelope, EnvelopeKind, Grant, Provider, Refusal, Secret,
    TokenAnswer, TokenRequest, VerifiedProof, Verifier,
};
use subtle::ConstantTimeEq as _;

use crate::{
    app::App,
    caller::{self, Caller},
    clock::random,
    code::{Code, hash},
    exchange::Spoilt,
    failure::Failure,
    key::Purpose,
    storage::Claim,
};

pub(crate) async fn token(
    State(app): State<Arc<App>>,
    Caller(proof): Caller,
    body: Body,
) -> Response {
    let outcome = answer(&app, proof, body).await;
    app.respond(outcome.map(|bytes| {
        let headers = [
            (header::CONTENT_TYPE, "application/json"),
            (header::PRAGMA, "no-cache"),
        ];
        (StatusCode::OK, headers, bytes).into_response()
    }))
}

async fn answer(app: &Arc<App>, proof: VerifiedProof, body: Body) -> Result<Vec<u8>, Failure> {
    match read_form(&caller::bytes(body).await?)? {
        TokenRequest::AuthorizationCode {
            client_id,
            code,
            redirect_uri,
            code_verifier,
            state,
        } => {
            if client_id != CLIENT_ID {
                return Err(Refusal::UnknownClient.into());
            }
            let code = check(app, &proof, &code, &redirect_uri, &code_verifier, &state)?;
            redeem(app, proof, code).await
        }
        TokenRequest::RefreshToken {
            client_id,
            refresh_token,
        } => {
            if client_id != CLIENT_ID {
                return Err(Refusal::UnknownClient.into());
            }
            let grant = app
                .renew(&refresh_token)
                .await
                .map_err(|spoilt| spoilt.failure)?;
            let jti = proof.nonce.clone();
            seal_and_bind(app, &proof, &jti, &grant).await
        }
    }
}

/// Strict like the authorize request: a parameter that comes twice is refused.
fn read_form(body: &[u8]) -> Result<TokenRequest, Failure> {
    let mut seen = serde_json::Map::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        if seen
            .insert(
                name.into_owned(),
                serde_json::Value::String(value.into_owned()),
            )
            .is_some()
        {
            return Err(Refusal::InvalidRequest.into());
        }
    }
    serde_json::from_value(serde_json::Value::Object(seen))
        .map_err(|_| Refusal::InvalidRequest.into())
}

fn check(
    app: &App,
    proof: &VerifiedProof,
    code: &Secret,
    redirect_uri: &str,
    verifier: &Secret,
    state: &str,
) -> Result<Code, Failure> {
    let code: Code = app
        .key
        .open(Purpose::Code, code.expose().trim())
        .ok_or(Refusal::CodeInvalid)?;
    if code.device != proof.thumbprint {
        return Err(Refusal::DeviceMismatch.into());
    }
    let verifier = Verifier::parse(verifier.expose()).map_err(|_| Refusal::VerifierMismatch)?;
    if !code.challenge.matches(&verifier) {
        return Err(Refusal::VerifierMismatch.into());
    }
    if !bool::from(hash(state).as_bytes().ct_eq(code.state_hash.as_bytes())) {
        return Err(Refusal::StateWrong.into());
    }
    if code.redirect_uri != redirect_uri {
        return Err(Refusal::RedirectNotAllowed.into());
    }
    Ok(code)
}

async fn redeem(app: &Arc<App>, proof: VerifiedProof, code: Code) -> Result<Vec<u8>, Failure> {
    let now_ms = app.now_ms();
    if now_ms > code.expires_at_ms {
        // Only an answer given before the code expired may be repeated now.
        return match app
            .storage
            .claim_code(
                &code.jti,
                proof.thumbprint.as_str(),
                now_ms,
                code.expires_at_ms,
            )
            .await?
        {
            Claim::Answered(bytes) => Ok(bytes),
            Claim::Fresh => {
                app.storage.release_code(&code.jti).await?;
                Err(Refusal::CodeExpired.into())
            }
            Claim::InUse | Claim::Used => Err(Refusal::CodeExpired.into()),
        };
    }
    match app
        .storage
        .claim_code(
            &code.jti,
            proof.thumbprint.as_str(),
            now_ms,
            code.expires_at_ms,
        )
        .await?
    {
        Claim::Answered(bytes) => return Ok(bytes),
        Claim::InUse => return Err(Failure::Refused(Refusal::CodeInUse, Some(1000))),
        Claim::Used => return Err(Refusal::CodeReused.into()),
        Claim::Fresh => {}
    }
    let app = Arc::clone(app);
    // Its own task: dropping this request must not drop a code that Meta has already taken.
    tokio::spawn(async move { redeem_claimed(&app, &proof, &code).await })
        .await
        .unwrap_or(Err(Failure::Fault("redemption ended early")))
}

async fn redeem_claimed(app: &App, proof: &VerifiedProof, code: &Code) -> Result<Vec<u8>, Failure> {
    let exchanged = match code.provider {
        Provider::Facebook => app.exchange_facebook(&code.meta_code).await,
        Provider::Instagram => app.exchange_instagram(&code.meta_code).await,
    };
    let grant = match exchanged {
        Ok(grant) => grant,
        Err(Spoilt {
            failure,
            code_lives: true,
        }) => {
            app.storage.release_code(&code.jti).await?;
            return Err(failure);
        }
        Err(Spoilt {
            failure,
            code_lives: false,
        }) => {
            app.storage.spend_code(&code.jti).await?;
            return Err(failure);
        }
    };
    let answer = seal_and_bind(app, proof, &code.jti, &grant).await?;
    app.storage
        .answer_code(
            &code.jti,
            &answer,
            app.now_ms().saturating_add(CODE_LIFE_MS),
        )
        .await?;
    Ok(answer)
}

async fn seal_and_bind(
    app: &App,
    proof: &VerifiedProof,
    jti: &str,
    grant: &Grant,
) -> Result<Vec<u8>, Failure> {
    let mut rng: rand::rngs::StdRng = rand::SeedableRng::from_seed(random(app.entropy.as_ref()));
    let envelope = Envelope::seal(&proof.device, EnvelopeKind::Grant, jti, grant, &mut rng)
        .map_err(|_| Failure::Refused(Refusal::ProofInvalid, None))?;
    let answer =
        serde_json::to_vec(&TokenAnswer::new(&envelope)).map_err(|_| Failure::Fault("answer"))?;
    let accounts: Vec<AccountRef> = grant
        .accounts
        .iter()
        .map(|account| AccountRef {
            kind: account.kind,
            platform_id: account.platform_id.clone(),
        })
        .collect();
    app.storage
        .bind(
            &proof.device,
            grant.provider,
            &grant.user.id,
            &accounts,
            app.now_ms(),
        )
        .await?;
    tracing::info!(provider = %grant.provider, accounts = accounts.len(), device = %proof.thumbprint, "signed in");
    Ok(answer)
}
