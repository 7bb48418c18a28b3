//! [`Origins`]: which web pages may call.

use http::{HeaderValue, Method, uri::Authority};
use std::time::Duration;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// How long a browser may remember that a page of an allowed origin may call.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Which web pages may call: those of the server's own origin, and those that are listed.
///
/// A browser lets a page send some requests to any server, and open a WebSocket
/// to any server, without asking; but it says which page it was. Callers that
/// are no browsers say nothing, and are not concerned.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins {
    any: bool,
    listed: Vec<HeaderValue>,
    /// Tells browsers so, if pages of other origins may call at all.
    pub(super) cors: Option<CorsLayer>,
}

impl Origins {
    /// Adds origins, such as `https://app.example`.
    #[track_caller]
    pub(super) fn allow<S: Into<String>>(&mut self, origins: impl IntoIterator<Item = S>) {
        for origin in origins {
            let origin: String = origin.into();
            let value = HeaderValue::try_from(origin.trim_end_matches('/').to_ascii_lowercase()).ok();
            match value.filter(|_| origin.contains("://")) {
                Some(value) => self.listed.push(value),
                None => panic!(
                    "`{origin}` is no origin: write scheme, host and port, as in `https://app.example`, \
                     or use `allow_any_origin`"
                ),
            }
        }
        if !self.any {
            self.cors = Some(cors(AllowOrigin::list(self.listed.clone())));
        }
    }

    /// Lets in the pages of any origin.
    pub(super) fn allow_any(&mut self) {
        self.any = true;
        self.cors = Some(cors(AllowOrigin::any()));
    }

    /// Whether only pages may call that are listed, and our own.
    pub(super) fn are_listed(&self) -> bool {
        !self.any && !self.listed.is_empty()
    }

    /// Whether a page of this origin may call. `host` is who the request was sent to.
    pub(super) fn admit(&self, origin: &HeaderValue, host: Option<&str>) -> bool {
        self.any
            || self.listed.contains(origin)
            || host.zip(origin.to_str().ok()).is_some_and(|(host, origin)| is_same(origin, host))
    }
}

/// Whether `host` is the one that `origin` names. The scheme is not compared,
/// since a proxy in front may have taken TLS off.
fn is_same(origin: &str, host: &str) -> bool {
    let (port, authority) = match origin.split_once("://") {
        Some(("http", authority)) => (80, authority),
        Some(("https", authority)) => (443, authority),
        _ => return false,
    };
    let parts = |authority: &str| {
        let authority: Authority = authority.parse().ok()?;
        Some((authority.host().to_ascii_lowercase(), authority.port_u16().unwrap_or(port)))
    };
    !authority.contains('@') && parts(authority).is_some_and(|origin| Some(origin) == parts(host))
}

/// Cookies are not asked for, so a browser sends none: what a page may do must
/// not hang on who sits before it.
fn cors(origins: AllowOrigin) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .max_age(REMEMBERED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_call_the_host_it_came_from() {
        for (origin, host, same) in [
            ("http://example.com", "example.com", true),
            ("http://example.com", "EXAMPLE.com:80", true),
            ("https://example.com", "example.com:443", true),
            ("http://example.com:8080", "example.com:8080", true),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://example.com", "example.com:8080", false),
            ("http://example.com:8080", "example.com", false),
            ("http://example.com.evil", "example.com", false),
            ("http://evil@example.com", "example.com", false),
            ("ftp://example.com", "example.com", false),
            ("null", "null", false),
            ("", "", false),
        ] {
            assert_eq!(is_same(origin, host), same, "{origin} to {host}");
        }
    }

    #[test]
    fn listed_pages_may_call_too() {
        let mut origins = Origins::default();
        origins.allow(["https://App.example/"]);
        let admit = |origin| origins.admit(&HeaderValue::from_static(origin), Some("api.example"));
        assert!(admit("https://app.example"));
        assert!(!admit("http://app.example"));
        assert!(!admit("https://app.example.evil"));
        assert!(!admit("null"));
        origins.allow_any();
        assert!(origins.admit(&HeaderValue::from_static("null"), None));
    }

    #[test]
    #[should_panic(expected = "allow_any_origin")]
    fn a_star_is_no_origin() {
        Origins::default().allow(["*"]);
    }
}
