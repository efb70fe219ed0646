//! What was found, for people and for programs.
//!
//! Invariant: the words are for the operator and hold no secret; programs read `check` and `state`, which keep their spelling.

use std::fmt;

use serde::Serialize;
use url::Url;

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// It was wrong and is right now.
    Fixed,
    /// Could not be looked at, because of something else that is said.
    Skipped,
    /// Works, but somebody should look.
    Warning,
    /// Does not work.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: a fixed word.
    pub check: &'static str,
    /// How it stands.
    pub state: State,
    /// One sentence.
    pub text: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todo: Option<String>,
}

/// An address that is entered in the app dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Register {
    /// Where in the dashboard.
    pub place: &'static str,
    /// What.
    pub url: Url,
}

/// Everything.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// In the order of looking.
    pub findings: Vec<Finding>,
    /// What the dashboard has to know.
    pub register: Vec<Register>,
}

impl Report {
    /// Whether nothing failed.
    pub fn is_ok(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.state != State::Failed)
    }

    /// What was found under a word.
    pub fn of(&self, check: &str) -> Vec<&Finding> {
        let findings = self.findings.iter();
        findings.filter(|finding| finding.check == check).collect()
    }

    /// For programs.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({"ok": self.is_ok(), "findings": self.findings, "register": self.register})
    }

    pub(super) fn ok(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(check, State::Ok, text.into(), None);
    }

    pub(super) fn fixed(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(check, State::Fixed, text.into(), None);
    }

    pub(super) fn skipped(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(check, State::Skipped, text.into(), None);
    }

    pub(super) fn warning(&mut self, check: &'static str, text: impl Into<String>, todo: &str) {
        self.add(check, State::Warning, text.into(), Some(todo.to_owned()));
    }

    pub(super) fn failed(&mut self, check: &'static str, text: impl Into<String>, todo: &str) {
        self.add(check, State::Failed, text.into(), Some(todo.to_owned()));
    }

    fn add(&mut self, check: &'static str, state: State, text: String, todo: Option<String>) {
        self.findings.push(Finding {
            check,
            state,
            text,
            todo,
        });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let mark = match finding.state {
                State::Ok => "ok     ",
                State::Fixed => "fixed  ",
                State::Skipped => "skipped",
                State::Warning => "WARNING",
                State::Failed => "FAILED ",
            };
            writeln!(f, "{mark}  {:<16} {}", finding.check, finding.text)?;
            if let Some(todo) = &finding.todo {
                writeln!(f, "{:26}{todo}", "")?;
            }
        }
        if !self.register.is_empty() {
            writeln!(
                f,
                "\nTo be entered at developers.facebook.com, exactly like this:"
            )?;
            for Register { place, url } in &self.register {
                writeln!(f, "  {place}\n      {url}")?;
            }
        }
        Ok(())
    }
}
