//! Contacts: what is known of each, who was told of an alert, and a test.

use super::api::{Problem, problem};
use crate::app::hub::{AskError, Hub};
use crate::notify::{Contacts, Status, TestError};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::fmt::Write;
use std::time::Duration;

/// A test must end within this time: less than a request may take.
const TEST: Duration = Duration::from_secs(9);

/// What is known of each contact.
#[utoipa::path(
    get,
    path = "/contacts",
    responses((status = 200, description = "contacts", body = Vec<Object>), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json")),
)]
pub async fn contacts(State(hub): State<Hub>) -> Response {
    let all: Vec<_> = hub.contacts().statuses().iter().map(Status::json).collect();
    Json(all).into_response()
}

/// Who was told what of an alert, and when.
#[utoipa::path(
    get,
    path = "/alerts/{id}/deliveries",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "in order", body = Vec<crate::store::Delivery>), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 404, description = "no such alert", body = Problem, content_type = "application/problem+json")),
)]
pub async fn deliveries(State(hub): State<Hub>, Path(id): Path<String>) -> Result<Response, AskError> {
    Ok(Json(hub.deliveries(id).await?).into_response())
}

/// Tell a contact for a test.
#[utoipa::path(
    post,
    path = "/contacts/{name}/test",
    params(("name" = String, Path, description = "What it is called")),
    responses((status = 200, description = "it was told", body = Object), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 403, description = "the role does not allow it", body = Problem, content_type = "application/problem+json"), (status = 404, description = "no such contact", body = Problem, content_type = "application/problem+json"), (status = 502, description = "it could not be told", body = Problem, content_type = "application/problem+json"), (status = 504, description = "it did not answer", body = Problem, content_type = "application/problem+json")),
)]
pub async fn test(State(hub): State<Hub>, Path(name): Path<String>) -> Response {
    match tokio::time::timeout(TEST, hub.contacts().test(&name)).await {
        Ok(Ok(())) => Json(serde_json::json!({ "contact": name, "delivered": true })).into_response(),
        Ok(Err(error @ TestError::Unknown(_))) => {
            problem(StatusCode::NOT_FOUND, "no such contact", &error.to_string())
        }
        Ok(Err(error)) => problem(StatusCode::BAD_GATEWAY, "not delivered", &error.to_string()),
        Err(_) => problem(
            StatusCode::GATEWAY_TIMEOUT,
            "not delivered",
            "no answer in time; see GET /api/v1/contacts",
        ),
    }
}

/// A figure of a contact.
type Figure = (&'static str, &'static str, &'static str, fn(&Status) -> f64);

const FIGURES: [Figure; 5] = [
    ("emcon_contact_waiting", "gauge", "Messages that wait for a contact.", |status| status.waiting as f64),
    ("emcon_contact_delivered_total", "counter", "Messages that reached a contact.", |status| {
        status.delivered as f64
    }),
    ("emcon_contact_failures_total", "counter", "Attempts that failed.", |status| status.failures as f64),
    (
        "emcon_contact_left_out_total",
        "counter",
        "Messages that were left out for later news or for want of room.",
        |status| status.left_out as f64,
    ),
    ("emcon_contact_up", "gauge", "1 unless the last attempt failed.", |status| {
        f64::from(u8::from(status.failing_s.is_none() && status.gone.is_none()))
    }),
];

/// What Prometheus is told of contacts. Names are those of the configuration, so there are few.
pub fn figures(contacts: &Contacts, text: &mut String) {
    let statuses = contacts.statuses();
    if statuses.is_empty() {
        return;
    }
    for (name, kind, help, value) in FIGURES {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for status in &statuses {
            let _ = writeln!(text, "{name}{{contact=\"{}\"}} {}", status.name, value(status));
        }
    }
}
