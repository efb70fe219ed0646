//! `connect`: start in the browser or only print the address; finish, choose, cancel. A sign-in survives between calls.

use crate::{answer, args::Connect, opening, trouble::Trouble};
use serde_json::{Value, json};
use shopbell_core::{
    Core, OpenAs,
    api::types::{SignIn, SignInStep},
};
use std::{
    io::Write,
    process::{Command, Stdio},
};

pub async fn run(core: &Core, step: &Connect, as_json: bool) -> Result<(), Trouble> {
    opening::open(core, OpenAs::Tool).await?;
    let sign_in: SignIn = match step {
        Connect::Facebook(_) | Connect::Instagram(_) => begin(core, step).await?,
        Connect::Finish { pasted } => {
            answer::call(core, "sign_in_finish", json!({ "pasted": pasted })).await?
        }
        Connect::Status => current(core).await?,
        Connect::Choose { platform_ids } => {
            let current = current(core).await?;
            let chosen = if platform_ids.is_empty() {
                choosable(&current)
            } else {
                platform_ids.clone()
            };
            answer::call(
                core,
                "sign_in_choose",
                json!({ "id": current.id, "platform_ids": chosen }),
            )
            .await?
        }
        Connect::Cancel => {
            answer::call(
                core,
                "sign_in_cancel",
                json!({ "id": current(core).await?.id }),
            )
            .await?
        }
    };
    answer::print(&sign_in, as_json, answer::sign_in);
    match sign_in.refusal {
        // A pasted text that was none leaves the sign-in waiting and says so in the same place.
        Some(refusal) if !matches!(step, Connect::Cancel | Connect::Status) => {
            Err(Trouble::from(refusal))
        }
        _ => Ok(()),
    }
}

async fn begin(core: &Core, step: &Connect) -> Result<SignIn, Trouble> {
    let Some((provider, no_browser)) = step.begin() else {
        return current(core).await;
    };
    // Without the app there is nobody behind shopbell:, so the browser comes back to this program by itself.
    let way_back = if no_browser { "scheme" } else { "loopback" };
    let argument = json!({ "provider": provider, "way_back": way_back });
    let sign_in: SignIn = answer::call(core, "sign_in_start", argument).await?;
    if no_browser {
        return Ok(sign_in);
    }
    let mut news = core.changes().listen();
    let _ = writeln!(
        std::io::stderr(),
        "The page in your browser must show {}. Waiting …\n{}",
        sign_in.number,
        sign_in.authorize_url
    );
    open_browser(&sign_in.authorize_url);
    loop {
        let now = current(core).await?;
        if !matches!(now.step, SignInStep::Waiting | SignInStep::Exchanging) {
            return Ok(now);
        }
        tokio::select! {
            // Behind or not: the state is asked anew.
            _ = news.recv() => {}
            _ = tokio::signal::ctrl_c() => return Err(Trouble::new("cancelled", "Given up. The sign-in can be finished later.")),
        }
    }
}

async fn current(core: &Core) -> Result<SignIn, Trouble> {
    let found: Option<SignIn> = answer::call(core, "sign_in_current", Value::Null).await?;
    found.ok_or_else(|| Trouble::new("not_found", "No sign-in is under way."))
}

/// All found accounts without an obstacle.
fn choosable(sign_in: &SignIn) -> Vec<String> {
    sign_in
        .found
        .iter()
        .filter(|account| account.obstacle.is_none())
        .map(|account| account.platform_id.clone())
        .collect()
}

/// The address is printed as well: a browser that does not come up stops nobody.
fn open_browser(url: &str) {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(target_os = "windows") {
        "explorer"
    } else {
        "xdg-open"
    };
    let _ = Command::new(program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
}
