//! What accounts publish and what people say below it: posts of Pages, media of Instagram accounts, comments on
//! both, and foreign media that mention an account. How the platform shows them is decided in `graph`, how it
//! announces them in `webhooks`. People who only ever commented are strangers: they have no profile to read.

use serde::Serialize;

use super::World;
use super::people::{Account, Customer, Platform};
use super::threads::Reaction;

/// A post of a Page or a medium of an Instagram account.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Post {
    pub(crate) id: String,
    pub(crate) account: Account,
    pub(crate) form: PostForm,
    /// Message or caption.
    pub(crate) text: String,
    /// Unsigned paths below `/cdn/`; the first is the cover.
    pub(crate) pictures: Vec<String>,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
    /// The visitor who wrote it on the Page's wall; `None` = the account.
    pub(crate) visitor: Option<String>,
    pub(crate) published: bool,
    pub(crate) comments_enabled: bool,
    /// Likes of people nobody named.
    pub(crate) likes: u64,
    pub(crate) shares: u64,
    pub(crate) reactions: Vec<Reaction>,
    pub(crate) shortcode: String,
    /// Boosted: what the ad is called.
    pub(crate) ad: Option<Ad>,
    /// When a broadcast ended.
    pub(crate) ended_ms: Option<i64>,
}

/// What kind of thing a post is.
#[derive(Clone, Copy, Debug, Default, Serialize, serde::Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum PostForm {
    /// Words only (Pages).
    Status,
    /// One picture.
    #[default]
    Photo,
    /// Several pictures.
    Carousel,
    /// A short video.
    Reel,
    /// Gone after a day (Instagram).
    Story,
    /// A broadcast (Instagram): comments are live comments and end with it.
    Live,
}

/// The ad a post is shown as.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Ad {
    pub(crate) id: String,
    pub(crate) title: String,
}

/// A comment, or an answer to one.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Comment {
    pub(crate) id: String,
    pub(crate) post: String,
    /// The top-level comment this answers; there is only one level of answers.
    pub(crate) parent: Option<String>,
    /// Who wrote it; `None` = the account itself.
    pub(crate) by: Option<String>,
    pub(crate) text: String,
    pub(crate) picture: Option<String>,
    pub(crate) created_ms: i64,
    pub(crate) edited_ms: Option<i64>,
    pub(crate) hidden: bool,
    pub(crate) likes: u64,
    pub(crate) liked_by_account: bool,
    /// The conversation that its one private reply opened.
    pub(crate) private_reply: Option<String>,
}

/// Somebody else's Instagram medium that names an account, in its caption or in a comment.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Mention {
    /// The medium.
    pub(crate) media: String,
    /// The account that is named.
    pub(crate) account: Account,
    pub(crate) by: String,
    pub(crate) caption: String,
    pub(crate) picture: String,
    pub(crate) created_ms: i64,
    /// The comment that names it; `None` = the caption does.
    pub(crate) comment: Option<(String, String)>,
}

impl Post {
    /// A broadcast that still runs, or anything that is not a broadcast.
    pub(crate) fn takes_comments(&self) -> bool {
        self.comments_enabled && self.ended_ms.is_none()
    }

    /// `media_product_type` on Instagram.
    pub(crate) fn product(&self) -> &'static str {
        match (self.form, &self.ad) {
            (_, Some(_)) => "AD",
            (PostForm::Reel, _) => "REELS",
            (PostForm::Story, _) => "STORY",
            (PostForm::Live, _) => "LIVE",
            _ => "FEED",
        }
    }
}

impl World {
    /// Mints the id of a post in the words of its platform.
    pub(crate) fn new_post_id(&mut self, account: &Account) -> String {
        match account.platform {
            Platform::Messenger => format!("{}_{}", account.id, self.chance.digits("122", 15)),
            Platform::Instagram => self.chance.digits("179", 17),
        }
    }

    /// Mints the id of a comment below a post.
    pub(crate) fn new_comment_id(&mut self, post: &str, platform: Platform) -> String {
        match platform {
            Platform::Messenger => {
                let number = post.rsplit('_').next().unwrap_or(post);
                format!("{number}_{}", self.chance.digits("93", 15))
            }
            Platform::Instagram => self.chance.digits("178", 17),
        }
    }

