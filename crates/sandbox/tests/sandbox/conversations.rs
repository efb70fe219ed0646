//! Conversations and messages: order, cursors, expansion, the detail limit, what each product refuses.

use std::collections::HashSet;

use serde_json::Value;
use shopbell_sandbox::{AccountChange, Fault, OneMessage, Say};

use crate::bench::{BAKERY, BAKERY_IG, Bench, DAY};

fn say(account: &str, customer: &str, text: &str) -> Say {
    Say {
        account: Some(account.into()),
        customer: Some(customer.into()),
        text: text.into(),
        ..Say::default()
    }
}

fn ids(list: &Value) -> Vec<String> {
    list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn walk(bench: &Bench, first: &str, token: &str) -> (Vec<Value>, usize) {
    let (mut nodes, mut calls) = (Vec::new(), 1);
    let mut answer = bench.get(first, token).await.json();
    loop {
        nodes.extend(answer["data"].as_array().unwrap().clone());
        let Some(next) = answer["paging"]["next"].as_str().map(str::to_owned) else {
            return (nodes, calls);
        };
        assert!(next.contains("access_token="));
        answer = bench.fetch(&next).await.json();
        calls += 1;
    }
}

#[tokio::test]
async fn every_conversation_is_found_once_and_newest_first() {
    let bench = Bench::small().await;
    let token = bench.page(BAKERY).await;
    for (platform, count) in [("messenger", 8_usize), ("INSTAGRAM", 12)] {
        let path =
            format!("graph.facebook.com/v25.0/{BAKERY}/conversations?platform={platform}&limit=5");
        let (threads, calls) = walk(&bench, &path, &token).await;
        assert_eq!((threads.len(), calls), (count, count.div_ceil(5)));
        let times: Vec<&str> = threads
            .iter()
            .map(|thread| thread["updated_time"].as_str().unwrap())
            .collect();
        assert!(times.is_sorted_by(|a, b| a >= b));
    }
    let instagram = bench.instagram().await;
    let list = bench
        .get(
            &format!("graph.instagram.com/v25.0/{BAKERY_IG}/conversations?limit=100"),
            &instagram,
        )
        .await
        .json();
    assert_eq!(list["data"].as_array().unwrap().len(), 12);
    assert!(list["paging"]["next"].is_null() && list["paging"]["cursors"]["after"].is_string());
}

#[tokio::test]
async fn empty_lists_have_no_paging_and_empty_pages_lead_on() {
    let bench = Bench::small().await;
    let token = bench.page("100000000000103").await;
    let nobody = bench
        .get("v25.0/me/conversations?user_id=5", &token)
        .await
        .json();
    assert_eq!(nobody, serde_json::json!({"data": []}));
    let (all, _) = walk(&bench, "v25.0/me/conversations?limit=2", &token).await;
    bench.world().fault(Fault {
        path: "conversations".into(),
        skip: 1,
        times: 1,
        empty_page: true,
        ..Fault::default()
    });
    let (again, calls) = walk(&bench, "v25.0/me/conversations?limit=2", &token).await;
    assert_eq!(again, all);
    assert_eq!(calls, 4);
}

#[tokio::test]
async fn a_conversation_that_moves_up_while_paging_is_neither_lost_nor_repeated_below() {
    let bench = Bench::small().await;
    let token = bench.page("100000000000103").await;
    let first = bench
        .get("v25.0/me/conversations?limit=3", &token)
        .await
        .json();
    let (all, _) = walk(&bench, "v25.0/me/conversations", &token).await;
    let last = all.last().unwrap()["id"].as_str().unwrap().to_owned();
    bench
        .world()
        .say(Say {
            conversation: Some(last.clone()),
            text: "noch etwas".into(),
            ..Say::default()
        })
        .unwrap();
    let rest = bench
        .fetch(first["paging"]["next"].as_str().unwrap())
        .await
        .json();
    let mut seen: Vec<String> = ids(&first);
    seen.extend(ids(&rest));
    assert_eq!(seen.len(), 5);
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 5);
    assert_eq!(
        ids(&bench
            .get("v25.0/me/conversations?limit=1", &token)
            .await
            .json()),
        [last]
    );
}

