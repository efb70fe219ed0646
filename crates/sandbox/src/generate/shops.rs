//! The businesses and the people who own them. Their ids do not depend on the seed, so that scripts and
//! fixtures can name them.

use crate::world::World;
use crate::world::people::{Account, InstagramAccount, Owner, Page};

/// One account of a shop, with what is said there.
#[derive(Clone, Debug)]
pub(crate) struct Shop {
    pub(crate) account: Account,
    /// Which texts: `bakery`, `boutique` or `bikes`.
    pub(crate) trade: &'static str,
    /// How many conversations in the small shop.
    pub(crate) conversations: usize,
    /// The languages of its conversations, in turn.
    pub(crate) languages: &'static [&'static str],
}

pub(crate) const BAKERY: &str = "100000000000101";
pub(crate) const BOUTIQUE: &str = "100000000000102";
pub(crate) const BIKES: &str = "100000000000103";
const POTTERY: &str = "100000000000104";
pub(crate) const BAKERY_IG: &str = "17841400000000001";
pub(crate) const BOUTIQUE_IG: &str = "17841400000000002";
/// The agency's Pages: more than one page of `/me/accounts`.
const AGENCY_PAGES: usize = 120;

/// The accounts that have conversations.
pub(crate) fn all() -> Vec<Shop> {
    let shop = |account, trade, conversations, languages| Shop {
        account,
        trade,
        conversations,
        languages,
    };
    vec![
        shop(
            Account::instagram(BAKERY_IG),
            "bakery",
            12,
            &[
                "de", "en", "de", "es", "de", "ja", "de", "de", "ar", "de", "en", "de",
            ],
        ),
        shop(
            Account::messenger(BAKERY),
            "bakery",
            8,
            &["de", "de", "en", "de", "ar", "de", "es", "ja"],
        ),
        shop(
            Account::instagram(BOUTIQUE_IG),
            "boutique",
            10,
            &["es", "en", "ja", "de", "es", "ar", "en", "es", "de", "ja"],
        ),
        shop(
            Account::messenger(BOUTIQUE),
            "boutique",
            4,
            &["de", "en", "es", "ar"],
        ),
        shop(
            Account::messenger(BIKES),
            "bikes",
            6,
            &["de", "en", "de", "de", "en", "de"],
        ),
    ]
}

/// Classic roles on a Page.
const TASKS: [&str; 6] = [
    "ADVERTISE",
    "ANALYZE",
    "CREATE_CONTENT",
    "MESSAGING",
    "MODERATE",
    "MANAGE",
];
/// The words of the new Pages experience.
const PLUS_TASKS: [&str; 6] = [
    "PROFILE_PLUS_MESSAGING",
    "PROFILE_PLUS_MODERATE",
    "PROFILE_PLUS_ANALYZE",
    "PROFILE_PLUS_CREATE_CONTENT",
    "PROFILE_PLUS_ADVERTISE",
    "PROFILE_PLUS_FULL_CONTROL",
];

struct Sign<'a> {
    id: &'a str,
    name: &'a str,
    username: &'a str,
    category: (&'a str, &'a str),
    about: &'a str,
    instagram: Option<&'a str>,
    fans: u64,
    logo: &'a str,
    plus: bool,
}

fn open(world: &mut World, sign: &Sign<'_>) {
    let tasks: &[&str] = if sign.plus { &PLUS_TASKS } else { &TASKS };
    let page = Page {
        id: sign.id.into(),
        name: sign.name.into(),
        username: sign.username.into(),
        category: (sign.category.0.into(), sign.category.1.into()),
        about: sign.about.into(),
        tasks: tasks.iter().map(|task| (*task).to_owned()).collect(),
        instagram: sign.instagram.map(str::to_owned),
        fans: sign.fans,
        picture: format!("page/{}.jpg", sign.logo),
    };
    world.pages.insert(page.id.clone(), page);
}

/// Puts owners, Pages and Instagram accounts into the world.
pub(crate) fn settle(world: &mut World) {
    let signs = [
        Sign {
            id: BAKERY,
            name: "Bäckerei Kornblume",
            username: "baeckereikornblume",
            category: ("128673187201735", "Bakery"),
            about: "Sauerteig, Kuchen und Frühstück seit 1987",
            instagram: Some(BAKERY_IG),
            fans: 2_412,
            logo: "bread",
            plus: false,
        },
        Sign {
            id: BOUTIQUE,
            name: "Maison Lune",
            username: "maisonlune.boutique",
            category: ("1035", "Women's Clothing Store"),
            about: "Kleine Boutique, faire Mode, Versand in die EU",
            instagram: Some(BOUTIQUE_IG),
            fans: 5_377,
            logo: "moon",
            plus: true,
        },
        Sign {
            id: BIKES,
            name: "Speiche & Kette",
            username: "speicheundkette",
            category: ("197888373555475", "Bicycle Repair Service"),
            about: "Fahrradwerkstatt am Kanal",
            instagram: None,
            fans: 861,
            logo: "spoke",
            plus: false,
        },
        Sign {
            id: POTTERY,
            name: "Töpferei Meyer",
            username: "toepfereimeyer",
            category: ("2603", "Arts & Crafts Store"),
            about: "Handgedrehte Keramik",
            instagram: None,
            fans: 204,
            logo: "pot",
            plus: true,
        },
    ];
    for sign in &signs {
        open(world, sign);
    }
    let mut agency = Vec::new();
    for number in 1..=AGENCY_PAGES {
        let id = format!("1099{number:011}");
        let (name, username) = (format!("Kunde {number:03}"), format!("kunde{number:03}"));
        open(
            world,
            &Sign {
                id: &id,
                name: &name,
                username: &username,
                category: ("2256", "Local Business"),
                about: "",
                instagram: None,
                fans: 40,
                logo: &username,
                plus: number % 2 == 0,
            },
        );
        agency.push(id);
    }
    let shops = vec![BAKERY.to_owned(), BOUTIQUE.to_owned(), BIKES.to_owned()];
    let people = [
        ("120000000000001", "Johanna", "Kornblum", shops),
        ("120000000000002", "Nils", "Nagel", Vec::new()),
        ("120000000000003", "Mona", "Meyer", vec![POTTERY.to_owned()]),
        ("120000000000004", "Astrid", "Lund", agency),
    ];
    for (id, first, last, pages) in people {
        let owner = Owner {
            id: id.into(),
            first_name: first.into(),
            last_name: last.into(),
            pages,
        };
        world.owners.insert(owner.id.clone(), owner);
    }
    let accounts = [
        (
            BAKERY_IG,
            "2460000000000001",
            "1020000000000001",
            "kornblume.brot",
            "Bäckerei Kornblume",
            "Sauerteig aus Leidenschaft 🌾",
            3_918,
            "bread",
        ),
        (
            BOUTIQUE_IG,
            "2460000000000002",
            "1020000000000002",
            "maison.lune",
            "Maison Lune",
            "Faire Mode · Freiburg 🌙",
            11_204,
            "moon",
        ),
    ];
    for (id, scoped, token, username, name, biography, followers, logo) in accounts {
        let account = InstagramAccount {
            id: id.into(),
            app_scoped_id: scoped.into(),
            // The size of the real thing: as a JSON number it does not survive a double.
            token_user_id: format!("1784{}", &token[3..]),
            username: username.into(),
            name: name.into(),
            account_type: "BUSINESS".into(),
            biography: biography.into(),
            followers,
            follows: 211,
            media: 347,
            picture: format!("page/{logo}.jpg"),
            messages_allowed: true,
            private: false,
        };
        world.instagram.insert(account.id.clone(), account);
    }
}
