//! The verb `events`: what came through the relay and what became of it.

use crate::{
    answer,
    args::{EventVerb, Events, Fate},
    opening,
    trouble::Trouble,
    words,
};
use serde_json::json;
use shopbell_core::{
    Core, OpenAs,
    api::types::{EventPage, EventView},
};

/// Lists events, or has one tried or left.
pub async fn run(core: &Core, asked: &Events, as_json: bool) -> Result<(), Trouble> {
    let (name, id) = match asked.verb {
        None => return list(core, asked, as_json).await,
        Some(EventVerb::Retry { id }) => ("event_retry", id),
        Some(EventVerb::Leave { id }) => ("event_leave", id),
    };
    opening::open(core, OpenAs::Tool).await?;
    let event: EventView = answer::call(core, name, json!({ "id": id })).await?;
    answer::print(&event, as_json, |event| vec![line(event)]);
    Ok(())
}

async fn list(core: &Core, asked: &Events, as_json: bool) -> Result<(), Trouble> {
    opening::open_to_read(core).await?;
    let argument = json!({
        "state": asked.state.map(Fate::word),
        "before": asked.before,
        "limit": asked.limit,
    });
    let page: EventPage = answer::call(core, "events_list", argument).await?;
    answer::print(&page, as_json, |page| {
        if page.rows.is_empty() {
            return vec!["Nothing came yet.".into()];
        }
        page.rows.iter().map(line).collect()
    });
    Ok(())
}

fn line(event: &EventView) -> String {
    let account = event
        .account_id
        .map(|id| format!(" of account {id}"))
        .unwrap_or_default();
    let why = event
        .reason
        .as_ref()
        .map(|reason| format!(" – {}", words::sentence(reason)))
        .unwrap_or_default();
    format!(
        "{:>8}  {}  {}{account}: {}{why}",
        event.id,
        answer::time(event.received_at_ms),
        event.kind,
        event.state.as_str()
    )
}
