//! Changes of what stands in public: posts and comments of a Page, comments and mentions on Instagram.
//!
//! Facebook names item and verb; Instagram tells new comments only. Neither tells both times of everything, so each piece of news brings
//! the best it has, and `comments` joins them in any order.

use super::{
    Reading,
    value::{Object, address, id, id_in, is, number, object, text, time, word},
};
use crate::domain::{IncomingComment, IncomingItem, IncomingPerson, IncomingPost};

/// Payloads of `messaging` that Meta's own test button sends as a change.
const OF_MESSAGING: [&str; 6] = [
    "message",
    "message_edit",
    "reaction",
    "postback",
    "read",
    "referral",
];

impl Reading<'_> {
    /// One of `changes`, or the flat form.
    pub(super) fn change(&mut self, field: &str, value: &Object) {
        let messaging = OF_MESSAGING.iter().any(|key| object(value, key).is_some());
        match field {
            _ if messaging => self.event(value, false),
            "story_insights" => self.ignore("story_insights"),
            "mention" => self.ignore("page_mention"),
            "ratings" => self.ignore("rating"),
            "leadgen" => self.ignore("lead"),
            _ if value.contains_key("item") => self.feed(value),
            // With Instagram Login a mention comes as a comment that says nothing but ids.
            "comments" | "live_comments" | "mentions"
                if value.contains_key("media_id") && !value.contains_key("text") =>
            {
                self.mention(value);
            }
            "comments" | "mentions" => self.comment(value, false),
            "live_comments" => self.comment(value, true),
            _ => self.ignore("unknown_field"),
        }
    }

    fn mention(&mut self, value: &Object) {
        let (Some(post), Some(at_ms)) = (id(value, "media_id"), self.sent_at_ms) else {
            return self.ignore("no_id");
        };
        let comment = id(value, "comment_id");
        self.speaks_of(comment.as_deref().unwrap_or(&post));
        self.tell(IncomingItem::Mention {
            post,
            comment,
            at_ms,
        });
    }

    /// A comment on Instagram.
    fn comment(&mut self, value: &Object, live: bool) {
        let Some(comment) = id(value, "id").or_else(|| id(value, "comment_id")) else {
            return self.ignore("no_id");
        };
        self.speaks_of(&comment);
        let media = object(value, "media");
        let Some(post) = media
            .and_then(|media| id(media, "id"))
            .or_else(|| id(value, "media_id"))
        else {
            return self.ignore("comment_without_post");
        };
        let written = time(value, "created_time")
            .or_else(|| time(value, "timestamp"))
            .or(self.sent_at_ms);
        let Some(written_at_ms) = written else {
            return self.ignore("no_time");
        };
        let author = self.author(value);
        let marked =
            object(value, "from").is_some_and(|from| from.contains_key("self_ig_scoped_id"));
        let own = marked || self.is_us(author.as_ref());
        let of_media = |key| media.and_then(|media| word(media, key));
        let post = IncomingPost {
            platform_id: post,
            kind: if live {
                Some("live".to_owned())
            } else {
                of_media("media_product_type").and_then(|kind| product(&kind))
            },
            ad_id: media.and_then(|media| id(media, "ad_id")),
            ad_title: of_media("ad_title"),
            original: media.and_then(|media| id(media, "original_media_id")),
            ..IncomingPost::default()
        };
        self.tell(IncomingItem::Comment(IncomingComment {
            parent: id(value, "parent_id").filter(|parent| *parent != comment),
            platform_id: comment,
            post,
            author,
            own,
            live,
            mention: false,
            text: text(value, "text"),
            text_at_ms: written_at_ms,
            edited: false,
            photo: None,
            written_at_ms,
        }));
    }

    /// The field `feed` of a Page.
    fn feed(&mut self, value: &Object) {
        let item = value.get("item").and_then(|item| item.as_str());
        let verb = value.get("verb").and_then(|verb| verb.as_str());
        match item {
            Some("comment") => self.page_comment(value, verb.unwrap_or_default()),
            Some("reaction" | "like") if value.contains_key("comment_id") => {
                self.ignore("comment_reaction");
            }
            Some("reaction" | "like") => self.ignore("post_reaction"),
            Some(item @ ("post" | "status" | "photo" | "video" | "share" | "album")) => {
                self.page_post(value, item, verb.unwrap_or_default());
            }
            _ => self.ignore("feed_item"),
        }
    }

    fn page_comment(&mut self, value: &Object, verb: &str) {
        let Some(comment) = id(value, "comment_id") else {
            return self.ignore("no_id");
        };
        self.speaks_of(&comment);
        let post = id(value, "post_id")
            .or_else(|| object(value, "post").and_then(|post| id(post, "id")))
            .or_else(|| self.post_of(&comment));
        // The time of hiding and removing is told only by the sending.
        let told_at_ms = self.sent_at_ms.or_else(|| time(value, "created_time"));
        match verb {
            "add" | "edit" | "edited" | "update" => {
                self.page_comment_words(value, comment, post, verb != "add");
            }
            "hide" | "unhide" => self.tell(IncomingItem::CommentHidden {
                comment,
                post,
                hidden: verb == "hide",
                at_ms: told_at_ms.unwrap_or(0),
            }),
            "remove" | "delete" => self.tell(IncomingItem::CommentRemoved {
                comment,
                post,
                at_ms: told_at_ms.unwrap_or(0),
            }),
            _ => self.ignore("comment_verb"),
        }
    }

    fn page_comment_words(
        &mut self,
        value: &Object,
        comment: String,
        post: Option<String>,
        edited: bool,
    ) {
        let Some(post) = post else {
            return self.ignore("comment_without_post");
        };
        let Some(written_at_ms) = time(value, "created_time").or(self.sent_at_ms) else {
            return self.ignore("no_time");
        };
        let text_at_ms = if edited {
            time(value, "edited_time")
                .or(self.sent_at_ms)
                .unwrap_or(written_at_ms)
        } else {
            written_at_ms
        };
        let author = self.author(value);
        let about = object(value, "post");
        let status = about.and_then(|post| word(post, "status_type"));
        if is(value, "is_hidden") {
            self.tell(IncomingItem::CommentHidden {
                comment: comment.clone(),
                post: Some(post.clone()),
                hidden: true,
                at_ms: text_at_ms,
            });
        }
        self.tell(IncomingItem::Comment(IncomingComment {
            // Above a comment stands its post or another comment.
            parent: id(value, "parent_id").filter(|parent| *parent != post && *parent != comment),
            own: self.is_us(author.as_ref()),
            author,
            live: false,
            mention: false,
            text: text(value, "message"),
            text_at_ms,
            edited,
            photo: address(value, "photo"),
            written_at_ms,
            platform_id: comment,
            post: IncomingPost {
                platform_id: post,
                kind: status.and_then(|status| status_kind(&status)),
                permalink: about.and_then(|post| address(post, "permalink_url")),
                ..IncomingPost::default()
            },
        }));
    }

    fn page_post(&mut self, value: &Object, item: &str, verb: &str) {
        let Some(post) = id(value, "post_id") else {
            return self.ignore("no_id");
        };
        self.speaks_of(&post);
        let posted_at_ms = time(value, "created_time");
        match verb {
            "remove" | "delete" => {
                return self.tell(IncomingItem::PostRemoved {
                    post,
                    at_ms: self.sent_at_ms.or(posted_at_ms).unwrap_or(0),
                });
            }
            "add" | "edit" | "edited" | "update" => {}
            _ => return self.ignore("post_verb"),
        }
        if number(value, "published") == Some(0) {
            return self.ignore("unpublished_post");
        }
        let edited_at_ms = (verb != "add")
            .then(|| time(value, "edited_time").or(self.sent_at_ms))
            .flatten();
        let Some(text_at_ms) = edited_at_ms.or(posted_at_ms).or(self.sent_at_ms) else {
            return self.ignore("no_time");
        };
        let author = self.author(value);
        let own = author.as_ref().map(|author| author.platform_id == self.us);
        self.tell(IncomingItem::Post(IncomingPost {
            platform_id: post,
            own,
            author: author.filter(|_| own != Some(true)),
            kind: Some(item.to_owned()).filter(|item| item != "post"),
            text: Some((text(value, "message").unwrap_or_default(), text_at_ms)),
            permalink: object(value, "post").and_then(|post| address(post, "permalink_url")),
            picture: address(value, "link").filter(|_| item == "photo"),
            posted_at_ms,
            ..IncomingPost::default()
        }));
    }

    /// `from`, or the older `sender_id` and `sender_name`.
    fn author(&mut self, value: &Object) -> Option<IncomingPerson> {
        let from = object(value, "from");
        let platform_id = id_in(value, "from").or_else(|| id(value, "sender_id"))?;
        self.speaks_of(&platform_id);
        Some(IncomingPerson {
            platform_id,
            name: from
                .and_then(|from| word(from, "name"))
                .or_else(|| word(value, "sender_name")),
            username: from.and_then(|from| word(from, "username")),
        })
    }

    fn is_us(&self, author: Option<&IncomingPerson>) -> bool {
        author.is_some_and(|author| author.platform_id == self.us)
    }

    /// A comment's id begins with its post's own number.
    fn post_of(&self, comment: &str) -> Option<String> {
        let (post, _) = comment.split_once('_')?;
        (!post.is_empty()).then(|| format!("{}_{post}", self.us))
    }
}

/// `media_product_type` as stored; `None` for a word nobody knows.
pub(in crate::platform) fn product(told: &str) -> Option<String> {
    let told = told.to_ascii_lowercase();
    matches!(told.as_str(), "feed" | "reels" | "story" | "ad" | "live").then_some(told)
}

/// What kind of post a Page's `status_type` means.
pub(in crate::platform) fn status_kind(told: &str) -> Option<String> {
    let kind = match told {
        "mobile_status_update" | "wall_post" | "created_note" => "status",
        "added_photos" => "photo",
        "added_video" => "video",
        "shared_story" => "share",
        _ => return None,
    };
    Some(kind.to_owned())
}
