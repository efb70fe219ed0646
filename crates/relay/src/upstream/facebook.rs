//! Facebook's side of a sign-in (facts sheet §2.2). Tokens go in the `Authorization` header; the secret and
//! the inspected token go in the query only where Meta offers nothing else.

use shopbell_wire::Secret;
use url::Url;

use super::{
    Token, Upstream, UpstreamError, appsecret_proof, below,
    shapes::{DebugBody, FacebookMe, Page, PageLink, Paged, Permission, TokenBody},
};
use crate::MetaApp;

/// Fields of a Page, as documented in step 5.
const PAGE_FIELDS: &str = "id,name,access_token,category,tasks,instagram_business_account{id,username,profile_picture_url}";
/// Pages of the list that are read at most: 10,000 Facebook Pages.
const LIST_MAX: usize = 100;

/// What `debug_token` says.
pub(crate) struct Debugged {
    pub(crate) is_valid: bool,
    pub(crate) app_id: Option<String>,
    /// `USER` or `PAGE`.
    pub(crate) kind: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) profile_id: Option<String>,
    pub(crate) expires_at_ms: Option<i64>,
    pub(crate) data_access_expires_at_ms: Option<i64>,
    pub(crate) scopes: Vec<String>,
    pub(crate) error_subcode: Option<i64>,
}

impl Upstream {
    fn graph(&self, segments: &[&str]) -> Url {
        let mut path = vec![self.version.as_str()];
        path.extend_from_slice(segments);
        below(&self.bases.graph_facebook, &path)
    }

    fn graph_get(
        &self,
        meta: &MetaApp,
        segments: &[&str],
        token: &Secret,
        query: &[(&str, &str)],
    ) -> reqwest::RequestBuilder {
        let proof = appsecret_proof(&meta.app_secret, token);
        self.http
            .get(self.graph(segments))
            .query(query)
            .query(&[("appsecret_proof", proof.expose())])
            .bearer_auth(token.expose())
    }

    /// Code to user token.
    pub(crate) async fn facebook_code(
        &self,
        meta: &MetaApp,
        code: &Secret,
        redirect: &Url,
    ) -> Result<Token, UpstreamError> {
        let request = self
            .http
            .get(self.graph(&["oauth", "access_token"]))
            .query(&[
                ("client_id", meta.app_id.as_str()),
                ("redirect_uri", redirect.as_str()),
                ("client_secret", meta.app_secret.expose()),
                ("code", code.expose()),
            ]);
        self.once::<TokenBody>(request)
            .await
            .map(TokenBody::into_token)
    }

    /// User token to long-lived user token. Repeating it is harmless.
    pub(crate) async fn facebook_extend(
        &self,
        meta: &MetaApp,
        token: &Secret,
    ) -> Result<Token, UpstreamError> {
        let request = self
            .http
            .get(self.graph(&["oauth", "access_token"]))
            .query(&[
                ("grant_type", "fb_exchange_token"),
                ("client_id", meta.app_id.as_str()),
                ("client_secret", meta.app_secret.expose()),
                ("fb_exchange_token", token.expose()),
            ]);
        self.read::<TokenBody>(request)
            .await
            .map(TokenBody::into_token)
    }

    /// What a token is, asked as the app.
    pub(crate) async fn facebook_debug(
        &self,
        meta: &MetaApp,
        token: &Secret,
    ) -> Result<Debugged, UpstreamError> {
        let app_token = Secret::new(format!("{}|{}", meta.app_id, meta.app_secret.expose()));
        let request = self
            .http
            .get(self.graph(&["debug_token"]))
            .query(&[("input_token", token.expose())])
            .bearer_auth(app_token.expose());
        let DebugBody { data } = self.read(request).await?;
        let ms = |seconds: Option<i64>| seconds.filter(|s| *s > 0).map(|s| s.saturating_mul(1000));
        Ok(Debugged {
            is_valid: data.is_valid,
            app_id: data.app_id,
            kind: data.kind,
            user_id: data.user_id,
            profile_id: data.profile_id,
            expires_at_ms: ms(data.expires_at),
            data_access_expires_at_ms: ms(data.data_access_expires_at),
            scopes: data.scopes,
            error_subcode: data.error.and_then(|error| error.subcode),
        })
    }

    /// Whose token it is.
    pub(crate) async fn facebook_me(
        &self,
        meta: &MetaApp,
        token: &Secret,
    ) -> Result<FacebookMe, UpstreamError> {
        self.read(self.graph_get(meta, &["me"], token, &[("fields", "id,name")]))
            .await
    }

    /// Granted and declined permissions. `expired` counts as declined: it has to be asked for again.
    pub(crate) async fn facebook_permissions(
        &self,
        meta: &MetaApp,
        token: &Secret,
    ) -> Result<(Vec<String>, Vec<String>), UpstreamError> {
        let list: Paged<Permission> = self
            .read(self.graph_get(meta, &["me", "permissions"], token, &[]))
            .await?;
        let (granted, other): (Vec<_>, Vec<_>) = list
            .data
            .into_iter()
            .partition(|row| row.status == "granted");
        let names = |rows: Vec<Permission>| rows.into_iter().map(|row| row.permission).collect();
        Ok((names(granted), names(other)))
    }

    /// Every Page of the user, following cursors. `next` is never followed as an address: it holds the token
    /// and could point anywhere.
    pub(crate) async fn facebook_pages(
        &self,
        meta: &MetaApp,
        token: &Secret,
    ) -> Result<Vec<Page>, UpstreamError> {
        let mut found: Vec<Page> = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..LIST_MAX {
            let mut query = vec![("fields", PAGE_FIELDS), ("limit", "100")];
            if let Some(cursor) = &after {
                query.push(("after", cursor));
            }
            let list: Paged<Page> = self
                .read(self.graph_get(meta, &["me", "accounts"], token, &query))
                .await?;
            for page in list.data {
                if !page.access_token.is_empty() && !found.iter().any(|known| known.id == page.id) {
                    found.push(page);
                }
            }
            // A page may be empty and still have a next one (trap 35).
            let next = list.paging.and_then(|paging| {
                let cursor = paging.cursors.and_then(|cursors| cursors.after);
                paging
                    .next
                    .and_then(|next| cursor.or_else(|| after_of(&next)))
            });
            if next.is_none() || next == after {
                return Ok(found);
            }
            after = next;
        }
        Ok(found)
    }

    /// The Instagram account linked to a Page.
    pub(crate) async fn facebook_linked_instagram(
        &self,
        meta: &MetaApp,
        page_id: &str,
        token: &Secret,
    ) -> Result<Option<String>, UpstreamError> {
        let fields = [("fields", "id,instagram_business_account{id}")];
        let link: PageLink = self
            .read(self.graph_get(meta, &[page_id], token, &fields))
            .await?;
        Ok(link.instagram_business_account.map(|insta| insta.id))
    }
}

fn after_of(next: &Secret) -> Option<String> {
    let url = Url::parse(next.expose()).ok()?;
    url.query_pairs()
        .find(|(name, _)| name == "after")
        .map(|(_, value)| value.into_owned())
}
