//! `doctor`: what the core finds, and who opens `shopbell:` links on this computer.

use crate::{answer, opening, trouble::Trouble};
use shopbell_core::{
    Core,
    api::types::Reason,
    doctor::{self, Finding, Level},
};
use std::process::Command;

pub async fn run(core: &Core, as_json: bool) -> Result<(), Trouble> {
    // Why it does not open is among the findings.
    let _ = opening::open_to_read(core).await;
    let mut findings = doctor::examine(core).await;
    findings.extend(scheme());
    answer::print(&findings[..], as_json, answer::findings);
    match findings
        .iter()
        .find(|finding| finding.level == Level::Trouble)
    {
        Some(_) => Err(Trouble::new("trouble_found", "Something does not work.")),
        None => Ok(()),
    }
}

/// Only Linux has a program to ask.
fn scheme() -> Option<Finding> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let answer = Command::new("xdg-mime")
        .args(["query", "default", "x-scheme-handler/shopbell"])
        .output()
        .ok()?;
    let handler = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    let (level, reason) = if handler.is_empty() {
        (Level::Advice, Reason::new("scheme_none"))
    } else if handler.to_lowercase().contains("shopbell") {
        (Level::Ok, Reason::new("scheme_ours"))
    } else {
        (
            Level::Advice,
            Reason::new("scheme_other").with("handler", handler),
        )
    };
    Some(Finding {
        subject: "scheme",
        level,
        reason,
    })
}
