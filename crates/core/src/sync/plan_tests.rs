use super::*;

const NOW: i64 = 1_900_000_000_000;

fn live() -> Facts {
    Facts {
        permitted: Permitted::ByItself,
        import: Import::Done,
        watermark_ms: NOW - 50_000,
        last_poll_at_ms: Some(NOW - 10_000),
        last_reconcile_at_ms: Some(NOW - 60_000),
        newest_at_ms: NOW - 50_000,
        link: Link::Off,
    }
}

fn at() -> Moment {
    Moment {
        now_ms: NOW,
        monotonic_ms: 1_000_000,
    }
}

fn check(case: &str, facts: Facts, mood: Mood, expected: Step) {
    assert_eq!(next(&facts, &mood, at()), expected, "{case}");
}

#[test]
fn the_case_table() {
    let calm = Mood::default;
    let asked = || Mood {
        asked: true,
        ..Mood::default()
    };
    check(
        "lively: 20 s from the last poll",
        live(),
        calm(),
        Step::Wait { ms: 10_000 },
    );
    check(
        "lively and due",
        Facts {
            last_poll_at_ms: Some(NOW - 20_000),
            ..live()
        },
        calm(),
        Step::Poll,
    );
    check(
        "quiet: 2 min",
        Facts {
            newest_at_ms: NOW - ACTIVE_MS,
            ..live()
        },
        calm(),
        Step::Wait { ms: 110_000 },
    );
    check(
        "never polled",
        Facts {
            last_poll_at_ms: None,
            ..live()
        },
        calm(),
        Step::Poll,
    );
    check("asked", live(), asked(), Step::Poll);
    check(
        "woke",
        live(),
        Mood {
            gap: true,
            ..calm()
        },
        Step::Reconcile { gap: true },
    );
    check(
        "program was closed for ten minutes",
        Facts {
            last_poll_at_ms: Some(NOW - GAP_MS),
            ..live()
        },
        calm(),
        Step::Reconcile { gap: true },
    );
    check(
        "comparison due, right after a poll",
        Facts {
            last_poll_at_ms: Some(NOW - 1),
            last_reconcile_at_ms: Some(NOW - RECONCILE_MS),
            ..live()
        },
        calm(),
        Step::Reconcile { gap: false },
    );
    check(
        "comparison and poll due: the poll goes first, so that its news do not count as recovered",
        Facts {
            last_poll_at_ms: Some(NOW - 20_000),
            last_reconcile_at_ms: Some(NOW - RECONCILE_MS),
            ..live()
        },
        calm(),
        Step::Poll,
    );
    check(
        "comparison comes before the next poll",
        Facts {
            last_poll_at_ms: Some(NOW - 1),
            last_reconcile_at_ms: Some(NOW - RECONCILE_MS + 500),
            ..live()
        },
        calm(),
        Step::Wait { ms: 500 },
    );
    check(
        "clock was set back: stored times in the future are due",
        Facts {
            last_poll_at_ms: Some(NOW + 86_400_000),
            ..live()
        },
        calm(),
        Step::Poll,
    );
}

#[test]
fn what_stops_an_account() {
    let asked = || Mood {
        asked: true,
        ..Mood::default()
    };
    check(
        "not permitted, even when asked",
        Facts {
            permitted: Permitted::No,
            ..live()
        },
        asked(),
        Step::Rest,
    );
    check(
        "auto-sync off",
        Facts {
            permitted: Permitted::OnAsk,
            last_poll_at_ms: None,
            ..live()
        },
        Mood::default(),
        Step::Rest,
    );
    check(
        "auto-sync off, asked",
        Facts {
            permitted: Permitted::OnAsk,
            ..live()
        },
        asked(),
        Step::Poll,
    );
    let held = |hold_is_limit| Mood {
        hold_until: Some(1_000_700),
        hold_is_limit,
        ..Mood::default()
    };
    let and_asked = |mut mood: Mood| {
        mood.ask();
        mood
    };
    check("held", live(), held(false), Step::Wait { ms: 700 });
    check(
        "held, and the owner asks",
        live(),
        and_asked(held(false)),
        Step::Poll,
    );
    check(
        "held by the platform, and the owner asks",
        live(),
        and_asked(held(true)),
        Step::Wait { ms: 700 },
    );
    let past = Mood {
        hold_until: Some(1_000_000),
        ..Mood::default()
    };
    check(
        "the hold is over",
        Facts {
            last_poll_at_ms: None,
            ..live()
        },
        past,
        Step::Poll,
    );
}

