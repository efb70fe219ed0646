//! The same news in any order, any number of times, by any way and in any portions ends in the same rows.

use crate::{
    domain::{
        AccountId, Channel, IncomingComment, IncomingItem, IncomingPost, IncomingReferral,
        PolicyAction, Source,
    },
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
        until_ms: i64,
    },
    ReadOne {
        number: usize,
    },
    Delivered {
        who: usize,
        until_ms: i64,
    },
    Announced {
        number: usize,
    },
    Referral {
        who: usize,
        ad: bool,
        minute: i64,
    },
    Control {
        who: usize,
        ours: bool,
        minute: i64,
    },
    Policy {
        minute: i64,
    },
    Post {
        post: usize,
        version: i64,
    },
    PostRemoved {
        post: usize,
    },
    Comment {
        number: usize,
        version: i64,
    },
    Hidden {
        number: usize,
        hidden: bool,
        minute: i64,
    },
    Removed {
        number: usize,
        with_post: bool,
    },
}

/// Messages lie ten seconds apart, so that seconds and milliseconds agree on their order. Watermarks lie anywhere between and inside them.
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
            let mut told = if *ours {
                to(PEOPLE[*who], &mid(number), at_ms, &text)
            } else {
                from(PEOPLE[*who], &mid(number), at_ms, &text)
            };
            // What only a webhook tells.
            if !polled && *ours {
                told.app_id = (number % 2 == 0).then(|| "4711".into());
                told.metadata = (*number == 3).then(|| "sb:elsewhere".into());
            } else if !polled {
                told.standby = number % 4 == 1;
                told.tap = (number % 4 == 2).then(|| "SIZE_M".into());
                told.referral = (number % 4 == 2).then(|| ("ad".into(), "Sommer".into()));
            }
            item(told)
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
        News::Read { who, until_ms } => IncomingItem::Read {
            person: PEOPLE[*who].into(),
            watermark_ms: Some(*until_ms),
            mid: None,
            at_ms: *until_ms,
        },
        News::ReadOne { number } => IncomingItem::Read {
            person: PEOPLE[who(*number)].into(),
            watermark_ms: None,
            mid: Some(mid(number)),
            at_ms: MORNING,
        },
        News::Delivered { who, until_ms } => IncomingItem::Delivered {
            person: PEOPLE[*who].into(),
            watermark_ms: *until_ms,
        },
        News::Announced { number } => IncomingItem::Announced {
            mid: mid(number),
            at_ms: MORNING,
        },
        News::Referral { who, ad, minute } => IncomingItem::Referral(IncomingReferral {
            person: PEOPLE[*who].into(),
            kind: if *ad { "ad" } else { "link" }.into(),
            label: "Sommer".into(),
            opens_window: !ad,
            at_ms: MORNING + minute * 60_000,
        }),
        News::Control { who, ours, minute } => IncomingItem::Control {
            person: PEOPLE[*who].into(),
            ours: *ours,
            at_ms: MORNING + minute * 60_000,
        },
        News::Policy { minute } => IncomingItem::Policy {
            action: [
                PolicyAction::Warning,
                PolicyAction::Block,
                PolicyAction::Unblock,
            ][usize::try_from(*minute).unwrap() % 3],
            reason: Some(format!("grund{minute}")),
            at_ms: MORNING + minute * 60_000,
        },
        News::Post { post, version } => IncomingItem::Post(IncomingPost {
            own: Some(true),
            text: Some((format!("beitrag{post} {version}"), MORNING + version)),
            kind: Some("photo".into()),
            posted_at_ms: Some(MORNING),
            ..post_of(*post)
        }),
        News::PostRemoved { post } => IncomingItem::PostRemoved {
            post: post_of(*post).platform_id,
            at_ms: MORNING,
        },
        News::Comment { number, version } => {
            let written_at_ms = MORNING + i64::try_from(*number).unwrap() * 1000;
            IncomingItem::Comment(IncomingComment {
                platform_id: comment_id(*number),
                post: post_of(number % 2),
                parent: (*number > 3).then(|| comment_id(number - 4)),
                author: (*number != 5).then(|| named(PEOPLE[who(*number)], "Ana")),
                own: *number == 6,
                live: *number == 7,
                mention: false,
                text: (*version != 2).then(|| format!("kommentar{number} {version}")),
                text_at_ms: written_at_ms + version,
                edited: *version > 0,
                photo: None,
                written_at_ms,
            })
        }
        News::Hidden {
            number,
            hidden,
            minute,
        } => IncomingItem::CommentHidden {
            comment: comment_id(*number),
            post: (minute % 2 == 0).then(|| post_of(number % 2).platform_id),
            hidden: *hidden,
            at_ms: MORNING + minute * 60_000,
        },
        News::Removed { number, with_post } => IncomingItem::CommentRemoved {
            comment: comment_id(*number),
            post: with_post.then(|| post_of(number % 2).platform_id),
            at_ms: MORNING + i64::from(*with_post),
        },
    }
}

