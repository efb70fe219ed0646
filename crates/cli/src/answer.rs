//! Answers on stdout: one JSON document, or lines for a person.

use crate::{trouble::Trouble, words};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use shopbell_core::{
    Core,
    api::{
        self,
        types::{
            AccountView, CommentPage, CommentView, ConversationPage, MessageView, PersonView,
            PostPage, SearchPage, SignIn,
        },
    },
    doctor::{Finding, Level},
};
use std::io::Write;

/// Calls one use case.
pub async fn call<T: DeserializeOwned>(
    core: &Core,
    name: &str,
    argument: Value,
) -> Result<T, Trouble> {
    let answer = api::dispatch(core, name, argument).await?;
    serde_json::from_value(answer).map_err(|_| Trouble::new("internal", "The answer does not fit."))
}

/// Prints an answer.
pub fn print<T: Serialize + ?Sized>(
    value: &T,
    as_json: bool,
    lines: impl FnOnce(&T) -> Vec<String>,
) {
    let mut out = std::io::stdout().lock();
    if as_json {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        let _ = writeln!(out, "{text}");
    } else {
        for line in lines(value) {
            let _ = writeln!(out, "{line}");
        }
    }
}

/// Prints one of many answers, each on a line of its own.
pub fn print_line(value: &Value, as_json: bool, line: impl FnOnce(&Value) -> String) {
    let text = if as_json {
        value.to_string()
    } else {
        line(value)
    };
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// A moment in this computer's zone.
pub fn time(ms: i64) -> String {
    let Ok(moment) = jiff::Timestamp::from_millisecond(ms) else {
        return String::new();
    };
    moment
        .to_zoned(jiff::tz::TimeZone::system())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

/// A stored word (state, author, channel) as text.
pub fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text.replace('_', " "),
        _ => String::new(),
    }
}

