//! The handle, continued: posts and comments, what happens around conversations, many events at once, shops.

use serde_json::Value;

use super::content_commands::{
    Live, MentionOrder, Mentioned, OneComment, OnePost, PostReact, Publish, Published, Remark,
    Remarked, StoryInsights,
};
use super::thread_commands::{Burst, Bursted, Feedback, Handover, Optin, Policy, Refer, ToSelf};
use super::{ControlError, WorldHandle};
use crate::shops::{ShopAnswer, ShopPost, send};
use crate::world::World;

impl WorldHandle {
    /// Changes the world and lets the postman look.
    fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let result = change(&mut self.shared.world());
        self.ring();
        result
    }

    /// An account publishes, or a visitor writes on its wall.
    pub fn publish(&self, order: Publish) -> Result<Published, ControlError> {
        self.change(|world| world.publish(order))
    }

    /// A post is edited, or its comments are opened or closed.
    pub fn change_post(&self, order: OnePost) -> Result<(), ControlError> {
        self.change(|world| world.change_post(&order))
    }

    /// A post goes, with everything below it.
    pub fn remove_post(&self, order: OnePost) -> Result<(), ControlError> {
        self.change(|world| world.remove_post(&order.post))
    }

    /// Somebody reacts to a post or a comment of a Page.
    pub fn react_to_post(&self, order: PostReact) -> Result<(), ControlError> {
        self.change(|world| world.react_to_post(&order))
    }

    /// Somebody comments, or the account does from the phone.
    pub fn comment(&self, order: Remark) -> Result<Remarked, ControlError> {
        self.change(|world| world.remark(order))
    }

    /// A comment is edited (Pages only).
    pub fn edit_comment(&self, order: OneComment) -> Result<(), ControlError> {
        self.change(|world| world.edit_comment(&order.comment, &order.text))
    }

    /// A comment is hidden or shown again on the phone.
    pub fn hide_comment(&self, order: OneComment) -> Result<(), ControlError> {
        self.change(|world| world.hide_comment(&order.comment, !order.unhide))
    }

    /// A comment goes, with the answers to it.
    pub fn remove_comment(&self, order: OneComment) -> Result<(), ControlError> {
        self.change(|world| world.remove_comment(&order.comment))
    }

    /// A broadcast begins or ends.
    pub fn live(&self, order: Live) -> Result<Published, ControlError> {
        self.change(|world| world.live(order))
    }

    /// Somebody names an Instagram account elsewhere.
    pub fn mention(&self, order: MentionOrder) -> Result<Mentioned, ControlError> {
        self.change(|world| world.mention(order))
    }

    /// A story ends and is counted.
    pub fn story_insights(&self, order: StoryInsights) -> Result<(), ControlError> {
        self.change(|world| world.story_ends(&order))
    }

    /// Somebody comes through a link, an ad or a product page; answers the conversation.
    pub fn refer(&self, order: Refer) -> Result<String, ControlError> {
        self.change(|world| world.refer(order))
    }

    /// Who owns a thread changes, or another app asks for it.
    pub fn hand_over(&self, order: Handover) -> Result<(), ControlError> {
        self.change(|world| world.hand_over(&order))
    }

    /// Somebody wants notification messages.
    pub fn opt_in(&self, order: Optin) -> Result<(), ControlError> {
        self.change(|world| world.opt_in(&order))
    }

    /// The platform warns, blocks or releases a Page.
    pub fn policy(&self, order: Policy) -> Result<(), ControlError> {
        self.change(|world| world.enforce(&order))
    }

    /// A customer rates an answer.
    pub fn feedback(&self, order: Feedback) -> Result<(), ControlError> {
        self.change(|world| world.rate(&order))
    }

    /// The owner writes to the own account; answers the message id.
    pub fn to_self(&self, order: ToSelf) -> Result<String, ControlError> {
        self.change(|world| world.write_to_self(&order))
    }

    /// Many events at once.
    pub fn burst(&self, order: Burst) -> Result<Bursted, ControlError> {
        self.change(|world| world.burst(&order))
    }

    /// A shop or a website posts; answers the first attempt. Retries follow the clock and `settled` waits for them.
    pub async fn shop(&self, order: ShopPost) -> Result<ShopAnswer, ControlError> {
        let parcel = self.shared.world().parcel(order);
        let answer = match parcel {
            Some(parcel) => {
                // A task of its own: whoever gives up waiting must not leave the attempt unbooked.
                let shared = self.shared.clone();
                tokio::spawn(async move { send::post(&shared, parcel).await })
                    .await
                    .map_err(|error| ControlError::Callback(error.to_string()))?
            }
            None => ShopAnswer {
                id: String::new(),
                status: 0,
                body: String::new(),
                given_up: true,
            },
        };
        self.shared.sent.notify_waiters();
        self.ring();
        Ok(answer)
    }

    /// The addresses that shops posted to: failures in a row, statuses, whether given up.
    pub fn shops(&self) -> Value {
        serde_json::json!(self.shared.world().shops.hooks)
    }
}
