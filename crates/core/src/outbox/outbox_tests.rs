#![allow(clippy::unwrap_used)]

use super::{change, *};
use crate::{
    api::types::{MessageSend, MessageView, Reason},
    domain::{Author, Incoming, IncomingItem, MessageId, MessageState, Source},
    ingest,
    profile::testing::{Opened, offline_profile},
    sync::{
        remote::Fault,
        testing::{self, FakeRemote, Fate, message},
    },
};
use tokio::task::JoinHandle;

const HOUR_MS: i64 = 3_600_000;

/// Ana wrote an hour ago; the owner answers.
struct Shop {
    opened: Opened,
    remote: FakeRemote,
    account: AccountId,
    conversation: ConversationId,
    stop: CancellationToken,
    running: Option<JoinHandle<()>>,
    keys: std::cell::Cell<u128>,
}

async fn shop() -> Shop {
    shop_on("messenger").await
}

async fn shop_on(channel: &str) -> Shop {
    let opened = offline_profile().await;
    let account = testing::account(&opened.profile, channel).await;
    let remote = FakeRemote::default();
    let now_ms = opened.profile.now_ms();
    remote.with(|world| world.now_ms = now_ms);
    remote.says("ana", now_ms - HOUR_MS, "Haben Sie morgen Brezeln?");
    let mut shop = Shop {
        opened,
        remote,
        account,
        conversation: ConversationId(0),
        stop: CancellationToken::new(),
        running: None,
        keys: std::cell::Cell::new(0),
    };
    shop.poll("ana").await;
    shop.conversation = testing::conversation(&shop.opened.profile, account, "ana").await;
    shop
}

impl Shop {
    fn profile(&self) -> &Arc<Profile> {
        &self.opened.profile
    }

    fn start(&mut self) {
        self.stop = CancellationToken::new();
        let remote: Arc<dyn Remote> = Arc::new(self.remote.clone());
        self.running = Some(tokio::spawn(run_with(
            Arc::clone(self.profile()),
            remote,
            self.stop.clone(),
        )));
    }

    /// The program ends at once, in the middle of whatever it does.
    async fn crash(&mut self) {
        let running = self.running.take().unwrap();
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
    }

    fn advance(&self, ms: i64) {
        self.remote.with(|world| world.now_ms += ms);
        self.opened.clock.advance(Duration::from_millis(ms as u64));
    }

    fn ask(&self, text: &str) -> MessageSend {
        self.keys.set(self.keys.get() + 1);
        let key = uuid::Uuid::from_u128(self.keys.get()).to_string();
        MessageSend {
            conversation_id: self.conversation.0,
            text: text.into(),
            reply_to: None,
            key,
        }
    }

    async fn send(&self, text: &str) -> MessageId {
        MessageId(send_text(self.profile(), self.ask(text)).await.unwrap().id)
    }

    async fn refused(&self, text: &str) -> String {
        send_text(self.profile(), self.ask(text))
            .await
            .unwrap_err()
            .code
    }

    async fn view(&self, id: MessageId) -> MessageView {
        let mut reader = self.profile().store.read().await.unwrap();
        view::message(&mut reader, id).await.unwrap().unwrap()
    }

    /// Waits until the message is in this state.
    async fn until(&self, id: MessageId, state: MessageState) -> MessageView {
        let mut changes = self.profile().parts.changes.listen();
        loop {
            let view = self.view(id).await;
            if view.state == state {
                return view;
            }
            assert!(changes.recv().await.is_ok());
        }
    }

    /// What a person does with a message nobody is sure about: look, and if it did not arrive, send it again.
    async fn until_decided(&self, id: MessageId) {
        let mut changes = self.profile().parts.changes.listen();
        while !matches!(
            self.view(id).await.state,
            MessageState::Sent | MessageState::Unknown
        ) {
            assert!(changes.recv().await.is_ok());
        }
        if change::check(self.profile(), &self.remote, id)
            .await
            .unwrap()
            .state
            == MessageState::Unknown
        {
            change::retry(self.profile(), id).await.unwrap();
        }
        self.until(id, MessageState::Sent).await;
    }

    /// Waits until a state with this reason is shown.
    async fn until_reason(&self, id: MessageId, code: &str) -> MessageView {
        let mut changes = self.profile().parts.changes.listen();
        loop {
            let view = self.view(id).await;
            if view
                .reason
                .as_ref()
                .is_some_and(|reason| reason.code == code)
            {
                return view;
            }
            assert!(changes.recv().await.is_ok());
        }
    }

