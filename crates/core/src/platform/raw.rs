//! Meta's shapes as they arrive: every member may be missing, ids may be texts or numbers, lists may be `{data:[…]}` or bare.
//!
//! Invariant: reading never fails on a missing or extra member. Text of customers is in here, so nothing derives `Debug`.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;
use shopbell_wire::Secret;

/// An id: a text, or a whole number of any size (Instagram's are beyond 2^53).
pub(super) fn id_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) if !text.is_empty() && text.len() <= 1_024 => Some(text),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    })
}

/// `{data:[…]}`, a bare list, one bare object, or nothing. Items that do not fit are left out, the others stay.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    Ok(items(Value::deserialize(from)?))
}

pub(super) fn items<T: DeserializeOwned>(value: Value) -> Vec<T> {
    let values = match value {
        Value::Array(values) => values,
        Value::Object(mut map) => match map.remove("data") {
            Some(Value::Array(values)) => values,
            Some(Value::Object(one)) => vec![Value::Object(one)],
            Some(_) => Vec::new(),
            None => vec![Value::Object(map)],
        },
        _ => Vec::new(),
    };
    values
        .into_iter()
        .filter_map(|item| serde_json::from_value(item).ok())
        .collect()
}

/// A member that is used when it fits and left out when it does not.
pub(super) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).ok())
}

/// A person or account beside a message.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawPerson {
    /// PSID, IGSID, Page id or Instagram account id.
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    /// Messenger.
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    /// Instagram.
    #[serde(deserialize_with = "lenient")]
    pub username: Option<String>,
}

/// A thread of the list.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawThread {
    /// Conversation id.
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    /// Last change, as told.
    pub updated_time: Value,
    /// Messenger only.
    #[serde(deserialize_with = "lenient")]
    pub message_count: Option<i64>,
    /// Messenger only.
    #[serde(deserialize_with = "lenient")]
    pub unread_count: Option<i64>,
    /// Both sides.
    #[serde(deserialize_with = "list")]
    pub participants: Vec<RawPerson>,
    /// Newest messages, newest first, when asked for.
    #[serde(deserialize_with = "nested_messages")]
    pub messages: RawMessages,
}

/// Messages nested in a thread.
#[derive(Clone, Default)]
pub struct RawMessages {
    /// Newest first.
    pub items: Vec<RawMessage>,
    /// Cursor of the thread's next page of messages.
    pub after: Option<String>,
}

fn nested_messages<'de, D: Deserializer<'de>>(from: D) -> Result<RawMessages, D::Error> {
    let mut value = Value::deserialize(from)?;
    let after = value
        .as_object_mut()
        .and_then(|map| map.remove("paging"))
        .and_then(|paging| serde_json::from_value::<super::page::RawPaging>(paging).ok())
        .and_then(super::page::RawPaging::after);
    Ok(RawMessages {
        items: if value.is_null() {
            Vec::new()
        } else {
            items(value)
        },
        after,
    })
}

/// A message.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawMessage {
    /// Message id.
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    /// When, as told.
    pub created_time: Value,
    /// Author.
    #[serde(deserialize_with = "lenient")]
    pub from: Option<RawPerson>,
    /// Addressees.
    #[serde(deserialize_with = "list")]
    pub to: Vec<RawPerson>,
    /// Text; `""` when there is only media.
    #[serde(deserialize_with = "lenient")]
    pub message: Option<String>,
    /// Files.
    #[serde(deserialize_with = "list")]
    pub attachments: Vec<RawAttachment>,
    /// Shared posts and links.
    #[serde(deserialize_with = "list")]
    pub shares: Vec<RawShare>,
    /// Reactions.
    #[serde(deserialize_with = "list")]
    pub reactions: Vec<RawReaction>,
    /// Address of a sticker's picture.
    #[serde(deserialize_with = "lenient")]
    pub sticker: Option<String>,
    /// Story it answers or mentions.
    #[serde(deserialize_with = "lenient")]
    pub story: Option<RawStory>,
    /// Message it answers.
    #[serde(deserialize_with = "lenient")]
    pub reply_to: Option<RawReplyTo>,
    /// Content that the API cannot show.
    #[serde(deserialize_with = "lenient")]
    pub is_unsupported: Option<bool>,
}

