//! Usage headers and the limits behind them: percentages that rise with every call and stop the account,
//! the app or the user at a hundred. Calls made while stopped still count.

use serde_json::{Value, json};

use super::auth::Caller;
use super::error::GraphError;
use crate::clock::{DAY, HOUR, MINUTE};
use crate::faults::Throttle;
use crate::http::call::Call;
use crate::world::World;
use crate::world::tokens::Holder;

/// Response headers of one call.
pub(crate) type Usage = Vec<(String, String)>;

/// Which logic counts a call.
struct Meter {
    id: String,
    kind: &'static str,
    code: u32,
    budget: u64,
}

impl World {
    fn meter(&self, call: &Call, caller: &Caller) -> Option<Meter> {
        let Caller::Token(token) = caller else {
            return None;
        };
        let messaging = call.segments.iter().any(|segment| {
            segment.starts_with("t_")
                || segment.starts_with("m_")
                || segment.starts_with("aWdf")
                || matches!(
                    segment.as_str(),
                    "conversations" | "messages" | "message_attachments"
                )
        });
        let (id, kind, code, factor) = match &token.holder {
            Holder::Owner(_) => return None,
            Holder::Instagram(id) => (id.clone(), "instagram", 80002, 4_800),
            Holder::Page { page, .. } if messaging => (page.clone(), "messenger", 80006, 200),
            Holder::Page { page, .. } => (page.clone(), "pages", 80001, 4_800),
        };
        // The platform names no floor for these accounts; ten keeps an empty shop usable.
        let formula = factor * self.engaged(&id).max(10);
        let budget = self.switches.account_call_budget.unwrap_or(formula).max(1);
        Some(Meter {
            id,
            kind,
            code,
            budget,
        })
    }

    /// Counts the call; the headers go on the answer whatever becomes of it.
    pub(crate) fn charge(
        &mut self,
        call: &Call,
        caller: &Caller,
        throttle: Option<&Throttle>,
        usage: &mut Usage,
    ) -> Result<(), GraphError> {
        let now = self.now_ms();
        let mut stopped = None;
        if let Some(meter) = self.meter(call, caller) {
            let name = format!("{}/{}", meter.kind, meter.id);
            let used = self.counters.count(&name, now, DAY) as u64;
            let mut percent = used * 100 / meter.budget;
            let mut minutes = 0;
            if percent >= 100 {
                minutes = self.counters.minutes_to_regain(&name, now, DAY);
                stopped = Some(meter.code);
            }
            if let Some(order) = throttle.filter(|order| order.code >= 80_000) {
                percent = 100;
                minutes = order.minutes;
            }
            usage.push((
                "x-business-use-case-usage".into(),
                json!({ meter.id: [load(percent, Some((meter.kind, minutes)))] }).to_string(),
            ));
        }
        self.charge_app(now, throttle, usage, &mut stopped);
        self.charge_user(call, caller, now, &mut stopped);
        if let Some(order) = throttle {
            stopped = Some(order.code);
        }
        match stopped {
            Some(code) => Err(limit_error(code).status(self.switches.limit_status)),
            None => Ok(()),
        }
    }

    fn charge_app(
        &mut self,
        now: i64,
        throttle: Option<&Throttle>,
        usage: &mut Usage,
        stopped: &mut Option<u32>,
    ) {
        let used = self.counters.count("app", now, HOUR) as u64;
        let ordered = throttle.is_some_and(|order| order.code == 4);
        let percent = match (ordered, self.switches.app_call_budget) {
            (true, _) => 100,
            (false, Some(budget)) => used * 100 / budget.max(1),
            (false, None) => return,
        };
        usage.push(("x-app-usage".into(), load(percent, None).to_string()));
        if percent >= 100 {
            *stopped = Some(4);
        }
    }

    fn charge_user(&mut self, call: &Call, caller: &Caller, now: i64, stopped: &mut Option<u32>) {
        let (Caller::Token(token), Some(budget)) = (caller, self.switches.user_call_budget) else {
            return;
        };
        let Holder::Owner(owner) = &token.holder else {
            return;
        };
        let used = self.counters.count(&format!("user/{owner}"), now, HOUR) as u64;
        if used > budget {
            let on_page = call
                .segments
                .first()
                .is_some_and(|id| self.pages.contains_key(id));
            *stopped = Some(if on_page { 32 } else { 17 });
        }
    }

    /// The per-second limit of one account; the name says which of them.
    pub(crate) fn check_rate(&mut self, name: &str, allowed: usize) -> Result<(), GraphError> {
        let now = self.now_ms();
        if self.counters.exceeds_per_second(name, now, allowed) {
            return Err(limit_error(613)
                .sub(2_534_040)
                .status(self.switches.limit_status));
        }
        Ok(())
    }
}

impl crate::world::limits::Counters {
    fn minutes_to_regain(&self, name: &str, now_ms: i64, window_ms: i64) -> u64 {
        let oldest = self.oldest(name).unwrap_or(now_ms);
        let wait = (oldest + window_ms - now_ms).max(0);
        u64::try_from((wait + MINUTE - 1) / MINUTE)
            .unwrap_or(0)
            .max(1)
    }
}

fn load(percent: u64, business: Option<(&str, u64)>) -> Value {
    let mut load = json!({
        "call_count": percent.min(100),
        "total_cputime": percent.min(100) / 3,
        "total_time": percent.min(100) / 3,
    });
    if let Some((kind, minutes)) = business {
        load["type"] = kind.into();
        load["estimated_time_to_regain_access"] = minutes.into();
    }
    load
}

/// The sentence of each limit.
fn limit_error(code: u32) -> GraphError {
    let message = match code {
        4 => "(#4) Application request limit reached".to_owned(),
        17 => "(#17) User request limit reached".to_owned(),
        32 => "(#32) Page request limit reached".to_owned(),
        613 => "(#613) Calls to this api have exceeded the rate limit.".to_owned(),
        80_001 => wait("Page"),
        80_002 => wait("Instagram"),
        80_006 => wait("Messenger"),
        other => format!("(#{other}) Request limit reached"),
    };
    let message = message.replace("#CODE", &format!("#{code}"));
    let mut error = GraphError::new(code, &message);
    error.transient = Some(true);
    error
}

fn wait(what: &str) -> String {
    format!(
        "(#CODE) There have been too many calls to this {what} account. Wait a bit and try again. For more info, please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting."
    )
}
