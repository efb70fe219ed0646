//! The sign-in between app and relay: what goes into the browser, what comes back, what is redeemed.
//!
//! The relay is an OAuth 2.0 authorization server for a public client with PKCE. Requests and answers fit
//! the `oauth2` crate: the answer's `access_token` is the sealed envelope, its type says so.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Challenge, Envelope, EnvelopeError, Refusal, Secret, Thumbprint};

/// The only client of the relay.
pub const CLIENT_ID: &str = "shopbell-desktop";
/// Redirect that opens the app.
pub const SCHEME_REDIRECT: &str = "shopbell://oauth/callback";
/// Life of a started sign-in, in milliseconds.
pub const STATE_LIFE_MS: i64 = 10 * 60 * 1000;
/// Life of a code, in milliseconds (T4), and of a repeatable answer.
pub const CODE_LIFE_MS: i64 = 5 * 60 * 1000;
/// How every code begins, so that the app can recognise a pasted one.
pub const CODE_PREFIX: &str = "sbc1.";
/// `token_type` of a [`TokenAnswer`].
pub const SEALED_TOKEN_TYPE: &str = "sealed";

/// A login product of Meta.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Facebook Login for Business: Pages and the Instagram accounts linked to them.
    Facebook,
    /// Instagram API with Instagram Login: one professional account.
    Instagram,
}

/// Not the name of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the provider is facebook or instagram")]
pub struct UnknownProvider;

impl Provider {
    /// `facebook` or `instagram`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Facebook => "facebook",
            Self::Instagram => "instagram",
        }
    }
}

impl std::fmt::Display for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Provider {
    type Err = UnknownProvider;
    fn from_str(text: &str) -> Result<Self, UnknownProvider> {
        match text {
            "facebook" => Ok(Self::Facebook),
            "instagram" => Ok(Self::Instagram),
            _ => Err(UnknownProvider),
        }
    }
}

/// Whether a redirect is one of the two allowed: the scheme, or `http://127.0.0.1:{port}/` with a port
/// and nothing else (RFC 8252 §7.3; `localhost` is refused, it may resolve elsewhere).
pub fn is_allowed_redirect(text: &str) -> bool {
    if text == SCHEME_REDIRECT {
        return true;
    }
    let Some(port) = text
        .strip_prefix("http://127.0.0.1:")
        .and_then(|rest| rest.strip_suffix('/'))
    else {
        return false;
    };
    port.parse::<u16>()
        .is_ok_and(|number| number > 0 && number.to_string() == port)
}

/// Query of `GET /oauth/authorize`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizeParams {
    /// Always `code`.
    pub response_type: String,
    /// Always [`CLIENT_ID`].
    pub client_id: String,
    /// Which login.
    pub provider: Provider,
    /// See [`is_allowed_redirect`].
    pub redirect_uri: String,
    /// The app's own state, 16 to 128 characters of base64url.
    pub state: String,
    /// PKCE challenge.
    pub code_challenge: Challenge,
    /// Always `S256`.
    pub code_challenge_method: String,
    /// The device that will redeem the code.
    pub device: Thumbprint,
    /// Ask again for permissions declined before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub rerequest: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_false(value: &bool) -> bool {
    !*value
}

impl AuthorizeParams {
    /// A well-formed request.
    pub fn new(
        provider: Provider,
        redirect_uri: &str,
        state: &str,
        challenge: Challenge,
        device: Thumbprint,
    ) -> Self {
        Self {
            response_type: "code".into(),
            client_id: CLIENT_ID.into(),
            provider,
            redirect_uri: redirect_uri.into(),
            state: state.into(),
            code_challenge: challenge,
            code_challenge_method: "S256".into(),
            device,
            rerequest: false,
        }
    }

    /// The address to open in the browser. `relay` is the relay's public URL.
    pub fn url(&self, relay: &Url) -> Url {
        let mut url = relay.clone();
        url.set_path(crate::paths::AUTHORIZE);
        url.set_fragment(None);
        {
            let mut query = url.query_pairs_mut();
            query.clear();
            query.append_pair("response_type", &self.response_type);
            query.append_pair("client_id", &self.client_id);
            query.append_pair("provider", self.provider.as_str());
            query.append_pair("redirect_uri", &self.redirect_uri);
            query.append_pair("state", &self.state);
            query.append_pair("code_challenge", self.code_challenge.as_str());
            query.append_pair("code_challenge_method", &self.code_challenge_method);
            query.append_pair("device", self.device.as_str());
            if self.rerequest {
                query.append_pair("rerequest", "true");
            }
        }
        url
    }

