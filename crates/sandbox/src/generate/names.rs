//! Who writes: names of five languages with user names to match. Every customer is one person at one
//! account; the same name at two accounts is two people, as on the platform. Given names alternate
//! between women's and men's, so that faces can fit them.

use super::shops::Shop;
use crate::world::World;
use crate::world::people::{Account, Customer, Platform};

/// First name, last name, and how a user name writes them.
type Name = (&'static str, &'static str);

const GERMAN: (&[&str], &[&str]) = (
    &[
        "Lena",
        "Jonas",
        "Mareike",
        "Tobias",
        "Annika",
        "Felix",
        "Greta",
        "Henning",
        "Svenja",
        "Matthias",
        "Klara",
        "Julian",
        "Birgit",
        "Oskar",
        "Theresa",
        "Kilian",
        "Ingrid",
        "Ruben",
        "Franziska",
        "Emil",
        "Heike",
        "Malte",
        "Aylin",
        "Cem",
    ],
    &[
        "Brandt",
        "Schäfer",
        "Wörner",
        "Hoffmann",
        "Yılmaz",
        "Lindner",
        "Grünwald",
        "Petersen",
        "Kessler",
        "Vogt",
        "Jäger",
        "Bergmann",
        "Seidel",
        "Ohlsen",
        "Krämer",
        "Nowak",
        "Winkler",
        "Hahn",
        "Ritter",
        "Baumgärtner",
        "Fuchs",
        "Dietrich",
        "Schnell",
        "Albers",
    ],
);
const SPANISH: (&[&str], &[&str]) = (
    &[
        "Lucía", "Mateo", "Carmen", "Diego", "Sofía", "Álvaro", "Inés", "Pablo", "Marta", "Javier",
        "Elena", "Sergio",
    ],
    &[
        "García", "Romero", "Castillo", "Ortega", "Navarro", "Molina", "Peña", "Ibáñez", "Serrano",
        "Vidal", "Cano", "Ríos",
    ],
);
const ENGLISH: (&[&str], &[&str]) = (
    &[
        "Hannah", "Oliver", "Priya", "Jack", "Maeve", "Noah", "Zoe", "Callum", "Grace", "Kwame",
        "Ruby", "Ethan",
    ],
    &[
        "Walker", "O'Brien", "Patel", "Clarke", "Murphy", "Evans", "Reid", "Osei", "Bennett",
        "Hughes", "Foster", "Quinn",
    ],
);
/// Arabic names with their Latin spelling.
const ARABIC: (&[Name], &[Name]) = (
    &[
        ("ليلى", "layla"),
        ("يوسف", "youssef"),
        ("نور", "nour"),
        ("كريم", "karim"),
        ("هدى", "huda"),
        ("سامي", "sami"),
        ("رنا", "rana"),
        ("عمر", "omar"),
    ],
    &[
        ("حداد", "haddad"),
        ("منصور", "mansour"),
        ("الخطيب", "alkhatib"),
        ("نجار", "najjar"),
        ("سليمان", "sleiman"),
        ("عيسى", "issa"),
        ("درويش", "darwish"),
        ("قاسم", "qasim"),
    ],
);
/// Japanese names, family name first as they are written.
const JAPANESE: (&[Name], &[Name]) = (
    &[
        ("佐藤", "sato"),
        ("高橋", "takahashi"),
        ("渡辺", "watanabe"),
        ("小林", "kobayashi"),
        ("山本", "yamamoto"),
        ("中村", "nakamura"),
        ("吉田", "yoshida"),
        ("井上", "inoue"),
    ],
    &[
        ("陽菜", "hina"),
        ("蓮", "ren"),
        ("美咲", "misaki"),
        ("悠真", "yuma"),
        ("さくら", "sakura"),
        ("大輔", "daisuke"),
        ("結衣", "yui"),
        ("健太", "kenta"),
    ],
);

/// The customer of conversation `number` of a shop.
pub(crate) fn customer(world: &mut World, shop: &Shop, language: &str, number: usize) -> String {
    let shift = shop.trade.len() * 5
        + if shop.account.platform == Platform::Instagram {
            0
        } else {
            13
        };
    let (first, last, latin, woman) = named(language, number + shift);
    let locale = match language {
        "es" => "es_ES",
        "en" => "en_GB",
        "ar" => "ar_AR",
        "ja" => "ja_JP",
        _ => "de_DE",
    };
    let username = world.user_name(&latin);
    let id = create(world, &shop.account, first, last, username, locale);
    if let Some(person) = world.customers.get_mut(&id) {
        person.picture = format!("avatar/{}-{id}.jpg", if woman { 'w' } else { 'm' });
    }
    id
}

