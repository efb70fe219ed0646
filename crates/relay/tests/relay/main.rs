//! The relay as its callers see it: a real server in this process, a scripted Meta behind it, a clock that
//! the tests move. Every refusal of the design has a test here.
#![allow(clippy::unwrap_used)]

mod bindings;
mod browser;
mod canary;
mod harness;
mod hostile;
mod meta;
mod process;
mod proofs;
mod redeem;
mod renew;
mod sandbox;
mod shapes;
mod signin;
