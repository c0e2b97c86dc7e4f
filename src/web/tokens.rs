//! Tokens over HTTP: logging in, the first set-up, and what officers do with tokens.

use super::api::{Problem, problem, unreadable};
use super::guard::{COOKIE, Gate, Peer, Who};
use crate::app::hub::{AskError, Asks, Hub};
use crate::clock;
use crate::store::TokenRecord;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// What somebody logs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    token: String,
}

/// Log in with a token: a cookie holds the session.
#[utoipa::path(
    post,
    path = "/session",
    request_body = LogIn,
    responses((status = 200, description = "name and role", body = Known), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 429, description = "too many wrong tokens", body = Problem, content_type = "application/problem+json")),
)]
pub async fn log_in(
    State(hub): State<Hub>,
    Extension(gate): Extension<Arc<Gate>>,
    Extension(peer): Extension<Peer>,
    body: Result<Json<LogIn>, JsonRejection>,
) -> Result<Response, Response> {
    let Json(LogIn { token }) = body.map_err(unreadable)?;
    let found = hub.keys().find(token.trim(), clock::utc()).filter(|(_, holds)| *holds);
    gate.judge(peer, found.as_ref().map(|(caller, _)| caller.id.as_str()))?;
    let Some((caller, _)) = found else { return Err(AskError::Silent.into_response()) };
    let (session, secret) = hub.open_session(caller.id).await.map_err(AskError::into_response)?;
    let lasts_s = session.expires.map_or(0, |expires| expires.duration_since(session.created).as_secs());
    let secure = if gate.secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={secret}; Path=/; Max-Age={lasts_s}; HttpOnly; SameSite=Strict{secure}");
    Ok(([(header::SET_COOKIE, cookie)], Json(known(&session.name, &session.role))).into_response())
}

/// Who somebody is.
#[derive(Serialize, ToSchema)]
pub struct Known {
    /// Whose token it is; nobody's on this machine.
    name: String,
    /// What they may do.
    role: String,
}

fn known(name: &str, role: &str) -> Known {
    Known { name: name.to_owned(), role: role.to_owned() }
}

/// Who one is.
#[utoipa::path(
    get,
    path = "/session",
    responses((status = 200, description = "name and role", body = Known), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json")),
)]
pub async fn whoami(Extension(who): Extension<Who>) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (headers, Json(known(&who.name.unwrap_or_default(), who.role.as_str()))).into_response()
}

/// End the session.
#[utoipa::path(
    delete,
    path = "/session",
    responses((status = 204, description = "it is over"), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json")),
)]
pub async fn log_out(State(hub): State<Hub>, Extension(who): Extension<Who>) -> Result<Response, AskError> {
    if let Some(session) = who.id.filter(|id| id.starts_with('s')) {
        hub.revoke(session, who.name.unwrap_or_default()).await?;
    }
    let forget = format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, forget)]).into_response())
}

/// What the first officer types.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    code: String,
    name: String,
}

/// Make the first officer's token, for the code on the console.
#[utoipa::path(
    post,
    path = "/setup",
    request_body = SetUp,
    responses((status = 201, description = "the only time that the token is shown", body = Made), (status = 401, description = "the code is wrong", body = Problem, content_type = "application/problem+json"), (status = 403, description = "there is no set-up now", body = Problem, content_type = "application/problem+json"), (status = 429, description = "too many wrong codes", body = Problem, content_type = "application/problem+json")),
)]
pub async fn set_up(
    State(hub): State<Hub>,
    Extension(gate): Extension<Arc<Gate>>,
    Extension(peer): Extension<Peer>,
    body: Result<Json<SetUp>, JsonRejection>,
) -> Result<Response, Response> {
    let Json(SetUp { code, name }) = body.map_err(unreadable)?;
    let right = hub.keys().is_setup(&code);
    gate.judge(peer, right.then_some("set-up"))?;
    let made = hub.set_up(&code, name).await.map_err(AskError::into_response)?;
    Ok(shown(made))
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
pub struct Made {
    #[serde(flatten)]
    record: TokenRecord,
    /// The token itself.
    token: String,
}

/// The only time that it is shown.
fn shown((record, token): (TokenRecord, String)) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (StatusCode::CREATED, headers, Json(Made { record, token })).into_response()
}

/// All tokens, without what they are known by.
#[utoipa::path(
    get,
    path = "/tokens",
    responses((status = 200, description = "tokens", body = Vec<TokenRecord>), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 403, description = "the role does not allow it", body = Problem, content_type = "application/problem+json")),
)]
pub async fn list(State(hub): State<Hub>) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(hub.keys().list())).into_response()
}

/// A token to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct New {
    name: String,
    role: String,
    days: Option<u32>,
}

/// Make a token.
#[utoipa::path(
    post,
    path = "/tokens",
    request_body = New,
    responses((status = 201, description = "the only time that the token is shown", body = Made), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 403, description = "the role does not allow it", body = Problem, content_type = "application/problem+json"), (status = 409, description = "there are too many", body = Problem, content_type = "application/problem+json"), (status = 422, description = "something given is not possible", body = Problem, content_type = "application/problem+json")),
)]
pub async fn new(
    State(hub): State<Hub>,
    Extension(who): Extension<Who>,
    body: Result<Json<New>, JsonRejection>,
) -> Result<Response, Response> {
    let Json(New { name, role, days }) = body.map_err(unreadable)?;
    let asks = Asks { name, role, days, by: by(who) };
    hub.new_token(asks).await.map(shown).map_err(AskError::into_response)
}

/// End a token and its sessions.
#[utoipa::path(
    delete,
    path = "/tokens/{id}",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "it holds no more", body = TokenRecord), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 403, description = "the role does not allow it", body = Problem, content_type = "application/problem+json"), (status = 404, description = "no such token", body = Problem, content_type = "application/problem+json")),
)]
pub async fn revoke(
    State(hub): State<Hub>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
) -> Result<Response, Response> {
    if !id.starts_with('t') {
        let why = "sessions end with their token, or by logging out";
        return Err(problem(StatusCode::NOT_FOUND, "no such token", why));
    }
    let record = hub.revoke(id, by(who)).await.map_err(AskError::into_response)?;
    Ok(Json(record).into_response())
}

/// Who did it, as the journal says; whoever has the socket of the folder has its records too.
fn by(who: Who) -> String {
    who.name.unwrap_or_else(|| "console".into())
}