/// A message's answer-to.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawReplyTo {
    /// Message id.
    #[serde(deserialize_with = "id_text")]
    pub mid: Option<String>,
}

/// A file.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawAttachment {
    /// Media type.
    #[serde(deserialize_with = "lenient")]
    pub mime_type: Option<String>,
    /// File name.
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    /// Bytes.
    #[serde(deserialize_with = "lenient")]
    pub size: Option<i64>,
    /// A picture.
    #[serde(deserialize_with = "lenient")]
    pub image_data: Option<RawMedia>,
    /// A video.
    #[serde(deserialize_with = "lenient")]
    pub video_data: Option<RawMedia>,
    /// Any other file.
    #[serde(deserialize_with = "lenient")]
    pub file_url: Option<String>,
    /// Cards with buttons.
    pub generic_template: Value,
}

/// A picture or video.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawMedia {
    /// Signed address.
    #[serde(deserialize_with = "lenient")]
    pub url: Option<String>,
    /// Pixels.
    #[serde(deserialize_with = "lenient")]
    pub width: Option<i64>,
    /// Pixels.
    #[serde(deserialize_with = "lenient")]
    pub height: Option<i64>,
}

/// A shared post or link.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawShare {
    /// Address; on Instagram that of the media itself.
    #[serde(deserialize_with = "lenient")]
    pub link: Option<String>,
    /// Title.
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    /// Cards with buttons.
    pub template: Value,
}

/// A reaction and who set it.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawReaction {
    /// Name such as `love`.
    #[serde(deserialize_with = "lenient")]
    pub reaction: Option<String>,
    /// The character.
    #[serde(deserialize_with = "lenient")]
    pub emoji: Option<String>,
    /// Who.
    #[serde(deserialize_with = "list")]
    pub users: Vec<RawPerson>,
}

/// A story behind a message.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawStory {
    /// The customer answered our story.
    #[serde(deserialize_with = "lenient")]
    pub reply_to: Option<RawStoryRef>,
    /// The customer mentioned us in theirs.
    #[serde(deserialize_with = "lenient")]
    pub mention: Option<RawStoryRef>,
}

/// A story.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawStoryRef {
    /// Story id.
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    /// Signed address; dies with the story.
    #[serde(deserialize_with = "lenient")]
    pub link: Option<String>,
}

/// A customer's profile, both platforms in one shape.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawProfile {
    /// PSID or IGSID.
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    /// Full name.
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    /// Messenger.
    #[serde(deserialize_with = "lenient")]
    pub first_name: Option<String>,
    /// Messenger.
    #[serde(deserialize_with = "lenient")]
    pub last_name: Option<String>,
    /// Instagram.
    #[serde(deserialize_with = "lenient")]
    pub username: Option<String>,
    /// Signed address; expires within days.
    #[serde(deserialize_with = "lenient")]
    pub profile_pic: Option<String>,
    /// Instagram.
    #[serde(deserialize_with = "lenient")]
    pub follower_count: Option<i64>,
    /// The customer follows us.
    #[serde(deserialize_with = "lenient")]
    pub is_user_follow_business: Option<bool>,
    /// We follow the customer.
    #[serde(deserialize_with = "lenient")]
    pub is_business_follow_user: Option<bool>,
    /// Blue tick.
    #[serde(deserialize_with = "lenient")]
    pub is_verified_user: Option<bool>,
}

