//! What the shops published and what is said below it, from one text file:
//!
//! ```text
//! == trade ig|fb form age pictures        form: photo, carousel, reel, story, status, visitor; age: m, h, d
//! message or caption, over as many lines as it takes; of a visitor's post the language comes first
//! c de a comment of somebody who speaks German      x de the same, hidden since
//! r de somebody else answers it                     b the account answers it
//! ```
//!
//! Drawn from a stream of its own: the conversations of a seed do not change because a post is added here.

use crate::chance::Chance;
use crate::clock::{DAY, HOUR, MINUTE};
use crate::world::World;
use crate::world::people::Platform;
use crate::world::posts::{Comment, Post, PostForm};

use super::names;
use super::portray;
use super::shops::{self, Shop};

const TEXT: &str = include_str!("../../data/posts.txt");
/// Commenters have other names than the people of the conversations.
const FIRST_COMMENTER: usize = 4_000;

/// One post of the file.
#[derive(Clone, Debug)]
struct Draft {
    trade: String,
    platform: Platform,
    form: PostForm,
    visitor: bool,
    age_ms: i64,
    pictures: Vec<String>,
    text: Vec<String>,
    remarks: Vec<Remark>,
}

#[derive(Clone, Debug)]
struct Remark {
    kind: Kind,
    language: String,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Comment,
    Hidden,
    Answer,
    Account,
}

/// Puts posts and comments into a world that has its shops; `times` repeats what is said below each post.
pub(crate) fn publish(world: &mut World, times: usize) -> Result<(), String> {
    let drafts = read(TEXT)?;
    let own = Chance::seeded(&format!("{}/posts", world.config.seed));
    let conversations = std::mem::replace(&mut world.chance, own);
    let mut commenters = FIRST_COMMENTER;
    for shop in shops::all() {
        let fits =
            |draft: &&Draft| draft.trade == shop.trade && draft.platform == shop.account.platform;
        for draft in drafts.iter().filter(fits) {
            one(world, &shop, draft, times, &mut commenters);
        }
    }
    world.chance = conversations;
    Ok(())
}

fn one(world: &mut World, shop: &Shop, draft: &Draft, times: usize, commenters: &mut usize) {
    let now = world.now_ms();
    let created_ms = now - draft.age_ms - world.chance.between(0, 9 * MINUTE);
    let mut lines = draft.text.clone();
    let visitor = match draft.visitor {
        true => {
            let (language, rest) = lines
                .first()
                .and_then(|line| line.split_once(' '))
                .map(|(language, rest)| (language.to_owned(), rest.to_owned()))
                .unwrap_or_default();
            if let Some(first) = lines.first_mut() {
                *first = rest;
            }
            Some(somebody(world, shop, &language, commenters))
        }
        false => None,
    };
    let mut pictures: Vec<String> = draft
        .pictures
        .iter()
        .map(|word| portray(world, word).path)
        .collect();
    if draft.form == PostForm::Reel {
        pictures.insert(0, portray(world, "clip").path);
    }
    let post = Post {
        id: world.new_post_id(&shop.account),
        account: shop.account.clone(),
        form: draft.form,
        text: lines.join("\n"),
        pictures,
        created_ms,
        updated_ms: created_ms,
        visitor,
        published: true,
        comments_enabled: true,
        likes: u64::try_from(world.chance.between(9, 240)).unwrap_or(9),
        shares: u64::try_from(world.chance.between(0, 12)).unwrap_or(0),
        reactions: Vec::new(),
        shortcode: world.chance.word(11),
        ad: None,
        ended_ms: None,
    };
    let id = post.id.clone();
    world.put_post(post);
    let all = i64::try_from(draft.remarks.len() * times).unwrap_or(1);
    let step = (draft.age_ms / (all + 1)).max(1);
    let mut at = created_ms;
    let mut top: Option<String> = None;
    for remark in (0..times).flat_map(|_| &draft.remarks) {
        at += world.chance.between(step / 2, step);
        let by = match remark.kind {
            Kind::Account => None,
            _ => Some(somebody(world, shop, &remark.language, commenters)),
        };
        let answers = matches!(remark.kind, Kind::Account | Kind::Answer);
        let comment = Comment {
            id: world.new_comment_id(&id, shop.account.platform),
            post: id.clone(),
            parent: top.clone().filter(|_| answers),
            by,
            text: remark.text.clone(),
            picture: None,
            created_ms: at.min(now),
            edited_ms: None,
            hidden: remark.kind == Kind::Hidden,
            likes: u64::try_from(world.chance.between(0, 6)).unwrap_or(0),
            liked_by_account: false,
            private_reply: None,
        };
        if comment.parent.is_none() {
            top = Some(comment.id.clone());
        }
        world.put_comment(comment);
    }
}

