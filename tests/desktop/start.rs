//! The window starts, shows our own page, and may call exactly what its capability names.

use crate::{page, world::World};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_window_shows_the_embedded_page_and_answers() {
    let world = World::start(1280, 800);
    let window = world.open_window().await;
    let address = window.current_url().await.unwrap();
    assert_eq!(
        address.scheme(),
        "tauri",
        "the page must come from the program, not from the development server: {address}"
    );
    page::shows(&window, "Connect Instagram").await;

    let status = page::call(&window, "app_status", json!({})).await.unwrap();
    assert_eq!(status["vault"]["state"], "open");
    assert_eq!(status["sandbox"], true);
    assert_eq!(status["first_run"], true);

    // Outside the table, and outside the capability: refused before any code of ours runs.
    for name in [
        "conversations_drop",
        "plugin:opener|open_path",
        "plugin:window-state|filename",
    ] {
        assert!(
            page::call(&window, name, json!({})).await.is_err(),
            "{name} must be refused"
        );
    }
    // A use case with an argument that does not fit is a clear error.
    let error = page::call(&window, "conversations_list", json!({ "view": 7 }))
        .await
        .unwrap_err();
    assert_eq!(error["code"], "bad_argument");
    window.close().await.unwrap();
}
