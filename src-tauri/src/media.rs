//! `media://localhost/{id}`: pictures and files by opaque id. The page never names a web address.

use shopbell_core::{Core, media};
use tauri::{
    Manager, Runtime, UriSchemeContext, UriSchemeResponder,
    http::{Request, Response, StatusCode, header},
};

/// Answers one request of the page.
pub fn serve<R: Runtime>(
    context: UriSchemeContext<'_, R>,
    request: Request<Vec<u8>>,
    responder: UriSchemeResponder,
) {
    let core = context.app_handle().state::<Core>().inner().clone();
    let id = request.uri().path().trim_start_matches('/').to_owned();
    tauri::async_runtime::spawn(async move {
        let answer = match core.profile() {
            Ok(profile) => media::load(&profile, &id).await.ok(),
            Err(_) => None,
        };
        let response = match answer {
            Some(found) => Response::builder()
                .header(header::CONTENT_TYPE, found.mime)
                .header(header::CACHE_CONTROL, "private, max-age=300")
                .header("x-content-type-options", "nosniff")
                .body(found.bytes.to_vec()),
            None => Response::builder()
                .status(StatusCode::NOT_FOUND)
                .body(Vec::new()),
        };
        if let Ok(response) = response {
            responder.respond(response);
        }
    });
}
