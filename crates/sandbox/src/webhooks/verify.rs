//! The GET verification of a callback: the raw challenge must come back with status 200.

use std::time::Duration;

/// Asks once; the error is the sentence the dashboard would show.
pub(crate) async fn ask(
    client: &reqwest::Client,
    callback: &str,
    token: &str,
    challenge: &str,
) -> Result<(), String> {
    let answer = client
        .get(callback)
        .query(&[
            ("hub.mode", "subscribe"),
            ("hub.challenge", challenge),
            ("hub.verify_token", token),
        ])
        .timeout(Duration::from_secs(5))
        .send()
        .await
        .map_err(|_| "HTTP Status Code = 0; HTTP Message = Connection Error".to_owned())?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("HTTP Status Code = {}", status.as_u16()));
    }
    match answer.text().await {
        Ok(text) if text == challenge => Ok(()),
        _ => Err("The callback did not return the challenge".to_owned()),
    }
}