    /// Sends and lets the hold-back pass.
    async fn send_now(&self, text: &str) -> MessageId {
        let id = self.send(text).await;
        self.opened.clock.until_waiting(1).await;
        self.advance(5_000);
        id
    }

    async fn trouble(&self) -> Option<String> {
        let mut reader = self.profile().store.read().await.unwrap();
        sqlx::query_scalar!(
            "SELECT trouble FROM conversations WHERE id = ?",
            self.conversation.0
        )
        .fetch_one(&mut *reader)
        .await
        .unwrap()
    }

    async fn draft(&self) -> Option<String> {
        let mut reader = self.profile().store.read().await.unwrap();
        sqlx::query_scalar!(
            "SELECT draft FROM conversations WHERE id = ?",
            self.conversation.0
        )
        .fetch_one(&mut *reader)
        .await
        .unwrap()
    }

    async fn held_echoes(&self) -> i64 {
        let mut reader = self.profile().store.read().await.unwrap();
        sqlx::query_scalar!(r#"SELECT COUNT(*) AS "n!: i64" FROM held_echoes"#)
            .fetch_one(&mut *reader)
            .await
            .unwrap()
    }

    async fn set(&self, sql: &'static str) {
        let mut tx = self.profile().store.write(Priority::Owner).await.unwrap();
        sqlx::query(sql).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// What a poll of this thread would bring.
    async fn poll(&self, person: &str) {
        let messages = self.remote.with(|world| world.threads[person].clone());
        self.news(messages, Source::Poll).await;
    }

    async fn news(&self, messages: Vec<crate::domain::IncomingMessage>, source: Source) {
        let items = messages
            .into_iter()
            .rev()
            .map(IncomingItem::Message)
            .collect();
        let news = Incoming {
            account: self.account,
            source,
            observed_at_ms: self.profile().now_ms(),
            items,
        };
        ingest::take_in(self.profile(), news, Priority::Background)
            .await
            .unwrap();
    }

    fn arrived(&self) -> Vec<String> {
        self.remote
            .with(|world| world.arrived.iter().map(|(_, text)| text.clone()).collect())
    }

    /// Authors and texts of the thread, oldest first, without what was taken back.
    async fn thread(&self) -> Vec<(String, String)> {
        let mut reader = self.profile().store.read().await.unwrap();
        let rows = sqlx::query!(
            r#"SELECT author, text FROM messages WHERE conversation_id = ? AND state <> 'cancelled' ORDER BY sort_key"#,
            self.conversation.0
        )
        .fetch_all(&mut *reader)
        .await
        .unwrap();
        rows.into_iter()
            .map(|row| (row.author, row.text.unwrap_or_default()))
            .collect()
    }

    async fn ours(&self) -> Vec<(String, String)> {
        self.thread().await.into_iter().skip(1).collect()
    }
}

fn yours(texts: &[&str]) -> Vec<(String, String)> {
    texts
        .iter()
        .map(|text| ("you".to_owned(), (*text).to_owned()))
        .collect()
}

#[tokio::test]
async fn an_answer_is_there_at_once_leaves_after_the_hold_back_and_is_one_message() {
    let mut shop = shop().await;
    shop.start();
    let id = shop.send("Ja, ab 7 Uhr!").await;
    let view = shop.view(id).await;
    assert_eq!(
        (view.state, view.leaves_at_ms),
        (
            MessageState::Scheduled,
            Some(shop.profile().now_ms() + 5_000)
        )
    );
    assert_eq!(shop.ours().await, yours(&["Ja, ab 7 Uhr!"]));
    shop.opened.clock.until_waiting(1).await;
    shop.advance(4_999);
    assert!(shop.arrived().is_empty());
    shop.advance(1);
    shop.until(id, MessageState::Sent).await;
    assert_eq!(shop.arrived(), ["Ja, ab 7 Uhr!"]);
    shop.poll("ana").await;
    assert_eq!(
        shop.ours().await,
        yours(&["Ja, ab 7 Uhr!"]),
        "the poll shows the same message"
    );
}

#[tokio::test]
async fn a_repeated_call_is_one_send() {
    let mut shop = shop().await;
    shop.start();
    let ask = shop.ask("Gerne");
    let first = send_text(shop.profile(), ask.clone()).await.unwrap();
    let again = send_text(shop.profile(), ask.clone()).await.unwrap();
    assert_eq!(first.id, again.id);
    shop.opened.clock.until_waiting(1).await;
    shop.advance(5_000);
    shop.until(MessageId(first.id), MessageState::Sent).await;
    assert_eq!(send_text(shop.profile(), ask).await.unwrap().id, first.id);
    assert_eq!(shop.arrived(), ["Gerne"]);
    let bad = MessageSend {
        key: "x".into(),
        ..shop.ask("Gerne")
    };
    assert_eq!(
        send_text(shop.profile(), bad).await.unwrap_err().code,
        "bad_argument"
    );
}

#[tokio::test]
async fn undo_gives_the_words_back_and_comes_too_late_after() {
    let mut shop = shop().await;
    shop.start();
    let id = shop.send("Nein, leider nicht").await;
    let undone = change::undo(shop.profile(), id).await.unwrap();
    assert_eq!(
        (undone.state, undone.text.as_deref()),
        (MessageState::Cancelled, Some("Nein, leider nicht"))
    );
    assert_eq!(shop.draft().await.as_deref(), Some("Nein, leider nicht"));
    assert!(shop.ours().await.is_empty());
    let id = shop.send_now("Doch!").await;
    shop.until(id, MessageState::Sent).await;
    assert_eq!(
        change::undo(shop.profile(), id).await.unwrap_err().code,
        "too_late"
    );
    assert_eq!(shop.arrived(), ["Doch!"], "what was undone never left");
    assert_eq!(shop.draft().await, None);
}

#[tokio::test]
async fn what_may_not_be_sent_is_refused_before_it_is_a_row() {
    let shop = shop_on("instagram").await;
    assert_eq!(shop.refused(" \n ").await, "bad_argument");
    assert_eq!(shop.refused(&"ü".repeat(501)).await, "too_long");
    shop.set("UPDATE accounts SET paused = 1").await;
    assert_eq!(shop.refused("Hallo").await, "paused");
    shop.set("UPDATE accounts SET paused = 0, state = 'reconnect_now'")
        .await;
    assert_eq!(shop.refused("Hallo").await, "needs_reconnect");
    shop.set("UPDATE accounts SET state = 'disconnected'").await;
    assert_eq!(shop.refused("Hallo").await, "disconnected");
    shop.set("UPDATE accounts SET state = 'live'").await;
    shop.advance(23 * HOUR_MS);
    assert_eq!(shop.refused("Hallo").await, "window_closed");
    assert!(shop.ours().await.is_empty());
}

#[tokio::test]
async fn after_a_day_only_a_person_with_the_reviewed_feature_may_answer() {
    let mut shop = shop().await;
    shop.start();
    shop.advance(30 * HOUR_MS);
    assert_eq!(shop.refused("Entschuldigung").await, "window_closed");
    shop.set(r#"UPDATE credentials SET granted = '["pages_messaging", "human_agent"]'"#)
        .await;
    let id = shop.send_now("Entschuldigung").await;
    shop.until(id, MessageState::Sent).await;
    assert_eq!(
        shop.remote.with(|world| world.calls.clone()),
        ["send by hand: Entschuldigung"]
    );
    shop.advance(6 * 24 * HOUR_MS);
    assert_eq!(shop.refused("Zu spät").await, "window_closed");
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_and_found() {
    let mut shop = shop().await;
    shop.start();
    shop.remote
        .with(|world| world.fates.push_back(Fate::ArrivesUnsaid));
    let id = shop.send_now("Bis 18 Uhr").await;
    let view = shop.until(id, MessageState::Unknown).await;
    assert_eq!(view.reason.unwrap().code, "no_answer");
    assert_eq!(shop.trouble().await.as_deref(), Some("unknown"));
    shop.opened.clock.until_waiting(1).await;
    shop.advance(10_000);
    shop.until(id, MessageState::Sent).await;
    assert_eq!(shop.trouble().await, None);
    assert_eq!(shop.arrived(), ["Bis 18 Uhr"]);
    assert_eq!(shop.ours().await, yours(&["Bis 18 Uhr"]));
}

#[tokio::test]
async fn a_lost_send_stays_unknown_until_a_person_decides() {
    let mut shop = shop().await;
    shop.start();
    shop.remote.with(|world| world.fates.push_back(Fate::Lost));
    let id = shop.send_now("Bis 18 Uhr").await;
    let behind = shop.send("Oder morgen").await;
    shop.until(id, MessageState::Unknown).await;
    for ms in [10_000, 50_000] {
        shop.opened.clock.until_waiting(1).await;
        shop.advance(ms);
    }
    // It held the next one back until both looks were over, and no longer.
    shop.until(behind, MessageState::Sent).await;
    shop.advance(24 * 60_000);
    assert_eq!(shop.view(id).await.state, MessageState::Unknown);
    assert_eq!(shop.arrived(), ["Oder morgen"]);
    let checked = change::check(shop.profile(), &shop.remote, id)
        .await
        .unwrap();
    assert_eq!(checked.state, MessageState::Unknown);
    change::retry(shop.profile(), id).await.unwrap();
    shop.until(id, MessageState::Sent).await;
    assert_eq!(shop.arrived(), ["Oder morgen", "Bis 18 Uhr"]);
}

#[tokio::test]
async fn the_owner_may_look_before_deciding() {
    let mut shop = shop().await;
    shop.start();
    shop.remote
        .with(|world| world.fates.push_back(Fate::ArrivesUnsaid));
    let id = shop.send_now("Bis 18 Uhr").await;
    shop.until(id, MessageState::Unknown).await;
    assert_eq!(
        change::check(shop.profile(), &shop.remote, id)
            .await
            .unwrap()
            .state,
        MessageState::Sent
    );
    assert_eq!(
        change::retry(shop.profile(), id).await.unwrap_err().code,
        "bad_argument"
    );
}

#[tokio::test]
async fn an_automation_never_says_it_again() {
    let mut shop = shop().await;
    shop.start();
    shop.remote.with(|world| world.fates.push_back(Fate::Lost));
    let id = shop.send_now("Automatisch").await;
    shop.until(id, MessageState::Unknown).await;
    shop.set("UPDATE outbox SET author = 'automation'").await;
    assert_eq!(
        change::retry(shop.profile(), id).await.unwrap_err().code,
        "not_allowed"
    );
}

#[tokio::test]
async fn two_equal_texts_are_two_messages() {
    let mut shop = shop().await;
    shop.start();
    shop.remote.with(|world| {
        world
            .fates
            .extend([Fate::ArrivesUnsaid, Fate::ArrivesUnsaid])
    });
    let first = shop.send_now("Danke!").await;
    shop.until(first, MessageState::Unknown).await;
    let second = shop.send_now("Danke!").await;
    shop.opened.clock.until_waiting(1).await;
    shop.advance(5_000);
    shop.until(first, MessageState::Sent).await;
    shop.until(second, MessageState::Unknown).await;
    shop.opened.clock.until_waiting(1).await;
    shop.advance(10_000);
    shop.until(second, MessageState::Sent).await;
    shop.poll("ana").await;
    assert_eq!(shop.arrived(), ["Danke!", "Danke!"]);
    assert_eq!(shop.ours().await, yours(&["Danke!", "Danke!"]));
}

#[tokio::test]
async fn without_a_network_answers_wait_in_their_order() {
    let mut shop = shop().await;
    shop.start();
    let offline = || Fate::Says(Fault::new(FaultKind::Offline, "waits_for_network"));
    shop.remote
        .with(|world| world.fates.extend([offline(), offline()]));
    let one = shop.send("eins").await;
    let two = shop.send("zwei").await;
    let three = shop.send("drei").await;
    shop.opened.clock.until_waiting(1).await;
    shop.advance(5_000);
    let view = shop.until_reason(one, "waits_for_network").await;
    assert_eq!(view.state, MessageState::Queued);
    assert!(shop.arrived().is_empty());
    shop.opened.clock.until_waiting(1).await;
    shop.advance(5_000);
    while shop.remote.with(|world| world.calls.len()) < 2 {
        tokio::task::yield_now().await;
    }
    shop.opened.clock.until_waiting(1).await;
    shop.until(one, MessageState::Queued).await;
    // Refused twice: without the good news it would be left alone for ten seconds now.
    shop.profile().outbox.network_back();
    for id in [one, two, three] {
        shop.until(id, MessageState::Sent).await;
    }
    assert_eq!(shop.arrived(), ["eins", "zwei", "drei"]);
}

#[tokio::test]
async fn a_window_that_closed_while_waiting_gives_the_words_back() {
    let mut shop = shop().await;
    shop.start();
    shop.remote.with(|world| {
        world.fates.push_back(Fate::Says(Fault::new(
            FaultKind::Offline,
            "waits_for_network",
        )))
    });
    let id = shop.send_now("Morgen wieder").await;
    shop.until_reason(id, "waits_for_network").await;
    shop.opened.clock.until_waiting(1).await;
    shop.advance(24 * HOUR_MS);
    let view = shop.until(id, MessageState::Draft).await;
    assert_eq!(view.reason.unwrap().code, "window_closed_while_waiting");
    assert_eq!(view.text.as_deref(), Some("Morgen wieder"));
    assert_eq!(shop.trouble().await.as_deref(), Some("failed"));
    assert!(shop.arrived().is_empty());
    assert_eq!(
        change::retry(shop.profile(), id).await.unwrap_err().code,
        "window_closed"
    );
    shop.remote
        .says("ana", shop.profile().now_ms(), "Sind Sie noch da?");
    shop.poll("ana").await;
    change::retry(shop.profile(), id).await.unwrap();
    shop.until(id, MessageState::Sent).await;
    assert_eq!(shop.trouble().await, None);
}

#[tokio::test]
async fn a_refusal_says_why_and_can_be_given_up() {
    let mut shop = shop().await;
    shop.start();
    shop.remote.with(|world| {
        world
            .fates
            .push_back(Fate::Says(refusal::of_send(551, 1_545_041)))
    });
    let id = shop.send_now("Hallo Ana").await;
    let view = shop.until(id, MessageState::Failed).await;
    assert_eq!(view.reason, Some(Reason::new("person_unavailable")));
    assert_eq!(shop.trouble().await.as_deref(), Some("failed"));
    change::discard(shop.profile(), id).await.unwrap();
    assert_eq!(shop.trouble().await, None);
    assert!(shop.ours().await.is_empty());
    assert_eq!(
        change::discard(shop.profile(), id).await.unwrap_err().code,
        "too_late"
    );
}

#[tokio::test]
async fn a_limit_is_waited_for() {
    let mut shop = shop().await;
    shop.start();
    shop.remote.with(|world| {
        world
            .fates
            .push_back(Fate::Says(refusal::of_send(613, 2_534_040).after(9_000)))
    });
    let id = shop.send_now("Geduld").await;
    let view = shop.until_reason(id, "rate_limited").await;
    assert_eq!(view.state, MessageState::Queued);
    change::undo(shop.profile(), id).await.unwrap();
    let id = shop.send("Geduld!").await;
    shop.opened.clock.until_waiting(1).await;
    shop.advance(8_999);
    assert!(
        shop.arrived().is_empty(),
        "the platform asked for nine seconds"
    );
    shop.opened.clock.until_waiting(1).await;
    shop.advance(1);
    shop.until(id, MessageState::Sent).await;
    assert_eq!(shop.arrived(), ["Geduld!"]);
}

#[tokio::test]
async fn a_signed_out_account_keeps_its_answers() {
    let mut shop = shop().await;
    shop.start();
    let id = shop.send("Gleich").await;
    shop.set("UPDATE accounts SET state = 'reconnect_now'")
        .await;
    shop.opened.clock.until_waiting(1).await;
    shop.advance(5_000);
    shop.until_reason(id, "signed_out").await;
    shop.set("UPDATE accounts SET state = 'live'").await;
    shop.profile().parts.changes.send(Change::Accounts);
    shop.until(id, MessageState::Sent).await;
    assert_eq!(shop.arrived(), ["Gleich"]);
}

#[tokio::test]
async fn an_echo_that_overtakes_its_answer_waits_for_it() {
    let mut shop = shop_on("instagram").await;
    shop.start();
    let answer = Arc::new(Notify::new());
    shop.remote
        .with(|world| world.fates.push_back(Fate::Waits(Arc::clone(&answer))));
    let id = shop.send_now("Gern geschehen").await;
    shop.until(id, MessageState::Sending).await;
    while shop.arrived().is_empty() {
        tokio::task::yield_now().await;
    }
    // Meanwhile the owner's sister writes from the phone.
    shop.remote
        .phone("ana", shop.profile().now_ms(), "Liebe Grüße!");
    let echoes = shop.remote.with(|world| world.threads["ana"][1..].to_vec());
    shop.news(echoes, Source::Webhook).await;
    assert_eq!(shop.held_echoes().await, 2);
    assert_eq!(
        shop.ours().await,
        yours(&["Gern geschehen"]),
        "nobody is called the phone yet"
    );
    answer.notify_one();
    shop.until(id, MessageState::Sent).await;
    assert_eq!(shop.held_echoes().await, 0);
    let mut ours = shop.ours().await;
    ours.sort();
    assert_eq!(
        ours,
        [
            ("phone".to_owned(), "Liebe Grüße!".to_owned()),
            ("you".to_owned(), "Gern geschehen".to_owned())
        ]
    );
}

#[tokio::test]
async fn an_echo_stands_for_an_answer_that_never_comes() {
    let mut shop = shop_on("instagram").await;
    shop.start();
    shop.remote.with(|world| world.fates.push_back(Fate::Hangs));
    let id = shop.send_now("Gern geschehen").await;
    shop.until(id, MessageState::Sending).await;
    while shop.arrived().is_empty() {
        tokio::task::yield_now().await;
    }
    shop.poll("ana").await;
    assert_eq!(shop.held_echoes().await, 1);
    shop.opened.clock.until_waiting(1).await;
    shop.advance(20_000);
    shop.until(id, MessageState::Sent).await;
    assert_eq!(shop.ours().await, yours(&["Gern geschehen"]));
    assert_eq!(shop.held_echoes().await, 0);
}

#[tokio::test]
async fn metadata_is_certain_and_needs_no_waiting() {
    let mut shop = shop().await;
    shop.start();
    shop.remote.with(|world| world.fates.push_back(Fate::Hangs));
    let ask = shop.ask("Gern geschehen");
    let key = ask.key.clone();
    let id = MessageId(send_text(shop.profile(), ask).await.unwrap().id);
    shop.opened.clock.until_waiting(1).await;
    shop.advance(5_000);
    shop.until(id, MessageState::Sending).await;
    let mut echo = message(
        "m_echo",
        "ana",
        shop.profile().now_ms(),
        false,
        "Gern geschehen",
    );
    echo.metadata = Some(format!("sb:{key}"));
    shop.news(vec![echo], Source::Webhook).await;
    assert_eq!(shop.view(id).await.state, MessageState::Sent);
    let mut other = message(
        "m_other",
        "ana",
        shop.profile().now_ms(),
        false,
        "Von der anderen Kasse",
    );
    other.metadata = Some("sb:a key of another computer".into());
    shop.news(vec![other], Source::Webhook).await;
    assert_eq!(
        shop.ours().await.last().unwrap(),
        &("you".to_owned(), "Von der anderen Kasse".to_owned())
    );
}

#[tokio::test]
async fn discarded_while_unknown_and_arrived_after_all() {
    let mut shop = shop().await;
    shop.start();
    shop.remote
        .with(|world| world.fates.push_back(Fate::ArrivesUnsaid));
    let id = shop.send_now("Doch noch").await;
    shop.until(id, MessageState::Unknown).await;
    change::discard(shop.profile(), id).await.unwrap();
    assert!(shop.ours().await.is_empty());
    shop.poll("ana").await;
    assert_eq!(
        shop.ours().await,
        yours(&["Doch noch"]),
        "the thread shows what the customer sees"
    );
    assert_eq!(shop.view(id).await.state, MessageState::Sent);
}

#[tokio::test]
async fn authors_of_other_echoes() {
    let shop = shop().await;
    let echo = |mid: &str, app: Option<&str>, text: &str| {
        let mut echo = message(mid, "ana", shop.profile().now_ms(), false, text);
        echo.app_id = app.map(str::to_owned);
        echo
    };
    let news = [
        echo("m_a", Some("263902037430900"), "Posteingang"),
        echo("m_b", Some("4711"), "Werkzeug"),
        echo("m_c", None, "Handy"),
    ];
    for (n, mut message) in news.into_iter().enumerate() {
        message.sent_at_ms += n as i64;
        shop.news(vec![message], Source::Webhook).await;
    }
    let authors: Vec<String> = shop
        .ours()
        .await
        .into_iter()
        .map(|(author, _)| author)
        .collect();
    assert_eq!(
        authors,
        [Author::Phone, Author::OtherApp, Author::Phone].map(|author| author.as_str().to_owned())
    );
}

#[path = "outbox_kill_tests.rs"]
mod kills;
