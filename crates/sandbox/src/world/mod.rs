//! The whole state of the simulated platform, behind one lock. Every change goes through a method
//! here or in a child module; nothing awaits while the lock is held. Facts only: what an answer looks
//! like belongs to `graph`, what a webhook looks like to `webhooks`.

pub(crate) mod cards;
pub(crate) mod limits;
pub(crate) mod people;
pub(crate) mod posts;
pub(crate) mod schedule;
pub(crate) mod threads;
pub(crate) mod tokens;

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;
use limits::Counters;
use people::{Account, Customer, InstagramAccount, Owner, Page, Platform};
use posts::{Comment, Mention, Post};
use schedule::Due;
use threads::{Conversation, Message};
use tokens::{Code, Token};

use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::Config;
use crate::control::consent::Consent;
use crate::faults::Faults;
use crate::journal::Journal;
use crate::shops::Shops;
use crate::switches::Switches;
use crate::webhooks::Mailbox;

/// Something sent to `message_attachments` or fetched for a send.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) mime: String,
    pub(crate) bytes: Bytes,
    /// The account it was uploaded for; another account's id is refused (2018074).
    pub(crate) account: Option<String>,
}

/// Everything that exists.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) switches: Switches,
    pub(crate) clock: Clock,
    pub(crate) chance: Chance,
    pub(crate) owners: BTreeMap<String, Owner>,
    pub(crate) pages: BTreeMap<String, Page>,
    pub(crate) instagram: BTreeMap<String, InstagramAccount>,
    /// Keyed by the scoped id.
    pub(crate) customers: HashMap<String, Customer>,
    /// People who commented and never wrote, keyed as customers.
    pub(crate) strangers: HashMap<String, Customer>,
    pub(crate) conversations: BTreeMap<String, Conversation>,
    /// Which conversation a message id is in.
    pub(crate) message_home: HashMap<String, String>,
    /// Ids of messages that were unsent.
    pub(crate) unsent: Vec<String>,
    /// Posts and media by id.
    pub(crate) posts: BTreeMap<String, Post>,
    pub(crate) comments: HashMap<String, Comment>,
    /// The comments of each post, in the order they came in.
    pub(crate) post_comments: HashMap<String, Vec<String>>,
    /// Foreign media that name an account, by media id.
    pub(crate) mentions: BTreeMap<String, Mention>,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) codes: HashMap<String, Code>,
    pub(crate) uploads: HashMap<String, Upload>,
    /// `/cdn/` pictures drawn so far.
    pub(crate) drawn: HashMap<String, Bytes>,
    pub(crate) consents: VecDeque<Consent>,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) counters: Counters,
    pub(crate) due: Vec<Due>,
    pub(crate) mailbox: Mailbox,
    /// Shops outside of Meta that post their own webhooks.
    pub(crate) shops: Shops,
    /// Where the server listens, for links it gives out.
    pub(crate) origin: String,
}

