//! Profiles of customers: shapes, consent, missing ones, photos that expire.

use shopbell_sandbox::{Person, Say};

use crate::bench::{BAKERY, Bench, DAY};

fn hello(account: &str) -> Say {
    Say {
        account: Some(account.into()),
        customer: Some("Ana B".into()),
        text: "Hallo".into(),
        ..Say::default()
    }
}

#[tokio::test]
async fn both_products_show_their_fields() {
    let bench = Bench::empty().await;
    let psid = bench.world().say(hello(BAKERY)).unwrap().customer_id;
    let igsid = bench
        .world()
        .say(hello("kornblume.brot"))
        .unwrap()
        .customer_id;
    let page = bench.page(BAKERY).await;
    let token = bench.instagram().await;
    let messenger = bench
        .get(
            &format!("v25.0/{psid}?fields=id,name,first_name,last_name,profile_pic"),
            &page,
        )
        .await
        .json();
    assert_eq!(
        (messenger["first_name"].as_str(), messenger["name"].as_str()),
        (Some("Ana"), Some("Ana B"))
    );
    let fields = "name,username,profile_pic,follower_count,is_user_follow_business,is_business_follow_user,is_verified_user";
    let own = bench
        .get(
            &format!("graph.instagram.com/v25.0/{igsid}?fields={fields}"),
            &token,
        )
        .await
        .json();
    let linked = bench
        .get(
            &format!("graph.facebook.com/v25.0/{igsid}?fields={fields}"),
            &page,
        )
        .await
        .json();
    assert_eq!(own, linked);
    assert!(own["follower_count"].is_u64() && own["is_verified_user"].is_boolean());
    assert_eq!(
        bench
            .get(&format!("v25.0/{psid}?fields=locale"), &page)
            .await
            .error(),
        (100, 2_018_247)
    );
    assert_eq!(
        bench
            .get(&format!("v25.0/{psid}?fields=username"), &page)
            .await
            .error(),
        (100, 0)
    );
}

#[tokio::test]
async fn refusals_and_nulls() {
    let bench = Bench::empty().await;
    let psid = bench.world().say(hello(BAKERY)).unwrap().customer_id;
    let igsid = bench
        .world()
        .say(hello("kornblume.brot"))
        .unwrap()
        .customer_id;
    let page = bench.page(BAKERY).await;
    bench
        .world()
        .person(Person {
            customer: igsid.clone(),
            consented: Some(false),
            ..Person::default()
        })
        .unwrap();
    assert_eq!(
        bench.get(&format!("v25.0/{igsid}"), &page).await.error(),
        (230, 0)
    );
    bench
        .world()
        .person(Person {
            customer: igsid.clone(),
            consented: Some(true),
            nameless: Some(true),
            ..Person::default()
        })
        .unwrap();
    let null = bench
        .get(
            &format!("v25.0/{igsid}?fields=name,profile_pic,username"),
            &page,
        )
        .await
        .json();
    assert!(
        null["name"].is_null() && null["profile_pic"].is_null() && null["username"].is_string()
    );
    bench
        .world()
        .person(Person {
            customer: psid.clone(),
            profile_missing: Some(true),
            ..Person::default()
        })
        .unwrap();
    assert_eq!(
        bench.get(&format!("v25.0/{psid}"), &page).await.error(),
        (100, 2_018_218)
    );
    assert_eq!(
        bench.get("v25.0/7000000000000000", &page).await.error(),
        (100, 33)
    );
}

#[tokio::test]
async fn photos_serve_expire_and_change() {
    let bench = Bench::empty().await;
    let psid = bench.world().say(hello(BAKERY)).unwrap().customer_id;
    let page = bench.page(BAKERY).await;
    let link = async || {
        let profile = bench
            .get(&format!("v25.0/{psid}?fields=profile_pic"), &page)
            .await
            .json();
        profile["profile_pic"].as_str().unwrap().to_owned()
    };
    let first = link().await;
    let bytes = bench.client.get(&first).send().await.unwrap();
    assert_eq!(bytes.headers()["content-type"], "image/jpeg");
    let picture = image::load_from_memory(&bytes.bytes().await.unwrap()).unwrap();
    assert_eq!((picture.width(), picture.height()), (200, 200));
    assert_eq!(bench.fetch(&first.replace("oh=", "oh=0")).await.status, 403);
    bench.world().advance_ms(3 * DAY);
    assert_eq!(bench.fetch(&first).await.status, 403);
    assert_eq!(bench.fetch(&link().await).await.status, 200);
    bench
        .world()
        .person(Person {
            customer: psid.clone(),
            photo: Some("new".into()),
            ..Person::default()
        })
        .unwrap();
    assert!(link().await.contains("/cdn/avatar/new.jpg"));
}
