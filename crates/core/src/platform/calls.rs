//! The calls of the Graph API that the product makes, one function each (facts sheet §3.1, §4, §5, §6).

use super::{
    Call, GraphClient, GraphError, Lane, Page, PageToken, RawMe, RawMention, RawMessage, RawPost,
    RawProfile, RawThread, RenewedToken,
    client::{Ask, Caller},
    page::RawPaging,
    raw::{self, RawSubscription},
};
use crate::{
    accounts::Access,
    domain::{Channel, Provider},
};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use shopbell_wire::Secret;

/// A text to a customer.
#[derive(Clone)]
pub struct SendRequest {
    /// PSID or IGSID.
    pub recipient: String,
    /// Text.
    pub text: String,
    /// Message it answers.
    pub reply_to_mid: Option<String>,
    /// Written by a person after the 24 hours, with the human-agent tag.
    pub human_agent: bool,
    /// Comes back in Messenger's echo; not sent on Instagram, which drops it.
    pub metadata: Option<String>,
}

/// Meta accepted a message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SendAnswer {
    /// PSID or IGSID; missing for some kinds of recipient.
    #[serde(default)]
    pub recipient_id: Option<String>,
    /// Message id.
    pub message_id: String,
}

/// The first answer of a list.
#[derive(Deserialize)]
struct RawList {
    #[serde(default)]
    data: Value,
    #[serde(default)]
    paging: Option<RawPaging>,
}

#[derive(Deserialize)]
struct Success {
    success: Value,
}

/// Webhook fields of a Page (facts sheet §3.1; an Instagram account linked to it is subscribed through it).
const PAGE_FIELDS: &[&str] = &[
    "messages",
    "message_echoes",
    "message_deliveries",
    "message_reads",
    "message_reactions",
    "message_edits",
    "messaging_postbacks",
    "messaging_referrals",
    "messaging_handovers",
    "feed",
];
/// Webhook fields of an Instagram account with Instagram Login; one name brings all that the app has.
const INSTAGRAM_FIELDS: &[&str] = &[
    "messages",
    "message_reactions",
    "message_edit",
    "messaging_postbacks",
    "messaging_seen",
    "messaging_referral",
    "messaging_handover",
    "comments",
    "live_comments",
];

const MEDIA_FIELDS: &str = "id,caption,media_type,media_product_type,media_url,thumbnail_url,permalink,timestamp,username,owner";
const MESSAGE_FIELDS: &str = "id,created_time,from,to,message,attachments,shares,reactions,sticker,story,reply_to,is_unsupported";
const MESSAGE_FIELDS_INSTAGRAM: &str =
    "id,created_time,from,to,message,attachments,shares,reactions,story,reply_to,is_unsupported";
/// Most items of one page.
const MAX_LIMIT: u32 = 100;
/// How often a list may be asked for with half the limit.
const HALVINGS: u32 = 4;

fn message_fields(channel: Channel) -> &'static str {
    match channel {
        Channel::Messenger => MESSAGE_FIELDS,
        Channel::Instagram => MESSAGE_FIELDS_INSTAGRAM,
    }
}

impl Access {
    /// The node of lists, sends and subscriptions: the Page on the Facebook route, also for its Instagram account.
    fn node(&self) -> &str {
        self.page_id.as_deref().unwrap_or(&self.platform_id)
    }
}

impl GraphClient {
    /// Threads, most recently changed first. `nested` > 0 brings that many newest messages with each (Meta details at most 20).
    ///
    /// # Errors
    /// As answered; `Permission` when the account does not allow apps to read.
    pub async fn conversations(
        &self,
        access: &Access,
        after: Option<&str>,
        limit: u32,
        nested: u32,
        lane: Lane,
    ) -> Result<Page<RawThread>, GraphError> {
        self.threads(access, after, limit, nested, None, lane).await
    }

    /// The thread with one person, if there is one: where to look whether a send arrived.
    ///
    /// # Errors
    /// As answered.
    pub async fn conversation_with(
        &self,
        access: &Access,
        person: &str,
        nested: u32,
        lane: Lane,
    ) -> Result<Option<RawThread>, GraphError> {
        let page = self
            .threads(access, None, 1, nested, Some(person), lane)
            .await?;
        Ok(page.items.into_iter().next())
    }

