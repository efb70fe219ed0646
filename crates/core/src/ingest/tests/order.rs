//! The same news in any order, any number of times, by any way and in any portions ends in the same rows.

use crate::{
    domain::{AccountId, Channel, IncomingItem, Source},
    ingest::testing::*,
    profile::testing::Opened,
};
use proptest::{prelude::*, sample::Index};

const PEOPLE: [&str; 2] = ["7011", "7022"];

/// One piece of news, before anybody tells it.
#[derive(Debug, Clone)]
enum News {
    Message {
        who: usize,
        number: usize,
        ours: bool,
    },
    Edit {
        number: usize,
        count: i64,
    },
    Reaction {
        number: usize,
        emoji: Option<&'static str>,
        minute: i64,
    },
    Unsend {
        number: usize,
    },
    Read {
        who: usize,
        after: usize,
    },
    ReadOne {
        number: usize,
    },
    Delivered {
        who: usize,
        after: usize,
    },
}

/// Messages lie ten seconds apart, so that seconds and milliseconds agree on their order.
fn at_ms(number: usize) -> i64 {
    MORNING + i64::try_from(number).unwrap() * 10_000 + 137
}

fn who(number: usize) -> usize {
    number % PEOPLE.len()
}

fn item_of(news: &News, polled: bool) -> IncomingItem {
    let mid = |number: &usize| format!("m_{number}");
    match news {
        News::Message { who, number, ours } => {
            let at_ms = if polled {
                at_ms(*number) / 1000 * 1000
            } else {
                at_ms(*number)
            };
            let text = format!("wort{number} gesagt");
            item(if *ours {
                to(PEOPLE[*who], &mid(number), at_ms, &text)
            } else {
                from(PEOPLE[*who], &mid(number), at_ms, &text)
            })
        }
        News::Edit { number, count } => IncomingItem::Edit {
            mid: mid(number),
            text: format!("fassung{count} von{number}"),
            num_edit: *count,
            at_ms: MORNING + count,
        },
        News::Reaction {
            number,
            emoji,
            minute,
        } => reaction(
            PEOPLE[who(*number)],
            &mid(number),
            *emoji,
            MORNING + minute * 60_000,
        ),
        News::Unsend { number } => IncomingItem::Unsend {
            mid: mid(number),
            at_ms: MORNING,
        },
        News::Read { who, after } => {
            let at_ms = at_ms(*after) + 3000;
            IncomingItem::Read {
                person: PEOPLE[*who].into(),
                watermark_ms: Some(at_ms),
                mid: None,
                at_ms,
            }
        }
        News::ReadOne { number } => IncomingItem::Read {
            person: PEOPLE[who(*number)].into(),
            watermark_ms: None,
            mid: Some(mid(number)),
            at_ms: MORNING,
        },
        News::Delivered { who, after } => IncomingItem::Delivered {
            person: PEOPLE[*who].into(),
            watermark_ms: at_ms(*after) + 3000,
        },
    }
}

/// One telling: the news, and by which way.
type Telling = (News, bool);

fn news() -> impl Strategy<Value = News> {
    let number = 0_usize..8;
    prop_oneof![
        4 => number.clone().prop_map(|number| {
            // Who wrote a message is part of it, so it follows from its number.
            News::Message { who: who(number), number, ours: number % 3 == 0 }
        }),
        2 => (number.clone(), 1_i64..4).prop_map(|(number, count)| News::Edit { number, count }),
        2 => (number.clone(), prop_oneof![Just(None), Just(Some("❤")), Just(Some("👍"))], 0_i64..4)
            .prop_map(|(number, emoji, minute)| News::Reaction { number, emoji, minute }),
        1 => number.clone().prop_map(|number| News::Unsend { number }),
        1 => (0_usize..2, number.clone()).prop_map(|(who, after)| News::Read { who, after }),
        1 => number.clone().prop_map(|number| News::ReadOne { number }),
        1 => (0_usize..2, number).prop_map(|(who, after)| News::Delivered { who, after }),
    ]
}

