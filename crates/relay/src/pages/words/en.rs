//! English.

use super::{DeletionWords, Words};

pub(super) static WORDS: Words = Words {
    lang: "en",
    dir: "ltr",
    yes: "{p} has said yes.",
    connect_title: "Connect to the Shopbell that shows",
    connect_say: "Look at Shopbell on your computer. If it shows {n}, it is yours and you can go on.",
    connect_button: "Connect, mine shows {n}",
    other_button: "It shows something else",
    may_ask: "Your browser may ask whether it may open Shopbell. Say yes.",
    code_title: "Nothing happens? Use the code",
    copy: "Copy",
    copied: "Copied",
    code_say: "Paste it into Shopbell, where it waits for your browser. It works once,",
    code_minutes: "for five minutes",
    code_until: "until {t}",
    code_never: "Nobody will ever ask you for this code.",
    code_never_more: "Not us, not Meta, not on the phone. Whoever asks wants your account.",
    other_done: "Nothing was connected.",
    other_title: "Then this page is not for you",
    other_say: "Either you started twice and this is the older page, or somebody sent you this link to get into your account. Close it. If you want to be sure, open {p}, Settings, Website permissions, and remove Shopbell there.",
    back: "Back",
    partial_done: "{p} said yes to {a} of {b} things.",
    partial_title_messages: "Without messages, the inbox stays empty",
    partial_title: "Some things were not ticked",
    partial_say: "You can go on and tick the rest later, or ask {p} once more now.",
    partial_again: "Ask {p} again",
    partial_go_on: "Go on without",
    may: [
        "Name and picture of your account",
        "Reading and answering messages",
        "Reading and answering comments",
        "Numbers",
        "Publishing",
        "Finding your Pages",
    ],
    nothing_connected: "Nothing was connected.",
    back_to_app: "Back to Shopbell",
    reason: "For support:",
    denied: (
        "You said no, and that is fine",
        "Nothing was read and nothing was stored. If it was a slip, go back to Shopbell and press Connect again.",
    ),
    expired: (
        "That took longer than ten minutes",
        "For your safety a started sign-in does not stay open. Go back to Shopbell and press Connect again.",
    ),
    replayed: (
        "This page was used before",
        "Each sign-in opens this page once. If Shopbell is still waiting, press Open again there; if it is connected already, close this page.",
    ),
    other_browser: (
        "This sign-in began in another browser",
        "Either the page was opened in a different browser, or somebody sent you a link. Close it and press Connect in Shopbell on your own computer.",
    ),
    wrong: (
        "This link does not belong to a sign-in",
        "It is incomplete or was changed on the way. Close this page and press Connect in Shopbell again.",
    ),
    dialog_failed: (
        "The sign-in page had a fault",
        "Meta ended the sign-in with an error of its own. Go back to Shopbell and try again in a minute.",
    ),
    not_set_up: (
        "This relay is not set up for that login",
        "Whoever runs this relay has to enter the app's id and secret first. Choose the other login in Shopbell, or ask them.",
    ),
    fault: (
        "The relay had a fault",
        "It is not your doing. Go back to Shopbell and try again in a minute.",
    ),
    deletion: DeletionWords {
        done: "Your request has arrived.",
        title: "Deleting your data",
        erased: "On {d} this relay erased everything it held about you: which accounts go to which computer, your user id here, events that waited for your computers, and the addresses your shop posted to if no account is left.",
        nobody: "No computer was connected through this login, so there was nobody else to tell.",
        told: "Computers that were told: {n}.",
        computer: "Computer {n}",
        waits: "told, has not answered yet",
        wiped: "has erased the data",
        keeps: "its owner keeps the data",
        why: "Messages lie on the owner’s own computers and not here. Nobody can delete them there from outside; Shopbell asks the owner, who has thirty days. Without an answer they are kept.",
        code: "Confirmation code:",
        unknown: (
            "Nothing was found.",
            "There is no request with this code",
            "The address is incomplete, or the request was made at another relay.",
        ),
    },
    foot: "This page belongs to {h}. It hands Meta’s answer to your computer and keeps no token, no name and no message that anyone can read.",
    foot_more: "What exactly passes through here",
    passes_title: "What exactly passes through here",
    passes: &[
        (
            "In memory, for the moment it takes",
            &[
                "Meta’s answer to your sign-in and the tokens it gives, until they are sealed to your computer.",
                "A token your computer shows to prove that it may still act for an account.",
            ],
        ),
        (
            "Kept",
            &[
                "The sealed answer to your sign-in for five minutes, so that a lost connection is not a lost sign-in. Only your computer can open it.",
                "Ids of your accounts and your app-scoped user id, so that a removal request from Meta finds them.",
                "The public keys of your computers, which account goes to which computer, and times. A computer silent for 30 days is forgotten.",
            ],
        ),
        (
            "Never kept",
            &[
                "Tokens.",
                "Names of people.",
                "Messages or comments in readable form.",
            ],
        ),
    ],
};
