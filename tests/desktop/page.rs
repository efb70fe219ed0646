//! What a person does with a page: look for words, press, type. Waiting is for what must appear, never for time.

use fantoccini::{Client, Locator, elements::Element};
use serde_json::{Value, json};

/// Finds something visible by its accessible words: a button, link, option or text that contains them.
pub async fn find(page: &Client, words: &str) -> Element {
    let quoted = words.replace('"', "");
    let path = format!(
        "(//button|//a|//*[@role='option']|//*[@role='menuitem']|//label)[contains(normalize-space(.), \"{quoted}\") or contains(@aria-label, \"{quoted}\")]"
    );
    page.wait()
        .for_element(Locator::XPath(&path))
        .await
        .unwrap_or_else(|error| panic!("nothing to press says {words:?}: {error}"))
}

/// Presses it.
pub async fn press(page: &Client, words: &str) {
    find(page, words)
        .await
        .click()
        .await
        .unwrap_or_else(|error| panic!("{words:?} cannot be pressed: {error}"));
}

/// Waits until the page shows these words.
pub async fn shows(page: &Client, words: &str) {
    let path = format!(
        "//body//*[contains(normalize-space(.), \"{}\")]",
        words.replace('"', "")
    );
    page.wait()
        .for_element(Locator::XPath(&path))
        .await
        .unwrap_or_else(|error| panic!("the page never showed {words:?}: {error}"));
}

/// Waits until a CSS selector matches.
pub async fn element(page: &Client, selector: &str) -> Element {
    page.wait()
        .for_element(Locator::Css(selector))
        .await
        .unwrap_or_else(|error| panic!("{selector} never came: {error}"))
}

/// Calls a use case from inside the page, through the real command boundary.
pub async fn call(page: &Client, name: &str, argument: Value) -> Result<Value, Value> {
    let script = "const [name, argument, done] = arguments;
        window.__TAURI_INTERNALS__.invoke(name, { argument }).then((ok) => done({ ok }), (error) => done({ error }));";
    let answer = page
        .execute_async(script, vec![json!(name), argument])
        .await
        .unwrap();
    match answer.get("error") {
        Some(error) => Err(error.clone()),
        None => Ok(answer["ok"].clone()),
    }
}

/// Asks a use case again at every change until `condition` (JavaScript over `answer`) holds; returns that answer.
pub async fn until(page: &Client, name: &str, argument: Value, condition: &str) -> Value {
    let script = format!(
        "const [name, argument, done] = arguments;
        const {{ invoke, transformCallback }} = window.__TAURI_INTERNALS__;
        const check = async () => {{
            const answer = await invoke(name, {{ argument }});
            if ({condition}) done(answer);
        }};
        const id = transformCallback(() => void check());
        invoke('listen_changes', {{ channel: `__CHANNEL__:${{id}}` }}).then(check);"
    );
    page.execute_async(&script, vec![json!(name), argument])
        .await
        .unwrap_or_else(|error| panic!("{name} never fulfilled {condition}: {error}"))
}

/// Is something with these words on the page now?
pub async fn has(page: &Client, words: &str) -> bool {
    let path = format!(
        "//body//*[contains(normalize-space(.), \"{}\")]",
        words.replace('"', "")
    );
    page.find(Locator::XPath(&path)).await.is_ok()
}