    async fn threads(
        &self,
        access: &Access,
        after: Option<&str>,
        limit: u32,
        nested: u32,
        person: Option<&str>,
        lane: Lane,
    ) -> Result<Page<RawThread>, GraphError> {
        let mut fields = String::from("id,updated_time,participants");
        if access.channel == Channel::Messenger {
            fields.push_str(",message_count,unread_count");
        }
        if nested > 0 {
            fields.push_str(&format!(
                ",messages.limit({nested}){{{}}}",
                message_fields(access.channel)
            ));
        }
        let node = match access.provider {
            Provider::Facebook => access.node(),
            Provider::Instagram => "me",
        };
        let mut query = vec![
            ("platform", access.channel.as_str().to_owned()),
            ("fields", fields),
        ];
        if let Some(person) = person {
            query.push(("user_id", person.to_owned()));
        }
        self.list(
            access,
            &[node, "conversations"],
            query,
            after,
            limit,
            lane,
            true,
        )
        .await
    }

    /// Messages of a thread, newest first.
    ///
    /// # Errors
    /// As answered; [`GraphError::is_deleted_or_older`] when Meta shows no older ones.
    pub async fn thread_messages(
        &self,
        access: &Access,
        thread: &str,
        after: Option<&str>,
        limit: u32,
        lane: Lane,
    ) -> Result<Page<RawMessage>, GraphError> {
        let query = vec![("fields", message_fields(access.channel).to_owned())];
        self.list(
            access,
            &[thread, "messages"],
            query,
            after,
            limit,
            lane,
            false,
        )
        .await
    }

    /// One message.
    ///
    /// # Errors
    /// As answered; [`GraphError::is_deleted_or_older`] beyond the newest 20 of its thread.
    pub async fn message(
        &self,
        access: &Access,
        mid: &str,
        lane: Lane,
    ) -> Result<RawMessage, GraphError> {
        let path = [mid];
        let mut ask = Ask::get(Call::Read, lane, &path);
        ask.query
            .push(("fields", message_fields(access.channel).to_owned()));
        ask.conversation = true;
        self.ask(&Caller::of(access), ask).await
    }

    /// Sends a text. There is no idempotency key: see [`super::RetryKind::Ambiguous`].
    ///
    /// # Errors
    /// As answered; `reached: false` means that it certainly was not sent.
    pub async fn send(
        &self,
        access: &Access,
        request: &SendRequest,
    ) -> Result<SendAnswer, GraphError> {
        let path = [access.node(), "messages"];
        let mut ask = Ask::get(Call::Send, Lane::Send, &path);
        ask.method = Method::POST;
        ask.body = Some(send_body(access, request));
        self.ask(&Caller::of(access), ask).await
    }

    /// A post of a Page, or a medium of Instagram.
    ///
    /// # Errors
    /// As answered.
    pub async fn post(&self, access: &Access, id: &str, lane: Lane) -> Result<RawPost, GraphError> {
        let path = [id];
        let mut ask = Ask::get(Call::Read, lane, &path);
        let fields = match access.channel {
            Channel::Messenger => {
                "id,message,created_time,permalink_url,full_picture,status_type,from"
            }
            Channel::Instagram => MEDIA_FIELDS,
        };
        ask.query.push(("fields", fields.to_owned()));
        self.ask(&Caller::of(access), ask).await
    }

    /// A medium of somebody else whose caption names our Instagram account.
    ///
    /// # Errors
    /// As answered.
    pub async fn mentioning_post(&self, access: &Access, id: &str) -> Result<RawPost, GraphError> {
        let fields = format!(
            "mentioned_media.media_id({}){{id,caption,media_type,media_product_type,media_url,thumbnail_url,permalink,timestamp,username}}",
            plain(id)
        );
        let answer: Mentioning = self.mentioning(access, fields).await?;
        Ok(answer.mentioned_media.unwrap_or_default())
    }

    /// A comment that names our Instagram account on somebody else's medium.
    ///
    /// # Errors
    /// As answered.
    pub async fn mentioning_comment(
        &self,
        access: &Access,
        id: &str,
    ) -> Result<RawMention, GraphError> {
        let fields = format!(
            "mentioned_comment.comment_id({}){{id,text,timestamp,username,media{{id}}}}",
            plain(id)
        );
        let answer: Mentioning = self.mentioning(access, fields).await?;
        Ok(answer.mentioned_comment.unwrap_or_default())
    }

