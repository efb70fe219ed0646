//! One call to the Graph API: address, token in its header, budget, answer or [`GraphError`], clock and usage read on the way.

use super::{
    Call, Fault, GraphError, Lane, RetryKind,
    budget::Budget,
    error_table::{self, Answered},
    http, usage,
};
use crate::{
    Clock, Endpoints, Parts,
    accounts::Access,
    domain::{AccountId, Provider},
};
use reqwest::{Method, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use shopbell_wire::Secret;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

/// Meta's Graph API as this profile uses it.
pub struct GraphClient {
    http: Option<reqwest::Client>,
    endpoints: Endpoints,
    clock: Arc<dyn Clock>,
    pub(super) budget: Budget,
    online: AtomicBool,
    /// Platform minus here; `i64::MIN` = not known.
    clock_offset_ms: AtomicI64,
    /// When an account last got one of the platform's own errors.
    trouble: Mutex<HashMap<AccountId, i64>>,
}

/// Wait after an answer that is not Meta's.
const NOT_GRAPH_MS: i64 = 30_000;
/// Wait after a broken or refused connection.
const NETWORK_MS: i64 = 5_000;
/// How long a platform error counts for "Instagram itself has trouble".
const TROUBLE_MS: i64 = 5 * 60_000;
/// `Date` has whole seconds and answers take their time: smaller differences are noise.
const CLOCK_NOISE_MS: i64 = 2_000;

/// On whose behalf a call is made.
pub(super) struct Caller<'a> {
    pub account: Option<AccountId>,
    pub provider: Provider,
    /// Limits that count for it: the app first.
    pub keys: Vec<String>,
    pub token: &'a Secret,
    pub proof: Option<&'a Secret>,
}

impl<'a> Caller<'a> {
    pub(super) fn of(access: &'a Access) -> Self {
        let mut keys = vec![app_key(access.provider), access.platform_id.clone()];
        keys.extend(access.page_id.clone());
        Self {
            account: Some(access.account),
            provider: access.provider,
            keys,
            token: &access.token,
            proof: access.proof.as_ref(),
        }
    }
}

fn app_key(provider: Provider) -> String {
    format!("app:{}", provider.as_str())
}

/// One call.
pub(super) struct Ask<'a> {
    pub call: Call,
    pub lane: Lane,
    pub method: Method,
    /// Path below the version; each part is escaped.
    pub path: &'a [&'a str],
    pub query: Vec<(&'static str, String)>,
    pub body: Option<Value>,
    /// Counts as a conversation call.
    pub conversation: bool,
    /// The path names the account itself.
    pub own_node: bool,
    /// Called without a version in the path (Instagram's token endpoints).
    pub unversioned: bool,
}

impl<'a> Ask<'a> {
    pub(super) fn get(call: Call, lane: Lane, path: &'a [&'a str]) -> Self {
        Self {
            call,
            lane,
            method: Method::GET,
            path,
            query: Vec::new(),
            body: None,
            conversation: false,
            own_node: false,
            unversioned: false,
        }
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    code: Option<i64>,
    #[serde(default)]
    error_subcode: Option<i64>,
    #[serde(default)]
    is_transient: Option<bool>,
}

impl GraphClient {
    /// From the profile's parts.
    pub fn new(parts: &Parts) -> Self {
        Self {
            http: http::client(parts.endpoints.sandbox),
            endpoints: parts.endpoints.clone(),
            clock: Arc::clone(&parts.clock),
            budget: Budget::new(Arc::clone(&parts.clock)),
            online: AtomicBool::new(true),
            clock_offset_ms: AtomicI64::new(i64::MIN),
            trouble: Mutex::default(),
        }
    }

    /// Whether the last call found a network.
    pub fn online(&self) -> bool {
        self.online.load(Ordering::Relaxed)
    }

    /// Platform's clock minus this computer's, ms; `None` before the first answer.
    pub fn clock_offset_ms(&self) -> Option<i64> {
        Some(self.clock_offset_ms.load(Ordering::Relaxed)).filter(|offset| *offset != i64::MIN)
    }

    /// The platform's time as far as known (decision T19): windows are decided by it.
    pub fn platform_now_ms(&self) -> i64 {
        self.clock.now_ms() + self.clock_offset_ms().unwrap_or(0)
    }

    /// This account is slowed down or stopped by its limits: what can wait should.
    pub fn throttled(&self, access: &Access) -> bool {
        self.budget.throttled(&Caller::of(access).keys)
    }

    /// Several accounts got the platform's own errors within minutes: "Instagram itself has trouble".
    pub fn platform_trouble(&self) -> bool {
        let now = self.clock.monotonic_ms();
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble
            .values()
            .filter(|at| now - **at < TROUBLE_MS)
            .count()
            >= 2
    }

