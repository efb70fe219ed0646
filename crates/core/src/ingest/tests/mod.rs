#![allow(clippy::unwrap_used)]
mod later;
mod order;
mod plans;
mod stories;
mod unread;
mod webhooks;
