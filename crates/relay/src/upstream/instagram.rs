//! Instagram Login's side of a sign-in (facts sheet §2.1). The OAuth host and the Graph host differ in shape
//! and in errors; the token endpoints are called without a version, as documented.

use shopbell_wire::Secret;
use url::Url;

use super::{
    Token, Upstream, UpstreamError, appsecret_proof, below,
    shapes::{InstagramMe, MaybeWrapped, TokenBody},
};
use crate::MetaApp;

const ME_FIELDS: &str = "id,user_id,username,name,account_type,profile_picture_url";

impl Upstream {
    /// Code to short-lived token (one hour), with the permissions the person left ticked: the only place where
    /// Instagram tells them.
    pub(crate) async fn instagram_code(
        &self,
        meta: &MetaApp,
        code: &Secret,
        redirect: &Url,
    ) -> Result<(Secret, Vec<String>), UpstreamError> {
        // A `#_` copied along with the code is not part of it.
        let code = code.expose().trim_end_matches("#_");
        let request = self
            .http
            .post(below(&self.bases.api_instagram, &["oauth", "access_token"]))
            .form(&[
                ("client_id", meta.app_id.as_str()),
                ("client_secret", meta.app_secret.expose()),
                ("grant_type", "authorization_code"),
                ("redirect_uri", redirect.as_str()),
                ("code", code),
            ]);
        let body: MaybeWrapped<TokenBody> = self.once(request).await?;
        let body = body.into_inner();
        Ok((body.access_token, body.permissions.into_list()))
    }

    /// Short-lived token to long-lived token (about 60 days).
    pub(crate) async fn instagram_extend(
        &self,
        meta: &MetaApp,
        token: &Secret,
    ) -> Result<Token, UpstreamError> {
        let request = self
            .http
            .get(below(&self.bases.graph_instagram, &["access_token"]))
            .query(&[
                ("grant_type", "ig_exchange_token"),
                ("client_secret", meta.app_secret.expose()),
                ("access_token", token.expose()),
            ]);
        self.read::<MaybeWrapped<TokenBody>>(request)
            .await
            .map(|body| body.into_inner().into_token())
    }

    /// The account behind a token. The proof makes Meta refuse tokens of other apps.
    pub(crate) async fn instagram_me(
        &self,
        meta: &MetaApp,
        token: &Secret,
    ) -> Result<InstagramMe, UpstreamError> {
        let proof = appsecret_proof(&meta.app_secret, token);
        let request = self
            .http
            .get(below(&self.bases.graph_instagram, &[&self.version, "me"]))
            .query(&[("fields", ME_FIELDS), ("appsecret_proof", proof.expose())])
            .bearer_auth(token.expose());
        self.read::<MaybeWrapped<InstagramMe>>(request)
            .await
            .map(MaybeWrapped::into_inner)
    }
}