    /// Makes the call.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        caller: &Caller<'_>,
        ask: Ask<'_>,
    ) -> Result<T, GraphError> {
        let call = ask.call;
        let failed = |kind, fault, reached, http| GraphError {
            kind,
            code: None,
            subcode: None,
            http,
            reached,
            fault,
            call,
        };
        let held = |after_ms| {
            failed(
                RetryKind::RateLimited { after_ms },
                Fault::HeldBack,
                false,
                None,
            )
        };
        let Some(client) = &self.http else {
            return Err(failed(
                RetryKind::Transient {
                    after_ms: NETWORK_MS,
                },
                Fault::NotConfigured,
                false,
                None,
            ));
        };
        if let (Some(account), true) = (caller.account, ask.conversation) {
            self.budget
                .turn(account, &caller.keys, ask.lane)
                .await
                .map_err(held)?;
        } else if let Some(left) = self.budget.stopped_for_ms(&caller.keys) {
            return Err(held(left));
        }
        let mut query = ask.query;
        if let Some(proof) = caller.proof {
            query.push(("appsecret_proof", proof.expose().to_owned()));
        }
        let mut request = client
            .request(
                ask.method,
                self.address(caller.provider, ask.path, ask.unversioned),
            )
            .query(&query)
            .bearer_auth(caller.token.expose())
            .header(header::ACCEPT, "application/json");
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        let sent_at = self.clock.now_ms();
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let left = http::never_left(&error);
                let offline = http::looks_offline(&error);
                self.online.store(!offline, Ordering::Relaxed);
                let fault = match (left, offline) {
                    (_, true) => Fault::Offline,
                    (true, false) => Fault::Unreachable,
                    (false, false) => Fault::Broken,
                };
                return Err(failed(
                    self.uncertain(call, !left, NETWORK_MS),
                    fault,
                    !left,
                    None,
                ));
            }
        };
        self.online.store(true, Ordering::Relaxed);
        let status = response.status().as_u16();
        self.read_clock(response.headers(), sent_at);
        let told = usage::read(response.headers());
        self.budget.report(&app_key(caller.provider), &told);
        let body = http::read_body(response).await.map_err(|fault| {
            let fault = match fault {
                http::BodyFault::TooLarge => Fault::TooLarge,
                http::BodyFault::Broken => Fault::Broken,
            };
            failed(
                self.uncertain(call, true, NETWORK_MS),
                fault,
                true,
                Some(status),
            )
        })?;
        let answer = serde_json::from_slice::<Value>(&body).ok();
        if let Some(answer) = answer {
            if let Some(error) = error_of(&answer) {
                return Err(self.refused(caller, &error, status, call, ask.own_node));
            }
            if (200..300).contains(&status)
                && let Ok(value) = serde_json::from_value(answer)
            {
                self.budget.worked(&caller.keys);
                return Ok(value);
            }
        }
        if status >= 400 {
            let answered = Answered {
                http: status,
                ..Answered::default()
            };
            return Err(failed(
                error_table::classify(answered, call),
                Fault::NotGraph,
                true,
                Some(status),
            ));
        }
        Err(failed(
            self.uncertain(call, true, NOT_GRAPH_MS),
            Fault::NotGraph,
            true,
            Some(status),
        ))
    }

    /// No certain answer: harmless for a read, unknown for a send that was written.
    fn uncertain(&self, call: Call, reached: bool, after_ms: i64) -> RetryKind {
        if reached && call.once_only() {
            RetryKind::Ambiguous
        } else {
            RetryKind::Transient { after_ms }
        }
    }

    fn refused(
        &self,
        caller: &Caller<'_>,
        error: &ErrorBody,
        http: u16,
        call: Call,
        own_node: bool,
    ) -> GraphError {
        let answered = Answered {
            code: error.code,
            subcode: error.error_subcode,
            http,
            is_transient: error.is_transient,
            own_node,
        };
        let mut kind = error_table::classify(answered, call);
        if let RetryKind::RateLimited { after_ms } = kind {
            // Code 4 is the whole app's limit; every other one is this account's.
            let key = if error.code == Some(4) {
                caller.keys.first()
            } else {
                caller.keys.last()
            };
            let after_ms = key.map_or(after_ms, |key| self.budget.refused(key, after_ms));
            kind = RetryKind::RateLimited { after_ms };
        }
        if matches!(error.code, Some(1 | 2) | None)
            && let Some(account) = caller.account
        {
            let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            trouble.insert(account, self.clock.monotonic_ms());
        }
        tracing::debug!(
            account = caller.account.map(|a| a.0),
            call = call.as_str(),
            http,
            code = error.code,
            subcode = error.error_subcode,
            "refused by the platform"
        );
        GraphError {
            kind,
            code: error.code,
            subcode: error.error_subcode,
            http: Some(http),
            reached: true,
            fault: Fault::Answered,
            call,
        }
    }

    fn address(&self, provider: Provider, path: &[&str], unversioned: bool) -> url::Url {
        let mut url = match provider {
            Provider::Facebook => self.endpoints.graph_facebook.clone(),
            Provider::Instagram => self.endpoints.graph_instagram.clone(),
        };
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty();
            if !unversioned {
                segments.push(&self.endpoints.graph_version);
            }
            // `.` and `..` would be dropped by the address' own rules and name another node.
            segments.extend(path.iter().map(|part| {
                if matches!(*part, "." | ".." | "") {
                    "_"
                } else {
                    part
                }
            }));
        }
        url
    }

    fn read_clock(&self, headers: &header::HeaderMap, sent_at_ms: i64) {
        let Some(there) = headers
            .get(header::DATE)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| {
                jiff::fmt::rfc2822::DateTimeParser::new()
                    .parse_timestamp(text)
                    .ok()
            })
        else {
            return;
        };
        let here = sent_at_ms + (self.clock.now_ms() - sent_at_ms) / 2;
        let offset = there.as_millisecond() + 500 - here;
        let offset = if offset.abs() < CLOCK_NOISE_MS {
            0
        } else {
            offset
        };
        let known = self.clock_offset_ms();
        if known.is_none_or(|known| (known - offset).abs() >= CLOCK_NOISE_MS) {
            self.clock_offset_ms.store(offset, Ordering::Relaxed);
        }
    }
}

/// The error in an answer: Meta's usual shape, or that of Instagram's OAuth host.
fn error_of(answer: &Value) -> Option<ErrorBody> {
    if let Some(error) = answer.get("error").filter(|error| error.is_object()) {
        return Some(serde_json::from_value(error.clone()).unwrap_or(ErrorBody {
            code: None,
            error_subcode: None,
            is_transient: None,
        }));
    }
    answer.get("error_type")?;
    serde_json::from_value(answer.clone()).ok()
}