/// A commenter: now and then somebody who also wrote, mostly somebody new.
fn somebody(world: &mut World, shop: &Shop, language: &str, commenters: &mut usize) -> String {
    if world.chance.percent(30) {
        let mut known: Vec<String> = world
            .customers
            .values()
            .filter(|person| person.account == shop.account && person.locale.starts_with(language))
            .map(|person| person.id.clone())
            .collect();
        known.sort();
        if let Some(id) = world.chance.pick(&known) {
            return id.clone();
        }
    }
    *commenters += 1;
    names::commenter(world, shop, language, *commenters)
}

fn read(text: &str) -> Result<Vec<Draft>, String> {
    let mut drafts: Vec<Draft> = Vec::new();
    for (index, raw) in text.lines().enumerate() {
        let line = raw.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = || format!("posts.txt, line {}: {line}", index + 1);
        if let Some(head) = line.strip_prefix("== ") {
            drafts.push(draft(head).ok_or_else(place)?);
            continue;
        }
        let draft = drafts.last_mut().ok_or_else(place)?;
        match remark(line) {
            Some(remark) => draft.remarks.push(remark),
            None if draft.remarks.is_empty() => draft.text.push(line.to_owned()),
            None => return Err(place()),
        }
    }
    Ok(drafts)
}

fn draft(head: &str) -> Option<Draft> {
    let mut words = head.split_whitespace();
    let trade = words.next()?.to_owned();
    let platform = match words.next()? {
        "ig" => Platform::Instagram,
        "fb" => Platform::Messenger,
        _ => return None,
    };
    let word = words.next()?;
    let form = match word {
        "photo" => PostForm::Photo,
        "carousel" => PostForm::Carousel,
        "reel" => PostForm::Reel,
        "story" => PostForm::Story,
        "status" | "visitor" => PostForm::Status,
        _ => return None,
    };
    let age = words.next()?;
    let unit = match age.chars().last()? {
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        _ => return None,
    };
    let count: i64 = age.get(..age.len() - 1)?.parse().ok()?;
    let pictures = words.next().unwrap_or_default();
    Some(Draft {
        trade,
        platform,
        form,
        visitor: word == "visitor",
        age_ms: count * unit,
        pictures: pictures
            .split(',')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
        text: Vec::new(),
        remarks: Vec::new(),
    })
}

fn remark(line: &str) -> Option<Remark> {
    let (mark, rest) = line.split_once(' ')?;
    let kind = match mark {
        "c" => Kind::Comment,
        "x" => Kind::Hidden,
        "r" => Kind::Answer,
        "b" => Kind::Account,
        _ => return None,
    };
    let (language, text) = match kind {
        Kind::Account => ("", rest),
        _ => rest.split_once(' ')?,
    };
    Some(Remark {
        kind,
        language: language.to_owned(),
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_account_has_posts_and_every_language_is_spoken_below_them() {
        let drafts = read(TEXT).unwrap();
        for shop in shops::all() {
            let own = drafts.iter().filter(|draft| {
                draft.trade == shop.trade && draft.platform == shop.account.platform
            });
            assert!(own.count() >= 2, "{shop:?}");
        }
        for language in ["de", "en", "es", "ar", "ja"] {
            let spoken = drafts.iter().flat_map(|draft| &draft.remarks);
            assert!(spoken.filter(|one| one.language == language).count() >= 2);
        }
        for draft in &drafts {
            let first = draft.remarks.first().map(|remark| remark.kind);
            assert!(!matches!(first, Some(Kind::Answer)), "{draft:?}");
        }
    }
}
