//! Inbox, search and people, as the boundary offers them.

use super::{ApiError, types::*};
use crate::{
    Core, Profile, contacts,
    domain::{ConversationId, ConversationState},
    inbox::{self, PageError, Place, facts::Facts},
    search::{self, Scope, Terms},
    store::ReadGuard,
};
use std::sync::Arc;

/// Longest draft kept, bytes: far beyond any platform's limit.
const LONGEST_DRAFT: usize = 64 * 1024;
/// Longest search text, bytes.
const LONGEST_SEARCH: usize = 1024;
/// People shown above the hits.
const PEOPLE: u32 = 5;

fn limit(limit: u32, most: u32) -> Result<u32, ApiError> {
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(ApiError::new("bad_argument", "The limit is out of range.").with_field("limit"))
}

fn sort_key(text: &str, field: &str) -> Result<i64, ApiError> {
    text.parse()
        .map_err(|_| ApiError::new("bad_argument", "Not a sort key.").with_field(field))
}

fn there(found: bool) -> Result<Nothing, ApiError> {
    if found {
        Ok(Nothing {})
    } else {
        Err(ApiError::not_found("conversation"))
    }
}

async fn facts(profile: &Profile, connection: &mut ReadGuard<'_>) -> Result<Facts, ApiError> {
    let sample = profile.kind == ProfileKind::Sample;
    Ok(Facts::read(connection, sample, profile.graph.platform_now_ms()).await?)
}

/// One page of a view.
///
/// # Errors
/// `bad_argument` for a limit outside 1 to 200 or a cursor of something else.
pub async fn conversations_list(
    core: &Core,
    argument: ConversationsQuery,
) -> Result<ConversationPage, ApiError> {
    limit(argument.limit, 200)?;
    let profile = core.profile()?;
    let mut connection = profile.store.read().await?;
    let facts = facts(&profile, &mut connection).await?;
    inbox::page(&mut connection, &argument, &facts)
        .await
        .map_err(|error| match error {
            PageError::Cursor(_) => {
                ApiError::new("bad_argument", "Not a cursor of this list.").with_field("cursor")
            }
            PageError::Store(error) => error.into(),
        })
}

/// Numbers beside the views.
///
/// # Errors
/// What the database says.
pub async fn view_counts(core: &Core, argument: CountsQuery) -> Result<ViewCounts, ApiError> {
    let profile = core.profile()?;
    let mut connection = profile.store.read().await?;
    Ok(inbox::counts(
        &mut connection,
        argument.account_id,
        profile.graph.platform_now_ms(),
    )
    .await?)
}

/// Head and details of one conversation.
///
/// # Errors
/// `not_found`.
pub async fn conversation_get(core: &Core, argument: ById) -> Result<ConversationView, ApiError> {
    let profile = core.profile()?;
    let mut connection = profile.store.read().await?;
    let facts = facts(&profile, &mut connection).await?;
    let found = inbox::conversation(&mut connection, argument.id, &facts).await?;
    found.ok_or_else(|| ApiError::not_found("conversation"))
}

/// The owner looks at a conversation: it is read, and the person's profile is fetched anew in the background.
///
/// # Errors
/// `not_found`.
pub async fn conversation_opened(core: &Core, argument: ById) -> Result<Nothing, ApiError> {
    let profile = core.profile()?;
    let id = ConversationId(argument.id);
    // A profile held by another program cannot be written; looking at it still works.
    if !profile.store.is_read_only() {
        there(inbox::opened(&profile.store, id).await?)?;
        let task = Arc::clone(&profile);
        profile.spawn(async move { contacts::refresh_opened(&task, id).await });
    }
    Ok(Nothing {})
}

/// Unread again, or read.
///
/// # Errors
/// `not_found`, also for a conversation in which no customer wrote.
pub async fn conversation_set_unread(
    core: &Core,
    argument: SetUnread,
) -> Result<Nothing, ApiError> {
    let profile = core.profile()?;
    there(inbox::set_unread(&profile.store, ConversationId(argument.id), argument.unread).await?)
}

