//! What may be typed.

use clap::{Args, Parser, Subcommand, ValueEnum};
use shopbell_core::domain::Provider;
use std::path::PathBuf;
use url::Url;

/// Shopbell in a terminal: the same profile, the same rules, no window.
///
/// SHOPBELL_PASSPHRASE holds the passphrase of a profile that is protected by one; the keychain is then not asked.
#[derive(Parser)]
#[command(name = "shopbell-cli", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub place: Place,
    /// Print one JSON document; errors as {"error":{"code","message"}} on stderr
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Which profile, and where the world is.
#[derive(Args)]
pub struct Place {
    /// Folder of the profile; without it, the app's own
    #[arg(long, global = true, env = "SHOPBELL_PROFILE_DIR", value_name = "DIR")]
    pub profile: Option<PathBuf>,
    /// Relay to use from now on with this profile
    #[arg(long, global = true, value_name = "URL")]
    pub relay: Option<Url>,
    /// Sandbox to use from now on with this profile
    #[arg(long, global = true, value_name = "URL", hide = true)]
    pub sandbox: Option<Url>,
}

#[derive(Subcommand)]
pub enum Verb {
    /// Connect an account, or go on with connecting
    Connect {
        #[command(subcommand)]
        step: Connect,
    },
    /// Show connected accounts
    Accounts,
    /// Fetch news now
    Sync {
        /// Only this account
        #[arg(long, value_name = "ID")]
        account: Option<i64>,
    },
    /// List conversations, newest first
    Conversations {
        /// Which ones
        #[arg(long, value_enum, default_value = "all")]
        view: View,
        /// Only this account
        #[arg(long, value_name = "ID")]
        account: Option<i64>,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Go on where the last page ended (`next` of the JSON answer)
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show the messages of a conversation
    Messages {
        /// Conversation
        conversation: i64,
        /// How many, the newest
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Older than this message (its `sort_key`)
        #[arg(long, value_name = "SORT_KEY")]
        before: Option<String>,
    },
    /// List posts with comments, or show the comments of one
    Comments {
        /// Post; without one, the posts
        post: Option<i64>,
        /// Only posts of this account
        #[arg(long, value_name = "ID", conflicts_with = "post")]
        account: Option<i64>,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Go on where the last page ended (`next` of the JSON answer)
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Search messages and people
    Search {
        /// Words
        #[arg(required = true)]
        words: Vec<String>,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Answer a customer; waits until the message left, failed or has to wait
    Send {
        /// Conversation
        conversation: i64,
        /// Text
        text: String,
    },
    /// People
    Contacts {
        #[command(subcommand)]
        verb: Contacts,
    },
    /// Take events in as they come, until interrupted
    Listen {
        /// End after so long
        #[arg(long = "for", value_name = "SECONDS")]
        seconds: Option<u64>,
    },
    /// Show what came through the relay and what became of it, newest first
    Events(Events),
    /// Look for what is wrong
    Doctor,
}

#[derive(Subcommand)]
pub enum Connect {
    /// Facebook Pages and the Instagram accounts linked to them
    Facebook(Begin),
    /// One Instagram professional account
    Instagram(Begin),
    /// Hand in what the browser came back with
    Finish {
        /// The shopbell:// address, or the code from the page
        pasted: String,
    },
    /// Choose among the accounts found
    Choose {
        /// Platform ids; without any, all that can be chosen
        platform_ids: Vec<String>,
    },
    /// Where connecting stands
    Status,
    /// Give it up
    Cancel,
}

impl Connect {
    pub fn begin(&self) -> Option<(Provider, bool)> {
        match self {
            Self::Facebook(begin) => Some((Provider::Facebook, begin.no_browser)),
            Self::Instagram(begin) => Some((Provider::Instagram, begin.no_browser)),
            _ => None,
        }
    }
}

#[derive(Args)]
pub struct Begin {
    /// Only print the address to open, and end
    #[arg(long)]
    pub no_browser: bool,
}

#[derive(Subcommand)]
pub enum Contacts {
    /// Fetch the person of a conversation anew
    Refresh {
        /// Conversation
        conversation: i64,
    },
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Events {
    /// Only these
    #[arg(long, value_enum)]
    pub state: Option<Fate>,
    /// How many
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
    /// Older than this event (`next` of the JSON answer)
    #[arg(long, value_name = "ID")]
    pub before: Option<i64>,
    #[command(subcommand)]
    pub verb: Option<EventVerb>,
}

#[derive(Subcommand)]
pub enum EventVerb {
    /// Try a failed or ignored event again now
    Retry {
        /// Event
        id: i64,
    },
    /// Leave a failed event: it is not tried again
    Leave {
        /// Event
        id: i64,
    },
}

/// What became of an event.
#[derive(Clone, Copy, ValueEnum)]
pub enum Fate {
    Done,
    Ignored,
    Failed,
}

impl Fate {
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub enum View {
    NeedsYou,
    ClosingSoon,
    WaitingOnThem,
    Done,
    All,
}

impl View {
    pub fn word(self) -> &'static str {
        match self {
            Self::NeedsYou => "needs_you",
            Self::ClosingSoon => "closing_soon",
            Self::WaitingOnThem => "waiting_on_them",
            Self::Done => "done",
            Self::All => "all",
        }
    }
}