/// Spreads the pairs so that neighbours share neither name.
fn named(language: &str, at: usize) -> (String, String, String, bool) {
    let plain = |(firsts, lasts): (&[&str], &[&str])| {
        let first = firsts.get(at % firsts.len()).copied().unwrap_or_default();
        let last = lasts
            .get((at * 7 + at / firsts.len()) % lasts.len())
            .copied()
            .unwrap_or_default();
        let latin = format!("{first}.{last}");
        (
            first.to_owned(),
            last.to_owned(),
            latin,
            (at % firsts.len()).is_multiple_of(2),
        )
    };
    let written = |(firsts, lasts): (&[Name], &[Name])| {
        let first = firsts.get(at % firsts.len()).copied().unwrap_or_default();
        let last = lasts
            .get((at * 3 + at / firsts.len()) % lasts.len())
            .copied()
            .unwrap_or_default();
        let latin = format!("{}.{}", first.1, last.1);
        // The second list holds the given names in Japanese, where the family name comes first.
        let given = if language == "ja" {
            (at * 3 + at / firsts.len()) % lasts.len()
        } else {
            at % firsts.len()
        };
        (
            first.0.to_owned(),
            last.0.to_owned(),
            latin,
            given.is_multiple_of(2),
        )
    };
    match language {
        "es" => plain(SPANISH),
        "en" => plain(ENGLISH),
        "ar" => written(ARABIC),
        "ja" => written(JAPANESE),
        _ => plain(GERMAN),
    }
}

/// A person of this name who has only commented so far.
pub(crate) fn stranger(world: &mut World, account: &Account, name: &str) -> String {
    let id = newcomer(world, account, name);
    estrange(world, &id);
    id
}

/// A commenter of a shop, named as its customers are; `number` beyond those of the conversations.
pub(crate) fn commenter(world: &mut World, shop: &Shop, language: &str, number: usize) -> String {
    let id = customer(world, shop, language, number);
    estrange(world, &id);
    id
}

fn estrange(world: &mut World, id: &str) {
    if let Some(mut person) = world.customers.remove(id) {
        person.consented = false;
        world.strangers.insert(id.to_owned(), person);
    }
}

/// A person of this name, unknown to the account until now.
pub(crate) fn newcomer(world: &mut World, account: &Account, name: &str) -> String {
    let (first, last) = name.split_once(' ').unwrap_or((name, ""));
    let username = world.user_name(name);
    create(
        world,
        account,
        first.to_owned(),
        last.to_owned(),
        username,
        "de_DE",
    )
}

fn create(
    world: &mut World,
    account: &Account,
    first: String,
    last: String,
    username: String,
    locale: &str,
) -> String {
    let id = world.new_customer_id(account.platform);
    let customer = Customer {
        id: id.clone(),
        account: account.clone(),
        first_name: first,
        last_name: last,
        username,
        locale: locale.to_owned(),
        picture: format!("avatar/{id}.jpg"),
        followers: u64::try_from(world.chance.between(40, 2_600)).unwrap_or(40),
        follows_business: world.chance.percent(70),
        followed_by_business: world.chance.percent(8),
        verified: world.chance.percent(1),
        consented: account.platform == Platform::Messenger,
        nameless: false,
        profile_missing: false,
        blocked: false,
        last_contact_ms: 0,
    };
    world.customers.insert(id.clone(), customer);
    id
}

impl World {
    /// A user name in the platform's letters, with a number now and then.
    fn user_name(&mut self, name: &str) -> String {
        let mut out = String::new();
        for letter in name.to_lowercase().chars() {
            match letter {
                'ä' => out.push_str("ae"),
                'ö' => out.push_str("oe"),
                'ü' => out.push_str("ue"),
                'ß' => out.push_str("ss"),
                'á' => out.push('a'),
                'é' => out.push('e'),
                'í' | 'ı' => out.push('i'),
                'ó' => out.push('o'),
                'ú' => out.push('u'),
                'ñ' => out.push('n'),
                ' ' => out.push('.'),
                letter if letter.is_ascii_alphanumeric() || letter == '.' => out.push(letter),
                _ => {}
            }
        }
        if out.is_empty() {
            out.push_str("guest");
        }
        match self.chance.below(4) {
            0 => format!("{}_{}", out.replace('.', "_"), self.chance.between(2, 99)),
            1 => out.replace('.', ""),
            2 => format!("{out}{}", self.chance.between(81, 99)),
            _ => out,
        }
    }
}