    async fn mentioning(&self, access: &Access, fields: String) -> Result<Mentioning, GraphError> {
        let path = [access.platform_id.as_str()];
        let mut ask = Ask::get(Call::Read, Lane::Background, &path);
        ask.query.push(("fields", fields));
        self.ask(&Caller::of(access), ask).await
    }

    /// A customer's profile.
    ///
    /// # Errors
    /// As answered; code 230 when the person never wrote.
    pub async fn profile(&self, access: &Access, person: &str) -> Result<RawProfile, GraphError> {
        let path = [person];
        let mut ask = Ask::get(Call::Profile, Lane::Background, &path);
        let fields = match access.channel {
            Channel::Messenger => "id,name,first_name,last_name,profile_pic",
            Channel::Instagram => {
                "id,name,username,profile_pic,follower_count,is_user_follow_business,is_business_follow_user,is_verified_user"
            }
        };
        ask.query.push(("fields", fields.to_owned()));
        self.ask(&Caller::of(access), ask).await
    }

    /// Our own account; the cheapest question that needs a living token.
    ///
    /// # Errors
    /// As answered.
    pub async fn me(&self, access: &Access) -> Result<RawMe, GraphError> {
        let (path, fields) = match (access.provider, access.channel) {
            (Provider::Instagram, _) => (["me"], "id,user_id,username,name,profile_picture_url"),
            (Provider::Facebook, Channel::Messenger) => {
                ([access.node()], "id,name,username,picture{url}")
            }
            (Provider::Facebook, Channel::Instagram) => (
                [access.platform_id.as_str()],
                "id,username,name,profile_picture_url",
            ),
        };
        let mut ask = Ask::get(Call::Account, Lane::Interactive, &path);
        ask.query.push(("fields", fields.to_owned()));
        ask.own_node = true;
        let answer: Value = self.ask(&Caller::of(access), ask).await?;
        Ok(raw::items(answer).into_iter().next().unwrap_or_default())
    }

    /// Switches the account's events on. Doing it twice changes nothing.
    ///
    /// # Errors
    /// As answered.
    pub async fn subscribe(&self, access: &Access) -> Result<(), GraphError> {
        let fields = match access.provider {
            Provider::Facebook => PAGE_FIELDS,
            Provider::Instagram => INSTAGRAM_FIELDS,
        };
        self.subscription(
            access,
            Method::POST,
            vec![("subscribed_fields", fields.join(","))],
        )
        .await
    }

    /// Switches the account's events off.
    ///
    /// # Errors
    /// As answered.
    pub async fn unsubscribe(&self, access: &Access) -> Result<(), GraphError> {
        self.subscription(access, Method::DELETE, Vec::new()).await
    }

