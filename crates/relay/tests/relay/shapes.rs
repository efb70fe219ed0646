//! Every shape Instagram's token endpoints are known to answer in ends in the same grant.

use serde_json::json;
use shopbell_wire::Provider;

use super::{harness::*, meta::*};

#[tokio::test]
async fn all_shapes_end_in_the_same_grant() {
    let permissions = [
        json!("instagram_business_basic,instagram_business_manage_messages"),
        json!([
            "instagram_business_basic",
            "instagram_business_manage_messages"
        ]),
    ];
    let ids = [json!("1020000000000017"), json!(17_841_400_000_000_001_u64)];
    let mut grants = Vec::new();
    for permission in &permissions {
        for id in &ids {
            for wrapped in [true, false] {
                let world = World::new().await;
                let flat =
                    json!({"access_token": IG_SHORT, "user_id": id, "permissions": permission});
                world.meta.fixed(
                    IG_TOKEN,
                    200,
                    if wrapped {
                        json!({"data": [flat]})
                    } else {
                        flat
                    },
                );
                let me = json!({"id": 24_600_000_000_000_017_u64, "user_id": IG_ID, "username": "acme", "name": null});
                world
                    .meta
                    .fixed(IG_ME, 200, if wrapped { me } else { json!({"data": [me]}) });
                grants.push(world.sign_in(Provider::Instagram).await);
            }
        }
    }
    assert_eq!(grants.len(), 8);
    assert!(grants.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(grants[0].accounts[0].name, "acme", "no name: the username");
    assert_eq!(grants[0].granted.len(), 2);
}

#[tokio::test]
async fn a_missing_end_is_no_date_and_not_zero() {
    let world = World::new().await;
    world.meta.fixed(
        IG_EXTEND,
        200,
        json!({"access_token": IG_LONG, "token_type": "bearer"}),
    );
    assert_eq!(
        world.sign_in(Provider::Instagram).await.accounts[0].expires_at_ms,
        None
    );
}
