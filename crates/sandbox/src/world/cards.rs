//! Attachments that are no file: shared reels and posts, products, appointments, places. The platform names
//! them in webhooks by a type of their own and shows most of them as `shares` in the Conversations API.

use serde::{Deserialize, Serialize};

/// One of them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Card {
    pub(crate) kind: CardKind,
    pub(crate) id: String,
    pub(crate) title: String,
    /// The unsigned path of its picture or film below `/cdn/`.
    pub(crate) path: String,
}

/// The platform's types.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum CardKind {
    /// `fallback` with a null payload: something that cannot be shown.
    FallbackNull,
    /// `fallback` with title and url beside the type, as older events have it.
    FallbackOld,
    /// A Facebook reel.
    Reel,
    /// An Instagram reel.
    IgReel,
    /// A Facebook post.
    Post,
    /// An Instagram post.
    IgPost,
    /// A product of the catalogue.
    Template,
    /// A booked appointment.
    Appointment,
    /// A place on the map (legacy).
    Location,
    /// A medium of Instagram.
    Media,
    /// A shared post, the type that ended in February 2026.
    Share,
    /// A shared story, Messenger's word.
    Story,
    /// A shared story, Instagram's word.
    IgStory,
    /// A picture that disappears: no address.
    Ephemeral,
}

impl CardKind {
    /// The word in webhooks.
    pub(crate) fn word(self) -> &'static str {
        match self {
            CardKind::FallbackNull | CardKind::FallbackOld => "fallback",
            CardKind::Reel => "reel",
            CardKind::IgReel => "ig_reel",
            CardKind::Post => "post",
            CardKind::IgPost => "ig_post",
            CardKind::Template => "template",
            CardKind::Appointment => "appointment_booking",
            CardKind::Location => "location",
            CardKind::Media => "media",
            CardKind::Share => "share",
            CardKind::Story => "story",
            CardKind::IgStory => "ig_story",
            CardKind::Ephemeral => "ephemeral",
        }
    }

    /// What the Conversations API shows as a share; the others leave no trace there.
    pub(crate) fn is_share(self) -> bool {
        !matches!(
            self,
            CardKind::FallbackNull
                | CardKind::Template
                | CardKind::Appointment
                | CardKind::Location
                | CardKind::Ephemeral
        )
    }
}
