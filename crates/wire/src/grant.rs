//! What a finished sign-in gives the app: the owner, the token, the accounts, what was and was not allowed.
//!
//! It exists in the clear only inside the device and, for the moment of the exchange, in the relay's memory.
//! Platform rules: facts sheet §2.1 and §2.2. Ids are always text.

use serde::{Deserialize, Serialize};

use crate::{Provider, Secret};

/// Result of `/oauth/token`, sealed to the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Through which login.
    pub provider: Provider,
    /// The person who signed in, as the platform names them to our Meta app.
    pub user: GrantedUser,
    /// Facebook's user token. Nothing with Instagram Login: there the account's token is all there is.
    pub user_token: Option<UserToken>,
    /// Permissions given.
    pub granted: Vec<String>,
    /// Permissions asked for and not given.
    pub declined: Vec<String>,
    /// Every account found, Pages first, each linked Instagram account after its Page. Never empty.
    pub accounts: Vec<GrantedAccount>,
    /// Set on answers to `grant_type=refresh_token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<Renewal>,
    /// The relay's clock when it sealed this.
    pub issued_at_ms: i64,
}

/// App-scoped user: what a deauthorize or data-deletion request will name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantedUser {
    /// App-scoped id.
    pub id: String,
    /// Name to show; the username with Instagram Login.
    pub name: String,
}

/// Facebook's long-lived user token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserToken {
    /// The token.
    pub token: Secret,
    /// Its `appsecret_proof`.
    pub appsecret_proof: Option<Secret>,
    /// When it ends; nothing when the platform names no date (`expires_at: 0` or missing), which is not "for ever".
    pub expires_at_ms: Option<i64>,
    /// When access to data ends (90 days without use); no exchange renews it (T2).
    pub data_access_expires_at_ms: Option<i64>,
}

/// What an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// A Facebook Page.
    Page,
    /// An Instagram professional account, linked to a Page or signed in by itself.
    Instagram,
}

impl AccountKind {
    /// `page` or `instagram`, as in paths and storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Instagram => "instagram",
        }
    }

    /// Reverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "page" => Some(Self::Page),
            "instagram" => Some(Self::Instagram),
            _ => None,
        }
    }
}

/// One account with its own token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantedAccount {
    /// Page or Instagram account.
    pub kind: AccountKind,
    /// Page id or Instagram professional account id (`17841…`): the id of paths and of `entry.id` in webhooks.
    pub platform_id: String,
    /// Name to show.
    pub name: String,
    /// Instagram username.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Signed picture address; it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_url: Option<String>,
    /// For an Instagram account reached through a Page: that Page, whose token this account uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_id: Option<String>,
    /// For a Page: the Instagram account linked to it, itself a row of `accounts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked_instagram_id: Option<String>,
    /// Token for this account's calls.
    pub token: Secret,
    /// When the token ends; nothing when no date is named.
    pub expires_at_ms: Option<i64>,
    /// `appsecret_proof` of `token`, lower-case hex.
    pub appsecret_proof: Option<Secret>,
    /// Page tasks as the platform lists them, `PROFILE_PLUS_*` included.
    #[serde(default)]
    pub tasks: Vec<String>,
}

/// Outcome of a renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// Expiry before.
    pub old_expires_at_ms: Option<i64>,
    /// Expiry after.
    pub new_expires_at_ms: Option<i64>,
    /// Whether it really lives longer now. `false` means "reconnect soon", though the page tokens are fresh.
    pub extended: bool,
}

/// Something about a grant the owner should hear in one sentence; not a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "notice")]
pub enum Notice {
    /// Some permissions were not given.
    ConsentPartial {
        /// Which.
        declined: Vec<String>,
    },
    /// Pages without a linked Instagram professional account.
    PageWithoutInstagram {
        /// Their ids.
        page_ids: Vec<String>,
    },
    /// The token lives under 50 days though a long-lived one was asked for (B32).
    ShortLivedToken {
        /// When it ends.
        expires_at_ms: i64,
    },
}

const LONG_LIVED_MIN_MS: i64 = 50 * 24 * 3600 * 1000;

impl Grant {
    /// What to tell the owner about this grant.
    pub fn notices(&self) -> Vec<Notice> {
        let mut out = Vec::new();
        if !self.declined.is_empty() {
            out.push(Notice::ConsentPartial {
                declined: self.declined.clone(),
            });
        }
        let page_ids: Vec<String> = self
            .accounts
            .iter()
            .filter(|a| a.kind == AccountKind::Page && a.linked_instagram_id.is_none())
            .map(|a| a.platform_id.clone())
            .collect();
        if !page_ids.is_empty() {
            out.push(Notice::PageWithoutInstagram { page_ids });
        }
        let expiry = match &self.user_token {
            Some(user) => user.expires_at_ms,
            None => self.accounts.iter().filter_map(|a| a.expires_at_ms).min(),
        };
        if let Some(expires_at_ms) = expiry.filter(|at| at - self.issued_at_ms < LONG_LIVED_MIN_MS)
        {
            out.push(Notice::ShortLivedToken { expires_at_ms });
        }
        out
    }
}
