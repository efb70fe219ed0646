//! The one table of use cases.
//!
//! From it come: dispatch by name (shell and browser bridge), the names the window may call (each one a permission, see
//! `src-tauri/build.rs`, which reads this file as text), and the TypeScript client in `ui/src/gen/`. Nothing is listed twice.
//!
//! One line each: `module::name(Argument) -> Answer;`. The function is `api::<module>::<name>(&Core, Argument)`; outside it is called
//! `name`.

use super::types::*;

use_cases! {
    // The program itself
    app::app_status(Nothing) -> AppStatus;
    app::vault_retry(Nothing) -> AppStatus;
    app::vault_unlock(Passphrase) -> AppStatus;
    app::vault_create_passphrase(Passphrase) -> AppStatus;
    app::vault_recover(RecoveryKey) -> AppStatus;
    app::recovery_key_show(Nothing) -> RecoveryKey;
    app::recovery_key_confirm(RecoveryKeyCheck) -> AppStatus;
    app::sample_open(Nothing) -> AppStatus;
    app::sample_leave(Nothing) -> AppStatus;
    settings::settings_get(Nothing) -> Settings;
    settings::settings_set(SettingsPatch) -> Settings;
    app::health_get(Nothing) -> Health;

    // Connecting
    sign_in::sign_in_start(SignInStart) -> SignIn;
    sign_in::sign_in_current(Nothing) -> Option<SignIn>;
    sign_in::sign_in_open_again(ById) -> SignIn;
    sign_in::sign_in_finish(SignInFinish) -> SignIn;
    sign_in::sign_in_choose(SignInChoose) -> SignIn;
    sign_in::sign_in_cancel(ById) -> SignIn;

    // Accounts
    accounts::accounts_list(Nothing) -> Vec<AccountView>;
    accounts::account_set(AccountSet) -> AccountView;
    accounts::account_check_subscription(ById) -> AccountView;
    accounts::account_erase_prepare(ById) -> ErasePrepared;
    accounts::account_disconnect(AccountDisconnect) -> AccountView;
    accounts::account_erase_undo(ById) -> AccountView;

    // Fetching
    sync::sync_now(ById) -> SyncStatus;
    sync::sync_status(Nothing) -> Vec<SyncStatus>;
    sync::sync_log(ById) -> Vec<SyncRun>;

    // Events through the relay
    relay::relay_status(Nothing) -> RelayStatus;
    relay::relay_reconnect(Nothing) -> RelayStatus;
    relay::events_list(EventsQuery) -> EventPage;
    relay::event_retry(ById) -> EventView;
    relay::event_leave(ById) -> EventView;
    relay::answering_take(ById) -> Nothing;
    relay::deletion_answer(DeletionAnswer) -> RelayStatus;

    // Inbox
    inbox::conversations_list(ConversationsQuery) -> ConversationPage;
    inbox::view_counts(CountsQuery) -> ViewCounts;
    inbox::conversation_get(ById) -> ConversationView;
    inbox::conversation_opened(ById) -> Nothing;
    inbox::conversation_set_unread(SetUnread) -> Nothing;
    inbox::conversation_set_state(SetState) -> Nothing;
    inbox::draft_set(DraftSet) -> Nothing;
    inbox::messages_list(MessagesQuery) -> MessagePage;
    inbox::search(SearchQuery) -> SearchPage;
    inbox::profile_refresh(ById) -> PersonView;

    // Comments
    comments::posts_list(PostsQuery) -> PostPage;
    comments::comments_list(CommentsQuery) -> CommentPage;

    // Answering
    outbox::message_send(MessageSend) -> MessageView;
    outbox::message_undo(ById) -> MessageView;
    outbox::message_retry(ById) -> MessageView;
    outbox::message_check(ById) -> MessageView;
    outbox::message_discard(ById) -> Nothing;
}
