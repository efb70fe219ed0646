//! The Graph error object: code, subcode, type, message, HTTP status. Sentences are those of the facts
//! sheet, section 8 and appendix B; clients must decide by code and subcode, never by sentence.

use serde_json::{Value, json};

use crate::clock::sentence_time;
use crate::http::answer::Answer;
use crate::world::tokens::Death;

/// One refusal.
#[derive(Clone, Debug)]
pub(crate) struct GraphError {
    pub(crate) status: u16,
    pub(crate) code: u32,
    pub(crate) subcode: Option<u32>,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) transient: Option<bool>,
    pub(crate) title: Option<&'static str>,
    /// The word in `WWW-Authenticate`.
    pub(crate) challenge: Option<&'static str>,
}

/// What graph calls give back.
pub(crate) type GraphResult = Result<Answer, GraphError>;

impl GraphError {
    /// An `OAuthException`, which is on almost every error.
    pub(crate) fn new(code: u32, message: &str) -> Self {
        GraphError {
            status: if code == 1 || code == 2 { 500 } else { 400 },
            code,
            subcode: None,
            kind: "OAuthException",
            message: message.to_owned(),
            transient: None,
            title: None,
            challenge: None,
        }
    }

    pub(crate) fn sub(mut self, subcode: u32) -> Self {
        self.subcode = Some(subcode);
        self
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    pub(crate) fn titled(mut self, title: &'static str) -> Self {
        self.title = Some(title);
        self.transient = Some(false);
        self
    }

    pub(crate) fn challenge(mut self, word: &'static str) -> Self {
        self.challenge = Some(word);
        self
    }

    /// A missing or forbidden node (100/33).
    pub(crate) fn no_object(id: &str, method: &str) -> Self {
        let verb = method.to_ascii_lowercase();
        GraphError::new(100, &format!(
            "Unsupported {verb} request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api"
        ))
        .sub(33)
        .kind("GraphMethodException")
    }

    /// A field that the node does not have.
    pub(crate) fn no_field(field: &str, node: &str) -> Self {
        GraphError::new(
            100,
            &format!("(#100) Tried accessing nonexisting field ({field}) on node type ({node})"),
        )
    }

    /// A parameter that is missing or wrong.
    pub(crate) fn parameter(message: &str) -> Self {
        GraphError::new(100, &format!("(#100) {message}"))
    }

    /// A permission that was not granted.
    pub(crate) fn permission(code: u32, scope: &str) -> Self {
        GraphError::new(
            code,
            &format!("(#{code}) Requires the {scope} permission to manage the object"),
        )
        .status(403)
    }

    /// A token that does not work any more.
    pub(crate) fn dead_token(death: Death, expired_ms: i64, now_ms: i64, app: &str) -> Self {
        let reason = match death {
            Death::Revoked => "The session is invalid because the user logged out.".to_owned(),
            Death::AppRemoved => format!("The user has not authorized application {app}."),
            Death::Checkpointed => {
                "The user is enrolled in a blocking, logged-in checkpoint. Please log in at facebook.com.".to_owned()
            }
            Death::PasswordChanged => "The session has been invalidated because the user changed their password or Facebook has changed the session for security reasons.".to_owned(),
            Death::Expired => format!(
                "Session has expired on {}. The current time is {}.",
                sentence_time(expired_ms),
                sentence_time(now_ms)
            ),
            Death::RoleLost => "The user must be an administrator, editor, or moderator of the page in order to impersonate it.".to_owned(),
        };
        let mut error = GraphError::new(190, &format!("Error validating access token: {reason}"))
            .challenge("invalid_token");
        error.subcode = death.subcode();
        error
    }

    /// The `error` object alone, as `debug_token` shows it too.
    pub(crate) fn object(&self, trace: &str) -> Value {
        let mut error = json!({
            "message": self.message,
            "type": self.kind,
            "code": self.code,
            "fbtrace_id": trace,
        });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = subcode.into();
        }
        if let Some(transient) = self.transient {
            error["is_transient"] = transient.into();
        }
        if let Some(title) = self.title {
            error["error_user_title"] = title.into();
            error["error_user_msg"] = self.message.clone().into();
        }
        error
    }

    /// The whole answer.
    pub(crate) fn into_answer(self, trace: &str) -> Answer {
        let body = json!({ "error": self.object(trace) });
        let mut answer = Answer::json(body);
        answer.status = self.status;
        match self.challenge {
            Some(word) => answer.header(
                "www-authenticate",
                &format!(
                    "OAuth \"Facebook Platform\" \"{word}\" \"{}\"",
                    self.message.replace('"', "'")
                ),
            ),
            None => answer,
        }
    }
}
