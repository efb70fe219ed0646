use super::*;

const NOW: i64 = 1_900_000_000_000;

fn row(id: i64, conversation: i64, open: Open) -> OpenRow {
    OpenRow {
        id: OutboxId(id),
        conversation: ConversationId(conversation),
        account: AccountId(conversation / 10),
        open,
    }
}

fn waiting(in_ms: i64) -> Open {
    Open::Waiting {
        not_before_ms: NOW + in_ms,
    }
}

fn unknown(checks: i64, next_in_ms: Option<i64>) -> Open {
    Open::Unknown {
        checks,
        next_check_ms: next_in_ms.map(|ms| NOW + ms),
    }
}

/// (ids to send, ids to look for, next)
fn plan(rows: &[OpenRow]) -> (Vec<i64>, Vec<i64>, Option<i64>) {
    plan_with(rows, &[], &[])
}

fn plan_with(
    rows: &[OpenRow],
    busy: &[i64],
    holds: &[(i64, i64)],
) -> (Vec<i64>, Vec<i64>, Option<i64>) {
    let busy = busy.iter().map(|id| ConversationId(*id)).collect();
    let holds = holds.iter().map(|(id, ms)| (AccountId(*id), *ms)).collect();
    let due = due(rows, &busy, &holds, NOW);
    let (mut sends, mut looks) = (vec![], vec![]);
    for work in due.work {
        match work {
            Work::Send { id, .. } => sends.push(id.0),
            Work::Look { id, .. } => looks.push(id.0),
        }
    }
    (sends, looks, due.next_in_ms)
}

#[test]
fn first_in_first_out_and_conversations_do_not_wait_for_one_another() {
    let rows = [
        row(1, 71, waiting(0)),
        row(2, 71, waiting(0)),
        row(3, 72, waiting(-9)),
        row(4, 73, waiting(4_000)),
    ];
    assert_eq!(plan(&rows), (vec![1, 3], vec![], Some(4_000)));
}

#[test]
fn one_in_flight_per_conversation() {
    let rows = [
        row(1, 71, Open::Sending),
        row(2, 71, waiting(0)),
        row(3, 72, waiting(0)),
    ];
    assert_eq!(plan(&rows), (vec![3], vec![], None));
    assert_eq!(
        plan_with(&rows, &[72], &[]),
        (vec![], vec![], None),
        "taken a moment ago, not yet written down"
    );
}

#[test]
fn a_held_back_message_holds_the_ones_behind_it() {
    assert_eq!(
        plan(&[row(1, 71, waiting(3_000)), row(2, 71, waiting(0))]),
        (vec![], vec![], Some(3_000))
    );
}

#[test]
fn an_unknown_send_blocks_until_its_looks_are_over() {
    let behind = row(2, 71, waiting(0));
    assert_eq!(
        plan(&[row(1, 71, unknown(0, Some(10_000))), behind]),
        (vec![], vec![], Some(10_000))
    );
    assert_eq!(
        plan(&[row(1, 71, unknown(0, Some(0))), behind]),
        (vec![], vec![1], None)
    );
    assert_eq!(
        plan(&[row(1, 71, unknown(1, Some(50_000))), behind]),
        (vec![], vec![], Some(50_000))
    );
    assert_eq!(
        plan(&[row(1, 71, unknown(2, None)), behind]),
        (vec![2], vec![], None)
    );
    assert_eq!(
        plan(&[row(1, 71, unknown(2, Some(0))), behind]),
        (vec![], vec![1], None),
        "a look after reconnect goes first"
    );
}

#[test]
fn a_hold_of_the_account_holds_sends_and_looks() {
    let rows = [
        row(1, 71, waiting(0)),
        row(2, 71, unknown(0, Some(0))),
        row(3, 80, waiting(0)),
    ];
    assert_eq!(
        plan_with(&rows, &[], &[(7, 20_000)]),
        (vec![3], vec![], Some(20_000))
    );
}

#[test]
fn a_clock_set_back_does_not_lock_a_send_away() {
    assert_eq!(
        plan(&[row(1, 71, waiting(3_600_000))]),
        (vec![1], vec![], None)
    );
    assert_eq!(
        plan(&[row(1, 71, unknown(0, Some(3_600_000)))]),
        (vec![], vec![1], None)
    );
}
