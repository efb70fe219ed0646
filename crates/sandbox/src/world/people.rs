//! Who exists: owners who log in, their Pages and Instagram accounts, and the customers who write.
//! Ids are text and scoped as the platform scopes them: a customer is one person *at one account*.

use serde::Serialize;

/// Which product a conversation belongs to.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Platform {
    /// A Facebook Page's Messenger.
    Messenger,
    /// An Instagram professional account.
    Instagram,
}

/// The business side of a conversation: a Page id or an Instagram account id (17841…).
#[derive(Clone, Debug, Serialize, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Account {
    pub(crate) platform: Platform,
    pub(crate) id: String,
}

impl Account {
    pub(crate) fn messenger(id: &str) -> Self {
        Account {
            platform: Platform::Messenger,
            id: id.into(),
        }
    }

    pub(crate) fn instagram(id: &str) -> Self {
        Account {
            platform: Platform::Instagram,
            id: id.into(),
        }
    }
}

/// A Facebook user who can log in.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Owner {
    pub(crate) id: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) pages: Vec<String>,
}

impl Owner {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }
}

/// A Facebook Page.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Page {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) username: String,
    pub(crate) category: (String, String),
    pub(crate) about: String,
    pub(crate) tasks: Vec<String>,
    pub(crate) instagram: Option<String>,
    pub(crate) fans: u64,
    pub(crate) picture: String,
}

/// An Instagram professional account.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct InstagramAccount {
    /// The professional account id: webhooks and paths use it.
    pub(crate) id: String,
    /// `/me` `id` on graph.instagram.com.
    pub(crate) app_scoped_id: String,
    /// The misleading `user_id` of the token answer.
    pub(crate) token_user_id: String,
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) account_type: String,
    pub(crate) biography: String,
    pub(crate) followers: u64,
    pub(crate) follows: u64,
    pub(crate) media: u64,
    pub(crate) picture: String,
    /// "Allow access to messages" on the owner's phone.
    pub(crate) messages_allowed: bool,
    /// A private account: comments and mentions are not told.
    pub(crate) private: bool,
}

/// A person as one business account knows them: PSID or IGSID.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) account: Account,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) username: String,
    pub(crate) locale: String,
    pub(crate) picture: String,
    pub(crate) followers: u64,
    pub(crate) follows_business: bool,
    pub(crate) followed_by_business: bool,
    pub(crate) verified: bool,
    /// The person wrote or tapped an ice breaker, so the profile may be read.
    pub(crate) consented: bool,
    /// `name` and `profile_pic` come as null.
    pub(crate) nameless: bool,
    /// A phone-number account: no profile at all (2018218).
    pub(crate) profile_missing: bool,
    /// The person blocked the business (551/1545041).
    pub(crate) blocked: bool,
    /// What last opened the reply window: a message, reaction or postback.
    pub(crate) last_contact_ms: i64,
}

impl Customer {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
            .trim()
            .to_owned()
    }
}