/// Text from outside, without anything that moves a terminal's cursor.
fn safe(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn person(name: &Option<String>, username: &Option<String>) -> String {
    safe(
        name.as_deref()
            .or(username.as_deref())
            .unwrap_or("somebody"),
    )
}

pub fn accounts(accounts: &[AccountView]) -> Vec<String> {
    if accounts.is_empty() {
        return vec!["No account is connected.".into()];
    }
    let line = |a: &AccountView| {
        let why = a
            .reason
            .as_ref()
            .map(|reason| format!(" – {}", words::sentence(reason)))
            .unwrap_or_default();
        format!(
            "{:>4}  {:<9} {:<28} {}{why}  ({} conversations, {} messages)",
            a.id,
            word(&a.channel),
            safe(&a.name),
            word(&a.state),
            a.conversations,
            a.messages
        )
    };
    accounts.iter().map(line).collect()
}

pub fn conversations(page: &ConversationPage) -> Vec<String> {
    page.rows
        .iter()
        .map(|row| {
            let unread = if row.unread > 0 {
                format!(" [{}]", row.unread)
            } else {
                String::new()
            };
            format!(
                "{:>6}  {}  {}{unread}: {}",
                row.id,
                time(row.last_at_ms),
                person(&row.name, &row.username),
                safe(&row.preview)
            )
        })
        .collect()
}

pub fn messages(messages: &[MessageView]) -> Vec<String> {
    messages.iter().map(message).collect()
}

pub fn message(message: &MessageView) -> String {
    let text = message.text.as_deref().map(safe).unwrap_or_default();
    let files: String = message
        .attachments
        .iter()
        .map(|file| format!(" <{}>", file.kind))
        .collect();
    let why = message
        .reason
        .as_ref()
        .map(|reason| format!(" – {}", words::sentence(reason)))
        .unwrap_or_default();
    format!(
        "{:>6}  {}  {} ({}{why}): {text}{files}",
        message.id,
        time(message.sent_at_ms),
        word(&message.author),
        word(&message.state)
    )
}

pub fn posts(page: &PostPage) -> Vec<String> {
    if page.posts.is_empty() {
        return vec!["Nobody has commented yet.".into()];
    }
    page.posts
        .iter()
        .map(|post| {
            let what = post.text.as_deref().or(post.kind.as_deref());
            format!(
                "{:>6}  {}  {} ({} comments)  {}: {}",
                post.id,
                time(post.last_at_ms),
                short(what.unwrap_or("post")),
                post.comments,
                person(&post.last_author, &None),
                safe(&post.last_preview)
            )
        })
        .collect()
}

pub fn comments(page: &CommentPage) -> Vec<String> {
    let mut lines = Vec::new();
    for thread in &page.comments {
        lines.push(comment(&thread.comment, ""));
        lines.extend(thread.answers.iter().map(|answer| comment(answer, "    ")));
    }
    lines
}

fn comment(view: &CommentView, indent: &str) -> String {
    let who = if view.own {
        "us".to_owned()
    } else {
        person(&view.name, &view.username)
    };
    let marks: String = [
        (view.hidden, " (hidden)"),
        (view.removed, " (removed)"),
        (view.edited_at_ms.is_some(), " (edited)"),
        (!view.known, " (not told)"),
        (view.photo.is_some(), " <photo>"),
    ]
    .iter()
    .filter_map(|(is, mark)| is.then_some(*mark))
    .collect();
    let text = view.text.as_deref().map(safe).unwrap_or_default();
    format!(
        "{indent}{:>6}  {}  {who}: {text}{marks}",
        view.id,
        time(view.written_at_ms)
    )
}

/// The first words of a caption.
fn short(text: &str) -> String {
    let line = safe(text);
    match line.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

pub fn search(page: &SearchPage) -> Vec<String> {
    let people = page.people.iter().map(|row| {
        format!(
            "{:>6}  person  {}",
            row.id,
            person(&row.name, &row.username)
        )
    });
    let hits = page.hits.iter().map(|hit| {
        format!(
            "{:>6}  {}  {}: {}",
            hit.conversation_id,
            time(hit.sent_at_ms),
            person(&hit.name, &hit.username),
            safe(&hit.excerpt)
        )
    });
    let mut lines: Vec<String> = people.chain(hits).collect();
    if lines.is_empty() {
        lines.push("Nothing was found.".into());
    }
    lines
}

pub fn one_person(person_view: &PersonView) -> Vec<String> {
    let mut lines = vec![person(&person_view.name, &person_view.username)];
    if let Some(at_ms) = person_view.profile_fetched_at_ms {
        lines.push(format!(
            "as of {} ({})",
            time(at_ms),
            person_view.profile_source
        ));
    }
    lines.extend(person_view.profile_error.as_ref().map(words::sentence));
    lines
}

pub fn sign_in(sign_in: &SignIn) -> Vec<String> {
    let mut lines = vec![format!(
        "Connecting {}: {}",
        word(&sign_in.provider),
        word(&sign_in.step)
    )];
    match word(&sign_in.step).as_str() {
        "waiting" => {
            lines.push(format!("The page must show {}. Open:", sign_in.number));
            lines.push(sign_in.authorize_url.clone());
            lines.push("Then: shopbell-cli connect finish 'shopbell://…'".into());
        }
        "choosing" => lines.push("Then: shopbell-cli connect choose ID…".into()),
        _ => {}
    }
    for account in &sign_in.found {
        let why = account
            .obstacle
            .as_ref()
            .map(|reason| format!(" – {}", words::sentence(reason)))
            .unwrap_or_default();
        lines.push(format!(
            "  {}  {:<9} {}{why}",
            account.platform_id,
            word(&account.channel),
            safe(&account.name)
        ));
    }
    lines.extend(sign_in.refusal.as_ref().map(words::sentence));
    lines
}

pub fn findings(findings: &[Finding]) -> Vec<String> {
    let mark = |level| match level {
        Level::Ok => "ok     ",
        Level::Advice => "advice ",
        Level::Trouble => "TROUBLE",
    };
    findings
        .iter()
        .map(|f| {
            format!(
                "{} {:<12} {}",
                mark(f.level),
                f.subject.replace('_', " "),
                words::sentence(&f.reason)
            )
        })
        .collect()
}
