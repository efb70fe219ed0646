//! Decisions made in a dialog without a person: scripted ones first, then `auto_consent`.

use serde::{Deserialize, Serialize};

use crate::world::World;

/// What the next dialog answers. Left-out fields mean what a hurried owner does: first person, everything ticked.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Consent {
    /// Owner id or name (Facebook), account id or user name (Instagram).
    pub person: Option<String>,
    /// Ids or names of the Pages to tick; left out = all of that person's, `[]` = none.
    pub pages: Option<Vec<String>>,
    /// Permissions to untick.
    pub declined: Vec<String>,
    /// Press Cancel.
    pub cancel: bool,
    /// Keep answering every dialog like this.
    pub standing: bool,
}

impl World {
    /// The decision for the dialog that just opened; `None` shows the page.
    pub(crate) fn next_consent(&mut self) -> Option<Consent> {
        match self.consents.front() {
            Some(consent) if consent.standing => Some(consent.clone()),
            Some(_) => self.consents.pop_front(),
            None => self.config.auto_consent.then(Consent::default),
        }
    }
}
