//! A window with one line of text: what the start-up time and the memory of the real one are measured against.

fn main() {
    let page = "data:text/html,<p>bare<script>requestAnimationFrame(()=>requestAnimationFrame(()=>{document.title='painted'}))</script>";
    let built = tauri::Builder::default()
        .setup(move |app| {
            let address = tauri::WebviewUrl::External(page.parse()?);
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
