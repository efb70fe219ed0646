//! Usage headers and limits, with both statuses.

use serde_json::Value;
use shopbell_sandbox::{Fault, Size, Throttle};

use crate::bench::{BAKERY, Bench, HOUR};

fn business(answer: &crate::bench::Answer) -> Value {
    let header: Value = serde_json::from_str(answer.header("x-business-use-case-usage")).unwrap();
    header[BAKERY][0].clone()
}

#[tokio::test]
async fn two_conversation_calls_a_second() {
    let bench = Bench::with(Size::Small, |switches| {
        switches.conversations_per_second = 2
    })
    .await;
    let token = bench.page(BAKERY).await;
    let list = "v25.0/me/conversations?limit=1";
    for _ in 0..2 {
        assert_eq!(bench.get(list, &token).await.status, 200);
    }
    let third = bench.get(list, &token).await;
    assert_eq!((third.status, third.error()), (400, (613, 2_534_040)));
    assert_eq!(bench.get("v25.0/me", &token).await.status, 200);
    // The linked Instagram account has its own two.
    assert_eq!(
        bench
            .get("v25.0/me/conversations?platform=instagram&limit=1", &token)
            .await
            .status,
        200
    );
    bench.world().advance_ms(1_001);
    assert_eq!(bench.get(list, &token).await.status, 200);
}

#[tokio::test]
async fn usage_rises_to_a_hundred_and_stops_the_account() {
    let bench = Bench::with(Size::Small, |switches| {
        switches.account_call_budget = Some(10);
        switches.limit_status = 403;
    })
    .await;
    let token = bench.page(BAKERY).await;
    let mut last = 0;
    for call in 1..10 {
        let answer = bench.get("v25.0/me/conversations?limit=1", &token).await;
        assert_eq!(answer.status, 200, "call {call}");
        let usage = business(&answer);
        assert_eq!(usage["type"], "messenger");
        assert!(usage["call_count"].as_u64().unwrap() > last);
        last = usage["call_count"].as_u64().unwrap();
    }
    let stopped = bench.get("v25.0/me/conversations?limit=1", &token).await;
    assert_eq!((stopped.status, stopped.error().0), (403, 80_006));
    assert_eq!(business(&stopped)["call_count"], 100);
    assert_eq!(
        business(&stopped)["estimated_time_to_regain_access"],
        24 * 60
    );
    // Other calls of the Page have their own count.
    assert_eq!(bench.get("v25.0/me", &token).await.status, 200);
    bench.world().advance_ms(24 * HOUR);
    assert_eq!(
        bench
            .get("v25.0/me/conversations?limit=1", &token)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn app_user_and_page_limits() {
    let bench = Bench::with(Size::Empty, |_| {}).await;
    let user = bench.user().await;
    let instagram = bench.instagram().await;
    bench
        .world()
        .set_switches(|switches| switches.user_call_budget = Some(1));
    assert_eq!(bench.get("v25.0/me", &user).await.status, 200);
    assert_eq!(bench.get("v25.0/me", &user).await.error().0, 17);
    assert_eq!(
        bench.get(&format!("v25.0/{BAKERY}"), &user).await.error().0,
        32
    );
    bench.world().set_switches(|switches| {
        switches.user_call_budget = None;
        switches.app_call_budget = Some(2);
    });
    let first = bench.get("v25.0/me", &user).await;
    assert!(first.header("x-app-usage").contains("\"call_count\":50"));
    assert_eq!(bench.get("v25.0/me", &user).await.error().0, 4);
    bench.world().set_switches(|switches| {
        switches.app_call_budget = None;
        switches.account_call_budget = Some(1);
    });
    assert_eq!(
        bench
            .get("graph.instagram.com/v25.0/me", &instagram)
            .await
            .error()
            .0,
        80_002
    );
    let page = {
        bench
            .world()
            .set_switches(|switches| switches.account_call_budget = None);
        bench.page(BAKERY).await
    };
    bench
        .world()
        .set_switches(|switches| switches.account_call_budget = Some(1));
    assert_eq!(bench.get("v25.0/me", &page).await.error().0, 80_001);
}

#[tokio::test]
async fn an_ordered_throttle_says_when_to_come_back() {
    let bench = Bench::small().await;
    let token = bench.page(BAKERY).await;
    let throttle = Some(Throttle {
        code: 80_006,
        minutes: 7,
    });
    bench.world().fault(Fault {
        path: "conversations".into(),
        throttle,
        ..Fault::default()
    });
    let answer = bench.get("v25.0/me/conversations", &token).await;
    assert_eq!(answer.error().0, 80_006);
    assert_eq!(business(&answer)["estimated_time_to_regain_access"], 7);
    bench.world().clear_faults();
    assert_eq!(
        bench.get("v25.0/me/conversations", &token).await.status,
        200
    );
}

#[tokio::test]
async fn asking_for_too_much_is_code_one() {
    let bench = Bench::with(Size::Small, |switches| {
        switches.expansion_budget = Some(100)
    })
    .await;
    let token = bench.page(BAKERY).await;
    let path = |limit: usize| {
        format!("v25.0/me/conversations?limit={limit}&fields=id,messages.limit(20){{id}}")
    };
    let refused = bench.get(&path(10), &token).await;
    assert_eq!(refused.error().0, 1);
    assert!(refused.text.contains("reduce the amount of data"));
    assert_eq!(bench.get(&path(5), &token).await.status, 200);
}

#[tokio::test]
async fn the_date_header_is_the_clock_of_the_sandbox() {
    let bench = Bench::empty().await;
    let user = bench.user().await;
    assert_eq!(
        bench.get("v25.0/me", &user).await.header("date"),
        "Fri, 20 Nov 2026 09:00:00 GMT"
    );
    bench.world().advance_ms(HOUR);
    assert_eq!(
        bench.get("v25.0/me", &user).await.header("date"),
        "Fri, 20 Nov 2026 10:00:00 GMT"
    );
}
