//! Who may see and change posts and comments, and what both products share: the account an edge is called on,
//! lists cut by time, counts with a summary. Fields are in the modules of the nodes.

use serde_json::{Value, json};

use super::Visit;
use super::error::GraphError;
use super::fields::Field;
use super::paging::Ask;
use crate::http::call::Call;
use crate::world::World;
use crate::world::people::{Account, Platform};
use crate::world::tokens::{Holder, Token};

/// What a caller wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// Read posts and comments.
    Read,
    /// See who wrote a comment.
    Authors,
    /// Comment, answer, hide, delete.
    Moderate,
}

/// The permission behind a right.
pub(crate) fn scope(token: &Token, platform: Platform, right: Right) -> &'static str {
    match (&token.holder, platform, right) {
        (Holder::Instagram(_), _, Right::Read) => "instagram_business_basic",
        (Holder::Instagram(_), _, _) => "instagram_business_manage_comments",
        (_, Platform::Instagram, Right::Read) => "instagram_basic",
        (_, Platform::Instagram, _) => "instagram_manage_comments",
        (_, Platform::Messenger, Right::Read) => "pages_read_engagement",
        (_, Platform::Messenger, Right::Authors) => "pages_read_user_content",
        (_, Platform::Messenger, Right::Moderate) => "pages_manage_engagement",
    }
}

/// Refuses who does not see the account or lacks the permission.
pub(crate) fn enter(
    visit: &Visit<'_>,
    account: &Account,
    id: &str,
    right: Right,
) -> Result<(), GraphError> {
    if !sees(visit.world, &visit.token, account) {
        return Err(GraphError::no_object(id, &visit.call.method));
    }
    let scope = scope(&visit.token, account.platform, right);
    if visit.token.has(scope) {
        return Ok(());
    }
    let code = match account.platform {
        Platform::Instagram => 10,
        Platform::Messenger => 200,
    };
    Err(GraphError::permission(code, scope))
}

/// True when the token shows who wrote a comment.
pub(crate) fn shows_authors(visit: &Visit<'_>, platform: Platform) -> bool {
    visit
        .token
        .has(scope(&visit.token, platform, Right::Authors))
}

fn sees(world: &World, token: &Token, account: &Account) -> bool {
    match &token.holder {
        // A user sees the content of the Pages ticked in the dialog, and of what is linked to them.
        Holder::Owner(_) => token.pages.iter().any(|id| {
            let linked = world.pages.get(id).and_then(|page| page.instagram.clone());
            *id == account.id || linked.as_deref() == Some(account.id.as_str())
        }),
        _ => world.sees(token, account),
    }
}

/// The account whose list is asked for: `me` or an id the token sees.
pub(crate) fn owner(
    visit: &Visit<'_>,
    id: &str,
    platform: Platform,
) -> Result<Account, GraphError> {
    let nothing = || GraphError::no_object(id, &visit.call.method);
    let account = if id == "me" {
        visit.account(id)?
    } else if visit.world.instagram.contains_key(id) {
        Account::instagram(id)
    } else if visit.world.pages.contains_key(id) {
        Account::messenger(id)
    } else {
        return Err(nothing());
    };
    if account.platform != platform {
        return Err(nothing());
    }
    enter(visit, &account, id, Right::Read)?;
    Ok(account)
}

/// `since` and `until`, unix seconds.
pub(crate) fn within(call: &Call, at_ms: i64) -> bool {
    let seconds = |name: &str| call.param(name).and_then(|text| text.parse::<i64>().ok());
    let at = at_ms / 1_000;
    seconds("since").is_none_or(|since| at >= since)
        && seconds("until").is_none_or(|until| at <= until)
}

/// An edge asked with `limit(0)`, as callers do who only want its summary.
pub(crate) fn counts_only(field: &Field) -> bool {
    field.arg("limit") == Some("0")
}

/// Whether a summary was asked for, and of what.
pub(crate) fn wants_summary(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.is_empty() && text != "false" && text != "0")
}

/// `{"data":[],"summary":{"total_count":n}}`
pub(crate) fn count(field: &Field, total: u64) -> Value {
    let mut list = json!({"data": []});
    if wants_summary(field.arg("summary")) {
        list["summary"] = json!({"total_count": total, "viewer_reaction": "NONE"});
    }
    list
}

/// Instagram gives at most fifty comments at a time.
pub(crate) fn at_most(mut ask: Ask, most: usize) -> Ask {
    ask.limit = ask.limit.min(most);
    ask
}
