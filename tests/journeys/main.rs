//! Core, relay and sandbox in one process: the owner's stories from the first click on.
#![allow(clippy::unwrap_used)]

mod accounts;
mod connect;
mod line;
mod renewal;
mod send;
mod sync;
mod world;
