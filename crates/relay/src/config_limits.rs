//! How much one caller may ask for (E59), as the operator's table of options.
//!
//! Invariant: every limit has a default with its reason, and none may be 0. Counting is done in `limits` and `server`.

use serde::Deserialize;

macro_rules! limits {
    ($($(#[doc = $doc:literal])* $name:ident = $default:literal;)*) => {
        /// Limits of the relay, table `[limits]`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Limits { $($(#[doc = $doc])* pub $name: u32,)* }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Limits {
            /// Names of all options, as in the file.
            pub(crate) const NAMES: &'static [&'static str] = &[$(stringify!($name),)*];

            /// The same number everywhere.
            pub(crate) fn all(number: u32) -> Self {
                Self { $($name: number,)* }
            }

            /// The first option that is 0.
            pub(crate) fn zero(&self) -> Option<&'static str> {
                [$((stringify!($name), self.$name),)*]
                    .into_iter()
                    .find_map(|(name, number)| (number == 0).then_some(name))
            }
        }
    };
}

limits! {
    /// Calls per address and minute on every public endpoint but webhooks, hooks and streams, which have their own. An IPv6 network of
    /// 64 bits counts as one. 120: an office of twenty computers that all start at once.
    address_per_minute = 120;
    /// Calls per device and minute, after its proof was checked. 60: a sign-in takes five, a busy day two a minute.
    device_per_minute = 60;
    /// Starts and redemptions of sign-ins per address and minute. Each costs Meta's own limits of the whole app. 30: ten people who
    /// sign in at once behind one address.
    sign_ins_per_minute = 30;
    /// Stream opens per address and minute. 600: an agency's three hundred computers after a power cut, twice.
    streams_per_minute = 600;
    /// Stream opens per device and minute. 20: an app that comes and goes on a bad line backs off to fewer by itself.
    streams_per_device_minute = 20;
    /// Streams open at once per address. 2000: the same agency, with room.
    streams_per_address = 2000;
    /// Hooks made, changed or removed per device and minute.
    hook_changes_per_minute = 30;
    /// Posts per hook of a shop and minute. 1200: a sale with twenty orders a second. Over it the shop is told to come back.
    shop_posts_per_minute = 1200;
    /// Posts per hook of a website and minute. 6000: a hundred visitors a second.
    collect_posts_per_minute = 6000;
    /// Posts of one visitor's address to websites' hooks per minute. 120: a page that reports every click.
    collect_per_address_minute = 120;
    /// Pictures per device and minute. 20: as many as may wait at the same time.
    media_per_minute = 20;
    /// Fetches of pictures per address and minute. 600: Meta fetches from few addresses.
    media_fetches_per_minute = 600;
    /// Webhook requests without a good signature per address and minute; signed ones are never counted. 600: far above what a wrong
    /// secret during a rotation makes, and far below what hurts. Over it they are refused before their body is read. Addresses of this
    /// computer and of private networks are a proxy's and are never refused, because Meta's requests would be refused with them.
    unsigned_webhooks_per_minute = 600;
    /// Sockets open at once. 20000: ten thousand computers and as much again; needs as many file descriptors.
    connections = 20_000;
    /// Sockets open at once per address, as long as `trust_forwarded` is off (behind a proxy all sockets are the proxy's). 2100: the
    /// streams of one address and some calls.
    connections_per_address = 2100;
    /// Seconds until the head of a request must be there; a connection without a request is closed after the same time. A proxy should
    /// keep its own idle connections for less.
    head_seconds = 30;
}
