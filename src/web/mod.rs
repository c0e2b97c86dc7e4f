//! The room over HTTP: state, alerts and meetings for people and programs, on this machine.
//!
//! | method and path | does |
//! |---|---|
//! | GET / | the page |
//! | GET /api/v1/state | what holds now |
//! | GET /api/v1/events | server-sent events; `Last-Event-ID` replays what was missed |
//! | GET /api/v1/waterfall | levels by frequency as they come, over a WebSocket |
//! | GET /api/v1/alerts, /api/v1/meetings | what is on record |
//! | GET /api/v1/alerts/{id}/evidence.png | what was heard of it |
//! | POST /api/v1/alerts/{id}/acknowledge | |
//! | POST /api/v1/meetings, /api/v1/meetings/current/end | |
//! | GET /healthz, /readyz, /metrics | for supervisors |
//!
//! It binds to the loopback only: beyond it, secrets would need TLS and tokens, which do not exist yet. A browser that a
//! foreign page sends here is refused by the name it asks for (DNS rebinding) and by a header that only this page sets.

mod api;
mod events;
mod guard;
mod serve;
mod waterfall;

pub use serve::{ServeError, Server, serve};

use crate::app::hub::Hub;
use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

/// The page.
const PAGE: &str = include_str!("page.html");

/// Longest body of a request, bytes: the longest texts of all fields, escaped.
const BODY_MAX: usize = 16 * 1024;

/// All that is served.
pub fn router(hub: Hub) -> Router {
    let api = Router::new()
        .route("/state", get(api::state))
        .route("/events", get(events::events))
        .route("/waterfall", get(waterfall::waterfall))
        .route("/alerts", get(api::alerts))
        .route("/alerts/{id}/acknowledge", post(api::acknowledge))
        .route("/alerts/{id}/evidence.png", get(api::evidence))
        .route("/meetings", get(api::meetings).post(api::begin))
        .route("/meetings/current/end", post(api::end));
    Router::new()
        .route("/", get(page))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(api::ready))
        .route("/metrics", get(api::metrics))
        .nest("/api/v1", api)
        .fallback(api::nothing)
        .layer(axum::extract::DefaultBodyLimit::max(BODY_MAX))
        .layer(axum::middleware::from_fn(guard::guarded))
        .with_state(hub)
}

async fn page() -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")], PAGE)
        .into_response()
}
