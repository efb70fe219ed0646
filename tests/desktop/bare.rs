//! A window with one line of text: what the start-up time and the memory of the real one are measured against.

const PAGE: &[u8] = b"<!doctype html><p>bare<script>requestAnimationFrame(()=>requestAnimationFrame(()=>{document.title='painted'}))</script>";

fn main() {
    let built = tauri::Builder::default()
        .register_uri_scheme_protocol("bare", |_, _| {
            let mut answer = tauri::http::Response::new(PAGE);
            answer.headers_mut().insert(
                "content-type",
                tauri::http::HeaderValue::from_static("text/html"),
            );
            answer
        })
        .setup(|app| {
            let address = tauri::WebviewUrl::CustomProtocol("bare://localhost/".parse()?);
            tauri::WebviewWindowBuilder::new(app, "bare", address)
                .inner_size(1280.0, 800.0)
                .on_document_title_changed(|_, title| {
                    if title == "painted" {
                        use std::io::Write;
                        let _ = writeln!(std::io::stdout(), "{{\"first_paint\":true}}");
                    }
                })
                .build()?;
            Ok(())
        })
        .build(bare_context());
    if let Ok(app) = built {
        app.run(|_, _| {});
    }
}

/// The same configuration without its windows.
fn bare_context() -> tauri::Context {
    let mut context = tauri::generate_context!();
    context.config_mut().app.windows.clear();
    context
}
