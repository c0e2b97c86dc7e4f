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
use axum::routing::get;
use guard::Gate;
use std::sync::Arc;
use utoipa::openapi::OpenApi as Description;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::router::UtoipaMethodRouterExt;
use utoipa_axum::routes;

/// The page.
const PAGE: &str = include_str!("page.html");

/// Longest body of a request, bytes: the longest texts of all fields, escaped.
const BODY_MAX: usize = 16 * 1024;

/// The same for a register of participants, of whom each has three such texts.
const PEOPLE_BODY_MAX: usize = 2 << 20;

/// The resources, with their description.
fn api() -> (Router<Hub>, Description) {
    let people = routes!(api::participants, api::put_participants);
    let resources = OpenApiRouter::new()
        .routes(routes!(api::state))
        .routes(routes!(events::events))
        .routes(routes!(waterfall::waterfall))
        .routes(routes!(api::alerts))
        .routes(routes!(api::acknowledge))
        .routes(routes!(api::evidence))
        .routes(routes!(contacts::deliveries))
        .routes(routes!(contacts::contacts))
        .routes(routes!(contacts::test))
        .routes(routes!(api::meetings, api::begin))
        .routes(routes!(api::end))
        .routes(routes!(api::extend))
        .routes(routes!(api::check))
        .routes(people.layer(axum::extract::DefaultBodyLimit::max(PEOPLE_BODY_MAX)))
        .routes(routes!(tokens::whoami, tokens::log_in, tokens::log_out))
        .routes(routes!(tokens::set_up))
        .routes(routes!(tokens::list, tokens::new))
        .routes(routes!(tokens::revoke));
    OpenApiRouter::with_openapi(Described::openapi()).nest("/api/v1", resources).split_for_parts()
}

/// What holds for all of it.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "emcon",
        description = "The room: its state, alerts, meetings, contacts and tokens. Beyond the machine every request takes a \
            token, as `Authorization: Bearer` or as the page's cookie; a page's requests that change something carry the \
            header `X-Emcon`."
    ),
    security(("token" = [])),
    modifiers(&Tokens)
)]
struct Described;

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, description: &mut Description) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        description.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

fn described(description: Description) -> String {
    // It is made of text and numbers only.
    description.to_pretty_json().unwrap_or_default()
}

/// The description of the API (OpenAPI 3.1), as `docs/openapi.json` has it.
pub fn openapi() -> String {
    described(api().1) + "\n"
}

/// All that is served.
fn router(hub: Hub, gate: Arc<Gate>) -> Router {
    let (api, description) = api();
    let description: Arc<str> = described(description).into();
    let openapi =
        move || async move { ([(header::CONTENT_TYPE, "application/json")], description.to_string()) };
    Router::new()
        .route("/", get(page))
        .route("/setup", get(page))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(api::ready))
        .route("/metrics", get(api::metrics))
        .route("/api/v1/openapi.json", get(openapi))
        .merge(api)
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
