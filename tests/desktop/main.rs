//! The real window: WebKitGTK under a display, a session bus, a keychain and XDG folders of its own, driven through WebDriver.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod demo;
mod page;
mod processes;
mod start;
mod world;
