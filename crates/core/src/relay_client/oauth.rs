//! The OAuth part: the address for the browser, a code for a grant, a living token for a fresh one. Built with the `oauth2` crate over
//! our own HTTP client (decision T32); the sealed answer is opened here.

use super::{FORM, RelayClient, RelayError, wire_provider};
use crate::{domain::Provider, vault::Vault};
use futures_util::future::BoxFuture;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError,
    TokenResponse, TokenUrl, basic::BasicClient,
};
use reqwest::Method;
use shopbell_wire::{
    CLIENT_ID, Grant, SEALED_TOKEN_TYPE, Secret, Thumbprint, TokenAnswer, Verifier, paths,
};
use url::Url;

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// What belongs to one sign-in.
pub struct Redeem<'a> {
    /// As in the authorize address.
    pub redirect_uri: &'a str,
    /// The app's own state.
    pub state: &'a str,
    /// PKCE.
    pub verifier: &'a Secret,
    /// The relay's code.
    pub code: &'a Secret,
}

impl RelayClient {
    fn oauth(&self) -> Client {
        BasicClient::new(ClientId::new(CLIENT_ID.into()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::from_url(self.address(paths::AUTHORIZE)))
            .set_token_uri(TokenUrl::from_url(self.address(paths::TOKEN)))
    }

    /// The address for the browser, and the number both screens show.
    ///
    /// # Errors
    /// [`RelayError::Answer`] for a redirect or verifier that is none; both are made by the caller.
    pub fn authorize_url(
        &self,
        provider: Provider,
        redirect_uri: &str,
        state: &str,
        verifier: &Verifier,
        device: &Thumbprint,
        ask_again: bool,
    ) -> Result<(Url, String), RelayError> {
        let redirect = RedirectUrl::new(redirect_uri.into()).map_err(|_| RelayError::Answer)?;
        let pkce = PkceCodeVerifier::new(verifier.expose().into());
        let client = self.oauth().set_redirect_uri(redirect);
        let mut request = client
            .authorize_url(|| CsrfToken::new(state.into()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&pkce))
            .add_extra_param("provider", wire_provider(provider).as_str())
            .add_extra_param("device", device.as_str());
        if ask_again {
            request = request.add_extra_param("rerequest", "true");
        }
        Ok((request.url().0, verifier.challenge().number().to_string()))
    }

    /// Redeems a code. May be repeated for five minutes after an answer that got lost.
    ///
    /// # Errors
    /// As answered.
    pub async fn redeem(&self, vault: &Vault, redeem: &Redeem<'_>) -> Result<Grant, RelayError> {
        let redirect =
            RedirectUrl::new(redeem.redirect_uri.into()).map_err(|_| RelayError::Answer)?;
        let client = self.oauth().set_redirect_uri(redirect);
        let http = SignedHttp { relay: self, vault };
        let answer = client
            .exchange_code(AuthorizationCode::new(redeem.code.expose().into()))
            .set_pkce_verifier(PkceCodeVerifier::new(redeem.verifier.expose().into()))
            .add_extra_param("state", redeem.state)
            .request_async(&http)
            .await
            .map_err(flatten)?;
        self.open(vault, answer.access_token().secret()).await
    }

    /// Renews a Facebook user token that is still alive, and brings fresh Page tokens (decision T2).
    ///
    /// # Errors
    /// As answered; `token_expired` when it is too late.
    pub async fn refresh(&self, vault: &Vault, user_token: &Secret) -> Result<Grant, RelayError> {
        let client = self.oauth();
        let http = SignedHttp { relay: self, vault };
        let token = RefreshToken::new(user_token.expose().into());
        let answer = client
            .exchange_refresh_token(&token)
            .request_async(&http)
            .await
            .map_err(flatten)?;
        self.open(vault, answer.access_token().secret()).await
    }

    async fn form(
        &self,
        vault: &Vault,
        request: oauth2::HttpRequest,
    ) -> Result<oauth2::HttpResponse, RelayError> {
        let answer = self
            .signed(
                vault,
                Method::POST,
                paths::TOKEN,
                Some((FORM, request.into_body())),
            )
            .await?;
        Ok(oauth2::HttpResponse::new(answer))
    }

    async fn open(&self, vault: &Vault, sealed: &str) -> Result<Grant, RelayError> {
        let keys = self.keys(vault).await?;
        let answer = TokenAnswer {
            access_token: sealed.to_owned(),
            token_type: SEALED_TOKEN_TYPE.into(),
        };
        answer
            .envelope()
            .and_then(|envelope| envelope.open(&keys))
            .map_err(|_| RelayError::Answer)
    }
}

/// Our transport as the `oauth2` crate wants one.
struct SignedHttp<'a> {
    relay: &'a RelayClient,
    vault: &'a Vault,
}

impl<'c> oauth2::AsyncHttpClient<'c> for SignedHttp<'_> {
    type Error = RelayError;
    type Future = BoxFuture<'c, Result<oauth2::HttpResponse, RelayError>>;

    fn call(&'c self, request: oauth2::HttpRequest) -> Self::Future {
        Box::pin(self.relay.form(self.vault, request))
    }
}

/// The transport's own error; everything else is an answer that is none.
fn flatten<R: oauth2::ErrorResponse>(error: RequestTokenError<RelayError, R>) -> RelayError {
    match error {
        RequestTokenError::Request(error) => error,
        _ => RelayError::Answer,
    }
}
