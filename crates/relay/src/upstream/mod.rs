//! Calls to Meta: the few that need an app secret, plus those that read what a sign-in gave.
//!
//! Invariant: nothing that Meta says is passed on as text. Answers are parsed into types, errors into codes,
//! and no error here carries an address (they hold tokens and secrets). Times are durations in milliseconds
//! from "now"; the caller owns the clock.

mod errors;
mod facebook;
mod instagram;
mod operate;
mod shapes;

use std::time::Duration;

pub(crate) use errors::UpstreamError;
pub(crate) use facebook::Debugged;
use hmac::{Hmac, KeyInit as _, Mac as _};
pub(crate) use operate::{AppSubscription, SecretVerdict};
use reqwest::{RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use sha2::Sha256;
pub(crate) use shapes::Page;
use shopbell_wire::Secret;
use url::Url;
use zeroize::Zeroizing;

use crate::{Config, Upstreams};

/// Largest answer that is read.
const ANSWER_MAX: usize = 4 * 1024 * 1024;
/// One call.
const CALL_MAX: Duration = Duration::from_secs(20);
/// A read that failed for a passing reason is tried this often in all.
const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// A token with its life.
pub(crate) struct Token {
    pub(crate) token: Secret,
    /// Nothing when Meta names no end.
    pub(crate) expires_in_ms: Option<i64>,
}

/// What a token turned out to be when it was shown.
#[derive(Debug)]
pub(crate) enum Shown {
    User {
        user_id: String,
        expires_at_ms: Option<i64>,
    },
    Page {
        page_id: String,
        user_id: String,
    },
    Instagram {
        account_id: String,
        user_id: String,
    },
}

impl Shown {
    /// App-scoped user behind it.
    pub(crate) fn user_id(&self) -> &str {
        match self {
            Self::User { user_id, .. }
            | Self::Page { user_id, .. }
            | Self::Instagram { user_id, .. } => user_id,
        }
    }
}

/// The platform, over HTTP.
pub(crate) struct Upstream {
    http: reqwest::Client,
    bases: Upstreams,
    version: String,
}

impl Upstream {
    pub(crate) fn new(config: &Config) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(CALL_MAX)
            .user_agent(concat!("shopbell-relay/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            http,
            bases: config.upstream.clone(),
            version: config.graph_version.clone(),
        })
    }

    /// A call that changes something: once.
    async fn once<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, UpstreamError> {
        let response = request
            .send()
            .await
            .map_err(|e| UpstreamError::from_send(&e))?;
        let status = response.status();
        let body = read(response).await?;
        if status == StatusCode::OK
            && let Ok(value) = serde_json::from_slice(&body)
        {
            return Ok(value);
        }
        Err(UpstreamError::from_answer(status.as_u16(), &body))
    }

    /// A call that only reads: again after a short pause when the reason may pass.
    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, UpstreamError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            let Some(copy) = request.try_clone() else {
                break;
            };
            match self.once(copy).await {
                Err(error) if error.may_pass() => tokio::time::sleep(pause).await,
                done => return done,
            }
            pause *= 2;
        }
        self.once(request).await
    }
}

async fn read(mut response: reqwest::Response) -> Result<Zeroizing<Vec<u8>>, UpstreamError> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|e| UpstreamError::from_send(&e))?
    {
        if body.len() + chunk.len() > ANSWER_MAX {
            return Err(UpstreamError::Malformed);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A path below a base that may itself have a path (the sandbox serves hosts as prefixes).
pub(crate) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// `hex(HMAC-SHA256(app secret, token))` (facts sheet §1.3).
pub(crate) fn appsecret_proof(app_secret: &Secret, token: &Secret) -> Secret {
    // HMAC takes a key of any length.
    Hmac::<Sha256>::new_from_slice(app_secret.expose().as_bytes())
        .map(|mac| {
            Secret::new(hex::encode(
                mac.chain_update(token.expose().as_bytes())
                    .finalize()
                    .into_bytes(),
            ))
        })
        .unwrap_or_default()
}

/// Real tokens are letters, digits, `-` and `_`. A JSON body or a `signed_request` payload must never get near
/// [`appsecret_proof`]; that Meta confirms the token comes on top.
pub(crate) fn looks_like_a_token(token: &Secret) -> bool {
    let text = token.expose();
    (16..=2048).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_proof_is_the_published_construction() {
        // RFC 4231 test case 2.
        let proof = appsecret_proof(
            &Secret::new("Jefe"),
            &Secret::new("what do ya want for nothing?"),
        );
        assert_eq!(
            proof.expose(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn bodies_and_payloads_are_no_tokens() {
        for text in [
            "",
            "short",
            r#"{"object":"page","entry":[]}"#,
            "abc.eyJ1c2VyX2lkIjoiMSJ9",
            "EAAB 12345678901234567890",
        ] {
            assert!(!looks_like_a_token(&Secret::new(text)), "{text}");
        }
        assert!(looks_like_a_token(&Secret::new(
            "EAAPs0methingL0ng_and-safe"
        )));
    }

    #[test]
    fn paths_go_below_a_prefix() {
        let sandbox = Url::parse("http://127.0.0.1:9/graph.facebook.com/").unwrap();
        assert_eq!(
            below(&sandbox, &["v25.0", "me"]).path(),
            "/graph.facebook.com/v25.0/me"
        );
        let live = Url::parse("https://graph.facebook.com").unwrap();
        assert_eq!(
            below(&live, &["v25.0", "me"]).as_str(),
            "https://graph.facebook.com/v25.0/me"
        );
        assert_eq!(
            below(&live, &["v25.0", "a/b?c"]).as_str(),
            "https://graph.facebook.com/v25.0/a%2Fb%3Fc"
        );
    }
}
