//! From Meta's code to a grant: exchange, long-lived token, accounts, permissions, proofs. In memory only.

use shopbell_wire::{
    AccountKind, Grant, GrantedAccount, GrantedUser, Provider, Refusal, Renewal, Secret, UserToken,
};

use crate::{
    app::App,
    config::MetaApp,
    failure::Failure,
    upstream::{Debugged, Page, Shown, Token, UpstreamError, appsecret_proof, looks_like_a_token},
};

/// An exchange that failed, and whether Meta's code may still be good.
#[derive(Debug)]
pub(crate) struct Spoilt {
    pub(crate) failure: Failure,
    pub(crate) code_lives: bool,
}

impl Spoilt {
    /// Meta has the code, or said no for good.
    fn dead(failure: impl Into<Failure>) -> Self {
        Self {
            failure: failure.into(),
            code_lives: false,
        }
    }
}

impl From<Failure> for Spoilt {
    fn from(failure: Failure) -> Self {
        Self::dead(failure)
    }
}

impl App {
    pub(crate) async fn exchange_facebook(&self, meta_code: &Secret) -> Result<Grant, Spoilt> {
        let meta = self.meta_app(Provider::Facebook)?;
        let redirect = self.meta_redirect(Provider::Facebook);
        let short = self
            .upstream
            .facebook_code(meta, meta_code, &redirect)
            .await
            .map_err(at_code)?;
        // A token without an end (business integration) has nothing to exchange.
        let long = match short.expires_in_ms {
            Some(_) => self
                .upstream
                .facebook_extend(meta, &short.token)
                .await
                .map_err(after_code)?,
            None => short,
        };
        self.read_facebook(meta, long).await.map_err(Spoilt::dead)
    }

    pub(crate) async fn exchange_instagram(&self, meta_code: &Secret) -> Result<Grant, Spoilt> {
        let meta = self.meta_app(Provider::Instagram)?;
        let redirect = self.meta_redirect(Provider::Instagram);
        let (short, granted) = self
            .upstream
            .instagram_code(meta, meta_code, &redirect)
            .await
            .map_err(at_code)?;
        if !granted
            .iter()
            .any(|scope| scope == "instagram_business_basic")
        {
            return Err(Spoilt::dead(Refusal::ConsentPartial));
        }
        let long = self
            .upstream
            .instagram_extend(meta, &short)
            .await
            .map_err(after_code)?;
        let now_ms = self.now_ms();
        let me = self
            .upstream
            .instagram_me(meta, &long.token)
            .await
            .map_err(after_code)?;
        // Documented: BUSINESS, MEDIA_CREATOR; CREATOR seen (facts sheet §2.1). Missing is not a no.
        let professional =
            |kind: &String| ["BUSINESS", "MEDIA_CREATOR", "CREATOR"].contains(&kind.as_str());
        if me
            .account_type
            .as_ref()
            .is_some_and(|kind| !professional(kind))
        {
            return Err(Spoilt::dead(Refusal::NotProfessional));
        }
        let declined = without(self.scopes(Provider::Instagram, meta), &granted);
        let account = GrantedAccount {
            kind: AccountKind::Instagram,
            platform_id: me.user_id,
            name: me.name.unwrap_or_else(|| me.username.clone()),
            username: Some(me.username.clone()),
            picture_url: me.profile_picture_url,
            page_id: None,
            linked_instagram_id: None,
            appsecret_proof: Some(appsecret_proof(&meta.app_secret, &long.token)),
            expires_at_ms: long.expires_in_ms.map(|ms| now_ms.saturating_add(ms)),
            token: long.token,
            tasks: Vec::new(),
        };
        Ok(Grant {
            provider: Provider::Instagram,
            user: GrantedUser {
                id: me.id,
                name: me.username,
            },
            user_token: None,
            granted,
            declined,
            accounts: vec![account],
            renewal: None,
            issued_at_ms: now_ms,
        })
    }

    /// `grant_type=refresh_token`: only a living token can be exchanged (T2).
    pub(crate) async fn renew(&self, old: &Secret) -> Result<Grant, Spoilt> {
        let meta = self.meta_app(Provider::Facebook)?;
        let Shown::User {
            expires_at_ms: old_end,
            ..
        } = self.show(Provider::Facebook, old).await?
        else {
            return Err(Spoilt::dead(Refusal::TokenInvalid));
        };
        let token = match old_end {
            Some(_) => self
                .upstream
                .facebook_extend(meta, old)
                .await
                .map_err(after_code)?,
            None => Token {
                token: old.clone(),
                expires_in_ms: None,
            },
        };
        let mut grant = self
            .read_facebook(meta, token)
            .await
            .map_err(Spoilt::dead)?;
        let new_end = grant
            .user_token
            .as_ref()
            .and_then(|token| token.expires_at_ms);
        grant.renewal = Some(Renewal {
            old_expires_at_ms: old_end,
            new_expires_at_ms: new_end,
            // Not later is not a success; no date at all has nothing to extend.
            extended: match (old_end, new_end) {
                (Some(old), Some(new)) => new > old,
                (_, None) => true,
                (None, Some(_)) => false,
            },
        });
        Ok(grant)
    }

