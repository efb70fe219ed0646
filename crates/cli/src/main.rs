//! Shopbell in a terminal: unpacks arguments, calls the use cases, prints. Decides nothing.

mod answer;
mod args;
mod connect;
mod doctor;
mod events;
mod opening;
mod trouble;
mod words;
mod working;

use args::{Cli, Contacts, Verb};
use clap::Parser;
use serde_json::{Value, json};
use shopbell_core::{
    Core, OpenAs,
    api::types::{
        AccountView, CommentPage, ConversationPage, MessagePage, PersonView, PostPage, SearchPage,
    },
};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use trouble::Trouble;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter =
        EnvFilter::try_from_env("SHOPBELL_LOG").unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let done = match opening::core(&cli.place) {
        Ok(core) => {
            let done = run(&core, &cli.verb, cli.json).await;
            core.shutdown().await;
            done
        }
        Err(trouble) => Err(trouble),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            trouble.tell(cli.json);
            ExitCode::FAILURE
        }
    }
}

async fn run(core: &Core, verb: &Verb, as_json: bool) -> Result<(), Trouble> {
    match verb {
        Verb::Connect { step } => connect::run(core, step, as_json).await,
        Verb::Sync { account } => working::sync(core, *account, as_json).await,
        Verb::Send { conversation, text } => {
            working::send(core, *conversation, text, as_json).await
        }
        Verb::Listen { seconds } => working::listen(core, *seconds, as_json).await,
        Verb::Events(asked) => events::run(core, asked, as_json).await,
        Verb::Doctor => doctor::run(core, as_json).await,
        Verb::Contacts {
            verb: Contacts::Refresh { conversation },
        } => {
            opening::open(core, OpenAs::Tool).await?;
            let person: PersonView =
                answer::call(core, "profile_refresh", json!({ "id": conversation })).await?;
            answer::print(&person, as_json, answer::one_person);
            Ok(())
        }
        Verb::Accounts
        | Verb::Conversations { .. }
        | Verb::Messages { .. }
        | Verb::Comments { .. }
        | Verb::Search { .. } => read(core, verb, as_json).await,
    }
}

/// Verbs that only read; they work beside the app that holds the profile.
async fn read(core: &Core, verb: &Verb, as_json: bool) -> Result<(), Trouble> {
    opening::open_to_read(core).await?;
    match verb {
        Verb::Conversations {
            view,
            account,
            limit,
            cursor,
        } => {
            let argument = json!({ "view": view.word(), "account_id": account, "cursor": cursor, "limit": limit });
            let page: ConversationPage = answer::call(core, "conversations_list", argument).await?;
            answer::print(&page, as_json, answer::conversations);
        }
        Verb::Messages {
            conversation,
            limit,
            before,
        } => {
            let argument =
                json!({ "conversation_id": conversation, "before": before, "limit": limit });
            let page: MessagePage = answer::call(core, "messages_list", argument).await?;
            answer::print(&page, as_json, |page| answer::messages(&page.messages));
        }
        Verb::Comments {
            post: None,
            account,
            limit,
            cursor,
        } => {
            let argument = json!({ "account_id": account, "cursor": cursor, "limit": limit });
            let page: PostPage = answer::call(core, "posts_list", argument).await?;
            answer::print(&page, as_json, answer::posts);
        }
        Verb::Comments {
            post: Some(post),
            limit,
            cursor,
            ..
        } => {
            let argument = json!({ "post_id": post, "cursor": cursor, "limit": limit });
            let page: CommentPage = answer::call(core, "comments_list", argument).await?;
            answer::print(&page, as_json, answer::comments);
        }
        Verb::Search { words, limit } => {
            let argument = json!({ "text": words.join(" "), "limit": limit });
            let page: SearchPage = answer::call(core, "search", argument).await?;
            answer::print(&page, as_json, answer::search);
        }
        _ => {
            let accounts: Vec<AccountView> =
                answer::call(core, "accounts_list", Value::Null).await?;
            answer::print(&accounts[..], as_json, answer::accounts);
        }
    }
    Ok(())
}