impl World {
    /// A world without a shop; `generate` fills it.
    pub(crate) fn new(config: Config) -> Self {
        let mailbox = Mailbox::new(&config);
        World {
            switches: config.switches.clone(),
            clock: Clock::starting(config.start_ms),
            chance: Chance::seeded(&config.seed),
            config,
            owners: BTreeMap::new(),
            pages: BTreeMap::new(),
            instagram: BTreeMap::new(),
            customers: HashMap::new(),
            strangers: HashMap::new(),
            conversations: BTreeMap::new(),
            message_home: HashMap::new(),
            unsent: Vec::new(),
            posts: BTreeMap::new(),
            comments: HashMap::new(),
            post_comments: HashMap::new(),
            mentions: BTreeMap::new(),
            tokens: HashMap::new(),
            codes: HashMap::new(),
            uploads: HashMap::new(),
            drawn: HashMap::new(),
            consents: VecDeque::new(),
            faults: Faults::default(),
            journal: Journal::default(),
            counters: Counters::default(),
            due: Vec::new(),
            mailbox,
            shops: Shops::default(),
            origin: String::new(),
        }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// The account with this Page or Instagram id, username or Page name. An id shared by no two kinds.
    pub(crate) fn account_named(&self, word: &str) -> Option<Account> {
        if let Some(page) = self
            .pages
            .values()
            .find(|page| page.id == word || page.name == word || page.username == word)
        {
            return Some(Account::messenger(&page.id));
        }
        self.instagram
            .values()
            .find(|account| account.id == word || account.username == word)
            .map(|account| Account::instagram(&account.id))
    }

    /// The Page an Instagram account is linked to.
    pub(crate) fn page_of(&self, instagram: &str) -> Option<&Page> {
        self.pages
            .values()
            .find(|page| page.instagram.as_deref() == Some(instagram))
    }

    /// What an account is called in messages: name, then username.
    pub(crate) fn account_names(&self, account: &Account) -> (String, String) {
        match account.platform {
            Platform::Messenger => self
                .pages
                .get(&account.id)
                .map(|page| (page.name.clone(), page.username.clone())),
            Platform::Instagram => self
                .instagram
                .get(&account.id)
                .map(|ig| (ig.name.clone(), ig.username.clone())),
        }
        .unwrap_or_default()
    }

    /// The conversation of one person with one account.
    pub(crate) fn conversation_with(
        &self,
        account: &Account,
        customer: &str,
    ) -> Option<&Conversation> {
        self.conversations
            .values()
            .find(|thread| &thread.account == account && thread.customer == customer)
    }

    /// The conversation a message is in; both encodings of a message id are understood.
    pub(crate) fn home_of(&self, message: &str) -> Option<(&Conversation, String)> {
        let plain = crate::webhooks::plain_mid(message);
        let home = self.message_home.get(&plain)?;
        self.conversations.get(home).map(|thread| (thread, plain))
    }

    /// Mints a message id in the words of its platform.
    pub(crate) fn new_message_id(&mut self, platform: Platform) -> String {
        match platform {
            Platform::Messenger => format!("m_{}", self.chance.word(86)),
            Platform::Instagram => format!("aWdfZAG1faXRlbToxOkl{}", self.chance.word(100)),
        }
    }

    /// Mints a conversation id in the words of its platform.
    pub(crate) fn new_conversation_id(&mut self, platform: Platform) -> String {
        match platform {
            Platform::Messenger => self.chance.digits("t_1022", 19),
            Platform::Instagram => {
                format!("aWdfZAG06MTpJR01lc3NhZA2VUaHJlYWQ6{}", self.chance.word(70))
            }
        }
    }

    /// Mints a person's scoped id.
    pub(crate) fn new_customer_id(&mut self, platform: Platform) -> String {
        match platform {
            Platform::Messenger => self.chance.digits("7", 16),
            Platform::Instagram => self.chance.digits("9", 16),
        }
    }

    /// Opens a conversation, empty.
    pub(crate) fn open_conversation(&mut self, account: Account, customer: &str) -> String {
        let id = self.new_conversation_id(account.platform);
        let conversation = Conversation {
            id: id.clone(),
            account,
            customer: customer.into(),
            updated_ms: 0,
            unread: 0,
            read_ms: 0,
            requests: false,
            owned_by_other: false,
            messages: Vec::new(),
        };
        self.conversations.insert(id.clone(), conversation);
        id
    }

    /// Puts a message into its conversation and keeps every index and the reply window right.
    pub(crate) fn put_message(&mut self, conversation: &str, message: Message) {
        let Some(thread) = self.conversations.get_mut(conversation) else {
            return;
        };
        self.message_home
            .insert(message.id.clone(), conversation.to_owned());
        if !message.from_business
            && let Some(customer) = self.customers.get_mut(&thread.customer)
        {
            customer.consented = true;
            customer.last_contact_ms = customer.last_contact_ms.max(message.created_ms);
        }
        thread.append(message);
    }

    /// The people who can write to this account, for the size of its call budget.
    pub(crate) fn engaged(&self, account: &str) -> u64 {
        let people = self
            .customers
            .values()
            .filter(|customer| customer.account.id == account)
            .count();
        people as u64
    }
}
