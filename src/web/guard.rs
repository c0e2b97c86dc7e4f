//! Who may ask: this machine by its own names, and for changes only the page or a program that says so.

use super::PAGE;
use super::api::problem;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::sync::OnceLock;
use std::time::Duration;

/// Names under which the room is asked for.
const HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// A request must have come, and an answer begun, within this time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Header that a foreign page cannot set without being asked first (CORS), which is refused.
const ASKED: &str = "x-emcon";

/// What the page may do: run its one script, wear its one style, ask this room. Both are known by their hash, so that
/// nothing that got into the page runs (W3C Content Security Policy Level 3, 2.3.1).
fn policy() -> &'static HeaderValue {
    static POLICY: OnceLock<HeaderValue> = OnceLock::new();
    POLICY.get_or_init(|| {
        let hash = |tag: &str| {
            let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
            let inside = PAGE.split_once(&open).and_then(|(_, rest)| rest.split_once(&close)).map_or("", |p| p.0);
            format!("'sha256-{}'", STANDARD.encode(Sha256::digest(inside)))
        };
        let policy = format!(
            "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
            hash("script"),
            hash("style")
        );
        HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
    })
}

/// Refuses who may not ask, and says to browsers what they may do.
pub async fn guarded(request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let page = request.uri().path() == "/";
    let mut response = match refusal(request.headers(), changes, page) {
        Some(why) => problem(StatusCode::FORBIDDEN, "not from here", why),
        None => tokio::time::timeout(PATIENCE, next.run(request)).await.unwrap_or_else(|_| {
            problem(StatusCode::REQUEST_TIMEOUT, "too slow", "the request did not end in time")
        }),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy().clone());
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Why a request is refused, if it is.
fn refusal(headers: &HeaderMap, changes: bool, page: bool) -> Option<&'static str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_own = |authority: &str| HOSTS.contains(&without_port(authority));
    if !text("host").is_some_and(is_own) {
        return Some("ask for localhost or 127.0.0.1: under another name this may be a foreign page");
    }
    let foreign = |origin: &str| !origin.strip_prefix("http://").is_some_and(is_own);
    if text("origin").is_some_and(foreign) {
        return Some("a foreign page may not ask");
    }
    // An image or a link of a foreign page; only following one to the page itself is fine.
    if !page && text("sec-fetch-site") == Some("cross-site") {
        return Some("a foreign page may not ask");
    }
    (changes && text(ASKED).is_none()).then_some("what changes something needs the header X-Emcon: 1")
}

/// `host:port` without its port; an address of IPv6 keeps its brackets.
fn without_port(authority: &str) -> &str {
    match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => &authority[..at],
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_ask() {
        let headers = |all: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in all {
                map.insert(*name, HeaderValue::from_static(value));
            }
            map
        };
        let check = |all: &[(&'static str, &'static str)], changes: bool, refused: bool| {
            assert_eq!(refusal(&headers(all), changes, false).is_some(), refused, "{all:?} {changes}");
        };
        check(&[("host", "localhost:7430")], false, false);
        check(&[("host", "127.0.0.1")], false, false);
        check(&[("host", "[::1]:7430")], false, false);
        check(&[("host", "room.example:7430")], false, true);
        check(&[], false, true);
        check(&[("host", "localhost"), ("origin", "http://localhost:7430")], false, false);
        check(&[("host", "localhost"), ("origin", "http://evil.example")], false, true);
        check(&[("host", "localhost"), ("origin", "null")], false, true);
        check(&[("host", "localhost"), ("sec-fetch-site", "cross-site")], false, true);
        check(&[("host", "localhost"), ("sec-fetch-site", "same-origin")], false, false);
        check(&[("host", "localhost")], true, true);
        check(&[("host", "localhost"), ("x-emcon", "1")], true, false);
    }

    #[test]
    fn the_policy_knows_script_and_style() {
        let policy = policy().to_str().unwrap();
        assert_eq!(policy.matches("'sha256-").count(), 2, "{policy}");
        assert!(!policy.contains(&STANDARD.encode(Sha256::digest(""))), "{policy}");
    }
}
