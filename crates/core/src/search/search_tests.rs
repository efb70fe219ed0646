#![allow(clippy::unwrap_used)]
//! The index against a plain walk through all texts, and what a person sees of it.

use super::*;
use crate::{
    domain::{AccountId, Channel, Source},
    ingest::testing::*,
    profile::testing::Opened,
};
use proptest::prelude::*;

async fn find(shop: &Opened, query: &str, scope: Scope) -> Vec<String> {
    let mut connection = shop.profile.store.read().await.unwrap();
    let terms = Terms::parse(query);
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = messages(&mut connection, &terms, scope, before, 3)
            .await
            .unwrap();
        found.extend(page.hits.iter().map(|hit| hit.message_id));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let mut mids = Vec::new();
    for id in found {
        let mid: String = sqlx::query_scalar("SELECT mid FROM messages WHERE id = ?")
            .bind(id)
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        mids.push(mid);
    }
    mids
}

async fn fill(shop: &Opened, account: AccountId, who: &str, texts: &[&str]) {
    let items = texts.iter().enumerate().map(|(n, text)| {
        let n = i64::try_from(n).unwrap();
        item(from(who, &format!("m_{who}_{n}"), MORNING + n * 1000, text))
    });
    tell(shop, account, Source::Webhook, items.collect()).await;
}

#[tokio::test]
async fn newest_first_whatever_the_script() {
    let shop = shop().await;
    fill(
        &shop,
        BAKERY,
        "7011",
        &[
            "Zwei Crème brûlée bitte",
            "メロンパンください",
            "أريد الخبز والخبز الطازج",
            "creme ohne Zucker",
            "Danke 🥐🥐",
        ],
    )
    .await;
    let all = Scope::default();
    assert_eq!(find(&shop, "creme", all).await, ["m_7011_3", "m_7011_0"]);
    assert_eq!(find(&shop, "CRÈME brul", all).await, ["m_7011_0"]);
    assert_eq!(find(&shop, "パン", all).await, ["m_7011_1"]);
    assert_eq!(find(&shop, "ロ", all).await, ["m_7011_1"]);
    assert_eq!(
        find(&shop, "い", all).await,
        ["m_7011_1"],
        "the last letter of a run"
    );
    assert_eq!(find(&shop, "خبز", all).await, ["m_7011_2"]);
    assert_eq!(find(&shop, "🥐", all).await, ["m_7011_4"]);
    assert_eq!(find(&shop, "reme", all).await, Vec::<String>::new());
    assert_eq!(find(&shop, "", all).await, Vec::<String>::new());
    assert_eq!(find(&shop, "\" OR *", all).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_hit_shows_where_it_is_and_whose() {
    let shop = shop().await;
    tell(
        &shop,
        BOUTIQUE,
        Source::Poll,
        vec![
            thread(named("9001", "Carmen Ruiz"), "t", MORNING, None),
            item(from(
                "9001",
                "i_1",
                MORNING,
                "¿Tenéis la blusa azul? 👗 La BLUSA de ayer",
            )),
        ],
    )
    .await;
    let mut connection = shop.profile.store.read().await.unwrap();
    let page = messages(
        &mut connection,
        &Terms::parse("blusa"),
        Scope::default(),
        None,
        50,
    )
    .await
    .unwrap();
    let hit = &page.hits[0];
    assert_eq!(
        (hit.account_id, hit.channel, hit.name.as_deref()),
        (BOUTIQUE.0, Channel::Instagram, Some("Carmen Ruiz"))
    );
    let units: Vec<u16> = hit.excerpt.encode_utf16().collect();
    let marked: Vec<String> = hit
        .marks
        .iter()
        .map(|(a, b)| String::from_utf16(&units[*a as usize..*b as usize]).unwrap())
        .collect();
    assert_eq!(marked, ["blusa", "BLUSA"]);
    assert!(page.next.is_none());
}

#[tokio::test]
async fn narrowed_to_an_account_or_a_conversation() {
    let shop = shop().await;
    fill(&shop, BAKERY, "7011", &["Brot"]).await;
    fill(&shop, BAKERY, "7022", &["Brot und a101 c7001"]).await;
    fill(&shop, BOUTIQUE, "9001", &["Brot?"]).await;
    let account = |account: AccountId| Scope {
        account: Some(account.0),
        conversation: None,
    };
    assert_eq!(find(&shop, "brot", account(BOUTIQUE)).await, ["m_9001_0"]);
    assert_eq!(find(&shop, "brot", account(BAKERY)).await.len(), 2);
    let ana = Scope {
        account: None,
        conversation: Some(talk_with(&shop, BAKERY, "7011").await),
    };
    assert_eq!(find(&shop, "brot", ana).await, ["m_7011_0"]);
    assert_eq!(
        find(&shop, "a101", Scope::default()).await,
        ["m_7022_0"],
        "nobody can type a mark"
    );
}

#[tokio::test]
async fn people_are_found_by_name_and_handle_and_the_last_active_comes_first() {
    let shop = shop().await;
    for (who, name, at_ms) in [
        ("9001", "Zoë Müller", MORNING),
        ("9002", "Zoe Berg", MORNING + 9000),
        ("9003", "Anna", MORNING + 1),
    ] {
        tell(
            &shop,
            BOUTIQUE,
            Source::Poll,
            vec![
                thread(named(who, name), who, at_ms, None),
                item(from(who, &format!("i_{who}"), at_ms, "x")),
            ],
        )
        .await;
    }
    let mut connection = shop.profile.store.read().await.unwrap();
    let found = people(&mut connection, &Terms::parse("zoe"), None, 5)
        .await
        .unwrap();
    drop(connection);
    assert_eq!(
        found,
        [
            talk_with(&shop, BOUTIQUE, "9002").await,
            talk_with(&shop, BOUTIQUE, "9001").await
        ]
    );
    // A new name replaces the old one.
    tell(
        &shop,
        BOUTIQUE,
        Source::Poll,
        vec![thread(named("9002", "Bea Berg"), "9002", MORNING, None)],
    )
    .await;
    let mut connection = shop.profile.store.read().await.unwrap();
    assert_eq!(
        people(&mut connection, &Terms::parse("zoe"), None, 5)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        people(
            &mut connection,
            &Terms::parse("berg bea"),
            Some(BOUTIQUE.0),
            5
        )
        .await
        .unwrap()
        .len(),
        1
    );
    assert_eq!(
        people(&mut connection, &Terms::parse("bea"), Some(BAKERY.0), 5)
            .await
            .unwrap()
            .len(),
        0
    );
}

#[tokio::test]
async fn a_typing_slip_is_answered_with_words_that_exist() {
    let shop = shop().await;
    fill(
        &shop,
        BAKERY,
        "7011",
        &["Zwei Croissants und ein Kuchen", "Kuchenform", "خبز"],
    )
    .await;
    let mut connection = shop.profile.store.read().await.unwrap();
    assert_eq!(
        suggest(&mut connection, &Terms::parse("kcuhen"))
            .await
            .unwrap(),
        ["kuchen"]
    );
    assert_eq!(
        suggest(&mut connection, &Terms::parse("croisants"))
            .await
            .unwrap(),
        ["croissants"]
    );
    assert_eq!(
        suggest(&mut connection, &Terms::parse("xyz"))
            .await
            .unwrap(),
        Vec::<String>::new()
    );
}

/// Words of several scripts, some of them beginning alike.
fn text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "Brot",
        "brötchen",
        "BROTE",
        "Straße",
        "ist",
        "is",
        "Café",
        "cafeteria",
        "وخبز",
        "والخبز",
        "خبز",
        "بالخبز",
        "أهلا",
        "اهلاً",
        "パン",
        "メロンパン",
        "東京",
        "東京都",
        "京都",
        "犬",
        "서울",
        "빵집",
        "🥐",
        "👍🏽",
        "❤️",
        "2026",
        "A4",
        "o'clock",
        "niño",
        "हिन्दी",
        "ـ",
        "...",
        "ﾊﾟﾝ",
        "x",
    ]);
    let gap = prop::sample::select(vec![" ", "", ", ", "\n", "-", "🥐", "/"]);
    prop::collection::vec((word, gap), 0..7).prop_map(|parts| {
        parts
            .into_iter()
            .flat_map(|(word, gap)| [word, gap])
            .collect()
    })
}

