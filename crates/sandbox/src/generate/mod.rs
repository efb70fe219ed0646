//! Fills a world with shops, people and conversations, from the seed and the clock alone. Conversations
//! are spread over the last weeks so that some reply windows are open, some about to close, some in the
//! seven days of a human agent, some closed.

pub(crate) mod names;
mod posts;
mod scripts;
mod shops;
mod weave;

use crate::clock::{DAY, HOUR, MINUTE};
use crate::config::Size;
use crate::pictures;
use crate::world::World;
use crate::world::threads::{Attachment, AttachmentKind};
use shops::Shop;

/// How the newest message of each conversation of the small shop is spread, newest first.
const AGES_MS: [i64; 40] = [
    3 * MINUTE,
    11 * MINUTE,
    26 * MINUTE,
    48 * MINUTE,
    75 * MINUTE,
    2 * HOUR,
    3 * HOUR,
    4 * HOUR + 20 * MINUTE,
    6 * HOUR,
    8 * HOUR,
    11 * HOUR,
    14 * HOUR,
    17 * HOUR,
    20 * HOUR,
    22 * HOUR + 10 * MINUTE,
    23 * HOUR + 12 * MINUTE,
    23 * HOUR + 41 * MINUTE,
    26 * HOUR,
    31 * HOUR,
    38 * HOUR,
    2 * DAY + HOUR,
    2 * DAY + 9 * HOUR,
    3 * DAY,
    3 * DAY + 15 * HOUR,
    4 * DAY,
    5 * DAY,
    5 * DAY + 8 * HOUR,
    6 * DAY + 4 * HOUR,
    6 * DAY + 20 * HOUR,
    7 * DAY + 6 * HOUR,
    8 * DAY,
    10 * DAY,
    12 * DAY,
    15 * DAY,
    19 * DAY,
    24 * DAY,
    31 * DAY,
    45 * DAY,
    63 * DAY,
    88 * DAY,
];

/// Builds everything this configuration asks for. The error names a conversation text that does not parse.
pub(crate) fn fill(world: &mut World) -> Result<(), String> {
    shops::settle(world);
    let (factor, episodes) = match world.config.size {
        Size::Empty => return Ok(()),
        Size::Small => (1, 2),
        Size::Medium => (10, 3),
        Size::Large => (50, 3),
    };
    let library = scripts::library()?;
    let mut rank = 0_usize;
    let mut plans: Vec<(Shop, usize)> = Vec::new();
    for shop in shops::all() {
        plans.extend((0..shop.conversations * factor).map(|n| (shop.clone(), n)));
    }
    // Accounts take turns, so that no account has only old conversations.
    let mut order: Vec<(usize, u64)> = (0..plans.len())
        .map(|at| (at, world.chance.next()))
        .collect();
    order.sort_by_key(|(_, key)| *key);
    for (at, _) in order {
        let Some((shop, number)) = plans.get(at).cloned() else {
            continue;
        };
        let age = age_ms(world, rank, plans.len());
        weave::conversation(world, &library, &shop, number, age, episodes);
        rank += 1;
    }
    posts::publish(world, factor)
}

/// The age of the newest message of conversation `rank` of `all`.
fn age_ms(world: &mut World, rank: usize, all: usize) -> i64 {
    let place = rank * AGES_MS.len() / all.max(1);
    let here = AGES_MS.get(place).copied().unwrap_or(DAY);
    let next = AGES_MS.get(place + 1).copied().unwrap_or(here * 2);
    let per_step = (all / AGES_MS.len()).max(1);
    let within = i64::try_from(rank % per_step).unwrap_or(0);
    let steps = i64::try_from(per_step).unwrap_or(1);
    here + (next - here) * within / steps + world.chance.between(0, 40_000)
}

/// The attachment behind a word such as `cake` or `voice`, or behind a URL.
pub(crate) fn portray(world: &mut World, word: &str) -> Attachment {
    let number = world.chance.between(1, 9);
    let id = world.chance.digits("18", 16);
    let (kind, mime, path, size) = match word {
        link if link.starts_with("http") => {
            (AttachmentKind::Image, "image/jpeg", link.to_owned(), (0, 0))
        }
        "voice" => (
            AttachmentKind::Audio,
            "audio/wav",
            format!("voice/{number}.wav"),
            (0, 0),
        ),
        "clip" => (
            AttachmentKind::Video,
            "video/mp4",
            format!("clip/{number}.mp4"),
            (720, 1_280),
        ),
        "pdf" => (
            AttachmentKind::File,
            "application/pdf",
            format!("paper/{number}.pdf"),
            (0, 0),
        ),
        word => (
            AttachmentKind::Image,
            "image/jpeg",
            format!("product/{word}-{number}.jpg"),
            pictures::PRODUCT_SIZE,
        ),
    };
    let name = path.rsplit('/').next().unwrap_or("file").to_owned();
    Attachment {
        id,
        kind,
        mime: mime.to_owned(),
        name,
        size: None,
        width: size.0,
        height: size.1,
        path,
    }
}
