//! Fills an empty profile from the committed file. Threads and messages have Meta's own shapes in it and go the way of a poll; times are
//! written as "so long before now", so that reply windows are open or closed whenever somebody looks.

use crate::{
    Profile,
    accounts::Access,
    api::ApiError,
    domain::{AccountId, Channel, CredentialId, Incoming, Provider, Source},
    ingest,
    platform::{RawThread, adapter},
    store::{Priority, WriteTx},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;
use shopbell_wire::Secret;
use std::collections::BTreeMap;

/// Written by the sandbox; its layout is described there.
static FILE: &[u8] = include_bytes!("../../../../tests/data/sample-shop.json");
/// Stands for the file's own pictures: an address that passes for one and that no name server knows (RFC 2606).
const FILES: &str = "https://sample.invalid/";
const JPEG: &str = "image/jpeg";

#[derive(Deserialize)]
struct Shop {
    accounts: Vec<Account>,
    profiles: Vec<Person>,
    conversations: Vec<Conversation>,
    files: BTreeMap<String, Picture>,
}

#[derive(Deserialize)]
struct Account {
    platform: Channel,
    id: String,
    name: String,
    username: Option<String>,
    picture: String,
}

#[derive(Deserialize)]
struct Person {
    platform: Channel,
    account_id: String,
    id: String,
    name: Option<String>,
    username: Option<String>,
    avatar: String,
}

#[derive(Deserialize)]
struct Conversation {
    platform: Channel,
    account_id: String,
    updated_offset_ms: i64,
    #[serde(flatten)]
    thread: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct Picture {
    mime: String,
    data: String,
}

type Accounts = BTreeMap<(&'static str, String), Access>;

/// Loads the shop.
pub(super) async fn load(profile: &Profile) -> Result<(), ApiError> {
    let text = String::from_utf8_lossy(FILE).replace("sample://", FILES);
    let shop: Shop =
        serde_json::from_str(&text).map_err(|error| ApiError::internal("sample shop", &error))?;
    let now_ms = profile.now_ms();
    let accounts = put_accounts(profile, &shop.accounts, now_ms).await?;
    for conversation in shop.conversations {
        let Some(access) = accounts.get(&(
            conversation.platform.as_str(),
            conversation.account_id.clone(),
        )) else {
            continue;
        };
        let thread = at_now(conversation, now_ms)?;
        let incoming = Incoming {
            account: access.account,
            source: Source::Sample,
            observed_at_ms: now_ms,
            items: adapter::thread_news(access, &thread),
        };
        ingest::take_in(profile, incoming, Priority::Owner).await?;
    }
    let mut tx = profile.store.write(Priority::Owner).await?;
    for person in &shop.profiles {
        if let Some(access) = accounts.get(&(person.platform.as_str(), person.account_id.clone())) {
            put_person(profile, &mut tx, access.account, person, now_ms).await?;
        }
    }
    for (name, picture) in &shop.files {
        put_picture(&mut tx, &format!("{FILES}{name}"), picture, now_ms).await?;
    }
    tx.tell(crate::api::types::Change::Everything);
    tx.commit().await?;
    Ok(())
}

async fn put_accounts(
    profile: &Profile,
    accounts: &[Account],
    now_ms: i64,
) -> Result<Accounts, ApiError> {
    let mut found = Accounts::new();
    let mut tx = profile.store.write(Priority::Owner).await?;
    for account in accounts {
        let provider = match account.platform {
            Channel::Messenger => Provider::Facebook,
            Channel::Instagram => Provider::Instagram,
        };
        let (uuid, channel, login) = (
            profile.parts.entropy.uuid_v7(now_ms).to_string(),
            account.platform.as_str(),
            provider.as_str(),
        );
        let id = sqlx::query_scalar!(
            r#"INSERT INTO accounts (uuid, channel, provider, platform_id, name, username, state, state_since_ms, created_at_ms)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'live', ?7, ?7) RETURNING id AS "id!: i64""#,
            uuid,
            channel,
            login,
            account.id,
            account.name,
            account.username,
            now_ms
        )
        .fetch_one(&mut *tx)
        .await?;
        let (media_id, bytes) = (media_id(profile, now_ms), decode(&account.picture)?);
        sqlx::query!(
            "INSERT INTO account_pictures (account_id, media_id, mime, bytes, fetched_at_ms) VALUES (?, ?, ?, ?, ?)",
            id,
            media_id,
            JPEG,
            bytes,
            now_ms
        )
        .execute(&mut *tx)
        .await?;
        let access = Access {
            account: AccountId(id),
            channel: account.platform,
            provider,
            platform_id: account.id.clone(),
            page_id: None,
            username: account.username.clone(),
            credential: CredentialId(0),
            token: Secret::new(String::new()),
            proof: None,
        };
        found.insert((channel, account.id.clone()), access);
    }
    tx.commit().await?;
    Ok(found)
}

/// The thread with real times in place of offsets.
fn at_now(conversation: Conversation, now_ms: i64) -> Result<RawThread, ApiError> {
    let mut thread = conversation.thread;
    thread.insert(
        "updated_time".into(),
        (now_ms + conversation.updated_offset_ms).into(),
    );
    let messages = thread
        .get_mut("messages")
        .and_then(|messages| messages.get_mut("data"))
        .and_then(Value::as_array_mut);
    for message in messages
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        if let Some(offset_ms) = message.get("created_offset_ms").and_then(Value::as_i64) {
            message.insert("created_time".into(), (now_ms + offset_ms).into());
        }
    }
    serde_json::from_value(Value::Object(thread))
        .map_err(|error| ApiError::internal("sample thread", &error))
}

async fn put_person(
    profile: &Profile,
    tx: &mut WriteTx<'_>,
    account: AccountId,
    person: &Person,
    now_ms: i64,
) -> Result<(), ApiError> {
    let source = match person.platform {
        Channel::Messenger => "facebook_api",
        Channel::Instagram => "instagram_api",
    };
    let identity = sqlx::query_scalar!(
        r#"UPDATE identities SET name = ?1, username = ?2, profile_source = ?3, profile_fetched_at_ms = ?4, profile_tried_at_ms = ?4
           WHERE account_id = ?5 AND platform_id = ?6 RETURNING id AS "id!: i64""#,
        person.name,
        person.username,
        source,
        now_ms,
        account.0,
        person.id
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(identity) = identity else {
        return Ok(());
    };
    let (media_id, bytes) = (media_id(profile, now_ms), decode(&person.avatar)?);
    sqlx::query!(
        "INSERT INTO avatars (identity_id, media_id, mime, bytes, fetched_at_ms) VALUES (?, ?, ?, ?, ?)",
        identity,
        media_id,
        JPEG,
        bytes,
        now_ms
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps the file of every attachment that links to it, so that nothing is ever asked of a network.
async fn put_picture(
    tx: &mut WriteTx<'_>,
    url: &str,
    picture: &Picture,
    now_ms: i64,
) -> Result<(), ApiError> {
    let bytes = decode(&picture.data)?;
    sqlx::query!(
        "INSERT INTO media_blobs (media_id, mime, bytes, fetched_at_ms)
         SELECT media_id, ?1, ?2, ?3 FROM attachments WHERE url = ?4 AND media_id IS NOT NULL",
        picture.mime,
        bytes,
        now_ms,
        url
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn media_id(profile: &Profile, now_ms: i64) -> String {
    profile.parts.entropy.uuid_v7(now_ms).simple().to_string()
}

fn decode(text: &str) -> Result<Vec<u8>, ApiError> {
    STANDARD
        .decode(text)
        .map_err(|error| ApiError::internal("sample picture", &error))
}
