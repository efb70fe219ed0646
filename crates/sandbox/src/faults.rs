//! Trouble on request: which calls, how often, what goes wrong. A fault either answers before the
//! platform does its work or spoils the answer after it (the message is sent, the sender does not know).

use serde::{Deserialize, Serialize};

use crate::graph::error::GraphError;
use crate::http::call::Call;
use crate::world::World;
use crate::world::tokens::Death;

/// What goes wrong before anything happened.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// The connection is reset without an answer.
    Reset,
    /// An HTML error page of this status, as load balancers send it.
    Status {
        /// For example 502.
        status: u16,
    },
    /// A Graph error of any kind.
    Error(FaultError),
}

/// What goes wrong although everything was done.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum After {
    /// The connection is reset instead of the answer.
    Reset,
    /// The answer comes this much later.
    Late {
        /// Milliseconds of real time.
        ms: u64,
    },
    /// The answer breaks off in the middle.
    BadJson,
}

/// A Graph error to answer with.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(default)]
pub struct FaultError {
    /// HTTP status; 0 means 400.
    pub status: u16,
    /// The Graph code.
    pub code: u32,
    /// The subcode, if any.
    pub subcode: Option<u32>,
    /// The message; empty takes a usual one.
    pub message: String,
    /// `is_transient`, if it is to be there.
    pub transient: Option<bool>,
}

impl FaultError {
    /// As the graph writes it.
    pub(crate) fn into_error(self) -> GraphError {
        let message = match (self.message.as_str(), self.code) {
            ("", 1) => {
                "Please reduce the amount of data you're asking for, then retry your request".into()
            }
            ("", 2) => "An unexpected error has occurred. Please retry your request later.".into(),
            ("", code) => format!("(#{code}) Request could not be completed"),
            (text, _) => text.to_owned(),
        };
        let mut error = GraphError::new(self.code, &message);
        error.subcode = self.subcode;
        error.transient = self.transient;
        if self.status != 0 {
            error.status = self.status;
        }
        error
    }
}

/// A limit reached: the calls that match answer `code` until it is taken back or used up.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct Throttle {
    /// 4, 17, 32, 613, 80001, 80002 or 80006.
    pub code: u32,
    /// `estimated_time_to_regain_access`.
    pub minutes: u64,
}

/// One order for trouble.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// Only this host (`graph.facebook.com`, …); empty = any.
    pub host: String,
    /// Only this method; empty = any.
    pub method: String,
    /// Only paths that contain this text; empty = any.
    pub path: String,
    /// Let this many matching calls pass first.
    pub skip: u32,
    /// For how many calls; 0 = until cleared.
    pub times: u32,
    /// Milliseconds of real time before anything else.
    pub latency_ms: u64,
    /// Trouble before.
    pub before: Option<Before>,
    /// Trouble after.
    pub after: Option<After>,
    /// A limit.
    pub throttle: Option<Throttle>,
    /// The token of the call dies of this, then the call is answered.
    pub token_death: Option<Death>,
    /// Lists answer an empty page that still has `next`.
    pub empty_page: bool,
}

impl Fault {
    fn matches(&self, call: &Call) -> bool {
        let path = call.segments.join("/");
        (self.host.is_empty() || self.host == call.host.word())
            && (self.method.is_empty() || self.method.eq_ignore_ascii_case(&call.method))
            && (self.path.is_empty() || path.contains(self.path.trim_matches('/')))
    }

    /// One word for the journal.
    pub(crate) fn word(&self) -> String {
        let mut words = Vec::new();
        match &self.before {
            Some(Before::Reset) => words.push("reset".to_owned()),
            Some(Before::Status { status }) => words.push(format!("status {status}")),
            Some(Before::Error(error)) => words.push(format!("error {}", error.code)),
            None => {}
        }
        match &self.after {
            Some(After::Reset) => words.push("reset after".to_owned()),
            Some(After::Late { ms }) => words.push(format!("late {ms} ms")),
            Some(After::BadJson) => words.push("bad json".to_owned()),
            None => {}
        }
        if self.throttle.is_some() {
            words.push("throttle".to_owned());
        }
        if self.token_death.is_some() {
            words.push("token death".to_owned());
        }
        if self.empty_page {
            words.push("empty page".to_owned());
        }
        if self.latency_ms > 0 {
            words.push(format!("latency {} ms", self.latency_ms));
        }
        words.join(", ")
    }
}

/// The orders that are still open.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    orders: Vec<Fault>,
}

impl Faults {
    pub(crate) fn order(&mut self, fault: Fault) {
        self.orders.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.orders.clear();
    }
}

impl World {
    /// The first order that fits this call, used up by one.
    pub(crate) fn take_fault(&mut self, call: &Call) -> Option<Fault> {
        let at = self
            .faults
            .orders
            .iter()
            .position(|order| order.matches(call))?;
        let order = self.faults.orders.get_mut(at)?;
        if order.skip > 0 {
            order.skip -= 1;
            return None;
        }
        let taken = order.clone();
        if order.times == 1 {
            self.faults.orders.remove(at);
        } else if order.times > 1 {
            order.times -= 1;
        }
        if let (Some(death), Some(token)) = (taken.token_death, call.token()) {
            let token = token.to_owned();
            self.kill(&token, death);
        }
        Some(taken)
    }
}
