//! The operator's key pair and what was kept for it: `shopbell-relay operator-key` and `shopbell-relay unreadable FILE`.
//!
//! Invariant: the secret half is printed once and read from standard input, never from an argument (those are in process lists) and
//! never from the relay's configuration. Meant for the operator's own computer.

use std::{
    io::{BufRead as _, Write as _},
    path::Path,
};

use anyhow::Context as _;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use shopbell_relay::{Entropy as _, SystemEntropy, operator_public_key, read_kept};

/// Makes a pair.
pub(crate) fn make(out: &mut impl std::io::Write) -> anyhow::Result<()> {
    let mut secret = [0u8; 32];
    SystemEntropy.fill(&mut secret);
    writeln!(out, "# Into the relay's configuration:")?;
    writeln!(out, "operator_key = \"{}\"", operator_public_key(&secret))?;
    writeln!(out, "# Secret; keep it, and not on the relay:")?;
    writeln!(out, "# {}", B64.encode(secret))?;
    Ok(())
}

/// Opens what was kept, one JSON object per line.
pub(crate) fn read(file: &Path) -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().lock().read_line(&mut text)?;
    let secret = B64.decode(text.trim().trim_start_matches("# ")).ok();
    let secret: Option<[u8; 32]> = secret.and_then(|bytes| bytes.try_into().ok());
    let secret = secret.context("the first line of standard input is to be the secret half")?;
    let mut out = std::io::stdout().lock();
    for kept in read_kept(file, &secret).context("the file cannot be read")? {
        let line = match kept {
            Some(kept) => serde_json::json!({"received_ms": kept.received_ms,
                "body": String::from_utf8_lossy(&kept.body), "body_base64": B64.encode(&kept.body)}),
            None => serde_json::json!({"unopened": "sealed to another key, or damaged"}),
        };
        writeln!(out, "{line}")?;
    }
    Ok(())
}
