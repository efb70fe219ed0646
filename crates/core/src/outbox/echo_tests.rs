use super::*;

const T: i64 = 1_900_000_000_000;

fn send(id: i64, text: &str, started_at_ms: i64, open_since_ms: Option<i64>) -> Candidate {
    Candidate {
        id: OutboxId(id),
        message: MessageId(id + 100),
        text: text.into(),
        started_at_ms,
        open_since_ms,
    }
}

#[test]
fn an_open_send_makes_every_unidentified_echo_wait_even_one_with_another_text() {
    let open = [send(1, "Gerne!", T, Some(T))];
    assert_eq!(
        match_by_text(&open, "Gerne!", T, T + 400),
        Match::Wait {
            until_ms: T + HOLD_MS
        }
    );
    assert_eq!(
        match_by_text(&open, "Vom Handy", T, T + 400),
        Match::Wait {
            until_ms: T + HOLD_MS
        }
    );
}

#[test]
fn after_twenty_seconds_the_text_decides() {
    let open = [send(1, "Gerne!", T, Some(T))];
    assert_eq!(match_by_text(&open, "Gerne!", T, T + HOLD_MS), Match::Is(0));
    assert_eq!(
        match_by_text(&open, "Vom Handy", T, T + HOLD_MS),
        Match::None
    );
}

#[test]
fn an_unknown_send_is_found_by_text_and_time() {
    let unknown = [send(1, "Ja,  bis 18 Uhr", T, None)];
    assert_eq!(
        match_by_text(&unknown, "Ja, bis 18 Uhr ", T + 1_000, T + 9_000),
        Match::Is(0),
        "white space is not a difference"
    );
    assert_eq!(
        match_by_text(&unknown, "Ja, bis 18 Uhr", T - SKEW_MS, T),
        Match::Is(0),
        "two clocks and whole seconds"
    );
    assert_eq!(
        match_by_text(&unknown, "Ja, bis 18 Uhr", T - SKEW_MS - 1, T),
        Match::None,
        "said before we did"
    );
    assert_eq!(
        match_by_text(&unknown, "Nein", T + 1_000, T + 9_000),
        Match::None
    );
}

#[test]
fn two_equal_texts_and_their_echoes_pair_up() {
    let two = [
        send(1, "Danke", T, None),
        send(2, "Danke", T + 90_000, None),
    ];
    assert_eq!(
        match_by_text(&two, "Danke", T + 1_000, T + 200_000),
        Match::Is(0)
    );
    assert_eq!(
        match_by_text(&two, "Danke", T + 91_000, T + 200_000),
        Match::Is(1)
    );
    let at_once = [send(1, "Danke", T, None), send(2, "Danke", T, None)];
    assert_eq!(
        match_by_text(&at_once, "Danke", T + 1_000, T + 200_000),
        Match::Is(0),
        "begun together: the first asked for"
    );
}

#[test]
fn a_clock_set_back_does_not_hold_for_hours() {
    let open = [send(1, "Danke", T, Some(T + 3_600_000))];
    assert_eq!(
        match_by_text(&open, "Danke", T, T),
        Match::Wait {
            until_ms: T + HOLD_MS
        }
    );
}
