#![allow(clippy::unwrap_used)]
mod content;
mod hostile;
mod messaging;

use super::{EntryNews, entry};
use crate::domain::{Channel, IncomingItem, IncomingMessage};
use serde_json::{Value, json};

/// The shop's Page and the boutique's Instagram account.
const PAGE: &str = "1001";
const BOUTIQUE: &str = "17841400000000001";
/// When Meta sent the entry, in both of its units.
const SENT_MS: i64 = 1_764_000_000_123;

/// An entry with one list of one event.
fn of_page(list: &str, event: Value) -> EntryNews {
    read(Channel::Messenger, "page", PAGE, list, event)
}

fn of_instagram(list: &str, event: Value) -> EntryNews {
    read(Channel::Instagram, "instagram", BOUTIQUE, list, event)
}

fn read(channel: Channel, object: &str, us: &str, list: &str, event: Value) -> EntryNews {
    let body = json!({"object": object, "entry": {"id": us, "time": SENT_MS, list: [event]}});
    entry(channel, us, body.to_string().as_bytes()).unwrap()
}

/// One event of the customer Ana on the Page.
fn from_ana(key: &str, payload: Value) -> Value {
    json!({"sender": {"id": "7011"}, "recipient": {"id": PAGE}, "timestamp": 1_764_000_000_001_i64, key: payload})
}

/// One event of the customer Bea on Instagram.
fn from_bea(key: &str, payload: Value) -> Value {
    json!({"sender": {"id": "9001"}, "recipient": {"id": BOUTIQUE}, "timestamp": 1_764_000_000_001_i64, key: payload})
}

/// Everything that was told, one line each: items, then what was left out.
fn lines(news: &EntryNews) -> Vec<String> {
    let items = news.items.iter().map(line);
    let ignored = news.ignored.iter().map(|why| format!("ignored {why}"));
    items.chain(ignored).collect()
}

fn line(item: &IncomingItem) -> String {
    match item {
        IncomingItem::Message(message) => message_line(message),
        IncomingItem::Reaction(r) => {
            let by = if r.by_customer { "customer" } else { "us" };
            format!(
                "reaction {} {by} {} {:?} {}",
                r.mid, r.person, r.emoji, r.at_ms
            )
        }
        IncomingItem::Edit {
            mid,
            text,
            num_edit,
            at_ms,
        } => format!("edit {mid} {text:?} {num_edit} {at_ms}"),
        IncomingItem::Unsend { mid, at_ms } => format!("unsend {mid} {at_ms}"),
        IncomingItem::Delivered {
            person,
            watermark_ms,
        } => format!("delivered {person} {watermark_ms}"),
        IncomingItem::Read {
            person,
            watermark_ms,
            mid,
            ..
        } => format!("read {person} {watermark_ms:?} {mid:?}"),
        IncomingItem::Announced { mid, .. } => format!("announced {mid}"),
        IncomingItem::Referral(r) => {
            format!(
                "referral {} {} {:?} window={} {}",
                r.person, r.kind, r.label, r.opens_window, r.at_ms
            )
        }
        IncomingItem::Control {
            person,
            ours,
            at_ms,
        } => format!("control {person} ours={ours} {at_ms}"),
        IncomingItem::Policy {
            action,
            reason,
            at_ms,
        } => format!("policy {action:?} {reason:?} {at_ms}"),
        IncomingItem::Post(p) => format!(
            "post {} own={:?} kind={:?} {:?} link={:?} picture={:?} at={:?}",
            p.platform_id, p.own, p.kind, p.text, p.permalink, p.picture, p.posted_at_ms
        ),
        IncomingItem::PostRemoved { post, at_ms } => format!("post removed {post} {at_ms}"),
        IncomingItem::Comment(c) => {
            let author = c.author.as_ref().map(|a| {
                let name = a.name.as_deref().or(a.username.as_deref()).unwrap_or("-");
                format!("{}/{name}", a.platform_id)
            });
            let marks: String = [
                (c.own, " own"),
                (c.live, " live"),
                (c.edited, " edited"),
                (c.photo.is_some(), " photo"),
            ]
            .iter()
            .filter_map(|(is, word)| is.then_some(*word))
            .collect();
            format!(
                "comment {} on {} kind={:?} under {:?} by {} {:?} written={} text_at={}{marks}",
                c.platform_id,
                c.post.platform_id,
                c.post.kind,
                c.parent,
                author.unwrap_or("?".into()),
                c.text,
                c.written_at_ms,
                c.text_at_ms
            )
        }
        IncomingItem::CommentHidden {
            comment,
            post,
            hidden,
            at_ms,
        } => {
            format!("comment {comment} of {post:?} hidden={hidden} {at_ms}")
        }
        IncomingItem::CommentRemoved {
            comment,
            post,
            at_ms,
        } => format!("comment {comment} of {post:?} removed {at_ms}"),
        IncomingItem::Mention { post, comment, .. } => format!("mention {post} {comment:?}"),
        IncomingItem::Thread(_) => "thread".into(),
    }
}

fn message_line(m: &IncomingMessage) -> String {
    let mut line = format!(
        "{} {} {} {}",
        m.author.as_str(),
        m.mid,
        m.person.platform_id,
        m.sent_at_ms
    );
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            line.push_str(&format!(" {name}={value}"));
        }
    };
    add("text", m.text.as_ref().map(|text| format!("{text:?}")));
    for file in &m.attachments {
        let shown = [
            ("url", file.url.as_ref()),
            ("name", file.name.as_ref()),
            ("link", file.link.as_ref()),
        ];
        let shown: Vec<String> = shown
            .iter()
            .filter_map(|(name, value)| value.map(|value| format!("{name}:{value}")))
            .collect();
        add("file", Some(format!("{}[{}]", file.kind, shown.join(" "))));
    }
    add("reply", m.reply_to_mid.clone());
    add(
        "story",
        m.story
            .as_ref()
            .map(|s| format!("{} {:?} {:?}", s.kind, s.id, s.url)),
    );
    add("tap", m.tap.as_ref().map(|tap| format!("{tap:?}")));
    add(
        "from",
        m.referral
            .as_ref()
            .map(|(kind, label)| format!("{kind} {label:?}")),
    );
    add("app", m.app_id.clone());
    add("meta", m.metadata.clone());
    for (is, word) in [
        (m.standby, " standby"),
        (m.unsupported, " unsupported"),
        (m.opens_window, " window"),
    ] {
        line.push_str(if is { word } else { "" });
    }
    line
}
