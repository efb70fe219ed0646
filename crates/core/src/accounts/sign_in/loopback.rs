//! The way back when another program holds the `shopbell:` scheme: one request to 127.0.0.1, read strictly, answered with one page.
//!
//! Only the browser's navigation with this sign-in's own state is taken; anything else gets 404 and changes nothing. After a restart
//! the port is gone: the page's code can be pasted instead.

use crate::Profile;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Longest request that is read.
const MAX_REQUEST: usize = 16 * 1024;
/// Requests that are looked at before the door is closed for good.
const MAX_REQUESTS: usize = 200;
/// A browser sends its request at once.
const READ: Duration = Duration::from_secs(5);

const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Shopbell</title>\
<body style=\"font-family:system-ui;margin:15vh auto;max-width:30rem;text-align:center\">\
<h1>Back to Shopbell</h1><p>You can close this page. Shopbell goes on by itself.</p></body></html>";

/// Binds a free port on 127.0.0.1; answers the listener and the redirect address.
pub(super) async fn bind() -> std::io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    Ok((listener, format!("http://127.0.0.1:{port}/")))
}

/// Waits for the one request of this sign-in and finishes it.
pub(super) async fn serve(
    profile: Arc<Profile>,
    listener: TcpListener,
    base: String,
    state: String,
    life_ms: i64,
) {
    let life = Duration::from_millis(u64::try_from(life_ms).unwrap_or(0));
    let stop = profile.stopping();
    let found = async {
        for _ in 0..MAX_REQUESTS {
            let Ok((socket, _)) = listener.accept().await else {
                continue;
            };
            if let Some(link) = take(&profile, socket, &base, &state).await {
                return Some(link);
            }
        }
        None
    };
    let link = tokio::select! {
        link = found => link,
        () = profile.parts.clock.sleep(life) => None,
        () = stop.cancelled() => None,
    };
    // The port is closed before the code is redeemed: one request, once.
    drop(listener);
    if let Some(link) = link
        && let Err(error) = super::finish(&profile, &link).await
    {
        tracing::warn!(%error, "the browser's answer could not be used");
    }
}

/// Reads one request. The link when it is this sign-in's.
async fn take(profile: &Profile, mut socket: TcpStream, base: &str, state: &str) -> Option<String> {
    let read = async {
        let mut request = Vec::new();
        let mut chunk = [0_u8; 2_048];
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            let n = socket.read(&mut chunk).await.ok()?;
            if n == 0 || request.len() + n > MAX_REQUEST {
                return None;
            }
            request.extend_from_slice(&chunk[..n]);
        }
        String::from_utf8(request).ok()
    };
    let request = tokio::select! {
        request = read => request?,
        () = profile.parts.clock.sleep(READ) => return None,
    };
    let link = target(&request, base, state);
    let (status, body) = if link.is_some() {
        ("200 OK", PAGE)
    } else {
        ("404 Not Found", "")
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    // Whether the page was seen does not matter; the code did arrive.
    let _ = socket.write_all(answer.as_bytes()).await;
    let _ = socket.shutdown().await;
    link
}

/// The link in a request, when method, path, host and state are exactly right. Pure.
fn target(request: &str, base: &str, state: &str) -> Option<String> {
    let mut lines = request.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, path, version, rest) = (words.next()?, words.next()?, words.next()?, words.next());
    if method != "GET"
        || !path.starts_with("/?")
        || !version.starts_with("HTTP/1.")
        || rest.is_some()
    {
        return None;
    }
    let host = base.strip_prefix("http://")?.strip_suffix('/')?;
    let mut hosts = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.eq_ignore_ascii_case("host"));
    // A name that resolves to this computer (DNS rebinding) is not our host.
    if hosts.next()?.1.trim() != host || hosts.next().is_some() {
        return None;
    }
    let link = format!("{}{path}", base.strip_suffix('/')?);
    let ours = match super::pasted::parse(&link) {
        super::pasted::Pasted::Code { state: told, .. }
        | super::pasted::Pasted::Refused { state: told, .. } => told == state,
        _ => false,
    };
    ours.then_some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "http://127.0.0.1:4000/";

    fn ask(line: &str, host: &str) -> bool {
        target(
            &format!("{line}\r\nHost: {host}\r\nAccept: */*\r\n\r\n"),
            BASE,
            "S",
        )
        .is_some()
    }

    #[test]
    fn only_the_exact_request_is_taken() {
        let good = "GET /?code=sbc1.x&state=S HTTP/1.1";
        assert!(ask(good, "127.0.0.1:4000"));
        assert!(ask(
            "GET /?error=access_denied&state=S HTTP/1.1",
            "127.0.0.1:4000"
        ));
        for host in [
            "localhost:4000",
            "127.0.0.1",
            "127.0.0.1:4001",
            "evil.example:4000",
            "",
        ] {
            assert!(!ask(good, host), "{host}");
        }
        for line in [
            "POST /?code=sbc1.x&state=S HTTP/1.1",
            "GET /favicon.ico HTTP/1.1",
            "GET /x?code=sbc1.x&state=S HTTP/1.1",
            "GET //?code=sbc1.x&state=S HTTP/1.1",
            "GET http://evil/?code=sbc1.x&state=S HTTP/1.1",
            "GET /?code=sbc1.x&state=OTHER HTTP/1.1",
            "GET /?code=sbc1.x HTTP/1.1",
            "GET /?code=sbc1.x&state=S",
            "GET /?code=sbc1.x&state=S HTTP/1.1 more",
            "",
        ] {
            assert!(!ask(line, "127.0.0.1:4000"), "{line}");
        }
        let twice = format!("{good}\r\nHost: 127.0.0.1:4000\r\nHost: evil.example\r\n\r\n");
        assert!(target(&twice, BASE, "S").is_none());
    }
}
