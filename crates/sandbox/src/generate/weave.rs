//! One conversation: a person, older episodes, the newest one, laid out in time. A conversation that waits
//! for an answer ends right after a question.

use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::world::World;
use crate::world::people::Platform;
use crate::world::threads::{Message, Reaction, Share, Story};

use super::names;
use super::portray;
use super::scripts::{self, By, Episode, Line, Slots};
use super::shops::Shop;

/// The app that the owner answers with before Shopbell came: the platform's own inbox.
const INBOX_APP: &str = "26390203743090";

/// Weaves conversation `number` of a shop whose newest message is `age_ms` old.
pub(crate) fn conversation(
    world: &mut World,
    library: &[Episode],
    shop: &Shop,
    number: usize,
    age_ms: i64,
    episodes: usize,
) {
    let instagram = shop.account.platform == Platform::Instagram;
    let fits =
        |episode: &&Episode| episode.trade == shop.trade && (instagram || !episode.instagram_only);
    let language = language(shop, number);
    let mains: Vec<&Episode> = library
        .iter()
        .filter(fits)
        .filter(|episode| episode.main && episode.language == language)
        .collect();
    let smalls: Vec<&Episode> = library
        .iter()
        .filter(fits)
        .filter(|episode| !episode.main && episode.language == language)
        .collect();
    // Accounts of one shop start at different places of the list: no two tell the same story.
    let turn = same_language_before(shop, number, language)
        + if instagram { 0 } else { offset(shop, language) };
    let Some(newest) = mains.get(turn % mains.len().max(1)) else {
        return;
    };
    let person = names::customer(world, shop, language, number);
    let id = world.open_conversation(shop.account.clone(), &person);
    let waiting = age_ms < 30 * HOUR && world.chance.percent(68);
    let mut told: Vec<(&Episode, Vec<Line>)> = Vec::new();
    let mut lines = newest.lines.clone();
    if waiting {
        cut_at_question(&mut lines);
    }
    told.push((newest, lines));
    // Regulars have more history than the platform shows details of.
    let regular = number % 5 == 2;
    let older = if regular {
        9
    } else {
        1 + world.chance.below(episodes + 1)
    };
    let start = world.chance.below(smalls.len());
    for step in 0..older.min(smalls.len()) {
        if let Some(small) = smalls.get((start + step) % smalls.len()) {
            told.push((small, small.lines.clone()));
        }
    }
    let mut end = world.now_ms() - age_ms;
    let mut messages: Vec<Message> = Vec::new();
    for (index, (_, lines)) in told.iter().enumerate() {
        let spoken = speak(world, &id, &person, lines, end, index == 0);
        let begin = spoken.first().map_or(end, |message| message.created_ms);
        messages.splice(0..0, spoken);
        let pause = world.chance.between(4 * DAY, 38 * DAY);
        end = daytime(begin - pause);
    }
    for message in messages {
        world.put_message(&id, message);
    }
    if let Some(thread) = world.conversations.get_mut(&id) {
        if !waiting {
            thread.unread = 0;
        }
        thread.read_ms = thread.updated_ms;
    }
}

/// The language of a conversation: the shop's list, over and over.
fn language(shop: &Shop, number: usize) -> &'static str {
    shop.languages
        .get(number % shop.languages.len().max(1))
        .copied()
        .unwrap_or("de")
}

fn same_language_before(shop: &Shop, number: usize, spoken: &str) -> usize {
    (0..number)
        .filter(|other| language(shop, *other) == spoken)
        .count()
}

/// How many episodes the other account of the same shop uses up in its small size.
fn offset(shop: &Shop, spoken: &str) -> usize {
    super::shops::all()
        .iter()
        .filter(|other| other.trade == shop.trade && other.account != shop.account)
        .map(|other| {
            (0..other.conversations)
                .filter(|n| language(other, *n) == spoken)
                .count()
        })
        .sum()
}

/// Leaves the exchange at the last customer line that got an answer.
fn cut_at_question(lines: &mut Vec<Line>) {
    let answered = (1..lines.len())
        .rev()
        .find(|at| lines[*at].by == By::Business && lines[at - 1].by == By::Customer);
    if let Some(at) = answered {
        lines.truncate(at);
    }
}

/// A moment of the same day when a shop answers (central European daytime).
fn daytime(ms: i64) -> i64 {
    let local = ms + HOUR;
    let hour = local.rem_euclid(DAY) / HOUR;
    match hour {
        0..=7 => ms + (9 - hour) * HOUR,
        20..=23 => ms - (hour - 18) * HOUR,
        _ => ms,
    }
}

fn speak(
    world: &mut World,
    id: &str,
    person: &str,
    lines: &[Line],
    end: i64,
    newest: bool,
) -> Vec<Message> {
    let thread = world
        .conversations
        .get(id)
        .map(|thread| thread.account.clone());
    let Some(account) = thread else {
        return Vec::new();
    };
    let first = world
        .customers
        .get(person)
        .map(|person| person.first_name.clone())
        .unwrap_or_default();
    let mut slots = Slots::default();
    let mut messages: Vec<Message> = Vec::new();
    let mut now = 0_i64;
    for line in lines {
        if line.by == By::Reaction {
            if let Some(last) = messages.last_mut() {
                let by = if last.from_business {
                    person.to_owned()
                } else {
                    account.id.clone()
                };
                let word = if line.text.starts_with('❤') {
                    "love"
                } else {
                    "other"
                };
                last.reactions.push(Reaction {
                    word: word.into(),
                    emoji: line.text.clone(),
                    by,
                });
            }
            continue;
        }
        let from_business = line.by == By::Business;
        now += match (line.gap_ms, from_business, newest) {
            (Some(gap), ..) => gap,
            (None, true, true) => world.chance.between(MINUTE, 9 * MINUTE),
            (None, true, false) => world.chance.between(2 * MINUTE, 50 * MINUTE),
            (None, false, _) => world.chance.between(20 * SECOND, 6 * MINUTE),
        } + world.chance.between(0, 999);
        let text = scripts::fill(&line.text, &first, &mut slots, &mut world.chance);
        let mut message = Message {
            id: world.new_message_id(account.platform),
            created_ms: now,
            from_business,
            text,
            app_id: from_business.then(|| INBOX_APP.to_owned()),
            ..Message::default()
        };
        mark(world, &mut message, line.mark.as_deref(), account.platform);
        messages.push(message);
    }
    for message in &mut messages {
        message.created_ms += end - now;
    }
    messages
}

/// What a mark in brackets adds to a message.
fn mark(world: &mut World, message: &mut Message, mark: Option<&str>, platform: Platform) {
    match mark {
        None => {}
        Some("sticker") => message.sticker = Some("product/thumb.png".into()),
        Some(word @ ("story" | "mention")) if platform == Platform::Instagram => {
            let number = world.chance.between(1, 6);
            message.story = Some(Story {
                id: world.chance.digits("179", 17),
                mention: word == "mention",
                path: format!("product/story-{number}.jpg"),
            });
        }
        // Messenger has no stories: the words alone remain.
        Some("story" | "mention") => {}
        Some("share") => {
            let id = world.chance.digits("55", 15);
            let link = std::mem::take(&mut message.text);
            message.shares.push(Share {
                id,
                link: link.clone(),
                name: link,
            });
        }
        Some(word) => {
            let picture = portray(world, word);
            message.attachments.push(picture);
        }
    }
}