/// Open or done.
///
/// # Errors
/// `bad_argument` for another state, `not_found`.
pub async fn conversation_set_state(core: &Core, argument: SetState) -> Result<Nothing, ApiError> {
    if !matches!(
        argument.state,
        ConversationState::Open | ConversationState::Resolved
    ) {
        return Err(
            ApiError::new("bad_argument", "Only open and resolved can be set.").with_field("state"),
        );
    }
    let profile = core.profile()?;
    there(inbox::set_state(&profile.store, ConversationId(argument.id), argument.state).await?)
}

/// Keeps a draft; empty removes it.
///
/// # Errors
/// `too_long`, `not_found`.
pub async fn draft_set(core: &Core, argument: DraftSet) -> Result<Nothing, ApiError> {
    if argument.text.len() > LONGEST_DRAFT {
        return Err(ApiError::new("too_long", "The draft is too long to keep.").with_field("text"));
    }
    let profile = core.profile()?;
    there(inbox::set_draft(&profile.store, ConversationId(argument.id), &argument.text).await?)
}

/// A stretch of a thread.
///
/// # Errors
/// `bad_argument` for a limit outside 1 to 200, a key that is none, or several places at once.
pub async fn messages_list(core: &Core, argument: MessagesQuery) -> Result<MessagePage, ApiError> {
    let limit = limit(argument.limit, 200)?;
    let place = match (&argument.before, &argument.after, &argument.around) {
        (None, None, None) => Place::Newest,
        (Some(key), None, None) => Place::Before(sort_key(key, "before")?),
        (None, Some(key), None) => Place::After(sort_key(key, "after")?),
        (None, None, Some(key)) => Place::Around(sort_key(key, "around")?),
        _ => return Err(ApiError::new("bad_argument", "At most one place.").with_field("before")),
    };
    let profile = core.profile()?;
    let mut connection = profile.store.read().await?;
    Ok(inbox::messages(
        &mut connection,
        argument.conversation_id,
        place,
        limit,
        profile.now_ms(),
    )
    .await?)
}

/// Searches messages, and on the first page people.
///
/// # Errors
/// `bad_argument` for a limit outside 1 to 100 or a cursor that is none, `too_long`.
pub async fn search(core: &Core, argument: SearchQuery) -> Result<SearchPage, ApiError> {
    let limit = limit(argument.limit, 100)?;
    if argument.text.len() > LONGEST_SEARCH {
        return Err(ApiError::new("too_long", "The search text is too long.").with_field("text"));
    }
    let before = argument
        .cursor
        .as_deref()
        .map(|cursor| sort_key(cursor, "cursor"))
        .transpose()?;
    let terms = Terms::parse(&argument.text);
    let scope = Scope {
        account: argument.account_id,
        conversation: argument.conversation_id,
    };
    let profile = core.profile()?;
    let mut connection = profile.store.read().await?;
    let found = search::messages(&mut connection, &terms, scope, before, limit).await?;
    let mut page = SearchPage {
        people: Vec::new(),
        hits: found.hits,
        next: found.next.map(|key| key.to_string()),
        did_you_mean: Vec::new(),
    };
    if before.is_none() && scope.conversation.is_none() {
        let people = search::people(&mut connection, &terms, scope.account, PEOPLE).await?;
        if !people.is_empty() {
            let facts = facts(&profile, &mut connection).await?;
            page.people = inbox::rows_of(&mut connection, &people, &facts).await?;
        }
    }
    if before.is_none() && page.hits.is_empty() && page.people.is_empty() {
        page.did_you_mean = search::suggest(&mut connection, &terms).await?;
    }
    Ok(page)
}

/// Fetches the person of a conversation anew, whatever was fetched before (but at most once a minute).
///
/// # Errors
/// `not_found`; a platform that does not answer is no error but `profile_error` in the answer.
pub async fn profile_refresh(core: &Core, argument: ById) -> Result<PersonView, ApiError> {
    let profile = core.profile()?;
    contacts::refresh_conversation(&profile, ConversationId(argument.id), true).await?;
    let mut connection = profile.store.read().await?;
    let found = inbox::person(&mut connection, argument.id).await?;
    found.ok_or_else(|| ApiError::not_found("conversation"))
}
