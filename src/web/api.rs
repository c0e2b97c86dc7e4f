//! The resources.

use super::guard::Who;
use crate::app::hub::{AccessError, AskError, Hub};
use crate::store::Participant;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::sync::atomic::Ordering;
use utoipa::ToSchema;

/// Most records in an answer, and as many as nobody asked for.
const RECORDS_MAX: usize = 1000;
const RECORDS: usize = 100;

/// A fault as RFC 9457 has it.
#[derive(Serialize, ToSchema)]
pub struct Problem<'a> {
    /// Always `about:blank`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What it is.
    title: &'a str,
    /// Of HTTP.
    status: u16,
    /// Why, and what to do.
    detail: &'a str,
}

/// The answer that tells of a fault.
pub fn problem(status: StatusCode, title: &str, detail: &str) -> Response {
    let body = Problem { kind: "about:blank", title, status: status.as_u16(), detail };
    (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(body)).into_response()
}

impl IntoResponse for AskError {
    fn into_response(self) -> Response {
        let (status, title) = match &self {
            Self::MeetingOn(_) => (StatusCode::CONFLICT, "a meeting is on"),
            Self::NoMeeting => (StatusCode::CONFLICT, "no meeting"),
            Self::Endless => (StatusCode::CONFLICT, "no end"),
            Self::NoPicture(..) => (StatusCode::NOT_FOUND, "no picture"),
            Self::Altered(_) => (StatusCode::INTERNAL_SERVER_ERROR, "altered"),
            Self::NoAlert(_) | Self::UnknownAlert(_) => (StatusCode::NOT_FOUND, "no such alert"),
            Self::Level(_) | Self::TooLong(_) | Self::Minutes | Self::Nameless(_) | Self::Crowd(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "not possible")
            }
            Self::Access(AccessError::NoToken(_)) => (StatusCode::NOT_FOUND, "no such token"),
            Self::Access(AccessError::NoSetup) => (StatusCode::FORBIDDEN, "no set-up"),
            Self::Access(AccessError::TooMany(_)) => (StatusCode::CONFLICT, "too many"),
            Self::Access(AccessError::Random(_)) => (StatusCode::SERVICE_UNAVAILABLE, "no random numbers"),
            Self::Access(_) => (StatusCode::UNPROCESSABLE_ENTITY, "not possible"),
            Self::Store(_) => (StatusCode::INSUFFICIENT_STORAGE, "not recorded"),
            Self::Silent => (StatusCode::SERVICE_UNAVAILABLE, "no answer"),
        };
        problem(status, title, &self.to_string())
    }
}

fn json(text: impl Into<String>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, text.into()).into_response()
}

/// The state of the room.
#[utoipa::path(
    get,
    path = "/state",
    responses((status = 200, description = "as it is now", body = crate::app::hub::StateDocument), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 503, description = "the room does not answer", body = Problem, content_type = "application/problem+json")),
)]
pub async fn state(State(hub): State<Hub>) -> Response {
    let stated = hub.state().borrow().clone();
    // What a room that hangs said last is no state.
    if stated.is_fresh() { json(&*stated.text) } else { AskError::Silent.into_response() }
}

/// What of the records is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    meeting: Option<String>,
    limit: Option<usize>,
}

impl Wanted {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(RECORDS).min(RECORDS_MAX)
    }
}

/// Alerts on record, newest first.
#[utoipa::path(
    get,
    path = "/alerts",
    params(("meeting" = Option<String>, Query, description = "Those of one meeting only"), ("limit" = Option<usize>, Query, description = "At most so many, up to 1000; 100 without")),
    responses((status = 200, description = "alerts", body = Vec<crate::store::AlertRecord>), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json")),
)]
pub async fn alerts(
    State(hub): State<Hub>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Response> {
    let Query(wanted) = wanted.map_err(unreadable)?;
    let limit = wanted.limit();
    let alerts = hub.alerts(wanted.meeting, limit).await.map_err(AskError::into_response)?;
    Ok(Json(alerts).into_response())
}

/// Meetings on record, newest first.
#[utoipa::path(
    get,
    path = "/meetings",
    params(("limit" = Option<usize>, Query, description = "At most so many, up to 1000; 100 without")),
    responses((status = 200, description = "meetings", body = Vec<crate::store::Meeting>), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json")),
)]
pub async fn meetings(
    State(hub): State<Hub>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Response> {
    let Query(wanted) = wanted.map_err(unreadable)?;
    let meetings = hub.meetings(wanted.limit()).await.map_err(AskError::into_response)?;
    Ok(Json(meetings).into_response())
}

/// A meeting to begin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    #[serde(default)]
    title: String,
    level: String,
    minutes: Option<u32>,
}

