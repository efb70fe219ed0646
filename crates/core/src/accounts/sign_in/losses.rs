//! What stops working because of a permission that was not given, and what stands in the way of an account. Pure.

use crate::{
    api::types::{FoundAccount, Reason},
    domain::{Channel, Provider},
};
use shopbell_wire::{AccountKind, Grant, GrantedAccount};

/// The loss behind a permission of Meta's (facts sheet §2.1, §2.2).
fn loss(permission: &str) -> Option<&'static str> {
    Some(match permission {
        "pages_messaging" | "instagram_manage_messages" | "instagram_business_manage_messages" => {
            "no_messages"
        }
        "pages_manage_metadata" => "no_live_events",
        "pages_show_list" | "business_management" => "no_page_list",
        "pages_read_engagement" | "instagram_basic" | "instagram_business_basic" => {
            "no_account_data"
        }
        "instagram_manage_comments"
        | "instagram_business_manage_comments"
        | "pages_manage_engagement"
        | "pages_read_user_content" => "no_comments",
        "instagram_manage_insights" | "instagram_business_manage_insights" | "read_insights" => {
            "no_insights"
        }
        "instagram_business_content_publish" => "no_publishing",
        _ => return None,
    })
}

/// One line per loss, with the permissions behind it.
pub(super) fn losses(declined: &[String]) -> Vec<Reason> {
    let mut out: Vec<Reason> = Vec::new();
    for permission in declined {
        let Some(code) = loss(permission) else {
            continue;
        };
        match out.iter_mut().find(|reason| reason.code == code) {
            Some(reason) => {
                if let Some(list) = reason.params.get_mut("permissions") {
                    list.push_str(", ");
                    list.push_str(permission);
                }
            }
            None => out.push(Reason::new(code).with("permissions", permission)),
        }
    }
    out
}

/// Page tasks that allow to read and answer messages.
const MESSAGING_TASKS: &[&str] = &[
    "MESSAGING",
    "MODERATE",
    "MANAGE",
    "PROFILE_PLUS_MESSAGING",
    "PROFILE_PLUS_MODERATE",
    "PROFILE_PLUS_FULL_CONTROL",
];

/// Why an account cannot be chosen, if it cannot.
pub(super) fn obstacle(grant: &Grant, account: &GrantedAccount) -> Option<Reason> {
    let needed = match (account.kind, grant.provider) {
        (AccountKind::Page, _) => "pages_messaging",
        (AccountKind::Instagram, shopbell_wire::Provider::Facebook) => "instagram_manage_messages",
        (AccountKind::Instagram, shopbell_wire::Provider::Instagram) => {
            "instagram_business_manage_messages"
        }
    };
    if grant.declined.iter().any(|permission| permission == needed) {
        return Some(Reason::new("permission_missing").with("permission", needed));
    }
    let known = !account.tasks.is_empty();
    if known
        && !account
            .tasks
            .iter()
            .any(|task| MESSAGING_TASKS.contains(&task.as_str()))
    {
        return Some(Reason::new("messaging_task_missing"));
    }
    None
}

pub(super) fn channel(kind: AccountKind) -> Channel {
    match kind {
        AccountKind::Page => Channel::Messenger,
        AccountKind::Instagram => Channel::Instagram,
    }
}

pub(super) fn provider(provider: shopbell_wire::Provider) -> Provider {
    match provider {
        shopbell_wire::Provider::Facebook => Provider::Facebook,
        shopbell_wire::Provider::Instagram => Provider::Instagram,
    }
}

/// An account as the choice shows it.
pub(super) fn found(grant: &Grant, account: &GrantedAccount, known: bool) -> FoundAccount {
    FoundAccount {
        channel: channel(account.kind),
        platform_id: account.platform_id.clone(),
        name: account.name.clone(),
        username: account.username.clone(),
        picture: None,
        via_page: account.page_id.clone(),
        known,
        obstacle: obstacle(grant, account),
        subscription: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shopbell_wire::{GrantedUser, Secret};

    fn page(tasks: &[&str]) -> GrantedAccount {
        GrantedAccount {
            kind: AccountKind::Page,
            platform_id: "1001".into(),
            name: "Acme".into(),
            username: None,
            picture_url: None,
            page_id: None,
            linked_instagram_id: None,
            token: Secret::new("t"),
            expires_at_ms: None,
            appsecret_proof: None,
            tasks: tasks.iter().map(|t| (*t).to_owned()).collect(),
        }
    }

    fn grant(declined: &[&str]) -> Grant {
        Grant {
            provider: shopbell_wire::Provider::Facebook,
            user: GrantedUser {
                id: "1".into(),
                name: "Ana".into(),
            },
            user_token: None,
            granted: vec![],
            declined: declined.iter().map(|d| (*d).to_owned()).collect(),
            accounts: vec![],
            renewal: None,
            issued_at_ms: 0,
        }
    }

    #[test]
    fn each_loss_once_with_the_permissions_behind_it() {
        let declined: Vec<String> = [
            "pages_read_user_content",
            "read_insights",
            "instagram_manage_comments",
            "email",
        ]
        .map(str::to_owned)
        .into();
        let losses = losses(&declined);
        assert_eq!(
            losses.iter().map(|l| l.code.as_str()).collect::<Vec<_>>(),
            ["no_comments", "no_insights"]
        );
        assert_eq!(
            losses[0].params["permissions"],
            "pages_read_user_content, instagram_manage_comments"
        );
    }

    #[test]
    fn what_stands_in_the_way_of_an_account() {
        let code = |declined: &[&str], tasks: &[&str]| {
            obstacle(&grant(declined), &page(tasks)).map(|reason| reason.code)
        };
        assert_eq!(code(&[], &["ADVERTISE", "MESSAGING"]), None);
        assert_eq!(code(&[], &["PROFILE_PLUS_FULL_CONTROL"]), None);
        assert_eq!(code(&[], &[]), None, "not told is not missing");
        assert_eq!(
            code(&[], &["ADVERTISE", "ANALYZE"]).as_deref(),
            Some("messaging_task_missing")
        );
        assert_eq!(
            code(&["pages_messaging"], &["MANAGE"]).as_deref(),
            Some("permission_missing")
        );
        assert_eq!(code(&["instagram_manage_messages"], &["MANAGE"]), None);
    }
}
