//! What the rows of a page need to know of their accounts. Accounts are few, so they are read once per page.

use super::window;
use crate::{
    api::types::{Reason, WindowView},
    domain::Channel,
    ingest::rows::decode,
    store::StoreError,
};
use serde::Deserialize;
use sqlx::SqliteConnection;
use std::collections::HashMap;

/// Meta's name of the reviewed feature, as listed among the granted permissions.
const HUMAN_AGENT: &str = "human_agent";

/// One account.
#[derive(Debug, Clone)]
pub struct AccountFacts {
    /// Its channel.
    pub channel: Channel,
    lock: Option<Reason>,
    human_agent: bool,
}

/// All accounts, and the moment windows are judged by.
#[derive(Debug, Clone)]
pub struct Facts {
    accounts: HashMap<i64, AccountFacts>,
    sample: bool,
    now_ms: i64,
}

/// Columns in the order of the statement below.
#[derive(Deserialize)]
struct Row {
    id: i64,
    channel: String,
    state: String,
    paused: i64,
    reason: Option<String>,
    granted: Option<String>,
}

impl Facts {
    /// Reads them. `now_ms` is the platform's time; `sample` locks every composer.
    ///
    /// # Errors
    /// What the database says.
    pub async fn read(
        connection: &mut SqliteConnection,
        sample: bool,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        let rows = sqlx::query_scalar!(
            r#"SELECT json_group_array(json_array(a.id, a.channel, a.state, a.paused, a.reason, k.granted)) AS "rows!: String"
               FROM accounts a LEFT JOIN credentials k ON k.id = a.credential_id"#
        )
        .fetch_one(connection)
        .await?;
        let rows: Vec<Row> = decode(&rows)?;
        let accounts = rows
            .into_iter()
            .filter_map(|row| {
                let channel = Channel::parse(&row.channel)?;
                let granted: Vec<String> = row
                    .granted
                    .as_deref()
                    .and_then(|json| serde_json::from_str(json).ok())
                    .unwrap_or_default();
                let reason: Option<Reason> = row
                    .reason
                    .as_deref()
                    .and_then(|json| serde_json::from_str(json).ok());
                let human_agent = granted.iter().any(|name| name == HUMAN_AGENT);
                let lock = lock(&row.state, row.paused != 0, reason.as_ref());
                Some((
                    row.id,
                    AccountFacts {
                        channel,
                        lock,
                        human_agent,
                    },
                ))
            })
            .collect();
        Ok(Self {
            accounts,
            sample,
            now_ms,
        })
    }

    /// One account.
    pub fn account(&self, id: i64) -> Option<&AccountFacts> {
        self.accounts.get(&id)
    }

    /// The platform's time.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// The reply window of a conversation.
    pub fn window(&self, account: i64, customer_at_ms: Option<i64>) -> WindowView {
        let facts = self.account(account);
        let channel = facts.map_or(Channel::Messenger, |facts| facts.channel);
        let lock = match facts {
            _ if self.sample => Some(Reason::new("sample")),
            None => Some(Reason::new("disconnected")),
            Some(facts) => facts.lock.clone(),
        };
        window::of(
            channel,
            customer_at_ms,
            facts.is_some_and(|facts| facts.human_agent),
            self.now_ms,
        )
        .view(lock)
    }
}

/// Why an account cannot send, whatever the window says.
fn lock(state: &str, paused: bool, reason: Option<&Reason>) -> Option<Reason> {
    let code = match state {
        "disconnected" => "disconnected",
        _ if paused => "paused",
        "paused" => "paused",
        "reconnect_now" => "signed_out",
        "blocked" => "blocked",
        "limited"
            if reason.is_some_and(|reason| {
                matches!(
                    reason.code.as_str(),
                    "permission_missing" | "messages_not_allowed"
                )
            }) =>
        {
            "permission_missing"
        }
        _ => return None,
    };
    Some(Reason::new(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_cannot_send_says_why() {
        let code = |state, paused, reason: Option<&str>| {
            lock(state, paused, reason.map(Reason::new).as_ref()).map(|lock| lock.code)
        };
        assert_eq!(code("live", false, None), None);
        assert_eq!(code("live", true, None).as_deref(), Some("paused"));
        assert_eq!(
            code("disconnected", true, None).as_deref(),
            Some("disconnected")
        );
        assert_eq!(
            code("reconnect_now", false, Some("password_changed")).as_deref(),
            Some("signed_out")
        );
        assert_eq!(
            code("limited", false, Some("permission_missing")).as_deref(),
            Some("permission_missing")
        );
        assert_eq!(code("limited", false, Some("rate_limited")), None);
        assert_eq!(code("reconnect_soon", false, None), None);
    }
}