/// Also what is no word of any text: any stretch of letters out of one.
fn query() -> impl Strategy<Value = String> {
    (text(), any::<prop::sample::Index>(), 1_usize..6).prop_map(|(text, start, length)| {
        let letters: Vec<char> = text.chars().collect();
        if letters.is_empty() {
            return "brot".to_owned();
        }
        letters
            .iter()
            .skip(start.index(letters.len()))
            .take(length)
            .collect()
    })
}

#[test]
fn the_index_finds_exactly_what_a_walk_through_all_texts_finds() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let shop = runtime.block_on(shop());
    let next = std::cell::Cell::new(1000_i64);
    let strategy = (
        prop::collection::vec(text(), 1..12),
        prop::collection::vec(query(), 1..12),
    );
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..Default::default()
    });
    runner
        .run(&strategy, |(texts, queries)| {
            let account = AccountId(next.get());
            next.set(next.get() + 1);
            runtime.block_on(async {
                add_account(&shop, account, Channel::Messenger, "Probe").await;
                fill(
                    &shop,
                    account,
                    "7011",
                    &texts.iter().map(String::as_str).collect::<Vec<_>>(),
                )
                .await;
            });
            for query in queries {
                let terms = Terms::parse(&query);
                let mut expected: Vec<String> = texts
                    .iter()
                    .enumerate()
                    .filter(|(_, text)| !terms.is_empty() && terms.marks(text).is_some())
                    .map(|(n, _)| format!("m_7011_{n}"))
                    .collect();
                expected.reverse();
                let scope = Scope {
                    account: Some(account.0),
                    conversation: None,
                };
                let found = runtime.block_on(find(&shop, &query, scope));
                prop_assert_eq!(expected, found, "query {:?}", query);
            }
            Ok(())
        })
        .unwrap();
}
