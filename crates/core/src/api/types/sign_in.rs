//! Connecting an account: what the waiting page, the permission page and the choice of accounts show.

use super::Reason;
use crate::domain::Provider;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Argument of `sign_in_start`.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SignInStart {
    /// Which login product.
    pub provider: Provider,
    /// How the browser comes back. The shell knows whether `shopbell:` still opens this program.
    pub way_back: WayBack,
    /// Ask again for permissions that were declined earlier.
    #[serde(default)]
    pub ask_again: bool,
}

/// How the browser hands the code to the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WayBack {
    /// `shopbell://oauth/callback`.
    Scheme,
    /// `http://127.0.0.1:{port}/`, when another program holds the scheme.
    Loopback,
}

/// One sign-in, from start to the chosen accounts. Survives a restart.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SignIn {
    /// Internal id.
    pub id: i64,
    /// Which login product.
    pub provider: Provider,
    /// Where it stands.
    pub step: SignInStep,
    /// The two digits that the browser must show, for example `"47"`.
    pub number: String,
    /// The address the browser was sent to (for "Copy the link" and "Open again").
    pub authorize_url: String,
    /// Start, UTC ms.
    pub started_at_ms: i64,
    /// The relay's page works until then, UTC ms.
    pub expires_at_ms: i64,
    /// The browser comes back through this.
    pub way_back: WayBack,
    /// Permissions Meta granted (Meta's names), once known.
    pub granted: Vec<String>,
    /// Permissions the owner declined, once known.
    pub declined: Vec<String>,
    /// What stops working because of a declined permission: codes such as `no_messages`, `no_comments`, `no_insights`.
    pub losses: Vec<Reason>,
    /// Accounts found, once known.
    pub found: Vec<FoundAccount>,
    /// Why it ended, for `refused`. Codes: `state_wrong`, `state_replayed`, `expired`, `code_reused`, `code_wrong_verifier`,
    /// `code_other_device`, `denied`, `partial`, `no_page`, `page_without_instagram`, `relay_unreachable`, `offline`,
    /// `platform_refused`, `cancelled`, `not_a_code`.
    pub refusal: Option<Reason>,
}

/// Where a sign-in stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SignInStep {
    /// The browser is open.
    Waiting,
    /// The code came back and is being exchanged.
    Exchanging,
    /// Accounts were found; the owner chooses.
    Choosing,
    /// Chosen accounts are being subscribed.
    Subscribing,
    /// Done.
    Done,
    /// Ended without accounts; see `refusal`.
    Refused,
}

/// An account that the sign-in brought.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct FoundAccount {
    /// `messenger` or `instagram`.
    pub channel: crate::domain::Channel,
    /// Meta's id of the Page or the Instagram account.
    pub platform_id: String,
    /// Display name.
    pub name: String,
    /// `@handle` without the `@`, where there is one.
    pub username: Option<String>,
    /// Opaque media id of its picture, if it could be fetched.
    pub picture: Option<String>,
    /// For an Instagram account that is linked to a Page: that Page's id.
    pub via_page: Option<String>,
    /// Already connected here: reconnecting re-attaches to the same data.
    pub known: bool,
    /// It cannot be chosen, and why (`messaging_task_missing`, `not_professional`, `permission_missing`).
    pub obstacle: Option<Reason>,
    /// Result of subscribing, once done: empty reason code `ok`, or what failed.
    pub subscription: Option<Reason>,
}

/// Argument of `sign_in_finish`: the whole `shopbell://…` address or the bare code from the page.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct SignInFinish {
    /// Hostile until parsed.
    pub pasted: String,
}

impl std::fmt::Debug for SignInFinish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignInFinish(…)")
    }
}

/// Argument of `sign_in_choose`.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SignInChoose {
    /// Which sign-in.
    pub id: i64,
    /// Platform ids of the chosen accounts.
    pub platform_ids: Vec<String>,
}