/// Tells in portions; each portion goes by one way.
async fn tell_all(shop: &Opened, account: AccountId, tellings: &[Telling], cuts: &[Index]) {
    let mut ends: Vec<usize> = cuts
        .iter()
        .map(|cut| cut.index(tellings.len() + 1))
        .collect();
    ends.push(tellings.len());
    ends.sort_unstable();
    let mut start = 0;
    for end in ends {
        for part in tellings[start..end].chunk_by(|a, b| a.1 == b.1) {
            let source = if part[0].1 {
                Source::Poll
            } else {
                Source::Webhook
            };
            tell(
                shop,
                account,
                source,
                part.iter()
                    .map(|(news, polled)| item_of(news, *polled))
                    .collect(),
            )
            .await;
        }
        start = end;
    }
}

/// Everything a person could see, without row ids and without the counters inside one millisecond.
async fn rows(shop: &Opened, account: AccountId) -> Vec<String> {
    let mut connection = shop.profile.store.read().await.unwrap();
    let mut rows = Vec::new();
    for sql in [
        "SELECT json_array(mid, author, state, text, sent_at_ms, edited_at_ms, num_edit, deleted) FROM messages WHERE account_id = ? ORDER BY mid",
        "SELECT json_array(m.mid, w.words) FROM messages m LEFT JOIN message_words w ON w.sort_key = m.sort_key WHERE m.account_id = ? ORDER BY m.mid",
        "SELECT json_array(m.mid, r.by_customer, r.emoji) FROM reactions r JOIN messages m ON m.id = r.message_id
           WHERE m.account_id = ? AND r.emoji <> '' ORDER BY m.mid, r.by_customer",
        "SELECT json_array(i.platform_id, c.state, c.zone, c.unread, c.last_at_ms, c.last_author, c.preview, c.preview_kind, c.customer_at_ms,
             c.delivered_until_ms, c.read_until_ms / 1000, c.messages, c.first_at_ms / 1000)
           FROM conversations c JOIN identities i ON i.id = c.identity_id WHERE c.account_id = ? AND c.last_key > 0 ORDER BY i.platform_id",
        "SELECT json_array(w.mid, w.kind) FROM waiting_news w WHERE w.account_id = ? AND w.mid IN (SELECT mid FROM messages m WHERE m.account_id = w.account_id) ORDER BY w.mid",
    ] {
        let found: Vec<String> = sqlx::query_scalar(sql).bind(account.0).fetch_all(&mut *connection).await.unwrap();
        rows.extend(found);
        rows.push("--".into());
    }
    // Marks differ by account and conversation; what follows them must not.
    rows.into_iter()
        .map(|row| {
            row.split('\u{e000}')
                .map(|part| part.trim_start_matches(|c: char| c.is_ascii_alphanumeric()))
                .collect()
        })
        .collect()
}

#[test]
fn any_order_ends_in_the_same_rows() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let shop = runtime.block_on(shop());
    let next = std::cell::Cell::new(1000_i64);
    let tellings = prop::collection::vec((news(), any::<bool>()), 1..40);
    let strategy = tellings.prop_flat_map(|tellings| {
        // Some are told twice.
        let doubled = [
            tellings.clone(),
            tellings.iter().step_by(2).cloned().collect(),
        ]
        .concat();
        (
            Just(tellings),
            Just(doubled).prop_shuffle(),
            prop::collection::vec(any::<Index>(), 0..5),
        )
    });
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        // More than these when asked: PROPTEST_CASES=20000.
        cases: std::env::var("PROPTEST_CASES").map_or(60, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..Default::default()
    });
    runner
        .run(&strategy, |(tellings, shuffled, cuts)| {
            let (straight, mixed) = (AccountId(next.get()), AccountId(next.get() + 1));
            next.set(next.get() + 2);
            let (expected, found) = runtime.block_on(async {
                add_account(&shop, straight, Channel::Messenger, "gerade").await;
                add_account(&shop, mixed, Channel::Messenger, "gemischt").await;
                tell_all(&shop, straight, &tellings, &[]).await;
                tell_all(&shop, mixed, &shuffled, &cuts).await;
                (rows(&shop, straight).await, rows(&shop, mixed).await)
            });
            prop_assert_eq!(expected, found);
            Ok(())
        })
        .unwrap();
}