/// Begin a meeting.
#[utoipa::path(
    post,
    path = "/meetings",
    request_body = Begin,
    responses((status = 201, description = "it is on", body = crate::store::Meeting), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 403, description = "the role does not allow it", body = Problem, content_type = "application/problem+json"), (status = 409, description = "one is on", body = Problem, content_type = "application/problem+json"), (status = 422, description = "something given is not possible", body = Problem, content_type = "application/problem+json"), (status = 507, description = "it could not be recorded", body = Problem, content_type = "application/problem+json")),
)]
pub async fn begin(
    State(hub): State<Hub>,
    body: Result<Json<Begin>, JsonRejection>,
) -> Result<Response, Response> {
    let Json(Begin { title, level, minutes }) = body.map_err(unreadable)?;
    let meeting = hub.begin(title, level, minutes).await.map_err(AskError::into_response)?;
    Ok((StatusCode::CREATED, Json(meeting)).into_response())
}

/// End the meeting.
#[utoipa::path(
    post,
    path = "/meetings/current/end",
    responses((status = 200, description = "it is over", body = crate::store::Meeting), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 403, description = "the role does not allow it", body = Problem, content_type = "application/problem+json"), (status = 409, description = "none is on", body = Problem, content_type = "application/problem+json")),
)]
pub async fn end(State(hub): State<Hub>) -> Result<Response, AskError> {
    Ok(Json(hub.end().await?).into_response())
}

/// Minutes more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Extend {
    minutes: u32,
}

/// Extend the meeting.
#[utoipa::path(
    post,
    path = "/meeting/extend",
    request_body = Extend,
    responses((status = 200, description = "it ends later", body = crate::store::Meeting), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 403, description = "the role does not allow it", body = Problem, content_type = "application/problem+json"), (status = 409, description = "none is on, or it has no end", body = Problem, content_type = "application/problem+json"), (status = 422, description = "so much is not possible", body = Problem, content_type = "application/problem+json")),
)]
pub async fn extend(
    State(hub): State<Hub>,
    body: Result<Json<Extend>, JsonRejection>,
) -> Result<Response, Response> {
    let Json(Extend { minutes }) = body.map_err(unreadable)?;
    Ok(Json(hub.extend(minutes).await.map_err(AskError::into_response)?).into_response())
}

/// Begin a check whether the room is quiet; what it says is in the state.
#[utoipa::path(
    post,
    path = "/meeting/check",
    responses((status = 202, description = "it began", body = Object), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 403, description = "the role does not allow it", body = Problem, content_type = "application/problem+json")),
)]
pub async fn check(State(hub): State<Hub>) -> Result<Response, AskError> {
    Ok((StatusCode::ACCEPTED, Json(hub.check().await?)).into_response())
}

/// Who takes part in the meeting.
#[utoipa::path(
    get,
    path = "/meeting/participants",
    responses((status = 200, description = "participants", body = Vec<Participant>), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 403, description = "the role does not allow it", body = Problem, content_type = "application/problem+json"), (status = 409, description = "none is on", body = Problem, content_type = "application/problem+json")),
)]
pub async fn participants(State(hub): State<Hub>) -> Result<Response, AskError> {
    Ok(Json(hub.people().await?).into_response())
}

