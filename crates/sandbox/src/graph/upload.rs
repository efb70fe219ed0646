//! `message_attachments`: files a send can name later. An id belongs to the account it was uploaded for.

use bytes::Bytes;
use serde_json::{Value, json};

use super::Visit;
use super::auth::needs_messaging;
use super::error::{GraphError, GraphResult};
use super::send_checks as checks;
use crate::http::answer::Answer;
use crate::http::call::Host;
use crate::world::people::Platform;
use crate::world::threads::{Attachment, AttachmentKind};
use crate::world::{Upload, World};

const LIMIT: usize = 25 * 1024 * 1024;

/// `POST /{page}/message_attachments`, multipart (`message` + `filedata`) or by URL.
pub(crate) fn upload(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    if visit.call.host == Host::GraphInstagram {
        // An upload edge on this host is not documented.
        return Err(GraphError::no_object(id, "POST"));
    }
    let own = visit.account(id)?;
    let wants_instagram = visit
        .call
        .param("platform")
        .is_some_and(|platform| platform.eq_ignore_ascii_case("instagram"));
    let account = if wants_instagram {
        visit.linked(&own)?
    } else {
        own
    };
    needs_messaging(&visit.token, account.platform)?;
    let message = visit.call.value("message").unwrap_or(Value::Null);
    let part = &message["attachment"];
    let word = part["type"].as_str().unwrap_or_default();
    if AttachmentKind::named(word).is_none() {
        return Err(GraphError::parameter(
            "Param message[attachment][type] is required",
        ));
    }
    let (mime, bytes) = match visit.call.parts.iter().find(|file| file.name == "filedata") {
        Some(file) => {
            // Other names arrive mangled; the platform's page asks for ASCII.
            if !file.file_name.is_ascii() {
                return Err(
                    GraphError::parameter("Upload attachment failure: invalid file name")
                        .sub(2_018_047),
                );
            }
            checks::right_kind(word, &file.mime)?;
            (file.mime.clone(), file.bytes.clone())
        }
        None => {
            let url = part["payload"]["url"].as_str().unwrap_or_default();
            checks::fetched(visit, word, url)?
        }
    };
    let size = bytes.len();
    if size > LIMIT || size == 0 {
        return Err(
            GraphError::parameter("Attachment size exceeds allowable limit").sub(2_018_109),
        );
    }
    if account.platform == Platform::Instagram {
        checks::product_limits(&account, word, 1, &mime, size)?;
    }
    // The Page token is the owner of both platforms' uploads.
    let (attachment_id, _) = store(visit.world, mime, bytes, Some(account.id));
    Ok(Answer::json(json!({ "attachment_id": attachment_id })))
}

/// Keeps a file under a new id.
pub(crate) fn store(
    world: &mut World,
    mime: String,
    bytes: Bytes,
    account: Option<String>,
) -> (String, Upload) {
    let id = world.chance.digits("18", 16);
    let upload = Upload {
        mime,
        bytes,
        account,
    };
    world.uploads.insert(id.clone(), upload.clone());
    (id, upload)
}

/// A stored file as part of a message.
pub(crate) fn as_attachment(id: &str, kind: AttachmentKind, upload: &Upload) -> Attachment {
    let ending = upload.mime.rsplit('/').next().unwrap_or("bin");
    let (width, height) = image::ImageReader::new(std::io::Cursor::new(&upload.bytes))
        .with_guessed_format()
        .ok()
        .and_then(|reader| reader.into_dimensions().ok())
        .unwrap_or((0, 0));
    Attachment {
        id: id.to_owned(),
        kind,
        mime: upload.mime.clone(),
        name: format!("{}-{id}.{ending}", kind.word()),
        size: Some(upload.bytes.len() as u64),
        width,
        height,
        path: format!("upload/{id}"),
    }
}
