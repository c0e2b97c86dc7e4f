//! Who may ask: this machine by its own names, and for changes only the page or a program that says so.

use super::api::problem;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

/// Names under which the room is asked for.
const HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Header that a foreign page cannot set without being asked first (CORS), which is refused.
const ASKED: &str = "x-emcon";

/// What the page may do: itself only, its one script and style.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; \
                      img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Refuses who may not ask, and says to browsers what they may do.
pub async fn guarded(request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = match refusal(request.headers(), changes) {
        Some(why) => problem(StatusCode::FORBIDDEN, "not from here", why),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Why a request is refused, if it is.
pub(super) fn refusal(headers: &HeaderMap, changes: bool) -> Option<&'static str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_own = |authority: &str| HOSTS.contains(&without_port(authority));
    if !text("host").is_some_and(is_own) {
        return Some("ask for localhost or 127.0.0.1: under another name this may be a foreign page");
    }
    let foreign = |origin: &str| !origin.strip_prefix("http://").is_some_and(is_own);
    if text("origin").is_some_and(foreign) {
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
