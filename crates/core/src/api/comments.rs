//! Posts and comments, as the boundary offers them.

use super::{ApiError, types::*};
use crate::{Core, comments, inbox::PageError};

/// Most rows of a page.
const MOST: u32 = 100;

fn limit(limit: u32) -> Result<(), ApiError> {
    if (1..=MOST).contains(&limit) {
        return Ok(());
    }
    Err(ApiError::new("bad_argument", "The limit is out of range.").with_field("limit"))
}

fn page(error: PageError) -> ApiError {
    match error {
        PageError::Cursor(_) => {
            ApiError::new("bad_argument", "Not a cursor of this list.").with_field("cursor")
        }
        PageError::Store(error) => error.into(),
    }
}

/// Posts with comments, the one with the newest comment first.
///
/// # Errors
/// `bad_argument` for a limit outside 1 to 100 or a cursor of something else.
pub async fn posts_list(core: &Core, argument: PostsQuery) -> Result<PostPage, ApiError> {
    limit(argument.limit)?;
    let profile = core.profile()?;
    let mut connection = profile.store.read().await?;
    comments::posts_page(&mut connection, &argument)
        .await
        .map_err(page)
}

/// Comments of a post, newest first, with their answers. A post that is not here has none.
///
/// # Errors
/// `bad_argument` for a limit outside 1 to 100 or a cursor of something else.
pub async fn comments_list(core: &Core, argument: CommentsQuery) -> Result<CommentPage, ApiError> {
    limit(argument.limit)?;
    let profile = core.profile()?;
    let mut connection = profile.store.read().await?;
    comments::comments_page(&mut connection, &argument)
        .await
        .map_err(page)
}