    async fn read_facebook(&self, meta: &MetaApp, token: Token) -> Result<Grant, Failure> {
        let now_ms = self.now_ms();
        let debugged = self
            .upstream
            .facebook_debug(meta, &token.token)
            .await
            .map_err(later)?;
        let user = self
            .upstream
            .facebook_me(meta, &token.token)
            .await
            .map_err(later)?;
        let (mut granted, mut declined) =
            match self.upstream.facebook_permissions(meta, &token.token).await {
                Ok(found) => found,
                // System-user tokens have no such edge; the token's own scopes say the same.
                Err(UpstreamError::Refused { .. }) => (debugged.scopes.clone(), Vec::new()),
                Err(error) => return Err(later(error)),
            };
        if granted.is_empty() {
            granted.clone_from(&debugged.scopes);
        }
        if meta.config_id.is_none() {
            for scope in without(self.scopes(Provider::Facebook, meta), &granted) {
                if !declined.contains(&scope) {
                    declined.push(scope);
                }
            }
        }
        if !granted.iter().any(|scope| scope == "pages_show_list") {
            return Err(Refusal::ConsentPartial.into());
        }
        let pages = self
            .upstream
            .facebook_pages(meta, &token.token)
            .await
            .map_err(later)?;
        if pages.is_empty() {
            return Err(Refusal::NoPage.into());
        }
        let expires_at_ms = token.expires_in_ms.map(|ms| now_ms.saturating_add(ms));
        Ok(Grant {
            provider: Provider::Facebook,
            user: GrantedUser {
                id: user.id,
                name: user.name,
            },
            user_token: Some(UserToken {
                appsecret_proof: Some(appsecret_proof(&meta.app_secret, &token.token)),
                token: token.token,
                expires_at_ms: debugged.expires_at_ms.or(expires_at_ms),
                data_access_expires_at_ms: debugged.data_access_expires_at_ms,
            }),
            granted,
            declined,
            accounts: pages
                .into_iter()
                .flat_map(|page| accounts(meta, page))
                .collect(),
            renewal: None,
            issued_at_ms: now_ms,
        })
    }

    /// Asks Meta what a token is. Refuses text that is no token, dead tokens, and other apps' tokens.
    pub(crate) async fn show(&self, provider: Provider, token: &Secret) -> Result<Shown, Failure> {
        let meta = self.meta_app(provider)?;
        if !looks_like_a_token(token) {
            return Err(Refusal::TokenInvalid.into());
        }
        match provider {
            Provider::Instagram => {
                let me = self
                    .upstream
                    .instagram_me(meta, token)
                    .await
                    .map_err(later)?;
                Ok(Shown::Instagram {
                    account_id: me.user_id,
                    user_id: me.id,
                })
            }
            Provider::Facebook => {
                let found = self
                    .upstream
                    .facebook_debug(meta, token)
                    .await
                    .map_err(later)?;
                shown(meta, found, self.now_ms()).map_err(Failure::from)
            }
        }
    }

    /// The Instagram account linked to a Page, by the Page's own token.
    pub(crate) async fn linked_instagram(
        &self,
        page_id: &str,
        token: &Secret,
    ) -> Result<Option<String>, Failure> {
        let meta = self.meta_app(Provider::Facebook)?;
        self.upstream
            .facebook_linked_instagram(meta, page_id, token)
            .await
            .map_err(later)
    }
}

fn shown(meta: &MetaApp, found: Debugged, now_ms: i64) -> Result<Shown, Refusal> {
    let over = found.expires_at_ms.is_some_and(|end| end <= now_ms);
    if found.app_id.as_ref().is_some_and(|id| *id != meta.app_id) {
        return Err(Refusal::TokenInvalid);
    }
    if !found.is_valid {
        return Err(if over || found.error_subcode == Some(463) {
            Refusal::TokenExpired
        } else {
            Refusal::TokenInvalid
        });
    }
    let user_id = found.user_id.unwrap_or_default();
    match (found.kind.as_deref(), found.profile_id) {
        (Some("PAGE"), Some(page_id)) => Ok(Shown::Page { page_id, user_id }),
        (Some("PAGE"), None) => Err(Refusal::TokenInvalid),
        _ => Ok(Shown::User {
            user_id,
            expires_at_ms: found.expires_at_ms,
        }),
    }
}

fn accounts(meta: &MetaApp, page: Page) -> Vec<GrantedAccount> {
    let proof = appsecret_proof(&meta.app_secret, &page.access_token);
    let linked = page.instagram_business_account;
    let instagram = linked.as_ref().map(|insta| GrantedAccount {
        kind: AccountKind::Instagram,
        platform_id: insta.id.clone(),
        name: insta
            .name
            .clone()
            .or_else(|| insta.username.clone())
            .unwrap_or_else(|| page.name.clone()),
        username: insta.username.clone(),
        picture_url: insta.profile_picture_url.clone(),
        page_id: Some(page.id.clone()),
        linked_instagram_id: None,
        token: page.access_token.clone(),
        expires_at_ms: None,
        appsecret_proof: Some(proof.clone()),
        tasks: page.tasks.clone(),
    });
    let page = GrantedAccount {
        kind: AccountKind::Page,
        platform_id: page.id,
        name: page.name,
        username: None,
        picture_url: None,
        page_id: None,
        linked_instagram_id: linked.map(|insta| insta.id),
        token: page.access_token,
        expires_at_ms: None,
        appsecret_proof: Some(proof),
        tasks: page.tasks,
    };
    std::iter::once(page).chain(instagram).collect()
}

fn without(asked: Vec<String>, granted: &[String]) -> Vec<String> {
    asked
        .into_iter()
        .filter(|scope| !granted.contains(scope))
        .collect()
}

fn at_code(error: UpstreamError) -> Spoilt {
    Spoilt {
        code_lives: error.may_be_tried_again(),
        failure: error.at_code(),
    }
}

fn after_code(error: UpstreamError) -> Spoilt {
    Spoilt::dead(later(error))
}

fn later(error: UpstreamError) -> Failure {
    error.at_token()
}