#[tokio::test]
async fn details_stop_at_the_twenty_newest() {
    let bench = Bench::empty().await;
    let mut said = Vec::new();
    for number in 0..26 {
        bench.world().advance_ms(1_000);
        said.push(
            bench
                .world()
                .say(say("kornblume.brot", "Ana B", &format!("Nr. {number}")))
                .unwrap(),
        );
    }
    let token = bench.instagram().await;
    let thread = &said[0].conversation_id;
    let host = "graph.instagram.com/v25.0";
    let fields = "messages.limit(30){id,message,created_time}";
    let nested = bench
        .get(&format!("{host}/{thread}?fields={fields}"), &token)
        .await
        .json();
    assert_eq!(nested["messages"]["data"].as_array().unwrap().len(), 20);
    assert!(nested["messages"]["paging"]["next"].is_null());
    bench
        .world()
        .set_switches(|switches| switches.nested_messages_stop = false);
    let nested = bench
        .get(&format!("{host}/{thread}?fields={fields}"), &token)
        .await
        .json();
    let all = nested["messages"]["data"].as_array().unwrap();
    assert_eq!(all.len(), 26);
    assert_eq!(all[0]["message"], "Nr. 25");
    assert_eq!(all[19]["message"], "Nr. 6");
    assert!(all[20]["message"].is_null() && all[20]["id"].is_string());
    let (edge, _) = walk(
        &bench,
        &format!("{host}/{thread}/messages?fields=id,message&limit=10"),
        &token,
    )
    .await;
    assert_eq!(edge.len(), 26);
    assert!(edge[19]["message"].is_string() && edge[20]["message"].is_null());
    let old = bench
        .get(
            &format!("{host}/{}?fields=message", said[5].message_id),
            &token,
        )
        .await;
    assert_eq!((old.status, old.error()), (400, (9_000_001, 0)));
    assert_eq!(
        bench
            .get(
                &format!("{host}/{}?fields=message", said[6].message_id),
                &token
            )
            .await
            .json()["message"],
        "Nr. 6"
    );
}

#[tokio::test]
async fn fields_of_the_other_product_are_refused_or_absent() {
    let bench = Bench::small().await;
    let token = bench.page(BAKERY).await;
    let full = "fields=id,link,updated_time,message_count,unread_count,participants,snippet,can_reply,is_subscribed,senders,is_owner";
    let messenger = bench
        .get(&format!("v25.0/me/conversations?{full}&limit=1"), &token)
        .await
        .json();
    let thread = &messenger["data"][0];
    assert!(
        thread["snippet"].is_string() && thread["participants"]["data"][0]["email"].is_string()
    );
    let path = format!("v25.0/me/conversations?platform=instagram&{full}&limit=1");
    let refused = bench.get(&path, &token).await;
    assert_eq!(refused.error(), (100, 0));
    assert!(
        refused
            .text
            .contains("Tried accessing nonexisting field (link)")
    );
    bench
        .world()
        .set_switches(|switches| switches.ig_refuses_messenger_fields = false);
    let tolerant = bench.get(&path, &token).await.json();
    let thread = &tolerant["data"][0];
    assert!(
        thread["snippet"].is_null() && thread["participants"]["data"][0]["username"].is_string()
    );
    assert!(thread["participants"]["data"][0]["email"].is_null());
    for (path, code) in [
        ("v25.0/me/conversations?fields=foo", 100),
        ("v25.0/me/conversations?fields=a{", 2500),
    ] {
        assert_eq!(bench.get(path, &token).await.error().0, code);
    }
}

#[tokio::test]
async fn parts_of_messages_are_shown_in_their_shapes() {
    let bench = Bench::empty().await;
    let world = bench.world();
    let base = world
        .say(say("Bäckerei Kornblume", "Ana B", "Hallo 😊 é"))
        .unwrap();
    let more = |change: fn(&mut Say)| {
        let mut say = Say {
            conversation: Some(base.conversation_id.clone()),
            ..Say::default()
        };
        change(&mut say);
        world.advance_ms(1_000);
        world.say(say).unwrap().message_id
    };
    let picture = more(|say| say.attachments = vec!["cake".into()]);
    let voice = more(|say| say.attachments = vec!["voice".into()]);
    let share = more(|say| say.share = Some("https://x.example/a".into()));
    let sticker = more(|say| say.sticker = true);
    let odd = more(|say| say.unsupported = true);
    world.advance_ms(1_000);
    let reply = world
        .say(Say {
            conversation: Some(base.conversation_id.clone()),
            text: "dazu".into(),
            reply_to: Some(base.message_id.clone()),
            ..Say::default()
        })
        .unwrap();
    world
        .react(shopbell_sandbox::React {
            message: base.message_id.clone(),
            emoji: "❤".into(),
        })
        .unwrap();
    let token = bench.page(BAKERY).await;
    let fields = "fields=id,created_time,from,to,message,attachments,shares,reactions,sticker,tags,story,reply_to,is_unsupported";
    let read = async |id: &str| bench.get(&format!("v25.0/{id}?{fields}"), &token).await;
    let first = read(&base.message_id).await;
    assert!(
        first.text.contains("Hallo \\ud83d\\ude0a \\u00e9"),
        "{}",
        first.text
    );
    let first = first.json();
    assert_eq!(first["from"]["name"], "Ana B");
    assert_eq!(first["to"]["data"][0]["id"], BAKERY);
    assert_eq!(first["reactions"]["data"][0]["reaction"], "love");
    assert!(first["created_time"].as_str().unwrap().ends_with("+0000"));
    let shown = read(&picture).await.json();
    assert_eq!(shown["message"], "");
    let url = shown["attachments"]["data"][0]["image_data"]["url"]
        .as_str()
        .unwrap();
    assert_eq!(bench.fetch(url).await.status, 200);
    bench.world().advance_ms(4 * DAY);
    let expired = bench.fetch(url).await;
    assert_eq!(
        (expired.status, expired.text.as_str()),
        (403, "URL signature expired")
    );
    assert!(read(&voice).await.json()["attachments"]["data"][0]["file_url"].is_string());
    assert_eq!(
        read(&share).await.json()["shares"]["data"][0]["link"],
        "https://x.example/a"
    );
    assert!(read(&sticker).await.json()["sticker"].is_string());
    assert_eq!(read(&odd).await.json()["is_unsupported"], true);
    assert_eq!(
        read(&reply.message_id).await.json()["reply_to"]["mid"],
        base.message_id.as_str()
    );
}

