#![allow(clippy::unwrap_used)]

mod care;
mod deletion;
mod poison;
mod taking;
