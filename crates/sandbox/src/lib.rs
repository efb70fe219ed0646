//! A stand-in for Meta: both log-in products, the Graph API for messaging, signed webhooks, in one
//! stateful world with its own clock, scripted customers and switchable faults. It is the demo's world and
//! the tests' world, never the product's, and shares no types with the product: it is a second witness.
//! The specification is Meta's documented and observed behaviour; what is open there is a switch.

mod cdn;
mod chance;
mod clock;
mod config;
mod control;
mod dialog;
mod faults;
mod generate;
mod graph;
mod http;
mod journal;
mod pictures;
pub mod sample;
mod server;
mod switches;
mod webhooks;
mod world;

pub use config::{AppKeys, Config, Size};
pub use control::commands::{
    AccountChange, Callback, ClockOrder, OneMessage, PageSays, Person, RawEvent, React, Receipt,
    Said, Say, SignedRequest, Tap, TokenOrder,
};
pub use control::consent::Consent;
pub use control::{ControlError, WorldHandle};
pub use faults::{After, Before, Fault, FaultError, Throttle};
pub use journal::Entry;
pub use server::{Sandbox, StartError};
pub use switches::Switches;
pub use webhooks::{Delivery, Dropped};
pub use world::tokens::Death;
