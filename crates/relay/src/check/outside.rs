//! What can be looked at from outside: the listening address, the public URL, its certificate, the webhook address, the clock.

use std::time::Duration;

use reqwest::{Client, StatusCode, header, tls::TlsInfo};
use shopbell_wire::paths;
use url::Url;

use super::{Check, Report, here::near};
use crate::{Config, tls};

/// Seconds by which the clock may be off before somebody should look.
const CLOCK_WARN_S: i64 = 30;
/// Seconds by which the clock may be off before device proofs fail.
const CLOCK_FAIL_S: i64 = 240;
/// Days before its end at which a certificate should have been renewed.
const CERTIFICATE_WARN_DAYS: i64 = 14;
/// A call on this computer.
const LOCAL_MAX: Duration = Duration::from_secs(4);
/// Most of an answer that is read.
const ANSWER_MAX: usize = 4 * 1024;

/// Who answers at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    /// A relay with the same key.
    ThisRelay,
    /// Something else.
    Another,
    /// Nothing.
    Nobody,
}

fn local_url(config: &Config, path: &str) -> Option<Url> {
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    Url::parse(&format!("{scheme}://{}{path}", near(config.listen))).ok()
}

fn local_client() -> Option<Client> {
    Client::builder()
        .no_proxy()
        .timeout(LOCAL_MAX)
        .tls_danger_accept_invalid_certs(true)
        .build()
        .ok()
}

/// Whether what listens here says that it is ready.
pub(super) async fn is_ready(config: &Config) -> bool {
    let (Some(url), Some(client)) = (local_url(config, "/readyz"), local_client()) else {
        return false;
    };
    let answer = client.get(url).send().await;
    answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
}

impl Check {
    /// Who answers at the listening address. Its certificate names another host; that it knows the key is proof enough.
    pub(super) async fn local(&self) -> Answered {
        match (local_url(&self.config, "/healthz"), local_client()) {
            (Some(url), Some(client)) => self.who(&client, url).await,
            _ => Answered::Nobody,
        }
    }

    async fn who(&self, client: &Client, mut url: Url) -> Answered {
        let nonce = self.nonce();
        url.query_pairs_mut().append_pair("nonce", &nonce);
        let Ok(answer) = client.get(url).send().await else {
            return Answered::Nobody;
        };
        let text = text(answer, ANSWER_MAX).await.unwrap_or_default();
        match &self.key {
            Some(key) if text == format!("ok {}", key.vouch(&nonce)) => Answered::ThisRelay,
            _ => Answered::Another,
        }
    }

    /// Whether the public URL leads to this relay.
    pub(super) async fn public_url(&self, runs: bool, report: &mut Report) {
        match self.who(&self.http, self.url("/healthz")).await {
            Answered::ThisRelay => report.ok(
                "public_url",
                format!("{} leads to this relay.", self.public_url),
            ),
            Answered::Another => report.failed(
                "public_url",
                format!("{} answers, but it is not this relay.", self.public_url),
                "Look at the DNS entry, at the proxy, and whether that relay has this key.",
            ),
            Answered::Nobody if runs => report.failed(
                "public_url",
                format!(
                    "The relay runs, but {} does not lead to it.",
                    self.public_url
                ),
                "Look at the DNS entry, the proxy, the firewall and the certificate.",
            ),
            Answered::Nobody => report.failed(
                "public_url",
                format!("Nothing answers at {}.", self.public_url),
                "Start the relay and check again.",
            ),
        }
    }

