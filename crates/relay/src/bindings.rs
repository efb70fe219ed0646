//! `/v1/bindings…`: which devices an account's events go to.
//!
//! A device sees and removes its own leases with its signature alone. Seeing and removing others takes a
//! working token of the account, shown in the same request (T8).

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use shopbell_wire::{
    AccountKind, AccountRef, BindingList, Provider, Refusal, RemoveBinding, ShowToken,
    VerifiedProof,
};

use crate::{
    app::App,
    caller::{self, Caller},
    failure::Failure,
    upstream::Shown,
};

pub(crate) async fn list(State(app): State<Arc<App>>, Caller(proof): Caller) -> Response {
    let found = app
        .storage
        .bindings_of(&proof.thumbprint, app.now_ms())
        .await;
    app.respond(
        found
            .map(|bindings| Json(BindingList { bindings }).into_response())
            .map_err(Failure::from),
    )
}

pub(crate) async fn renew(
    State(app): State<Arc<App>>,
    Caller(proof): Caller,
    body: Body,
) -> Response {
    let outcome = async {
        let shown: ShowToken = caller::json(body).await?;
        show_and_bind(&app, &proof, &shown).await?;
        account_list(&app, &proof, &shown.account).await
    };
    app.respond(outcome.await)
}

pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Caller(proof): Caller,
    body: Body,
) -> Response {
    let outcome = async {
        let request: RemoveBinding = caller::json(body).await?;
        show_and_bind(&app, &proof, &request.shown).await?;
        if !app
            .storage
            .unbind(&request.shown.account, &request.device)
            .await?
        {
            return Err(Refusal::NotBound.into());
        }
        account_list(&app, &proof, &request.shown.account).await
    };
    app.respond(outcome.await)
}

pub(crate) async fn unbind(
    State(app): State<Arc<App>>,
    Path((kind, platform_id)): Path<(String, String)>,
    Caller(proof): Caller,
) -> Response {
    let outcome = async {
        let kind = AccountKind::parse(&kind).ok_or(Refusal::NotFound)?;
        if app
            .storage
            .unbind(&AccountRef { kind, platform_id }, &proof.thumbprint)
            .await?
        {
            Ok(StatusCode::NO_CONTENT.into_response())
        } else {
            Err(Refusal::NotBound.into())
        }
    };
    app.respond(outcome.await)
}

async fn show_and_bind(app: &App, proof: &VerifiedProof, shown: &ShowToken) -> Result<(), Failure> {
    let found = app.show(shown.provider, &shown.token).await?;
    let belongs = match (&found, shown.account.kind) {
        (Shown::Instagram { account_id, .. }, AccountKind::Instagram) => {
            *account_id == shown.account.platform_id
        }
        (Shown::Page { page_id, .. }, AccountKind::Page) => *page_id == shown.account.platform_id,
        (Shown::Page { page_id, .. }, AccountKind::Instagram) => {
            app.linked_instagram(page_id, &shown.token).await?.as_ref()
                == Some(&shown.account.platform_id)
        }
        (Shown::User { .. } | Shown::Instagram { .. }, _) => false,
    };
    if !belongs {
        return Err(Refusal::TokenOtherAccount.into());
    }
    let provider: Provider = shown.provider;
    app.storage
        .bind(
            &proof.device,
            provider,
            found.user_id(),
            std::slice::from_ref(&shown.account),
            app.now_ms(),
        )
        .await?;
    Ok(())
}

async fn account_list(
    app: &App,
    proof: &VerifiedProof,
    account: &AccountRef,
) -> Result<Response, Failure> {
    let bindings = app
        .storage
        .bindings_for(account, &proof.thumbprint, app.now_ms())
        .await?;
    Ok(Json(BindingList { bindings }).into_response())
}
