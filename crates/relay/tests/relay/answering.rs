//! Who answers for an account: one computer, by a lease with a term.

use reqwest::StatusCode;
use shopbell_wire::*;

use super::{harness::*, line::*, meta::PAGE_TOKEN};

/// Two computers bound to the page: the world's own was first.
async fn two() -> (World, Device) {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    world.pass(1);
    let shop = world.device(2);
    bind(&shop).await;
    (world, shop)
}

fn run_here() -> DeviceMessage {
    DeviceMessage::AnswerHere { account: page() }
}

#[tokio::test]
async fn the_first_computer_that_connects_answers_and_the_second_is_told_who() {
    let (world, shop) = two().await;
    let mut second = Line::new(&world, &shop).await;
    let one = second.told().await[&page()].clone();
    assert!(one.mine);
    assert_eq!((one.term, one.until_ms), (1, NOW + 1 + ANSWERING_LEASE_MS));
    let mut first = Line::new(&world, &world.device).await;
    let told = first.told().await.clone();
    assert_eq!(told[&page()].device, shop.keys.thumbprint());
    assert!(!told[&page()].mine);
    assert!(
        told[&instagram()].mine,
        "only one of them is bound to the Instagram account"
    );
    assert!(
        second.meanwhile().await.is_empty(),
        "nothing changed for it"
    );
}

#[tokio::test]
async fn run_here_moves_it_under_a_new_term_and_both_are_told() {
    let (world, shop) = two().await;
    let mut home = Line::new(&world, &world.device).await;
    assert!(home.until_term(1).await);
    let mut line = Line::new(&world, &shop).await;
    assert!(!line.until_term(1).await);
    line.say(&run_here()).await;
    assert!(line.until_term(2).await);
    assert!(!home.until_term(2).await);
    home.say(&run_here()).await;
    assert!(home.until_term(3).await);
    assert!(!line.until_term(3).await);
    home.say(&run_here()).await;
    assert!(
        !home.meanwhile().await.iter().any(|said| matches!(
            said,
            Said::Message(RelayMessage::Answering { accounts }) if accounts.iter().any(|one| one.term > 3)
        )),
        "who answers already changes nothing"
    );
}

#[tokio::test]
async fn nobody_answers_for_an_account_that_is_not_theirs() {
    let (world, shop) = two().await;
    let mut home = Line::new(&world, &world.device).await;
    home.until_term(1).await;
    let mut line = Line::new(&world, &shop).await;
    line.told().await;
    line.say(&DeviceMessage::AnswerHere {
        account: instagram(),
    })
    .await;
    assert!(line.meanwhile().await.is_empty());
    assert!(home.meanwhile().await.is_empty());
    assert!(home.answering[&instagram()].mine);
}

#[tokio::test]
async fn a_holder_that_is_gone_keeps_it_to_the_end_of_its_lease_and_then_another_takes_it() {
    let (world, shop) = two().await;
    let mut home = Line::new(&world, &world.device).await;
    home.until_term(1).await;
    let mut line = Line::new(&world, &shop).await;
    line.told().await;
    drop(home);
    world.pass(ANSWERING_LEASE_MS);
    world.relay.upkeep_now().await.unwrap();
    assert!(line.meanwhile().await.is_empty(), "the last millisecond");
    world.pass(1);
    world.relay.upkeep_now().await.unwrap();
    assert!(line.until_term(2).await);
    let mut home = Line::new(&world, &world.device).await;
    assert!(
        !home.told().await[&page()].mine,
        "who comes back finds it taken"
    );
}

#[tokio::test]
async fn a_living_stream_renews_and_only_the_holder_is_told_the_new_end() {
    let (world, shop) = two().await;
    let mut home = Line::new(&world, &world.device).await;
    home.until_term(1).await;
    let mut line = Line::new(&world, &shop).await;
    line.told().await;
    for round in 1..=10 {
        world.pass(31_000);
        world.relay.upkeep_now().await.unwrap();
        let one = home.told().await[&page()].clone();
        let now = NOW + 1 + round * 31_000;
        assert_eq!((one.term, one.until_ms), (1, now + ANSWERING_LEASE_MS));
        assert!(line.meanwhile().await.is_empty());
    }
}

#[tokio::test]
async fn a_holder_alone_may_come_back_late_under_its_old_term() {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    let mut home = Line::new(&world, &world.device).await;
    home.until_term(1).await;
    drop(home);
    world.pass(10 * ANSWERING_LEASE_MS);
    let mut home = Line::new(&world, &world.device).await;
    let one = home.told().await[&page()].clone();
    assert_eq!((one.mine, one.term), (true, 1));
    assert!(one.until_ms > NOW + 10 * ANSWERING_LEASE_MS);
}

#[tokio::test]
async fn a_computer_that_is_taken_off_answers_no_more_and_is_sent_away() {
    let (world, shop) = two().await;
    let mut line = Line::new(&world, &shop).await;
    assert!(line.until_term(1).await);
    let mut home = Line::new(&world, &world.device).await;
    assert!(!home.until_term(1).await);
    messages(&world, 1).await;
    home.events(1).await;
    let remove = RemoveBinding {
        shown: ShowToken {
            account: page(),
            provider: Provider::Facebook,
            token: Secret::new(PAGE_TOKEN),
        },
        device: shop.keys.thumbprint(),
    };
    ok::<BindingList>(
        world
            .device
            .post_json(paths::BINDINGS_REMOVE, &remove)
            .await,
    )
    .await;
    assert!(home.until_term(2).await, "the other one takes over at once");
    messages(&world, 1).await;
    home.events(1).await;
    let mut line2 = Line::dial(&world).await;
    let nonce = line2.challenge().await;
    let relay = world.relay.base_url.as_str();
    let hello = Hello::sign(&shop.keys, relay, &nonce, None, 0);
    line2.say(&DeviceMessage::Hello(hello)).await;
    assert_eq!(
        line2.closed().await,
        Some(CloseReason::Unauthorised),
        "what waits for it stays closed"
    );
}

#[tokio::test]
async fn the_last_binding_gone_ends_the_stream_after_a_moment() {
    let world = World::with(|config| {
        config.stream_pace.ping = std::time::Duration::from_millis(20);
    })
    .await;
    world.sign_in(Provider::Facebook).await;
    let shop = world.device(2);
    bind(&shop).await;
    let mut line = Line::new(&world, &shop).await;
    line.told().await;
    let path = format!("{}/page/1001", paths::BINDINGS);
    assert_eq!(shop.delete(&path).await.status(), StatusCode::NO_CONTENT);
    assert!(line.told().await.is_empty());
    assert_eq!(line.closed().await, Some(CloseReason::Unauthorised));
}

#[tokio::test]
async fn an_account_bound_while_the_stream_is_open_is_told_there() {
    let world = World::new().await;
    let shop = world.device(2);
    bind(&shop).await;
    let mut line = Line::new(&world, &shop).await;
    assert_eq!(line.told().await.len(), 1);
    let shown = ShowToken {
        account: instagram(),
        provider: Provider::Facebook,
        token: Secret::new(PAGE_TOKEN),
    };
    ok::<BindingList>(shop.post_json(paths::BINDINGS_RENEW, &shown).await).await;
    while line.told().await.len() < 2 {}
    assert!(line.answering[&instagram()].mine);
}