fn post_of(post: usize) -> IncomingPost {
    IncomingPost {
        platform_id: format!("1001_{post}"),
        ..IncomingPost::default()
    }
}

fn comment_id(number: usize) -> String {
    format!("{}_{number}", number % 2)
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
        1 => (0_usize..2, mark()).prop_map(|(who, until_ms)| News::Read { who, until_ms }),
        1 => number.clone().prop_map(|number| News::ReadOne { number }),
        1 => (0_usize..2, mark()).prop_map(|(who, until_ms)| News::Delivered { who, until_ms }),
        1 => number.clone().prop_map(|number| News::Announced { number }),
        1 => (0_usize..2, any::<bool>(), 0_i64..9).prop_map(|(who, ad, minute)| News::Referral { who, ad, minute }),
        1 => (0_usize..2, any::<bool>(), 0_i64..9).prop_map(|(who, ours, minute)| News::Control { who, ours, minute }),
        1 => (0_i64..9).prop_map(|minute| News::Policy { minute }),
        1 => (0_usize..2, 0_i64..3).prop_map(|(post, version)| News::Post { post, version }),
        1 => (0_usize..2).prop_map(|post| News::PostRemoved { post }),
        3 => (number.clone(), 0_i64..4).prop_map(|(number, version)| News::Comment { number, version }),
        1 => (number.clone(), any::<bool>(), 0_i64..4).prop_map(|(number, hidden, minute)| News::Hidden { number, hidden, minute }),
        1 => (number, any::<bool>()).prop_map(|(number, with_post)| News::Removed { number, with_post }),
    ]
}

/// A watermark before, inside and after the second of a message, to the millisecond.
fn mark() -> impl Strategy<Value = i64> {
    let aside = prop::sample::select(vec![-1000, -138, -137, -100, -1, 0, 1, 500, 3000]);
    (0_usize..8, aside).prop_map(|(after, aside)| at_ms(after) + aside)
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
        "SELECT json_array(mid, author, state, text, sent_at_ms, edited_at_ms, num_edit, deleted, seen, referral, tap) FROM messages WHERE account_id = ? ORDER BY mid",
        "SELECT json_array(m.mid, w.words) FROM messages m LEFT JOIN message_words w ON w.sort_key = m.sort_key WHERE m.account_id = ? ORDER BY m.mid",
        "SELECT json_array(m.mid, r.by_customer, r.emoji) FROM reactions r JOIN messages m ON m.id = r.message_id
           WHERE m.account_id = ? AND r.emoji <> '' ORDER BY m.mid, r.by_customer",
        "SELECT json_array(i.platform_id, c.state, c.zone, c.unread, c.last_at_ms, c.last_author, c.preview, c.preview_kind, c.customer_at_ms,
             c.delivered_until_ms, c.read_until_ms, c.messages, c.first_at_ms / 1000, c.standby_at_ms, c.control_at_ms, c.referral)
           FROM conversations c JOIN identities i ON i.id = c.identity_id WHERE c.account_id = ? AND c.last_key > 0 ORDER BY i.platform_id",
        "SELECT json_array(state, reason, policy_at_ms) FROM accounts WHERE id = ?",
        "SELECT json_array(platform_id, own, kind, text, text_at_ms, posted_at_ms, removed, comments, last_at_ms) FROM posts WHERE account_id = ? ORDER BY platform_id",
        "SELECT json_array(c.platform_id, p.platform_id, c.parent_id, c.author_id, c.author_name, c.own, c.live, c.known, c.text, c.text_at_ms,
             c.written_at_ms, c.edited_at_ms, c.hidden, c.hidden_at_ms, c.removed, c.removed_at_ms)
           FROM comments c LEFT JOIN posts p ON p.id = c.post_id WHERE c.account_id = ? ORDER BY c.platform_id",
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

/// With a living token and its first sync behind it: what the platform holds against it is then all that is wrong with it.
async fn sign_in(shop: &Opened, account: AccountId) {
    let mut tx = shop
        .profile
        .store
        .write(crate::store::Priority::Owner)
        .await
        .unwrap();
    for sql in [
        "INSERT INTO credentials (id, kind, subject_id, generation, state, created_at_ms, updated_at_ms) VALUES (?1, 'page', 'page-' || ?1, 1, 'working', 0, 0)",
        "UPDATE accounts SET credential_id = ?1 WHERE id = ?1",
        "INSERT INTO sync_cursors (account_id, imported_at_ms) VALUES (?1, 1)",
    ] {
        sqlx::query(sql)
            .bind(account.0)
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
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
                for (account, name) in [(straight, "gerade"), (mixed, "gemischt")] {
                    add_account(&shop, account, Channel::Messenger, name).await;
                    sign_in(&shop, account).await;
                }
                tell_all(&shop, straight, &tellings, &[]).await;
                tell_all(&shop, mixed, &shuffled, &cuts).await;
                (rows(&shop, straight).await, rows(&shop, mixed).await)
            });
            prop_assert_eq!(expected, found);
            Ok(())
        })
        .unwrap();
}