/// Put who takes part in the meeting, in place of those before.
#[utoipa::path(
    put,
    path = "/meeting/participants",
    request_body = Vec<Participant>,
    responses((status = 200, description = "participants", body = Vec<Participant>), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 403, description = "the role does not allow it", body = Problem, content_type = "application/problem+json"), (status = 409, description = "none is on", body = Problem, content_type = "application/problem+json"), (status = 422, description = "something given is not possible", body = Problem, content_type = "application/problem+json")),
)]
pub async fn put_participants(
    State(hub): State<Hub>,
    body: Result<Json<Vec<Participant>>, JsonRejection>,
) -> Result<Response, Response> {
    let Json(people) = body.map_err(unreadable)?;
    Ok(Json(hub.put_people(people).await.map_err(AskError::into_response)?).into_response())
}

/// An acknowledgement.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    #[serde(default)]
    by: String,
    #[serde(default)]
    note: String,
}

/// Acknowledge an alert: that alone ends it.
#[utoipa::path(
    post,
    path = "/alerts/{id}/acknowledge",
    params(("id" = String, Path, description = "Its id")),
    request_body = Acknowledge,
    responses((status = 200, description = "the alert", body = crate::store::AlertRecord), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 403, description = "the role does not allow it", body = Problem, content_type = "application/problem+json"), (status = 404, description = "no such alert is open", body = Problem, content_type = "application/problem+json"), (status = 507, description = "it could not be recorded", body = Problem, content_type = "application/problem+json")),
)]
pub async fn acknowledge(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Extension(who): Extension<Who>,
    body: Result<Json<Acknowledge>, JsonRejection>,
) -> Result<Response, Response> {
    let Json(Acknowledge { by, note }) = body.map_err(unreadable)?;
    // Who is known by a token is not asked.
    let by = who.name.unwrap_or(by);
    let alert = hub.acknowledge(id, by, note).await.map_err(AskError::into_response)?;
    Ok(Json(alert).into_response())
}

/// What was heard of an alert, as a picture.
#[utoipa::path(
    get,
    path = "/alerts/{id}/evidence.png",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "level over time and frequency", body = Vec<u8>, content_type = "image/png"), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 404, description = "there is no picture, or no such alert", body = Problem, content_type = "application/problem+json")),
)]
pub async fn evidence(State(hub): State<Hub>, Path(id): Path<String>) -> Result<Response, AskError> {
    let png = hub.picture(id).await?;
    let headers = [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, png).into_response())
}

/// What was sent cannot be read.
pub fn unreadable(why: impl std::fmt::Display + IntoResponse) -> Response {
    let detail = why.to_string();
    problem(why.into_response().status(), "not understood", &detail)
}

/// `GET /readyz`: whether the room can tell of its state.
pub async fn ready(State(hub): State<Hub>) -> Response {
    match hub.after(i64::MAX, 1).await {
        Ok(_) => "ready\n".into_response(),
        Err(error) => error.into_response(),
    }
}

/// `GET /metrics`, in the text format of Prometheus 0.0.4.
pub async fn metrics(State(hub): State<Hub>) -> Response {
    let figures = hub.figures();
    let mut text = String::new();
    let each = [
        (
            "emcon_alerts_raised_total",
            "counter",
            "Alerts raised since the start.",
            figures.alerts.load(Ordering::Relaxed),
        ),
        (
            "emcon_alerts_open",
            "gauge",
            "Alerts that nobody acknowledged.",
            figures.open.load(Ordering::Relaxed),
        ),
        ("emcon_clear", "gauge", "1 while the state is clear.", figures.clear.load(Ordering::Relaxed)),
        (
            "emcon_records_lost_total",
            "counter",
            "Entries that could not be recorded.",
            figures.lost.load(Ordering::Relaxed),
        ),
        ("emcon_reports_dropped_total", "counter", "Reports that were dropped, alerts never.", hub.dropped()),
    ];
    for (name, kind, help, value) in each {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
    let name = "emcon_alert_latency_seconds";
    let help = "From the samples that raised an alert to a listener of events.";
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
    figures.latency.expose(name, &mut text);
    super::contacts::figures(hub.contacts(), &mut text);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// Whatever else is asked for.
pub async fn nothing() -> Response {
    problem(StatusCode::NOT_FOUND, "nothing here", "the API begins at /api/v1/state, the page at /")
}