impl RawProfile {
    /// The name to show: `name`, else first and last.
    pub fn display_name(&self) -> Option<String> {
        let joined = || {
            let parts = [&self.first_name, &self.last_name];
            let words: Vec<&str> = parts.iter().filter_map(|p| p.as_deref()).collect();
            words.join(" ")
        };
        Some(self.name.clone().unwrap_or_else(joined))
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
    }
}

/// Our own account.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawMe {
    /// Page id; on Instagram Login an app-scoped id that matches nothing else.
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    /// Instagram professional account id: the one of paths and webhooks.
    #[serde(deserialize_with = "id_text")]
    pub user_id: Option<String>,
    /// Display name.
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    /// Handle.
    #[serde(deserialize_with = "lenient")]
    pub username: Option<String>,
    /// Signed picture address, Instagram.
    #[serde(deserialize_with = "lenient")]
    pub profile_picture_url: Option<String>,
    /// Picture of a Page: `{data:{url}}`.
    #[serde(deserialize_with = "list")]
    pub picture: Vec<RawPicture>,
}

impl RawMe {
    /// Signed picture address, whichever member holds it.
    pub fn picture_address(&self) -> Option<&str> {
        let of_page = || {
            self.picture
                .first()
                .and_then(|picture| picture.url.as_deref())
        };
        self.profile_picture_url.as_deref().or_else(of_page)
    }
}

/// A Page's picture.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawPicture {
    /// Signed address.
    #[serde(deserialize_with = "lenient")]
    pub url: Option<String>,
}

/// A Page with a fresh token, from `/me/accounts`.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct PageToken {
    /// Page id.
    #[serde(deserialize_with = "id_text")]
    pub id: Option<String>,
    /// Its token.
    #[serde(deserialize_with = "lenient")]
    pub access_token: Option<Secret>,
}

/// Answer of Instagram's `refresh_access_token`.
#[derive(Clone, Deserialize)]
pub struct RenewedToken {
    /// The new token.
    pub access_token: Secret,
    /// Seconds it lives.
    #[serde(default)]
    pub expires_in: Option<i64>,
}

/// An app's subscription to an account.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSubscription {
    pub subscribed_fields: Vec<Value>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ids_as_numbers_keep_all_digits() {
        let me: RawMe = serde_json::from_str(r#"{"id":"24","user_id":17841400000000001}"#).unwrap();
        assert_eq!(me.user_id.as_deref(), Some("17841400000000001"));
        let odd: RawMe = serde_json::from_str(r#"{"id":null,"user_id":1.5,"name":7}"#).unwrap();
        assert!(odd.id.is_none() && odd.user_id.is_none() && odd.name.is_none());
    }

    #[test]
    fn lists_come_wrapped_bare_alone_or_not_at_all() {
        let read = |json: &str| {
            serde_json::from_str::<RawThread>(json)
                .unwrap()
                .participants
                .len()
        };
        assert_eq!(
            read(r#"{"participants":{"data":[{"id":"1"},{"id":2}]}}"#),
            2
        );
        assert_eq!(
            read(r#"{"participants":[{"id":"1"},"nonsense",{"id":"2"}]}"#),
            2
        );
        assert_eq!(read(r#"{"participants":{"id":"1"}}"#), 1);
        assert_eq!(
            read(r#"{"participants":null}"#) + read("{}") + read(r#"{"participants":3}"#),
            0
        );
    }

    #[test]
    fn nested_messages_keep_their_cursor_and_lose_only_what_does_not_fit() {
        let thread: RawThread = serde_json::from_str(
            r#"{"id":"t_1","messages":{"data":[{"id":"m_1","message":"Hi","attachments":7},4],"paging":{"cursors":{"after":"C"},"next":"https://x/?access_token=T&after=C"}}}"#,
        )
        .unwrap();
        assert_eq!(thread.messages.items.len(), 1);
        assert_eq!(thread.messages.items[0].message.as_deref(), Some("Hi"));
        assert_eq!(thread.messages.after.as_deref(), Some("C"));
    }
}
