//! The words that can stand in a label, as one enumeration per family.
//!
//! Invariant: `place` is the position in `ALL`. A word that is in somebody's dashboard keeps its spelling.

use shopbell_wire::{CloseReason, GapReason, HookKind};

/// An enumeration whose members are label values.
pub(crate) trait Word: Copy + 'static {
    /// Name of the label.
    const LABEL: &'static str;
    /// All members, in order.
    const ALL: &'static [Self];
    /// Value of the label.
    fn word(self) -> &'static str;
    /// Position in [`Self::ALL`].
    fn place(self) -> usize;
}

macro_rules! words {
    ($($(#[doc = $about:literal])* $name:ident($label:literal) { $($(#[doc = $doc:literal])* $member:ident = $word:literal,)* })*) => {$(
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[doc = $doc])* $member,)* }

        impl Word for $name {
            const LABEL: &'static str = $label;
            const ALL: &'static [Self] = &[$(Self::$member,)*];

            fn word(self) -> &'static str {
                match self { $(Self::$member => $word,)* }
            }

            fn place(self) -> usize {
                self as usize
            }
        }
    )*};
}

words! {
    /// What became of a request at `/webhooks/meta`.
    WebhookOutcome("outcome") {
        /// Signed, split, durable for everybody bound: 200.
        Accepted = "accepted",
        /// No signature header, or one that is none: refused before hashing.
        Unsigned = "unsigned",
        /// No secret of ours made that signature.
        Forged = "forged",
        /// Signed and not what a webhook looks like: kept for the operator or dropped, never given to a device.
        Unparsed = "unparsed",
        /// Larger than a webhook may be.
        TooLarge = "too_large",
        /// The body did not arrive in time or broke off.
        Incomplete = "incomplete",
        /// The storage did not take it: 5xx, Meta delivers again.
        NotStored = "not_stored",
        /// Too many of them from one address without a good signature.
        Limited = "limited",
        /// Meta's verification with our token.
        Verified = "verified",
        /// A verification with another token.
        VerifyRefused = "verify_refused",
    }

    /// What became of an entry.
    EntryOutcome("outcome") {
        /// Sealed for at least one device.
        Routed = "routed",
        /// Nobody is bound to the account.
        Unbound = "unbound",
        /// Without an account id that can be read.
        NoAccount = "no_account",
        /// An `object` that is not one of ours.
        OtherObject = "other_object",
        /// A device's key was of no use.
        NotSealed = "not_sealed",
    }

    /// Whose secret it was.
    SecretWord("secret") {
        /// Meta app.
        Facebook = "facebook",
        /// Meta app, the one before.
        FacebookPrevious = "facebook_previous",
        /// Instagram app.
        Instagram = "instagram",
        /// Instagram app, the one before.
        InstagramPrevious = "instagram_previous",
    }

    /// Callbacks about an owner.
    NoticeKind("kind") {
        /// The owner removed the app.
        Deauthorized = "deauthorized",
        /// The owner asked for deletion.
        Deletion = "deletion",
        /// No secret of ours signed it, or it cannot be read.
        Refused = "refused",
    }

    /// Kind of a hook.
    HookWord("kind") {
        /// Shopify.
        Shopify = "shopify",
        /// WooCommerce.
        Woocommerce = "woocommerce",
        /// Website.
        Collect = "collect",
    }

    /// What became of a request at a hook.
    HookOutcome("outcome") {
        /// Sealed and durable.
        Accepted = "accepted",
        /// WooCommerce asks whether the address answers.
        Ping = "ping",
        /// Paused by the owner: answered, passed on to nobody.
        Paused = "paused",
        /// Removed by the owner: answered, passed on to nobody.
        Removed = "removed",
        /// Never existed.
        Unknown = "unknown",
        /// The shop's secret did not make that signature, or there is none.
        Forged = "forged",
        /// From a page that is not on the list.
        OtherOrigin = "other_origin",
        /// Not what it should look like.
        Unparsed = "unparsed",
        /// Larger than it may be.
        TooLarge = "too_large",
        /// Too many in a short time.
        Limited = "limited",
        /// The storage did not take it.
        NotStored = "not_stored",
    }

    /// What became of a picture.
    MediaOutcome("outcome") {
        /// Taken from an app.
        Kept = "kept",
        /// Given out, once.
        Fetched = "fetched",
        /// Asked for and not there (any more).
        Missing = "missing",
        /// Not taken: too large or not a picture.
        Refused = "refused",
        /// Not taken: the device has too many waiting.
        OverQuota = "over_quota",
        /// The storage did not take it or give it out.
        NotStored = "not_stored",
    }

    /// Why a stream ended.
    StreamEnd("reason") {
        /// Another connection with the same keys.
        Replaced = "replaced",
        /// No good signature, or nothing bound.
        Unauthorised = "unauthorised",
        /// Another version of the protocol.
        Upgrade = "upgrade",
        /// The app broke the protocol.
        Protocol = "protocol",
        /// Over a limit.
        TooMany = "too_many",
        /// The relay stops.
        GoingAway = "going_away",
        /// The app closed it or its connection broke.
        Left = "left",
        /// Nothing was heard for too long.
        Dead = "dead",
        /// The storage failed.
        Fault = "fault",
    }

    /// Why a gap was told.
    GapKind("reason") {
        /// Kept for its time and deleted.
        Expired = "expired",
        /// Another storage than the app knows.
        EpochChanged = "epoch_changed",
    }

    /// Which limit it was.
    Limit("limit") {
        /// Calls per address.
        Address = "address",
        /// Calls per device.
        Device = "device",
        /// Starts of a sign-in and redemptions per address.
        SignIn = "sign_in",
        /// Stream opens per address.
        StreamAddress = "stream_address",
        /// Stream opens per device.
        StreamDevice = "stream_device",
        /// Hooks made or changed per device.
        HookChange = "hook_change",
        /// Posts per hook of a shop.
        ShopHook = "shop_hook",
        /// Posts per hook of a website.
        CollectHook = "collect_hook",
        /// Posts of a website's visitor.
        CollectAddress = "collect_address",
        /// Pictures per device.
        Media = "media",
        /// Fetches of pictures per address.
        MediaFetch = "media_fetch",
        /// Webhooks without a good signature per address.
        UnsignedWebhook = "unsigned_webhook",
    }

    /// Part of the storage.
    StorageWork("work") {
        /// Used marks and codes.
        SignIns = "sign_ins",
        /// Bindings and answering leases.
        Bindings = "bindings",
        /// Writing events.
        Append = "append",
        /// Reading events.
        Read = "read",
        /// Deleting what devices have.
        Acknowledge = "acknowledge",
        /// Deleting what had its time.
        Expire = "expire",
        /// Hooks, pictures, deletion codes.
        Extras = "extras",
    }

    /// What became of a socket.
    ConnectionOutcome("outcome") {
        /// Served.
        Served = "served",
        /// Over the limit of one address.
        TooManyOfAddress = "too_many_of_address",
        /// Over the limit of all.
        TooMany = "too_many",
        /// No TLS handshake in time, or a failed one.
        NoHandshake = "no_handshake",
        /// Ended by an error: head too slow or too large, broken off.
        Broken = "broken",
    }
}

impl From<HookKind> for HookWord {
    fn from(kind: HookKind) -> Self {
        match kind {
            HookKind::Shopify => Self::Shopify,
            HookKind::Woocommerce => Self::Woocommerce,
            HookKind::Collect => Self::Collect,
        }
    }
}

impl From<CloseReason> for StreamEnd {
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::Replaced => Self::Replaced,
            CloseReason::Unauthorised => Self::Unauthorised,
            CloseReason::Upgrade => Self::Upgrade,
            CloseReason::Protocol => Self::Protocol,
            CloseReason::TooMany => Self::TooMany,
            CloseReason::GoingAway => Self::GoingAway,
        }
    }
}

impl From<GapReason> for GapKind {
    fn from(reason: GapReason) -> Self {
        match reason {
            GapReason::Expired => Self::Expired,
            GapReason::EpochChanged => Self::EpochChanged,
        }
    }
}