    /// Checks what the types do not: client, response type, method, redirect and the form of `state`.
    ///
    /// # Errors
    /// The refusal to answer with. With [`Refusal::RedirectNotAllowed`] or [`Refusal::UnknownClient`] nothing
    /// may be sent to `redirect_uri`.
    pub fn check(&self) -> Result<(), Refusal> {
        let state_ok = (16..=128).contains(&self.state.len())
            && self
                .state
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if self.client_id != CLIENT_ID {
            Err(Refusal::UnknownClient)
        } else if !is_allowed_redirect(&self.redirect_uri) {
            Err(Refusal::RedirectNotAllowed)
        } else if self.response_type != "code" || !state_ok {
            Err(Refusal::InvalidRequest)
        } else if self.code_challenge_method != "S256" {
            Err(Refusal::PkceRequired)
        } else {
            Ok(())
        }
    }
}

/// The link does not carry an answer of the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this link does not carry an answer to a sign-in")]
pub struct CallbackError;

/// What the browser brought back to the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callback {
    /// Go on with `/oauth/token`.
    Code {
        /// The relay's code.
        code: Secret,
        /// The app's own state; the app compares it.
        state: String,
    },
    /// The person or the platform said no.
    Refused {
        /// RFC 6749 error, e.g. `access_denied`.
        error: String,
        /// Machine reason.
        refusal: Refusal,
        /// The app's own state.
        state: String,
    },
}

impl Callback {
    /// Reads `shopbell://oauth/callback?…` or a request to the loopback address (any address whose query
    /// carries `state` with `code` or `error`). Every parameter at most once; a fragment is ignored.
    ///
    /// # Errors
    /// [`CallbackError`] for every other text.
    pub fn parse(link: &str) -> Result<Self, CallbackError> {
        if link.len() > 8192 {
            return Err(CallbackError);
        }
        let url = Url::parse(link).map_err(|_| CallbackError)?;
        let ours = url.scheme() == "shopbell"
            && url.host_str() == Some("oauth")
            && url.path() == "/callback";
        let loopback =
            url.scheme() == "http" && url.host_str() == Some("127.0.0.1") && url.path() == "/";
        if !ours && !loopback {
            return Err(CallbackError);
        }
        let one = |name: &str| {
            let mut found = url
                .query_pairs()
                .filter(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned());
            let first = found.next();
            if found.next().is_some() { None } else { first }
        };
        let state = one("state")
            .filter(|s| !s.is_empty())
            .ok_or(CallbackError)?;
        match (one("code"), one("error")) {
            (Some(code), None) if !code.is_empty() => Ok(Self::Code {
                code: Secret::new(code),
                state,
            }),
            (None, Some(error)) => {
                let refusal = one("refusal").map_or_else(
                    || {
                        if error == "access_denied" {
                            Refusal::ConsentDenied
                        } else {
                            Refusal::Unknown
                        }
                    },
                    |text| Refusal::parse(&text),
                );
                Ok(Self::Refused {
                    error,
                    refusal,
                    state,
                })
            }
            _ => Err(CallbackError),
        }
    }
}

/// Form of `POST /oauth/token` (`application/x-www-form-urlencoded`). The device's public keys travel in the
/// signed header.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "grant_type", rename_all = "snake_case")]
pub enum TokenRequest {
    /// Redeem a code.
    AuthorizationCode {
        /// Always [`CLIENT_ID`].
        client_id: String,
        /// The relay's code.
        code: Secret,
        /// As in the authorize request.
        redirect_uri: String,
        /// PKCE verifier.
        code_verifier: Secret,
        /// The app's own state of this sign-in. Also set for a pasted code, where no link carried it.
        state: String,
    },
    /// Renew a Facebook user token that is still valid and fetch fresh page tokens.
    RefreshToken {
        /// Always [`CLIENT_ID`].
        client_id: String,
        /// The user token.
        refresh_token: Secret,
    },
}

/// Answer of `POST /oauth/token`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// The sealed envelope in its compact form, holding a [`crate::Grant`].
    pub access_token: String,
    /// Always [`SEALED_TOKEN_TYPE`].
    pub token_type: String,
}

impl TokenAnswer {
    /// Wraps an envelope.
    pub fn new(envelope: &Envelope) -> Self {
        Self {
            access_token: envelope.to_compact(),
            token_type: SEALED_TOKEN_TYPE.into(),
        }
    }

    /// The envelope inside.
    ///
    /// # Errors
    /// [`EnvelopeError::Malformed`] when it is something else.
    pub fn envelope(&self) -> Result<Envelope, EnvelopeError> {
        if !self.token_type.eq_ignore_ascii_case(SEALED_TOKEN_TYPE) {
            return Err(EnvelopeError::Malformed);
        }
        Envelope::from_compact(&self.access_token)
    }
}
