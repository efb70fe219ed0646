//! The state of an account as the owner reads it (products sheet §2.1): which one, and the one statement that writes it.

use super::{deauthorized::BY_META, rows::AccountRow};
use crate::{
    api::types::{AccountState, Change, Reason},
    domain::AccountId,
    store::{StoreError, WriteTx},
};

/// "Reconnect soon" from this long before a token or the access to data ends.
pub(super) const SOON_MS: i64 = 7 * 24 * 3_600_000;

pub(super) fn word(state: AccountState) -> &'static str {
    match state {
        AccountState::Importing => "importing",
        AccountState::Live => "live",
        AccountState::Delayed => "delayed",
        AccountState::Limited => "limited",
        AccountState::ReconnectSoon => "reconnect_soon",
        AccountState::ReconnectNow => "reconnect_now",
        AccountState::Blocked => "blocked",
        AccountState::Paused => "paused",
        AccountState::Disconnected => "disconnected",
    }
}

pub(super) fn parse(word: &str) -> AccountState {
    match word {
        "importing" => AccountState::Importing,
        "delayed" => AccountState::Delayed,
        "limited" => AccountState::Limited,
        "reconnect_soon" => AccountState::ReconnectSoon,
        "reconnect_now" => AccountState::ReconnectNow,
        "blocked" => AccountState::Blocked,
        "paused" => AccountState::Paused,
        "disconnected" => AccountState::Disconnected,
        _ => AccountState::Live,
    }
}

/// The state when nothing is wrong at the moment: what the row alone says.
pub(super) fn resting(row: &AccountRow, now_ms: i64) -> (AccountState, Option<Reason>) {
    if row.paused {
        return (AccountState::Paused, None);
    }
    if row.signed_out() {
        let code = match row.credential_state.as_str() {
            "expired" => "token_expired",
            "revoked" => "token_revoked",
            _ if row
                .reason
                .as_ref()
                .is_some_and(|reason| reason.code == BY_META) =>
            {
                BY_META
            }
            _ => "signed_out",
        };
        return (AccountState::ReconnectNow, Some(Reason::new(code)));
    }
    let soon = |at: Option<i64>| at.filter(|at| at - now_ms < SOON_MS);
    if let Some(at) = soon(row.expires_at_ms) {
        let reason = if row.credential_state == "short" {
            "token_short"
        } else {
            "token_ends"
        };
        return (
            AccountState::ReconnectSoon,
            Some(Reason::new(reason).with("at_ms", at)),
        );
    }
    if let Some(at) = soon(row.data_access_expires_at_ms) {
        return (
            AccountState::ReconnectSoon,
            Some(Reason::new("data_access_ends").with("at_ms", at)),
        );
    }
    if row.imported {
        (AccountState::Live, None)
    } else {
        (AccountState::Importing, None)
    }
}

/// Writes a state if it differs. `state_since_ms` moves only with the state itself.
pub(super) async fn set(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    state: AccountState,
    reason: Option<&Reason>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let (id, word) = (account.0, word(state));
    let reason = reason.and_then(|reason| serde_json::to_string(reason).ok());
    let changed = sqlx::query!(
        "UPDATE accounts SET state_since_ms = CASE WHEN state = ?1 THEN state_since_ms ELSE ?2 END, state = ?1, reason = ?3
         WHERE id = ?4 AND (state <> ?1 OR reason IS NOT ?3)",
        word,
        now_ms,
        reason,
        id
    )
    .execute(&mut **tx)
    .await?
    .rows_affected()
        > 0;
    if changed {
        tx.tell(Change::Accounts);
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Channel, CredentialId, Provider};

    const NOW: i64 = 1_790_000_000_000;
    const DAY: i64 = 24 * 3_600_000;

    fn row() -> AccountRow {
        AccountRow {
            id: AccountId(1),
            channel: Channel::Messenger,
            provider: Provider::Facebook,
            platform_id: "1001".into(),
            page_id: None,
            username: None,
            state: "live".into(),
            reason: None,
            paused: false,
            imported: true,
            erase_at_ms: None,
            credential: Some(CredentialId(1)),
            credential_state: "working".into(),
            credential_kind: "page".into(),
            generation: 1,
            parent: None,
            expires_at_ms: None,
            data_access_expires_at_ms: None,
            token_since_ms: NOW,
        }
    }

    fn state(change: impl FnOnce(&mut AccountRow)) -> AccountState {
        let mut row = row();
        change(&mut row);
        resting(&row, NOW).0
    }

    #[test]
    fn the_row_alone_decides_the_resting_state() {
        assert_eq!(state(|_| {}), AccountState::Live);
        assert_eq!(state(|r| r.imported = false), AccountState::Importing);
        assert_eq!(state(|r| r.paused = true), AccountState::Paused);
        assert_eq!(
            state(|r| r.credential_state = "expired".into()),
            AccountState::ReconnectNow
        );
        assert_eq!(state(|r| r.credential = None), AccountState::ReconnectNow);
        assert_eq!(
            state(|r| r.expires_at_ms = Some(NOW + 7 * DAY - 1)),
            AccountState::ReconnectSoon
        );
        assert_eq!(
            state(|r| r.expires_at_ms = Some(NOW + 7 * DAY)),
            AccountState::Live
        );
        assert_eq!(
            state(|r| r.data_access_expires_at_ms = Some(NOW + DAY)),
            AccountState::ReconnectSoon
        );
        assert_eq!(
            state(|r| {
                r.paused = true;
                r.credential_state = "revoked".into()
            }),
            AccountState::Paused
        );
    }

    #[test]
    fn words_go_both_ways() {
        for state in [
            AccountState::Importing,
            AccountState::Live,
            AccountState::Delayed,
            AccountState::Limited,
            AccountState::ReconnectSoon,
            AccountState::ReconnectNow,
            AccountState::Blocked,
            AccountState::Paused,
            AccountState::Disconnected,
        ] {
            assert_eq!(parse(word(state)), state);
        }
    }
}