    /// Days of the certificate that people and Meta get to see.
    pub(super) async fn certificate(&self, report: &mut Report) {
        if self.public_url.scheme() != "https" {
            report.skipped(
                "certificate",
                "The public URL is http on this computer; Meta needs https.",
            );
            return;
        }
        let answer = self.http.get(self.url("/healthz")).send().await;
        let shown = answer.ok().and_then(|answer| {
            let info = answer.extensions().get::<TlsInfo>()?;
            tls::ends_s(info.peer_certificate()?)
        });
        let Some(ends_s) = shown else {
            report.failed(
                "certificate",
                "No certificate that can be trusted is shown at the public URL.",
                "Meta refuses self-signed certificates; take one of a public authority.",
            );
            return;
        };
        let days = (ends_s - self.clock.now_ms() / 1000).div_euclid(24 * 60 * 60);
        match days {
            ..0 => report.failed(
                "certificate",
                "The certificate has ended.",
                "Renew it; the relay reads its files again by itself.",
            ),
            0..CERTIFICATE_WARN_DAYS => report.warning(
                "certificate",
                format!("The certificate ends in {days} days."),
                "Find out why it was not renewed.",
            ),
            _ => report.ok(
                "certificate",
                format!("The certificate is good for {days} days."),
            ),
        }
    }

    /// Does what Meta does when a webhook address is saved. Answers whether it went well.
    pub(super) async fn verify_token(&self, report: &mut Report) -> bool {
        let Some(token) = &self.config.verify_token else {
            report.skipped("webhook_address", "Without verify_token there is none.");
            return false;
        };
        let challenge = self.nonce();
        let ask = async |token: &str| {
            let query = [
                ("hub.mode", "subscribe"),
                ("hub.challenge", &challenge),
                ("hub.verify_token", token),
            ];
            let request = self.http.get(self.url(paths::WEBHOOKS_META)).query(&query);
            let answer = request.send().await.ok()?;
            let status = answer.status();
            Some((status, text(answer, ANSWER_MAX).await.unwrap_or_default()))
        };
        let (right, wrong) = (ask(token.expose()).await, ask(&self.nonce()).await);
        match (right, wrong) {
            (Some((StatusCode::OK, text)), Some((StatusCode::FORBIDDEN, _)))
                if text == challenge =>
            {
                report.ok(
                    "webhook_address",
                    "The webhook address answers Meta's verification, and refuses another token.",
                );
                true
            }
            (None, _) | (_, None) => {
                report.skipped("webhook_address", "The public URL does not answer.");
                false
            }
            _ => {
                report.failed(
                    "webhook_address",
                    "The webhook address does not answer the verification as it should.",
                    "Is another verify_token in use there? Restart the relay with this configuration.",
                );
                false
            }
        }
    }

    /// The clock against Meta's: device proofs are good for five minutes either way.
    pub(super) async fn clock(&self, report: &mut Report) {
        let asked_ms = self.clock.now_ms();
        let answer = self
            .http
            .get(self.config.upstream.graph_facebook.clone())
            .send()
            .await;
        let Ok(answer) = answer else {
            report.failed(
                "clock",
                "Meta does not answer, so the clock could not be compared.",
                "Look at the way out to the internet: the relay has to reach graph.facebook.com.",
            );
            return;
        };
        let date = answer.headers().get(header::DATE);
        let theirs = date.and_then(|date| jiff::fmt::rfc2822::parse(date.to_str().ok()?).ok());
        let Some(theirs) = theirs else {
            report.skipped("clock", "Meta's answer names no time.");
            return;
        };
        let off_s = theirs.timestamp().as_second() - asked_ms / 1000;
        match off_s.abs() {
            ..CLOCK_WARN_S => report.ok("clock", "The clock agrees with Meta's."),
            CLOCK_WARN_S..CLOCK_FAIL_S => report.warning(
                "clock",
                format!("The clock differs from Meta's by {} seconds.", off_s.abs()),
                "Switch on time synchronisation.",
            ),
            _ => report.failed(
                "clock",
                format!("The clock differs from Meta's by {} seconds.", off_s.abs()),
                "Switch on time synchronisation; apps are refused with a clock so far off.",
            ),
        }
    }
}

/// An answer's text, up to a length.
pub(super) async fn text(mut answer: reqwest::Response, most: usize) -> Option<String> {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > most {
            bytes.truncate(most);
            break;
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
