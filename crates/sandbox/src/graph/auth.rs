//! Who calls: tokens, `appsecret_proof`, app tokens, and what a token may see. Every host refuses the
//! other host's tokens.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::error::GraphError;
use crate::http::call::{Call, Host};
use crate::world::World;
use crate::world::people::{Account, Platform};
use crate::world::tokens::{Holder, Token};

/// The caller of a graph edge.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// `{app-id}|{app-secret}`
    App,
    /// A user, Page or Instagram token that lives.
    Token(Box<Token>),
}

/// `hex(HMAC-SHA256(key = app secret, message = access token))`.
pub(crate) fn proof(secret: &str, token: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(token.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

impl World {
    /// True for the app token of the Facebook app.
    pub(crate) fn is_app_token(&self, word: &str) -> bool {
        word == format!(
            "{}|{}",
            self.config.facebook.id, self.config.facebook.secret
        )
    }

    /// The caller, or the platform's refusal.
    pub(crate) fn caller(&self, call: &Call) -> Result<Caller, GraphError> {
        let Some(word) = call.token().filter(|word| !word.is_empty()) else {
            return Err(if call.path() == ["me"] {
                GraphError::new(
                    2500,
                    "An active access token must be used to query information about the current user.",
                )
            } else {
                GraphError::new(104, "An access token is required to request this resource.")
            });
        };
        if call.host == Host::GraphFacebook && word.contains('|') {
            return if self.is_app_token(word) {
                Ok(Caller::App)
            } else {
                Err(
                    GraphError::new(190, "Invalid OAuth access token signature.")
                        .challenge("invalid_token"),
                )
            };
        }
        let token = self.living(word, call.host)?;
        self.check_proof(call, &token.value)?;
        Ok(Caller::Token(Box::new(token)))
    }

    /// A token that works on this host now.
    pub(crate) fn living(&self, word: &str, host: Host) -> Result<Token, GraphError> {
        let unparsable = || {
            GraphError::new(
                190,
                "Invalid OAuth access token - Cannot parse access token",
            )
            .challenge("invalid_token")
            .status(self.switches.dead_token_status)
        };
        let token = self.tokens.get(word).ok_or_else(unparsable)?;
        let on_instagram = matches!(token.holder, Holder::Instagram(_));
        if on_instagram != (host == Host::GraphInstagram) {
            return Err(unparsable());
        }
        match self.dead(token) {
            None => Ok(token.clone()),
            Some(death) => Err(GraphError::dead_token(
                death,
                token.expires_ms.unwrap_or_default(),
                self.now_ms(),
                &self.config.facebook.id,
            )
            .status(self.switches.dead_token_status)),
        }
    }

    fn check_proof(&self, call: &Call, token: &str) -> Result<(), GraphError> {
        let secret = match call.host {
            Host::GraphInstagram => &self.config.instagram.secret,
            _ => &self.config.facebook.secret,
        };
        match call.param("appsecret_proof") {
            Some(given) if bool::from(proof(secret, token).as_bytes().ct_eq(given.as_bytes())) => {
                Ok(())
            }
            Some(_) => Err(GraphError::new(
                100,
                "Invalid appsecret_proof provided in the API argument",
            )
            .kind("GraphMethodException")
            .challenge("invalid_request")),
            None if self.switches.require_appsecret_proof => Err(GraphError::new(
                100,
                "API calls from the server require an appsecret_proof argument",
            )
            .kind("GraphMethodException")
            .challenge("invalid_request")),
            None => Ok(()),
        }
    }

    /// The accounts a token speaks for in messaging: a Page and its linked Instagram account, or the one
    /// Instagram account.
    pub(crate) fn accounts_of(&self, token: &Token) -> Vec<Account> {
        match &token.holder {
            Holder::Owner(_) => Vec::new(),
            Holder::Instagram(id) => vec![Account::instagram(id)],
            Holder::Page { page, .. } => {
                let linked = self
                    .pages
                    .get(page)
                    .and_then(|page| page.instagram.as_deref());
                std::iter::once(Account::messenger(page))
                    .chain(linked.map(Account::instagram))
                    .collect()
            }
        }
    }

    /// Whether a token may see what belongs to this account.
    pub(crate) fn sees(&self, token: &Token, account: &Account) -> bool {
        self.accounts_of(token).contains(account)
    }
}

/// Refuses a token without the permission that messaging on this account needs.
pub(crate) fn needs_messaging(token: &Token, platform: Platform) -> Result<(), GraphError> {
    let (code, scope) = match (&token.holder, platform) {
        (Holder::Instagram(_), _) => (10, "instagram_business_manage_messages"),
        (_, Platform::Instagram) => (10, "instagram_manage_messages"),
        (_, Platform::Messenger) => (200, "pages_messaging"),
    };
    if token.has(scope) {
        Ok(())
    } else {
        Err(GraphError::permission(code, scope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_that_of_the_facts_sheet() {
        assert_eq!(
            proof("0123456789abcdef0123456789abcdef", "EAATESTTOKEN123"),
            "02810c917b3e327d0bc6ccf57ac73ac327c135ce03a538f1a157997bb973e258"
        );
    }
}
