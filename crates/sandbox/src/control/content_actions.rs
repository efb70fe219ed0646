//! What orders about posts and comments do to the world, each announced as the platform would.

use super::ControlError;
use super::actions::missing;
use super::content_commands::{
    Live, MentionOrder, Mentioned, OnePost, PostReact, Publish, Published, Remark, Remarked,
    StoryInsights,
};
use crate::generate::{names, portray};
use crate::webhooks::content::{self, Verb};
use crate::world::World;
use crate::world::people::{Account, Platform};
use crate::world::posts::{Ad, Comment, Mention, Post, PostForm};
use crate::world::threads::Reaction;

fn refused(sentence: &str) -> ControlError {
    ControlError::Refused(sentence.to_owned())
}

impl World {
    fn account_meant(&self, word: &str) -> Result<Account, ControlError> {
        self.account_named(word)
            .ok_or_else(|| missing("account", word))
    }

    fn post_meant(&self, id: &str) -> Result<Post, ControlError> {
        self.posts
            .get(id)
            .cloned()
            .ok_or_else(|| missing("post", id))
    }

    fn comment_meant(&self, id: &str) -> Result<(Comment, Post), ControlError> {
        self.comment_with_post(id)
            .map(|(comment, post)| (comment.clone(), post.clone()))
            .ok_or_else(|| missing("comment", id))
    }

    /// The person who comments: known, or new and a stranger.
    fn passer_by(&mut self, account: &Account, word: Option<&str>) -> String {
        let word = word.unwrap_or("Alex Sommer");
        match self.person_named(account, word) {
            Some(id) => id,
            None => names::stranger(self, account, word),
        }
    }

    pub(crate) fn publish(&mut self, order: Publish) -> Result<Published, ControlError> {
        let account = self.account_meant(&order.account)?;
        let instagram = account.platform == Platform::Instagram;
        match order.form {
            PostForm::Status if instagram => return Err(refused("Instagram has no bare words")),
            PostForm::Story | PostForm::Live if !instagram => {
                return Err(refused("stories and broadcasts are Instagram's here"));
            }
            _ => {}
        }
        if instagram && order.visitor.is_some() {
            return Err(refused("Instagram has no visitors' posts"));
        }
        let visitor = order
            .visitor
            .as_deref()
            .map(|word| self.passer_by(&account, Some(word)));
        let mut words = order.pictures;
        if words.is_empty() && !matches!(order.form, PostForm::Status | PostForm::Live) {
            words.push("bread".into());
        }
        let mut pictures: Vec<String> = words.iter().map(|word| portray(self, word).path).collect();
        if order.form == PostForm::Reel {
            // The film first, then its still.
            let film = portray(self, "clip").path;
            pictures.insert(0, film);
        }
        let created_ms = self.now_ms() - order.ago_ms.max(0);
        let ad = order.ad.map(|title| Ad {
            id: self.chance.digits("120", 17),
            title,
        });
        let post = Post {
            id: self.new_post_id(&account),
            account: account.clone(),
            form: order.form,
            text: order.text,
            pictures,
            created_ms,
            updated_ms: created_ms,
            visitor,
            published: !order.unpublished,
            comments_enabled: true,
            likes: 0,
            shares: 0,
            reactions: Vec::new(),
            shortcode: self.chance.word(11),
            ad,
            ended_ms: None,
        };
        self.put_post(post.clone());
        if !order.silent {
            content::post(self, &post, Verb::Add);
        }
        Ok(Published {
            post_id: post.id,
            account_id: account.id,
            created_ms,
        })
    }

    pub(crate) fn change_post(&mut self, order: &OnePost) -> Result<(), ControlError> {
        let mut post = self.post_meant(&order.post)?;
        post.comments_enabled = order.comments_enabled.unwrap_or(post.comments_enabled);
        let edited = !order.text.is_empty();
        if edited {
            post.text.clone_from(&order.text);
            post.updated_ms = self.now_ms();
        }
        self.posts.insert(post.id.clone(), post.clone());
        if edited {
            content::post(self, &post, Verb::Edited);
        }
        Ok(())
    }

    pub(crate) fn remove_post(&mut self, id: &str) -> Result<(), ControlError> {
        let post = self.take_post(id).ok_or_else(|| missing("post", id))?;
        content::post(self, &post, Verb::Remove);
        Ok(())
    }

    pub(crate) fn remark(&mut self, order: Remark) -> Result<Remarked, ControlError> {
        let post = match &order.comment {
            Some(parent) => self.comment_meant(parent)?.1,
            None => self.post_meant(&order.post)?,
        };
        if !post.takes_comments() {
            return Err(refused("comments are closed there"));
        }
        let by =
            (!order.by_account).then(|| self.passer_by(&post.account, order.customer.as_deref()));
        let picture = order
            .picture
            .as_deref()
            .map(|word| portray(self, word).path);
        let comment = Comment {
            id: self.new_comment_id(&post.id, post.account.platform),
            post: post.id.clone(),
            parent: order.comment,
            by: by.clone(),
            text: order.text,
            picture,
            created_ms: self.now_ms() - order.ago_ms.max(0),
            edited_ms: None,
            hidden: false,
            likes: 0,
            liked_by_account: false,
            private_reply: None,
        };
        let (comment_id, created_ms) = (comment.id.clone(), comment.created_ms);
        self.put_comment(comment);
        if !order.silent {
            let (comment, post) = self.comment_meant(&comment_id)?;
            content::comment(self, &post, &comment, Verb::Add);
        }
        Ok(Remarked {
            comment_id,
            post_id: post.id,
            customer_id: by,
            created_ms,
        })
    }

