//! The list. One packed row per page; keyset over an index for every view, so depth costs nothing.

use super::{cursor, facts::Facts, window};
use crate::{
    api::types::{ConversationPage, ConversationRow, ConversationsQuery, InboxView},
    domain::{Author, Channel, ConversationState, MessageState},
    ingest::rows::{decode, encode},
    store::StoreError,
};
use serde::Deserialize;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

/// Why a page could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The cursor is not of this list.
    #[error(transparent)]
    Cursor(#[from] cursor::BadCursor),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a row shows, over conversations `c` that were picked before.
const COLUMNS: &str = "SELECT json_group_array(json_array(c.id, c.account_id, i.name, i.username, v.media_id, c.preview, c.preview_kind, \
     c.last_author, c.last_at_ms, c.unread, c.state, c.customer_at_ms, c.trouble, c.draft IS NOT NULL, c.last_key)) FROM (";
const JOINS: &str = ") c CROSS JOIN identities i ON i.id = c.identity_id LEFT JOIN avatars v ON v.identity_id = c.identity_id";

/// Columns in the order of [`COLUMNS`].
#[derive(Deserialize)]
struct Row {
    id: i64,
    account: i64,
    name: Option<String>,
    username: Option<String>,
    picture: Option<String>,
    preview: String,
    preview_kind: Option<String>,
    last_author: Option<String>,
    last_at_ms: i64,
    unread: i64,
    state: String,
    customer_at_ms: Option<i64>,
    trouble: Option<String>,
    has_draft: i64,
    last_key: i64,
}

impl Row {
    fn view(self, facts: &Facts) -> ConversationRow {
        ConversationRow {
            id: self.id,
            account_id: self.account,
            channel: facts
                .account(self.account)
                .map_or(Channel::Messenger, |account| account.channel),
            name: self.name,
            username: self.username,
            picture: self.picture,
            preview: self.preview,
            preview_kind: self.preview_kind,
            last_author: self.last_author.as_deref().and_then(Author::parse),
            last_at_ms: self.last_at_ms,
            unread: self.unread,
            state: ConversationState::parse(&self.state).unwrap_or(ConversationState::Open),
            window: facts.window(self.account, self.customer_at_ms),
            trouble: self.trouble.as_deref().and_then(MessageState::parse),
            has_draft: self.has_draft != 0,
        }
    }
}

/// How a view is stored in `conversations.zone`.
fn zone(view: InboxView) -> Option<&'static str> {
    match view {
        InboxView::NeedsYou | InboxView::ClosingSoon => Some("needs_you"),
        InboxView::WaitingOnThem => Some("waiting_on_them"),
        InboxView::Done => Some("done"),
        InboxView::All => None,
    }
}

/// The statement of a page.
pub(super) fn statement(
    query: &ConversationsQuery,
    now_ms: i64,
) -> Result<QueryBuilder<Sqlite>, cursor::BadCursor> {
    let place = query.cursor.as_deref().map(cursor::read).transpose()?;
    let closing = query.view == InboxView::ClosingSoon;
    let mut sql = QueryBuilder::new(COLUMNS);
    sql.push("SELECT * FROM conversations WHERE ");
    match zone(query.view) {
        Some(zone) => {
            sql.push("zone = ").push_bind(zone);
        }
        // Hidden until a new message reopens it (decision C5).
        None => {
            sql.push("last_key > 0 AND zone <> 'archived'");
        }
    }
    if let Some(account) = query.account_id {
        // Closing soon walks its own index; the few open windows are sifted.
        sql.push(if closing {
            " AND +account_id = "
        } else {
            " AND account_id = "
        })
        .push_bind(account);
    }
    if closing {
        sql.push(" AND customer_at_ms > ")
            .push_bind(now_ms - window::STANDARD_MS);
        if let Some((at_ms, id)) = place {
            sql.push(" AND (customer_at_ms, id) > (")
                .push_bind(at_ms)
                .push(", ")
                .push_bind(id)
                .push(")");
        }
        sql.push(" ORDER BY customer_at_ms, id LIMIT ");
    } else {
        if let Some((key, id)) = place {
            sql.push(" AND (last_key, id) < (")
                .push_bind(key)
                .push(", ")
                .push_bind(id)
                .push(")");
        }
        sql.push(" ORDER BY last_key DESC, id DESC LIMIT ");
    }
    sql.push_bind(i64::from(query.limit) + 1).push(JOINS);
    Ok(sql)
}

/// One page of a view.
///
/// # Errors
/// A cursor of something else, or what the database says.
pub async fn page(
    connection: &mut SqliteConnection,
    query: &ConversationsQuery,
    facts: &Facts,
) -> Result<ConversationPage, PageError> {
    let mut sql = statement(query, facts.now_ms())?;
    let packed: String = sql
        .build_query_scalar()
        .fetch_one(connection)
        .await
        .map_err(StoreError::from)?;
    let mut rows: Vec<Row> = decode(&packed)?;
    // An aggregate keeps the order of its input in practice, not by promise.
    if query.view == InboxView::ClosingSoon {
        rows.sort_unstable_by_key(|row| (row.customer_at_ms, row.id));
    } else {
        rows.sort_unstable_by_key(|row| std::cmp::Reverse((row.last_key, row.id)));
    }
    let more = rows.len() > query.limit as usize;
    rows.truncate(query.limit as usize);
    let next = rows.last().filter(|_| more).map(|last| match query.view {
        InboxView::ClosingSoon => cursor::write(last.customer_at_ms.unwrap_or(0), last.id),
        _ => cursor::write(last.last_key, last.id),
    });
    Ok(ConversationPage {
        rows: rows.into_iter().map(|row| row.view(facts)).collect(),
        next,
    })
}

/// Rows of named conversations, in the order asked; those that are not there are left out.
///
/// # Errors
/// What the database says.
pub async fn rows_of(
    connection: &mut SqliteConnection,
    ids: &[i64],
    facts: &Facts,
) -> Result<Vec<ConversationRow>, StoreError> {
    let mut sql = QueryBuilder::<Sqlite>::new(COLUMNS);
    sql.push("SELECT k.* FROM json_each(")
        .push_bind(encode(ids))
        .push(") j CROSS JOIN conversations k ON k.id = j.value")
        .push(JOINS);
    let packed: String = sql.build_query_scalar().fetch_one(connection).await?;
    let mut rows: Vec<Row> = decode(&packed)?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
    Ok(rows.into_iter().map(|row| row.view(facts)).collect())
}
