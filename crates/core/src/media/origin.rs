//! Which addresses may be asked for at all: Meta's CDN over https, and the origins the profile itself names. Pure.

use crate::Endpoints;
use url::{Host, Url};

/// Meta's CDN hosts; everything below them counts.
const CDN: [&str; 3] = ["fbcdn.net", "cdninstagram.com", "fbsbx.com"];
/// Longest address read.
const LONGEST: usize = 8 * 1024;

/// How an allowed address may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Through addresses that were checked to be public.
    Public,
    /// As it is: an origin of the sandbox profile itself.
    Own,
}

/// Parses an address and says how it may be reached. `None` = not at all.
pub(super) fn allow(endpoints: &Endpoints, address: &str) -> Option<(Url, Reach)> {
    if address.len() > LONGEST {
        return None;
    }
    let url = Url::parse(address).ok()?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    // Scheme, host and port, all three: an origin is not a host name.
    if endpoints
        .media_origins
        .iter()
        .any(|own| own.origin().is_tuple() && own.origin() == url.origin())
    {
        return if endpoints.sandbox {
            Some((url, Reach::Own))
        } else {
            (url.scheme() == "https" && matches!(url.host(), Some(Host::Domain(_))))
                .then_some((url, Reach::Public))
        };
    }
    if url.scheme() != "https" || url.port().is_some() {
        return None;
    }
    let Some(Host::Domain(host)) = url.host() else {
        return None;
    };
    let ours = CDN.iter().any(|cdn| {
        host.strip_suffix(cdn)
            .is_some_and(|before| before.ends_with('.') && before.len() > 1)
    });
    ours.then_some((url, Reach::Public))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn live() -> Endpoints {
        Endpoints::live(Url::parse("https://relay.example").unwrap()).unwrap()
    }

    fn sandbox() -> Endpoints {
        Endpoints::sandbox(
            &Url::parse("http://127.0.0.1:4801/").unwrap(),
            Url::parse("http://127.0.0.1:4802/").unwrap(),
        )
        .unwrap()
    }

    #[test]
    fn metas_cdn_passes() {
        for address in [
            "https://scontent.xx.fbcdn.net/v/t1/1_n.jpg?oh=00&oe=6",
            "https://scontent-fra3-1.cdninstagram.com/v/t51/a.jpg",
            "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1&signature=x",
            "https://SCONTENT.XX.FBCDN.NET:443/a",
        ] {
            assert!(
                matches!(allow(&live(), address), Some((_, Reach::Public))),
                "{address}"
            );
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let hostile = "http://scontent.xx.fbcdn.net/a https://fbcdn.net/a https://fbcdn.net.evil.example/a https://evilfbcdn.net/a \
            https://scontent.xx.fbcdn.net:8443/a https://user@scontent.xx.fbcdn.net/a https://u:p@scontent.xx.fbcdn.net/a \
            https://scontent.xx.fbcdn.net@evil.example/a https://scontent.xx.fbcdn.net.:443/a https://evil.example/?x=.fbcdn.net \
            https://evil.example#.fbcdn.net https://evil.example/scontent.xx.fbcdn.net https://127.0.0.1/a https://[::1]/a https://2130706433/a \
            https://0x7f.1/a https://0177.0.0.1/a https://localhost/a https://169.254.169.254/latest/meta-data http://127.0.0.1:4801/x \
            https://[::ffff:127.0.0.1]/a https://metadata.google.internal/ https://.fbcdn.net/a ftp://scontent.xx.fbcdn.net/a \
            file:///etc/passwd file://scontent.xx.fbcdn.net/etc/passwd data:image/png;base64,AAAA javascript:alert(1) blob:https://a.fbcdn.net/1 \
            gopher://scontent.xx.fbcdn.net/ ws://scontent.xx.fbcdn.net/ //scontent.xx.fbcdn.net/a scontent.xx.fbcdn.net/a \
            https://scontent.xx.fbcdn.net%2eevil.example/ https://scontent.xx.fbcdn.net%00.evil.example/ https:// https:///a x";
        let mut count = 0;
        for address in hostile.split_whitespace() {
            assert_eq!(allow(&live(), address), None, "{address}");
            count += 1;
        }
        assert!(count >= 36);
        assert_eq!(
            allow(
                &live(),
                &format!("https://a.fbcdn.net/{}", "x".repeat(LONGEST))
            ),
            None
        );
        assert_eq!(allow(&live(), ""), None);
    }

    #[test]
    fn only_a_sandbox_profile_reaches_its_own_origin_and_only_that() {
        assert!(matches!(
            allow(&sandbox(), "http://127.0.0.1:4801/cdn/a.jpg?sig=1"),
            Some((_, Reach::Own))
        ));
        for address in [
            "http://127.0.0.1:4802/relay",
            "http://127.0.0.1/a",
            "https://127.0.0.1:4801/a",
            "http://localhost:4801/a",
            "http://127.0.0.2:4801/a",
            "http://[::1]:4801/a",
            "http://user@127.0.0.1:4801/a",
            "http://127.0.0.1:48010/a",
        ] {
            assert_eq!(allow(&sandbox(), address), None, "{address}");
        }
        // A real profile never gets a hole, whatever its list says.
        let mut odd = live();
        odd.media_origins = vec![
            Url::parse("http://127.0.0.1:4801/").unwrap(),
            Url::parse("https://127.0.0.1/").unwrap(),
        ];
        assert_eq!(allow(&odd, "http://127.0.0.1:4801/a"), None);
        assert_eq!(allow(&odd, "https://127.0.0.1/a"), None);
    }
}
