//! The one table of use cases.
//!
//! From it come: dispatch by name (shell and browser bridge), the names the window may call (each one a permission, see
//! `src-tauri/build.rs`, which reads this file as text), and the TypeScript client in `ui/src/gen/`. Nothing is listed twice.
//!
//! One line each: `name(Argument) -> Answer in module;`. The function is `api::<module>::<name>(&Core, Argument)`.

use super::types::*;

use_cases! {
    // The program itself
    app_status(Nothing) -> AppStatus in app;
    vault_retry(Nothing) -> AppStatus in app;
    vault_unlock(Passphrase) -> AppStatus in app;
    vault_create_passphrase(Passphrase) -> AppStatus in app;
    vault_recover(RecoveryKey) -> AppStatus in app;
    recovery_key_show(Nothing) -> RecoveryKey in app;
    recovery_key_confirm(RecoveryKeyCheck) -> AppStatus in app;
    sample_open(Nothing) -> AppStatus in app;
    sample_leave(Nothing) -> AppStatus in app;
    settings_get(Nothing) -> Settings in settings;
    settings_set(SettingsPatch) -> Settings in settings;
    health_get(Nothing) -> Health in app;

    // Connecting
    sign_in_start(SignInStart) -> SignIn in sign_in;
    sign_in_current(Nothing) -> Option<SignIn> in sign_in;
    sign_in_open_again(ById) -> SignIn in sign_in;
    sign_in_finish(SignInFinish) -> SignIn in sign_in;
    sign_in_choose(SignInChoose) -> SignIn in sign_in;
    sign_in_cancel(ById) -> SignIn in sign_in;

    // Accounts
    accounts_list(Nothing) -> Vec<AccountView> in accounts;
    account_set(AccountSet) -> AccountView in accounts;
    account_check_subscription(ById) -> AccountView in accounts;
    account_erase_prepare(ById) -> ErasePrepared in accounts;
    account_disconnect(AccountDisconnect) -> AccountView in accounts;
    account_erase_undo(ById) -> AccountView in accounts;

    // Fetching
    sync_now(ById) -> SyncStatus in sync;
    sync_status(Nothing) -> Vec<SyncStatus> in sync;
    sync_log(ById) -> Vec<SyncRun> in sync;

    // Inbox
    conversations_list(ConversationsQuery) -> ConversationPage in inbox;
    view_counts(CountsQuery) -> ViewCounts in inbox;
    conversation_get(ById) -> ConversationView in inbox;
    conversation_opened(ById) -> Nothing in inbox;
    conversation_set_unread(SetUnread) -> Nothing in inbox;
    conversation_set_state(SetState) -> Nothing in inbox;
    draft_set(DraftSet) -> Nothing in inbox;
    messages_list(MessagesQuery) -> MessagePage in inbox;
    search(SearchQuery) -> SearchPage in inbox;
    profile_refresh(ById) -> PersonView in inbox;

    // Answering
    message_send(MessageSend) -> MessageView in outbox;
    message_undo(ById) -> MessageView in outbox;
    message_retry(ById) -> MessageView in outbox;
    message_check(ById) -> MessageView in outbox;
    message_discard(ById) -> Nothing in outbox;
}
