//! Verbs that hold the profile and wait for its tasks: `sync`, `send` and `listen`.

use crate::{answer, opening, trouble::Trouble, words};
use serde_json::{Value, json};
use shopbell_core::{
    Core, OpenAs,
    api::types::{AccountView, MessagePage, MessageView, RelayStatus, SyncStatus},
    domain::MessageState,
};
use std::{collections::BTreeMap, time::Duration};
use tokio::sync::broadcast::Receiver;

/// Looks again after this even when nothing was told.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Fetches news of one account or all; answers when every one of them has nothing left to do.
pub async fn sync(core: &Core, account: Option<i64>, as_json: bool) -> Result<(), Trouble> {
    opening::open(core, OpenAs::Program).await?;
    let accounts: Vec<AccountView> = answer::call(core, "accounts_list", Value::Null).await?;
    let wanted: Vec<i64> = accounts
        .iter()
        .map(|a| a.id)
        .filter(|id| account.is_none_or(|only| only == *id))
        .collect();
    if wanted.is_empty() && account.is_some() {
        return Err(Trouble::new("not_found", "There is no such account."));
    }
    let before: BTreeMap<i64, Option<i64>> = status(core)
        .await?
        .into_iter()
        .map(|s| (s.account_id, s.last_poll_at_ms))
        .collect();
    let mut news = core.changes().listen();
    for id in &wanted {
        answer::call::<SyncStatus>(core, "sync_now", json!({ "id": id })).await?;
    }
    let done = loop {
        let now: Vec<SyncStatus> = status(core)
            .await?
            .into_iter()
            .filter(|s| wanted.contains(&s.account_id))
            .collect();
        let rests = |s: &SyncStatus| match s.state.as_str() {
            "importing" | "polling" => false,
            "idle" => s.last_poll_at_ms != before.get(&s.account_id).copied().flatten(),
            _ => true,
        };
        if now.len() == wanted.len() && now.iter().all(rests) {
            break now;
        }
        next(&mut news).await?;
    };
    answer::print(&done, as_json, |done| {
        done.iter()
            .map(|s| {
                format!(
                    "{:>4}  {}  {} messages fetched",
                    s.account_id, s.state, s.messages
                )
            })
            .collect()
    });
    Ok(())
}

async fn status(core: &Core) -> Result<Vec<SyncStatus>, Trouble> {
    answer::call(core, "sync_status", Value::Null).await
}

/// Sends a text; answers when it left, failed, is not sure, or has to wait for something.
pub async fn send(
    core: &Core,
    conversation: i64,
    text: &str,
    as_json: bool,
) -> Result<(), Trouble> {
    opening::open(core, OpenAs::Program).await?;
    let mut news = core.changes().listen();
    let key = uuid::Uuid::new_v4().to_string();
    let argument = json!({ "conversation_id": conversation, "text": text, "key": key });
    let mut message: MessageView = answer::call(core, "message_send", argument).await?;
    while !rests(&message) {
        next(&mut news).await?;
        let around =
            json!({ "conversation_id": conversation, "around": message.sort_key, "limit": 20 });
        let page: MessagePage = answer::call(core, "messages_list", around).await?;
        message = match page
            .messages
            .into_iter()
            .find(|found| found.id == message.id)
        {
            Some(found) => found,
            None => return Err(Trouble::new("not_found", "The message is gone.")),
        };
    }
    answer::print(&message, as_json, |message| vec![answer::message(message)]);
    match (&message.state, message.reason) {
        (MessageState::Failed, Some(reason)) => Err(Trouble::from(reason)),
        (MessageState::Failed, None) => Err(Trouble::new("failed", "The message was refused.")),
        _ => Ok(()),
    }
}

/// Takes events in until it is interrupted, or for so many seconds; says where the stream stands whenever that changes.
pub async fn listen(core: &Core, seconds: Option<u64>, as_json: bool) -> Result<(), Trouble> {
    opening::open(core, OpenAs::Program).await?;
    let mut news = core.changes().listen();
    let mut told = None;
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let over = async {
        match seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    let mut over = std::pin::pin!(over);
    loop {
        let now: RelayStatus = answer::call(core, "relay_status", json!({})).await?;
        let why = now.reason.as_ref();
        let stands = (now.state, now.committed, now.behind, why.cloned());
        if told.as_ref() != Some(&stands) {
            told = Some(stands);
            answer::print_line(
                &json!({ "state": now.state, "committed": now.committed, "behind": now.behind, "reason": why }),
                as_json,
                |_| {
                    let why = why.map(|why| format!(" ({})", words::sentence(why)));
                    format!(
                        "{}{}, {} events taken in",
                        answer::word(&now.state),
                        why.unwrap_or_default(),
                        now.committed
                    )
                },
            );
        }
        tokio::select! {
            _ = news.recv() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            _ = &mut interrupted => return Ok(()),
            () = &mut over => return Ok(()),
        }
    }
}

/// Final, not sure, or waiting with a reason.
fn rests(message: &MessageView) -> bool {
    match message.state {
        MessageState::Scheduled | MessageState::Sending => false,
        MessageState::Queued => message.reason.is_some(),
        _ => true,
    }
}

/// Something changed, or it is time to look again.
async fn next<T: Clone>(news: &mut Receiver<T>) -> Result<(), Trouble> {
    tokio::select! {
        _ = news.recv() => Ok(()),
        () = tokio::time::sleep(LOOK_AGAIN) => Ok(()),
        _ = tokio::signal::ctrl_c() => Err(Trouble::new("cancelled", "Given up waiting. Nothing is lost.")),
    }
}
