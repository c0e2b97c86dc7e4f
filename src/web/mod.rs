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
//! | GET /api/v1/alerts/{id}/deliveries, /api/v1/contacts | who was told when; who can be |
//! | POST /api/v1/contacts/{name}/test | |
//! | POST /api/v1/meetings, /api/v1/meetings/current/end | |
//! | POST /api/v1/meeting/extend, /api/v1/meeting/check | |
//! | GET, PUT /api/v1/meeting/participants | |
//! | GET /healthz, /readyz, /metrics | for supervisors |
//!
//! | GET, POST, DELETE /api/v1/session | who one is; log in with a token; log out |
//! | POST /api/v1/setup | the first officer's token, for the set-up code |
//! | GET, POST /api/v1/tokens, DELETE /api/v1/tokens/{id} | |
//!
//! Beyond the loopback it is served over TLS only, and every request takes a token. A browser that a foreign page sends
//! here is refused by the name it asks for (DNS rebinding) and by a header that only this page sets.

mod api;
mod contacts;
mod events;
mod guard;
mod patient;
mod serve;
mod tls;
mod tokens;
mod waterfall;

pub use serve::{Doors, ServeError, Server, serve, serve_at};
pub use tls::{Tls, TlsError};

use crate::app::hub::Hub;
use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use guard::Gate;
use std::sync::Arc;

/// The page.
const PAGE: &str = include_str!("page.html");

/// Longest body of a request, bytes: the longest texts of all fields, escaped.
const BODY_MAX: usize = 16 * 1024;

/// The same for a register of participants, of whom each has three such texts.
const PEOPLE_BODY_MAX: usize = 2 << 20;

/// All that is served.
fn router(hub: Hub, gate: Arc<Gate>) -> Router {
    let api = Router::new()
        .route("/state", get(api::state))
        .route("/events", get(events::events))
        .route("/waterfall", get(waterfall::waterfall))
        .route("/alerts", get(api::alerts))
        .route("/alerts/{id}/acknowledge", post(api::acknowledge))
        .route("/alerts/{id}/deliveries", get(contacts::deliveries))
        .route("/contacts", get(contacts::contacts))
        .route("/contacts/{name}/test", post(contacts::test))
        .route("/alerts/{id}/evidence.png", get(api::evidence))
        .route("/meetings", get(api::meetings).post(api::begin))
        .route("/meetings/current/end", post(api::end))
        .route("/meeting/extend", post(api::extend))
        .route("/meeting/check", post(api::check))
        .route(
            "/meeting/participants",
            get(api::participants)
                .put(api::put_participants)
                .layer(axum::extract::DefaultBodyLimit::max(PEOPLE_BODY_MAX)),
        )
        .route("/session", get(tokens::whoami).post(tokens::log_in).delete(tokens::log_out))
        .route("/setup", post(tokens::set_up))
        .route("/tokens", get(tokens::list).post(tokens::new))
        .route("/tokens/{id}", delete(tokens::revoke));
    Router::new()
        .route("/", get(page))
        .route("/setup", get(page))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(api::ready))
        .route("/metrics", get(api::metrics))
        .nest("/api/v1", api)
        .fallback(api::nothing)
        .layer(axum::extract::DefaultBodyLimit::max(BODY_MAX))
        .layer(axum::middleware::from_fn_with_state(gate.clone(), guard::guarded))
        .layer(axum::Extension(gate))
        .with_state(hub)
}

async fn page() -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")], PAGE)
        .into_response()
}
