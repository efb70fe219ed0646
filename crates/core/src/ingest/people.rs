//! The people a batch speaks of. Whoever is not here yet gets a contact, an identity and a conversation: one each, whatever is told twice.

use super::batch::{Batch, Talk};
use crate::{
    Entropy,
    domain::{Incoming, IncomingItem, IncomingPerson},
    search,
    store::{StoreError, WriteTx},
};
use std::collections::HashMap;

/// A person with the best name this batch tells.
pub(super) struct Told {
    pub platform_id: String,
    pub name: Option<String>,
    pub username: Option<String>,
}

/// Everybody with an id, once, in the order told.
pub(super) fn told(incoming: &Incoming) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    let mut meet = |person: &str, name: Option<&String>, username: Option<&String>| {
        if person.is_empty() {
            return;
        }
        let at = *index.entry(person.to_owned()).or_insert_with(|| {
            told.push(Told {
                platform_id: person.to_owned(),
                name: None,
                username: None,
            });
            told.len() - 1
        });
        let told = &mut told[at];
        for (kept, new) in [(&mut told.name, name), (&mut told.username, username)] {
            if let Some(new) = new.map(|new| new.trim()).filter(|new| !new.is_empty()) {
                *kept = Some(new.replace('\0', ""));
            }
        }
    };
    for item in &incoming.items {
        let full = |person: &IncomingPerson| {
            (
                person.platform_id.clone(),
                person.name.clone(),
                person.username.clone(),
            )
        };
        let (person, name, username) = match item {
            IncomingItem::Thread(thread) => full(&thread.person),
            IncomingItem::Message(message) => full(&message.person),
            IncomingItem::Reaction(reaction) => (reaction.person.clone(), None, None),
            IncomingItem::Referral(referral) => (referral.person.clone(), None, None),
            IncomingItem::Delivered { person, .. }
            | IncomingItem::Read { person, .. }
            | IncomingItem::Control { person, .. } => (person.clone(), None, None),
            // Who writes under a post is not somebody one can write to.
            _ => continue,
        };
        meet(&person, name.as_ref(), username.as_ref());
    }
    told
}

/// Makes rows for who is new and notes better names of the others.
pub(super) async fn meet(
    tx: &mut WriteTx<'_>,
    batch: &mut Batch,
    told: Vec<Told>,
    entropy: &dyn Entropy,
) -> Result<(), StoreError> {
    for person in told {
        let index = match batch.talk(&person.platform_id) {
            Some(index) => index,
            None => {
                let identity = new_identity(tx, batch, &person, entropy).await?;
                let index = batch.talks.len();
                batch.talks.push(Talk {
                    identity,
                    state: "open".to_owned(),
                    unfetched: true,
                    ..Talk::default()
                });
                batch
                    .talk_of_person
                    .insert(person.platform_id.clone(), index);
                index
            }
        };
        if batch.talks[index].conversation == 0 {
            let id = new_conversation(tx, batch, batch.talks[index].identity, entropy).await?;
            let talk = &mut batch.talks[index];
            talk.conversation = id;
            talk.new = true;
            batch.talk_of_conversation.insert(id, index);
        }
        let talk = &mut batch.talks[index];
        if !talk.unfetched {
            continue;
        }
        for (kept, new) in [
            (&mut talk.name, person.name),
            (&mut talk.username, person.username),
        ] {
            if new.is_some() && *kept != new {
                *kept = new;
                talk.renamed = true;
                talk.touched = true;
            }
        }
    }
    Ok(())
}

async fn new_identity(
    tx: &mut WriteTx<'_>,
    batch: &Batch,
    person: &Told,
    entropy: &dyn Entropy,
) -> Result<i64, StoreError> {
    let uuid = entropy.uuid_v7(batch.observed_at_ms).to_string();
    let contact = sqlx::query_scalar!(
        r#"INSERT INTO contacts (uuid, created_at_ms) VALUES (?, ?) RETURNING id AS "id!: i64""#,
        uuid,
        batch.observed_at_ms
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(sqlx::query_scalar!(
        r#"INSERT INTO identities (contact_id, account_id, platform_id) VALUES (?, ?, ?) RETURNING id AS "id!: i64""#,
        contact,
        batch.account.0,
        person.platform_id
    )
    .fetch_one(&mut **tx)
    .await?)
}

async fn new_conversation(
    tx: &mut WriteTx<'_>,
    batch: &Batch,
    identity: i64,
    entropy: &dyn Entropy,
) -> Result<i64, StoreError> {
    let uuid = entropy.uuid_v7(batch.observed_at_ms).to_string();
    Ok(sqlx::query_scalar!(
        r#"INSERT INTO conversations (uuid, account_id, identity_id) VALUES (?, ?, ?) RETURNING id AS "id!: i64""#,
        uuid,
        batch.account.0,
        identity
    )
    .fetch_one(&mut **tx)
    .await?)
}

/// Writes the names that changed, and the words people are found by.
pub(super) async fn write_names(tx: &mut WriteTx<'_>, batch: &Batch) -> Result<(), StoreError> {
    for talk in batch.talks.iter().filter(|talk| talk.renamed) {
        sqlx::query!(
            "UPDATE identities SET name = ?, username = ?, profile_source = 'conversation' WHERE id = ?",
            talk.name,
            talk.username,
            talk.identity
        )
        .execute(&mut **tx)
        .await?;
        search::index_person(
            tx,
            talk.identity,
            talk.name.as_deref(),
            talk.username.as_deref(),
        )
        .await?;
    }
    Ok(())
}
