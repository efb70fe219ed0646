//! The relay as its callers see it: a real server in this process, a scripted Meta behind it, a clock that
//! the tests move. Every refusal of the design has a test here.
#![allow(clippy::unwrap_used)]

mod answering;
mod bindings;
mod browser;
mod canary;
mod check;
mod deploy;
mod events;
mod harness;
mod hooks;
mod hostile;
mod limits;
mod line;
mod media;
mod meta;
#[path = "../../src/storage/nats/test_server.rs"]
mod nats_server;
mod operations;
mod owner;
mod process;
mod proofs;
mod redeem;
mod renew;
mod sandbox;
mod shapes;
mod signin;
mod stream;
mod stream_doors;
mod stream_upkeep;
mod tls;
mod two_nodes;
mod webhooks;
mod webhooks_sandbox;