#[tokio::test]
async fn story_answers_are_shown_on_instagram() {
    let bench = Bench::empty().await;
    let token = bench.instagram().await;
    let mut answer = say("kornblume.brot", "Ana B", "wow");
    answer.story_reply = true;
    let answered = bench.world().say(answer).unwrap();
    let mut mention = say("kornblume.brot", "Ana B", "");
    mention.story_mention = true;
    let mention = bench.world().say(mention).unwrap();
    let read = async |id: &str| {
        bench
            .get(
                &format!("graph.instagram.com/v25.0/{id}?fields=story"),
                &token,
            )
            .await
            .json()
    };
    let story = read(&answered.message_id).await;
    assert_eq!(
        bench
            .fetch(story["story"]["reply_to"]["link"].as_str().unwrap())
            .await
            .status,
        200
    );
    assert!(read(&mention.message_id).await["story"]["mention"]["id"].is_string());
}

#[tokio::test]
async fn a_person_an_idle_request_and_an_unsent_message() {
    let bench = Bench::empty().await;
    let first = bench
        .world()
        .say(say("kornblume.brot", "Ana B", "eins"))
        .unwrap();
    let mut request = say("kornblume.brot", "Zed Q", "Anfrage");
    request.requests = true;
    bench.world().say(request).unwrap();
    let token = bench.instagram().await;
    let list = async |query: &str| {
        let path = format!("graph.instagram.com/v25.0/me/conversations?platform=instagram{query}");
        ids(&bench.get(&path, &token).await.json())
    };
    assert_eq!(list("").await.len(), 2);
    assert_eq!(
        list(&format!("&user_id={}", first.customer_id)).await,
        std::slice::from_ref(&first.conversation_id)
    );
    bench.world().advance_ms(31 * DAY);
    assert_eq!(list("").await, std::slice::from_ref(&first.conversation_id));
    bench
        .world()
        .unsend(OneMessage {
            message: first.message_id.clone(),
            ..OneMessage::default()
        })
        .unwrap();
    let gone = bench
        .get(
            &format!("graph.instagram.com/v25.0/{}", first.message_id),
            &token,
        )
        .await;
    assert_eq!(gone.error().0, 9_000_001);
    assert!(list("").await.is_empty());
}

#[tokio::test]
async fn what_a_token_may_not_see_does_not_exist() {
    let bench = Bench::small().await;
    let token = bench.page("100000000000103").await;
    let state = bench.world().state();
    let foreign = state["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .find(|thread| thread["account"]["id"] == BAKERY)
        .unwrap()
        .clone();
    for id in [
        &foreign["id"],
        &foreign["messages"][0]["id"],
        &foreign["customer"],
    ] {
        assert_eq!(
            bench
                .get(&format!("v25.0/{}", id.as_str().unwrap()), &token)
                .await
                .error(),
            (100, 33)
        );
    }
    assert_eq!(
        bench
            .get(&format!("v25.0/{BAKERY}/conversations"), &token)
            .await
            .error(),
        (100, 33)
    );
    assert_eq!(
        bench
            .get("v25.0/me/conversations?platform=instagram", &token)
            .await
            .error(),
        (100, 2_534_013)
    );
    let user = bench.user().await;
    assert_eq!(
        bench.get("v25.0/me/conversations", &user).await.error().0,
        210
    );
}

#[tokio::test]
async fn the_owner_can_close_access_and_other_apps_can_own_threads() {
    let bench = Bench::small().await;
    let token = bench.instagram().await;
    let list = "graph.instagram.com/v25.0/me/conversations?fields=id,is_owner&limit=1";
    let thread = ids(&bench.get(list, &token).await.json()).remove(0);
    let change = AccountChange {
        account: "kornblume.brot".into(),
        thread_owned_by_other: Some((thread, true)),
        ..AccountChange::default()
    };
    bench.world().account(change).unwrap();
    assert_eq!(
        bench.get(list, &token).await.json()["data"][0]["is_owner"],
        false
    );
    let change = AccountChange {
        account: "kornblume.brot".into(),
        messages_allowed: Some(false),
        ..AccountChange::default()
    };
    bench.world().account(change).unwrap();
    assert_eq!(bench.get(list, &token).await.error(), (200, 2_534_041));
}
