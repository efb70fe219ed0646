//! Access tokens and authorization codes: who holds what, until when, and why it died. A dead token
//! answers as the platform's dead tokens do (`graph::auth`); here is only the bookkeeping.

use serde::Serialize;

use super::World;
use crate::clock::{DAY, HOUR, MINUTE};

/// Whom a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A Facebook user.
    Owner(String),
    /// A Page, through a user.
    Page { page: String, owner: String },
    /// An Instagram professional account.
    Instagram(String),
}

/// Why a token no longer works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Death {
    /// Revoked or logged out: 190 without a subcode.
    Revoked,
    /// The person removed the app: 190/458.
    AppRemoved,
    /// The person must pass a security check: 190/459.
    Checkpointed,
    /// The password was changed: 190/460.
    PasswordChanged,
    /// Ran out: 190/463.
    Expired,
    /// The person lost the role on the Page: 190/492.
    RoleLost,
}

impl Death {
    pub(crate) fn subcode(self) -> Option<u32> {
        match self {
            Death::Revoked => None,
            Death::AppRemoved => Some(458),
            Death::Checkpointed => Some(459),
            Death::PasswordChanged => Some(460),
            Death::Expired => Some(463),
            Death::RoleLost => Some(492),
        }
    }
}

/// One access token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) value: String,
    pub(crate) holder: Holder,
    pub(crate) scopes: Vec<String>,
    pub(crate) declined: Vec<String>,
    /// The Pages ticked in the dialog.
    pub(crate) pages: Vec<String>,
    pub(crate) issued_ms: i64,
    pub(crate) expires_ms: Option<i64>,
    /// 90 days of data access, which no exchange renews.
    pub(crate) data_access_ms: i64,
    pub(crate) long_lived: bool,
    pub(crate) death: Option<Death>,
    /// The user token a Page token was made from.
    pub(crate) parent: Option<String>,
}

impl Token {
    /// Why this token does not work at `now_ms`, if it does not. `data_access` says whether a Facebook
    /// token also ends with its data access.
    fn dead_at(&self, now_ms: i64, data_access: bool) -> Option<Death> {
        if self.death.is_some() {
            return self.death;
        }
        match self.expires_ms {
            Some(end) if end <= now_ms => Some(Death::Expired),
            _ if data_access && self.data_access_ms <= now_ms => Some(Death::Expired),
            _ => None,
        }
    }

    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }
}

/// An authorization code on its way from a dialog to a token endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) holder: Holder,
    pub(crate) redirect_uri: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) declined: Vec<String>,
    pub(crate) pages: Vec<String>,
    pub(crate) issued_ms: i64,
    pub(crate) used: bool,
}

/// How long a code lives: one hour on Instagram; ten minutes on Facebook (unconfirmed figure).
pub(crate) fn code_life_ms(code: &Code) -> i64 {
    match code.holder {
        Holder::Instagram(_) => HOUR,
        _ => 10 * MINUTE,
    }
}

/// Sixty days.
pub(crate) const LONG_LIFE_MS: i64 = 60 * DAY;

impl World {
    /// Why a token does not work now, if it does not.
    pub(crate) fn dead(&self, token: &Token) -> Option<Death> {
        let facebook = !matches!(token.holder, Holder::Instagram(_));
        token.dead_at(self.now_ms(), facebook && self.switches.data_access_ends)
    }

    /// Makes a token; its words begin as the platform's do, so that redaction can find them.
    pub(crate) fn mint(&mut self, mut token: Token) -> Token {
        let prefix = match token.holder {
            Holder::Instagram(_) => "IGAASB",
            _ => "EAASB",
        };
        token.value = format!("{prefix}{}", self.chance.word(90));
        self.tokens.insert(token.value.clone(), token.clone());
        token
    }

    /// A fresh token for a consent, with the life its product gives.
    pub(crate) fn token_from_code(&mut self, code: &Code) -> Token {
        let now = self.now_ms();
        let (life, long_lived) = match code.holder {
            Holder::Instagram(_) => (Some(HOUR), false),
            _ if self.switches.fb_code_gives_system_user => (None, true),
            _ if self.switches.fb_code_gives_long_lived => (Some(LONG_LIFE_MS), true),
            _ => (Some(90 * MINUTE), false),
        };
        self.mint(Token {
            value: String::new(),
            holder: code.holder.clone(),
            scopes: code.scopes.clone(),
            declined: code.declined.clone(),
            pages: code.pages.clone(),
            issued_ms: now,
            expires_ms: life.map(|life| now + life),
            data_access_ms: now + 90 * DAY,
            long_lived,
            death: None,
            parent: None,
        })
    }

    /// The Page token a user token sees in `/me/accounts`: the same words while it lives, new ones after.
    pub(crate) fn page_token(&mut self, user: &Token, page: &str) -> String {
        let now = self.now_ms();
        let living = self.tokens.values().find(|token| {
            token.parent.as_deref() == Some(user.value.as_str())
                && matches!(&token.holder, Holder::Page { page: held, .. } if held == page)
                && self.dead(token).is_none()
        });
        if let Some(token) = living {
            return token.value.clone();
        }
        let Holder::Owner(owner) = &user.holder else {
            return user.value.clone();
        };
        let token = Token {
            value: String::new(),
            holder: Holder::Page {
                page: page.into(),
                owner: owner.clone(),
            },
            scopes: user.scopes.clone(),
            declined: user.declined.clone(),
            pages: vec![page.into()],
            issued_ms: now,
            expires_ms: if user.long_lived {
                None
            } else {
                user.expires_ms
            },
            data_access_ms: user.data_access_ms,
            long_lived: user.long_lived,
            death: None,
            parent: Some(user.value.clone()),
        };
        self.mint(token).value
    }

    /// Kills one token. What happened to a user happens to every Page token made through that user.
    pub(crate) fn kill(&mut self, value: &str, death: Death) {
        let Some(token) = self.tokens.get_mut(value) else {
            return;
        };
        token.death = Some(death);
        let spreads = matches!(token.holder, Holder::Owner(_))
            && !matches!(death, Death::Expired | Death::RoleLost);
        if spreads {
            for other in self.tokens.values_mut() {
                if other.parent.as_deref() == Some(value) {
                    other.death = Some(death);
                }
            }
        }
    }
}
