//! The browser of an owner who allows everything.

use std::collections::BTreeMap;
use url::Url;

/// Follows the redirects as a browser with cookies does; the link on the relay's last page.
pub async fn browse(address: &str) -> String {
    let browser = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let mut url = Url::parse(address).unwrap();
    let mut cookies = BTreeMap::new();
    loop {
        let jar: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = browser
            .get(url.clone())
            .header("cookie", jar.join("; "))
            .send()
            .await
            .unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie
                .to_str()
                .unwrap()
                .split(';')
                .next()
                .unwrap()
                .to_owned();
            let (name, value) = pair.split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        if !answer.status().is_redirection() {
            let page = answer.text().await.unwrap();
            let start = page
                .find("shopbell://")
                .unwrap_or_else(|| panic!("no link on the page at {}", url.path()));
            return page[start..]
                .split('"')
                .next()
                .unwrap()
                .replace("&amp;", "&");
        }
        url = url
            .join(answer.headers()["location"].to_str().unwrap())
            .unwrap();
    }
}
