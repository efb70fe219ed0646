//! What will happen by itself when the clock gets there: deliveries and reads of sent messages.
//! Order is by time, then by the order they were planned in.

use super::World;

/// Something that is going to happen.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) at_ms: i64,
    pub(crate) what: Happening,
}

/// The kinds of it.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// The customer's phone received these messages.
    Delivered {
        conversation: String,
        message: String,
    },
    /// The customer read up to this message.
    Read {
        conversation: String,
        message: String,
    },
}

impl World {
    pub(crate) fn plan(&mut self, at_ms: i64, what: Happening) {
        self.due.push(Due { at_ms, what });
    }

    /// Lets everything happen whose time has come.
    pub(crate) fn catch_up(&mut self) {
        let now = self.now_ms();
        let mut ready: Vec<Due> = Vec::new();
        self.due.retain(|due| {
            let ripe = due.at_ms <= now;
            if ripe {
                ready.push(due.clone());
            }
            !ripe
        });
        ready.sort_by_key(|due| due.at_ms);
        for due in ready {
            match due.what {
                Happening::Delivered {
                    conversation,
                    message,
                } => {
                    self.customer_received(&conversation, &message, due.at_ms);
                }
                Happening::Read {
                    conversation,
                    message,
                } => {
                    self.customer_read(&conversation, &message, due.at_ms);
                }
            }
        }
    }
}