    /// Publishes a post.
    pub(crate) fn put_post(&mut self, post: Post) {
        self.post_comments.entry(post.id.clone()).or_default();
        self.posts.insert(post.id.clone(), post);
    }

    /// Puts a comment below its post. An answer to an answer lands below the same top-level comment.
    pub(crate) fn put_comment(&mut self, mut comment: Comment) {
        if let Some(above) = comment
            .parent
            .as_ref()
            .and_then(|parent| self.comments.get(parent))
            .and_then(|parent| parent.parent.clone())
        {
            comment.parent = Some(above);
        }
        if let Some(post) = self.posts.get_mut(&comment.post) {
            post.updated_ms = post.updated_ms.max(comment.created_ms);
        }
        self.post_comments
            .entry(comment.post.clone())
            .or_default()
            .push(comment.id.clone());
        self.comments.insert(comment.id.clone(), comment);
    }

    /// A comment with its post.
    pub(crate) fn comment_with_post(&self, id: &str) -> Option<(&Comment, &Post)> {
        let comment = self.comments.get(id)?;
        self.posts.get(&comment.post).map(|post| (comment, post))
    }

    /// The comments of a post, oldest first: all, the top-level ones, or the answers to one.
    pub(crate) fn comments_below(&self, post: &str, level: Level<'_>) -> Vec<&Comment> {
        let mut found: Vec<&Comment> = self
            .post_comments
            .get(post)
            .into_iter()
            .flatten()
            .filter_map(|id| self.comments.get(id))
            .filter(|comment| match level {
                Level::All => true,
                Level::Top => comment.parent.is_none(),
                Level::Answers(parent) => comment.parent.as_deref() == Some(parent),
            })
            .collect();
        found.sort_by(|a, b| (a.created_ms, &a.id).cmp(&(b.created_ms, &b.id)));
        found
    }

    /// Takes a comment and its answers away; answers the comment alone, as only it is announced.
    pub(crate) fn take_comment(&mut self, id: &str) -> Option<Comment> {
        let gone = self.comments.remove(id)?;
        if let Some(ids) = self.post_comments.get_mut(&gone.post) {
            ids.retain(|other| other != id);
        }
        let answers: Vec<String> = self
            .comments_below(&gone.post, Level::Answers(id))
            .into_iter()
            .map(|answer| answer.id.clone())
            .collect();
        for answer in answers {
            self.comments.remove(&answer);
            if let Some(ids) = self.post_comments.get_mut(&gone.post) {
                ids.retain(|other| *other != answer);
            }
        }
        Some(gone)
    }

    /// Takes a post and everything below it away.
    pub(crate) fn take_post(&mut self, id: &str) -> Option<Post> {
        for comment in self.post_comments.remove(id).unwrap_or_default() {
            self.comments.remove(&comment);
        }
        self.posts.remove(id)
    }

    /// A person, whether they ever wrote a message or only commented.
    pub(crate) fn person(&self, id: &str) -> Option<&Customer> {
        self.customers.get(id).or_else(|| self.strangers.get(id))
    }

    /// The person of an account behind an id, a full name or a user name.
    pub(crate) fn person_named(&self, account: &Account, word: &str) -> Option<String> {
        let known = self.customers.values().chain(self.strangers.values());
        let mut found: Vec<&Customer> = known
            .filter(|person| &person.account == account)
            .filter(|person| person.id == word || person.name() == word || person.username == word)
            .collect();
        // Two people may share a name; the choice must not hang on the order of a hash map.
        found.sort_by(|a, b| a.id.cmp(&b.id));
        found.first().map(|person| person.id.clone())
    }

    /// A stranger starts a conversation, or one is started with them.
    pub(crate) fn adopt(&mut self, id: &str) {
        if let Some(person) = self.strangers.remove(id) {
            self.customers.insert(id.to_owned(), person);
        }
    }
}

/// Which comments of a post.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Level<'a> {
    /// Every one.
    All,
    /// Those that answer none.
    Top,
    /// The answers to one.
    Answers(&'a str),
}