    async fn subscription(
        &self,
        access: &Access,
        method: Method,
        query: Vec<(&'static str, String)>,
    ) -> Result<(), GraphError> {
        let path = [access.node(), "subscribed_apps"];
        let mut ask = Ask::get(Call::Subscribe, Lane::Interactive, &path);
        ask.method = method;
        ask.query = query;
        ask.own_node = true;
        let answer: Success = self.ask(&Caller::of(access), ask).await?;
        // `true` and the text "true" both occur in Meta's samples. Anything else is read back by the caller anyway.
        let said_yes =
            answer.success == Value::Bool(true) || answer.success == Value::String("true".into());
        tracing::debug!(account = access.account.0, said_yes, "subscription changed");
        Ok(())
    }

    /// The fields the account is subscribed to; empty when events are off.
    ///
    /// # Errors
    /// As answered.
    pub async fn subscribed_fields(&self, access: &Access) -> Result<Vec<String>, GraphError> {
        let path = [access.node(), "subscribed_apps"];
        let mut ask = Ask::get(Call::Subscribe, Lane::Interactive, &path);
        ask.own_node = true;
        let list: RawList = self.ask(&Caller::of(access), ask).await?;
        let mut fields: Vec<String> = raw::items::<RawSubscription>(list.data)
            .into_iter()
            .flat_map(|app| app.subscribed_fields)
            // Some samples list texts, others objects with a name.
            .filter_map(|field| match field {
                Value::String(name) => Some(name),
                Value::Object(map) => map.get("name").and_then(Value::as_str).map(str::to_owned),
                _ => None,
            })
            .collect();
        fields.sort();
        fields.dedup();
        Ok(fields)
    }

    /// Fresh tokens of the person's Pages, with a living Facebook user token.
    ///
    /// # Errors
    /// As answered.
    pub async fn page_tokens(
        &self,
        user_token: &Secret,
        proof: Option<&Secret>,
    ) -> Result<Vec<PageToken>, GraphError> {
        let caller = Caller {
            account: None,
            provider: Provider::Facebook,
            keys: vec!["app:facebook".into()],
            token: user_token,
            proof,
        };
        let mut pages = Vec::new();
        let mut guard = super::CursorGuard::default();
        let mut after = None;
        loop {
            let mut ask = Ask::get(Call::Account, Lane::Interactive, &["me", "accounts"]);
            ask.query = vec![
                ("fields", "id,access_token".to_owned()),
                ("limit", MAX_LIMIT.to_string()),
            ];
            ask.query
                .extend(after.map(|cursor: String| ("after", cursor)));
            let list: RawList = self.ask(&caller, ask).await?;
            pages.extend(raw::items::<PageToken>(list.data));
            match list
                .paging
                .and_then(RawPaging::after)
                .filter(|cursor| guard.admit(cursor))
            {
                Some(cursor) => after = Some(cursor),
                None => return Ok(pages),
            }
        }
    }

    /// Renews an Instagram token that is at least a day old and still alive. Needs no secret.
    ///
    /// # Errors
    /// As answered.
    pub async fn renew_instagram(&self, access: &Access) -> Result<RenewedToken, GraphError> {
        let mut ask = Ask::get(Call::Account, Lane::Background, &["refresh_access_token"]);
        ask.query.push(("grant_type", "ig_refresh_token".into()));
        ask.unversioned = true;
        self.ask(&Caller::of(access), ask).await
    }

    /// One page of a list; asks again with half the limit when Meta wants less data at once (code 1).
    #[allow(clippy::too_many_arguments, reason = "one private place for all lists")]
    async fn list<T: serde::de::DeserializeOwned>(
        &self,
        access: &Access,
        path: &[&str],
        query: Vec<(&'static str, String)>,
        after: Option<&str>,
        limit: u32,
        lane: Lane,
        own_node: bool,
    ) -> Result<Page<T>, GraphError> {
        let mut limit = limit.clamp(1, MAX_LIMIT);
        let mut halvings = 0;
        loop {
            let mut ask = Ask::get(Call::Read, lane, path);
            ask.query = query.clone();
            ask.query.push(("limit", limit.to_string()));
            ask.query
                .extend(after.map(|cursor| ("after", cursor.to_owned())));
            ask.conversation = true;
            ask.own_node = own_node;
            match self.ask::<RawList>(&Caller::of(access), ask).await {
                Ok(list) => {
                    // The cursor we came with, again: the list would never end.
                    let next = list
                        .paging
                        .and_then(RawPaging::after)
                        .filter(|next| Some(next.as_str()) != after);
                    return Ok(Page {
                        items: raw::items(list.data),
                        after: next,
                        limit,
                    });
                }
                Err(error) if error.code == Some(1) && limit > 1 && halvings < HALVINGS => {
                    limit = (limit / 2).max(1);
                    halvings += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Who names us, where Meta tells only ids (facts sheet §3.9).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Mentioning {
    mentioned_media: Option<RawPost>,
    mentioned_comment: Option<RawMention>,
}

/// An id inside a list of fields: nothing that could end it there.
fn plain(id: &str) -> String {
    id.chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
        .collect()
}

/// The body of a send (facts sheet §5.2).
fn send_body(access: &Access, request: &SendRequest) -> Value {
    let mut message = json!({ "text": request.text });
    if access.channel == Channel::Messenger
        && let Some(metadata) = &request.metadata
    {
        message["metadata"] = json!(metadata);
    }
    let mut body = json!({ "recipient": { "id": request.recipient }, "message": message });
    if request.human_agent {
        body["messaging_type"] = json!("MESSAGE_TAG");
        body["tag"] = json!("HUMAN_AGENT");
    } else if access.provider == Provider::Facebook {
        body["messaging_type"] = json!("RESPONSE");
    }
    if let Some(mid) = &request.reply_to_mid {
        body["reply_to"] = json!({ "mid": mid });
    }
    body
}
