//! The sandbox from outside: real HTTP against a running one, every odd shape, limit and fault that the
//! product's tests rely on. Its clock stands still unless a test moves it.
#![allow(clippy::unwrap_used)]

mod bench;
mod callbacks;
mod commenters;
mod content;
mod content_events;
mod controls;
mod conversations;
mod delivery;
mod ear;
mod facebook_login;
mod facebook_tokens;
mod faults;
mod instagram_login;
mod limits;
mod profiles;
mod sending;
mod shop;
mod shop_webhooks;
mod thread_events;
mod webhooks;
