#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::*;
use crate::{
    SystemEntropy,
    storage::{self, conformance::Fresh},
};

async fn fresh() -> Fresh {
    let storage = storage::open(storage::IN_MEMORY, &SystemEntropy).await;
    Fresh {
        storage: storage.unwrap(),
        _keep: Box::new(()),
    }
}

storage::conformance::conformance!(fresh);

#[tokio::test]
async fn every_start_is_another_epoch() {
    let (one, other): (Arc<dyn Storage>, _) = (fresh().await.storage, fresh().await.storage);
    assert_ne!(one.epoch(), other.epoch());
}