#[test]
fn the_first_sync() {
    let fresh = || Facts {
        import: Import::Listing,
        watermark_ms: 0,
        last_poll_at_ms: None,
        last_reconcile_at_ms: None,
        ..live()
    };
    let calm = Mood::default;
    let asked = || Mood {
        asked: true,
        ..Mood::default()
    };
    check("begins with the list", fresh(), calm(), Step::List);
    check(
        "an empty account ends at once",
        Facts {
            import: Import::Ready,
            ..fresh()
        },
        calm(),
        Step::Finish,
    );
    let under_way = |import| Facts {
        import,
        watermark_ms: 5,
        ..live()
    };
    check(
        "goes on with the list",
        under_way(Import::Listing),
        calm(),
        Step::List,
    );
    check(
        "then with the threads",
        under_way(Import::Deepening),
        calm(),
        Step::Deepen,
    );
    check("then ends", under_way(Import::Ready), calm(), Step::Finish);
    check(
        "news in between",
        Facts {
            last_poll_at_ms: Some(NOW - 20_000),
            ..under_way(Import::Listing)
        },
        calm(),
        Step::Poll,
    );
    check(
        "no comparison before its end",
        Facts {
            last_reconcile_at_ms: None,
            ..under_way(Import::Deepening)
        },
        Mood {
            gap: true,
            ..calm()
        },
        Step::Deepen,
    );
    check(
        "auto-sync off: it goes on while asked, the poll last",
        Facts {
            permitted: Permitted::OnAsk,
            last_poll_at_ms: None,
            ..under_way(Import::Listing)
        },
        asked(),
        Step::List,
    );
}

#[test]
fn back_off_doubles_to_a_minute() {
    let times: Vec<i64> = (1..8).map(back_off).collect();
    assert_eq!(
        times,
        [5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000]
    );
    assert_eq!(back_off(u32::MAX), 60_000);
}

#[test]
fn with_events_the_comparison_is_all_that_is_left_of_polling() {
    let events = |link| Facts { link, ..live() };
    let gap = || Mood {
        gap: true,
        ..Mood::default()
    };
    check(
        "events come: only the comparison is waited for",
        Facts {
            last_poll_at_ms: Some(NOW - 800_000),
            ..events(Link::Live)
        },
        Mood::default(),
        Step::Wait {
            ms: RECONCILE_MS - 60_000,
        },
    );
    check(
        "the comparison is due",
        Facts {
            last_reconcile_at_ms: Some(NOW - RECONCILE_MS),
            ..events(Link::Live)
        },
        Mood::default(),
        Step::Reconcile { gap: false },
    );
    check(
        "the owner asks all the same",
        events(Link::Live),
        Mood {
            asked: true,
            ..Mood::default()
        },
        Step::Poll,
    );
    check(
        "after a sleep the relay brings what it kept before anything is counted as recovered",
        events(Link::Settling),
        gap(),
        Step::Rest,
    );
    check(
        "then the comparison",
        events(Link::Live),
        gap(),
        Step::Reconcile { gap: true },
    );
    check(
        "no relay: the comparison at once",
        events(Link::Off),
        gap(),
        Step::Reconcile { gap: true },
    );
    check(
        "closed over night, connecting",
        Facts {
            last_poll_at_ms: Some(NOW - 36_000_000),
            ..events(Link::Settling)
        },
        Mood::default(),
        Step::Rest,
    );
}