    pub(crate) fn edit_comment(&mut self, id: &str, text: &str) -> Result<(), ControlError> {
        let (mut comment, post) = self.comment_meant(id)?;
        if post.account.platform == Platform::Instagram {
            return Err(refused("Instagram's comments cannot be edited"));
        }
        text.clone_into(&mut comment.text);
        comment.edited_ms = Some(self.now_ms());
        self.comments.insert(comment.id.clone(), comment.clone());
        content::comment(self, &post, &comment, Verb::Edited);
        Ok(())
    }

    pub(crate) fn hide_comment(&mut self, id: &str, hidden: bool) -> Result<(), ControlError> {
        let (mut comment, post) = self.comment_meant(id)?;
        comment.hidden = hidden;
        self.comments.insert(comment.id.clone(), comment.clone());
        let verb = if hidden { Verb::Hide } else { Verb::Unhide };
        content::comment(self, &post, &comment, verb);
        Ok(())
    }

    pub(crate) fn remove_comment(&mut self, id: &str) -> Result<(), ControlError> {
        let (_, post) = self.comment_meant(id)?;
        if let Some(gone) = self.take_comment(id) {
            content::comment(self, &post, &gone, Verb::Remove);
        }
        Ok(())
    }

    pub(crate) fn react_to_post(&mut self, order: &PostReact) -> Result<(), ControlError> {
        let (post, comment) = match &order.comment {
            Some(id) => {
                let (comment, post) = self.comment_meant(id)?;
                (post, Some(comment))
            }
            None => (self.post_meant(&order.post)?, None),
        };
        let by = self.passer_by(&post.account, order.customer.as_deref());
        let taken_back = order.reaction.is_empty();
        let kind = match (&order.reaction, taken_back) {
            (_, true) => "like",
            (kind, false) => kind.as_str(),
        };
        if let Some(comment) = &comment {
            if let Some(comment) = self.comments.get_mut(&comment.id) {
                comment.likes = if taken_back {
                    comment.likes.saturating_sub(1)
                } else {
                    comment.likes + 1
                };
            }
        } else if let Some(post) = self.posts.get_mut(&post.id) {
            post.reactions.retain(|reaction| reaction.by != by);
            if !taken_back {
                post.reactions.push(Reaction {
                    word: kind.to_owned(),
                    emoji: String::new(),
                    by: by.clone(),
                });
            }
        }
        let verb = if taken_back { Verb::Remove } else { Verb::Add };
        content::reaction(self, &post, comment.as_ref(), &by, kind, verb);
        Ok(())
    }

    pub(crate) fn live(&mut self, order: Live) -> Result<Published, ControlError> {
        let Some(id) = &order.end else {
            return self.publish(Publish {
                account: order.account,
                text: order.text,
                form: PostForm::Live,
                ..Publish::default()
            });
        };
        let now = self.now_ms();
        let post = self
            .posts
            .get_mut(id)
            .filter(|post| post.form == PostForm::Live)
            .ok_or_else(|| missing("broadcast", id))?;
        post.ended_ms = Some(now);
        Ok(Published {
            post_id: post.id.clone(),
            account_id: post.account.id.clone(),
            created_ms: post.created_ms,
        })
    }

    pub(crate) fn mention(&mut self, order: MentionOrder) -> Result<Mentioned, ControlError> {
        let account = self.account_meant(&order.account)?;
        if account.platform != Platform::Instagram {
            return Err(refused("mentions are Instagram's"));
        }
        let by = self.passer_by(&account, order.customer.as_deref());
        let media = self.chance.digits("179", 17);
        let comment = order.comment.map(|text| {
            let id = self.new_comment_id(&media, Platform::Instagram);
            (id, text)
        });
        let mention = Mention {
            media: media.clone(),
            account,
            by: by.clone(),
            caption: order.caption,
            picture: portray(self, "cake").path,
            created_ms: self.now_ms(),
            comment: comment.clone(),
        };
        self.mentions.insert(media.clone(), mention.clone());
        if !order.silent {
            content::mention(self, &mention);
        }
        Ok(Mentioned {
            media_id: media,
            comment_id: comment.map(|(id, _)| id),
            customer_id: by,
        })
    }

    pub(crate) fn story_ends(&mut self, order: &StoryInsights) -> Result<(), ControlError> {
        let post = self.post_meant(&order.post)?;
        if post.form != PostForm::Story {
            return Err(refused("that is no story"));
        }
        content::story_insights(self, &post.account, &post.id, order.reach);
        Ok(())
    }
}
