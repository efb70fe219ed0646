//! One conversation's head, the person in it, and the numbers beside the views.

use super::{
    facts::Facts,
    list::rows_of,
    window::{STANDARD_MS, text_limit},
};
use crate::{
    api::types::{ConversationView, InboxView, PersonView, Reason, ViewCounts},
    ingest::rows::decode,
    store::StoreError,
};
use sqlx::SqliteConnection;

/// Head and details. `None` when there is no such conversation.
///
/// # Errors
/// What the database says.
pub async fn conversation(
    connection: &mut SqliteConnection,
    id: i64,
    facts: &Facts,
) -> Result<Option<ConversationView>, StoreError> {
    let Some(row) = rows_of(connection, &[id], facts).await?.pop() else {
        return Ok(None);
    };
    let Some(person) = person(connection, id).await? else {
        return Ok(None);
    };
    let more = sqlx::query!("SELECT draft, older_missing, delivered_until_ms, read_until_ms FROM conversations WHERE id = ?", id)
        .fetch_one(connection)
        .await?;
    Ok(Some(ConversationView {
        text_limit: text_limit(row.channel),
        row,
        person,
        draft: more.draft,
        older_missing: more.older_missing != 0,
        delivered_until_ms: more.delivered_until_ms,
        read_until_ms: more.read_until_ms,
    }))
}

/// The person of a conversation. `None` when there is no such conversation.
///
/// # Errors
/// What the database says.
pub async fn person(
    connection: &mut SqliteConnection,
    conversation: i64,
) -> Result<Option<PersonView>, StoreError> {
    let row = sqlx::query!(
        r#"SELECT i.contact_id, i.id AS "identity_id!: i64", i.name, i.username, v.media_id AS "picture?: String", i.profile_source,
             i.profile_fetched_at_ms, i.profile_error, i.follows_us, i.we_follow, i.verified, i.followers, c.first_at_ms, c.messages,
             a.channel,
             (SELECT json_group_array(json_array(o.id, o.account_id, o.last_at_ms)) FROM identities n
               JOIN conversations o ON o.identity_id = n.id WHERE n.contact_id = i.contact_id AND o.id <> c.id AND o.last_key > 0)
               AS "elsewhere!: String"
           FROM conversations c JOIN identities i ON i.id = c.identity_id JOIN accounts a ON a.id = c.account_id
           LEFT JOIN avatars v ON v.identity_id = i.id WHERE c.id = ?"#,
        conversation
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut elsewhere: Vec<(i64, i64, i64)> = decode(&row.elsewhere)?;
    elsewhere.sort_unstable_by_key(|other| std::cmp::Reverse(other.2));
    let flag = |value: Option<i64>| value.map(|value| value != 0);
    Ok(Some(PersonView {
        contact_id: row.contact_id,
        identity_id: row.identity_id,
        profile_url: profile_url(&row.channel, row.username.as_deref()),
        name: row.name,
        username: row.username,
        picture: row.picture,
        profile_source: row.profile_source,
        profile_fetched_at_ms: row.profile_fetched_at_ms,
        profile_error: row
            .profile_error
            .as_deref()
            .and_then(|json| serde_json::from_str::<Reason>(json).ok()),
        follows_us: flag(row.follows_us),
        we_follow: flag(row.we_follow),
        verified: flag(row.verified),
        followers: row.followers,
        first_at_ms: row.first_at_ms,
        messages: row.messages,
        elsewhere,
    }))
}

/// Instagram only: a Page-scoped id is not a profile id (decision A7). A handle with anything else than Instagram's letters is not linked.
fn profile_url(channel: &str, username: Option<&str>) -> Option<String> {
    let username = username.filter(|_| channel == "instagram")?;
    let plain = !username.is_empty()
        && username
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_'));
    plain.then(|| format!("https://www.instagram.com/{username}/"))
}

/// How many conversations each view holds, and how many need you per account.
///
/// # Errors
/// What the database says.
pub async fn counts(
    connection: &mut SqliteConnection,
    account: Option<i64>,
    now_ms: i64,
) -> Result<ViewCounts, StoreError> {
    let since_ms = now_ms - STANDARD_MS;
    let packed = match account {
        None => {
            sqlx::query_scalar!(
                r#"SELECT json_array(
                     (SELECT count(*) FROM conversations WHERE zone = 'needs_you'),
                     (SELECT count(*) FROM conversations WHERE zone = 'needs_you' AND customer_at_ms > ?1),
                     (SELECT count(*) FROM conversations WHERE zone = 'waiting_on_them'),
                     (SELECT count(*) FROM conversations WHERE zone = 'done'),
                     (SELECT count(*) FROM conversations WHERE zone = 'snoozed')) AS "counts!: String""#,
                since_ms
            )
            .fetch_one(&mut *connection)
            .await?
        }
        Some(account) => {
            sqlx::query_scalar!(
                r#"SELECT json_array(
                     (SELECT count(*) FROM conversations WHERE account_id = ?2 AND zone = 'needs_you'),
                     (SELECT count(*) FROM conversations WHERE +account_id = ?2 AND zone = 'needs_you' AND customer_at_ms > ?1),
                     (SELECT count(*) FROM conversations WHERE account_id = ?2 AND zone = 'waiting_on_them'),
                     (SELECT count(*) FROM conversations WHERE account_id = ?2 AND zone = 'done'),
                     (SELECT count(*) FROM conversations WHERE account_id = ?2 AND zone = 'snoozed')) AS "counts!: String""#,
                since_ms,
                account
            )
            .fetch_one(&mut *connection)
            .await?
        }
    };
    let (needs_you, closing, waiting, done, snoozed): (i64, i64, i64, i64, i64) = decode(&packed)?;
    let accounts = sqlx::query_scalar!(
        r#"SELECT json_group_array(json_array(a.id,
             (SELECT count(*) FROM conversations c WHERE c.account_id = a.id AND c.zone = 'needs_you'))) AS "counts!: String" FROM accounts a"#
    )
    .fetch_one(connection)
    .await?;
    Ok(ViewCounts {
        views: vec![
            (InboxView::NeedsYou, needs_you),
            (InboxView::ClosingSoon, closing),
            (InboxView::WaitingOnThem, waiting),
            (InboxView::Done, done),
            (InboxView::All, needs_you + waiting + done + snoozed),
        ],
        accounts: decode(&accounts)?,
    })
}

#[cfg(test)]
mod tests {
    use super::profile_url;

    #[test]
    fn only_a_plain_instagram_handle_becomes_a_link() {
        assert_eq!(
            profile_url("instagram", Some("ana.b_01")).as_deref(),
            Some("https://www.instagram.com/ana.b_01/")
        );
        assert_eq!(profile_url("messenger", Some("ana.b_01")), None);
        assert_eq!(profile_url("instagram", Some("../x?y")), None);
        assert_eq!(profile_url("instagram", Some("")), None);
    }
}
