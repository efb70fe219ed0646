//! Which fields each kind of node has here. Every node is checked against its list before anything is
//! shown, so nothing outside these lists is ever served; Meta's own SDK is asked about them
//! (`tests/sdk`).

use super::error::GraphError;
use super::fields::Field;

/// Node types by the name that refusals print, and their fields.
pub(crate) const NODES: [(&str, &[&str]); 8] = [
    (
        "User",
        &[
            "id",
            "name",
            "first_name",
            "last_name",
            "picture",
            "accounts",
        ],
    ),
    (
        "Page",
        &[
            "id",
            "name",
            "username",
            "about",
            "category",
            "category_list",
            "link",
            "is_published",
            "fan_count",
            "followers_count",
            "picture",
            "tasks",
            "access_token",
            "instagram_business_account",
            "connected_instagram_account",
        ],
    ),
    (
        "IGUser",
        &[
            "id",
            "username",
            "name",
            "biography",
            "followers_count",
            "follows_count",
            "media_count",
            "profile_picture_url",
        ],
    ),
    (
        "IGUserForIGOnlyAPI",
        &[
            "id",
            "user_id",
            "account_type",
            "username",
            "name",
            "biography",
            "followers_count",
            "follows_count",
            "media_count",
            "profile_picture_url",
        ],
    ),
    (
        "UnifiedThread",
        &[
            "id",
            "updated_time",
            "link",
            "message_count",
            "unread_count",
            "snippet",
            "can_reply",
            "is_subscribed",
            "is_owner",
            "participants",
            "senders",
            "messages",
        ],
    ),
    (
        "Message",
        &[
            "id",
            "created_time",
            "message",
            "from",
            "to",
            "tags",
            "sticker",
            "is_unsupported",
            "reply_to",
            "attachments",
            "shares",
            "reactions",
            "story",
        ],
    ),
    (
        "MessengerProfile",
        &[
            "id",
            "name",
            "first_name",
            "last_name",
            "profile_pic",
            "locale",
            "timezone",
            "gender",
        ],
    ),
    (
        "IGBusinessScopedID",
        &[
            "id",
            "username",
            "name",
            "profile_pic",
            "follower_count",
            "is_user_follow_business",
            "is_business_follow_user",
            "is_verified_user",
        ],
    ),
];

/// Refuses the first field that this kind of node does not have.
pub(crate) fn check(node: &'static str, asked: &[Field]) -> Result<(), GraphError> {
    let known = NODES
        .iter()
        .find(|(name, _)| *name == node)
        .map_or(&[][..], |(_, fields)| *fields);
    match asked
        .iter()
        .find(|field| !known.contains(&field.name.as_str()))
    {
        Some(field) => Err(GraphError::no_field(&field.name, node)),
        None => Ok(()),
    }
}
