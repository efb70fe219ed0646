//! A stand-in for Meta: both log-in products, the Graph API for messages, posts and comments, signed webhooks, and
//! for the shops beside it that post their own, in one stateful world with its own clock, scripted customers and switchable faults. It is the demo's world and
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
mod shops;
mod switches;
mod webhooks;
mod world;

pub use config::{AppKeys, Config, Size};
pub use control::commands::{
    AccountChange, Callback, CallbackAnswer, ClockOrder, OneMessage, PageSays, Person, RawEvent,
    React, Receipt, Said, Say, SignedRequest, Tap, TokenOrder,
};
pub use control::consent::Consent;
pub use control::content_commands::{
    Live, MentionOrder, Mentioned, OneComment, OnePost, PostReact, Publish, Published, Remark,
    Remarked, StoryInsights,
};
pub use control::thread_commands::{
    Burst, BurstKind, Bursted, Feedback, Handover, HandoverStep, Optin, Policy, Refer, ToSelf,
};
pub use control::{ControlError, WorldHandle};
pub use faults::{After, Before, Fault, FaultError, Throttle};
pub use journal::Entry;
pub use server::{Sandbox, StartError};
pub use shops::{ShopAnswer, ShopKind, ShopPost};
pub use switches::{ContentForm, FeedFrom, Switches};
pub use webhooks::{Delivery, Dropped};
pub use world::cards::CardKind;
pub use world::posts::PostForm;
pub use world::threads::ReferralKind;
pub use world::tokens::Death;
