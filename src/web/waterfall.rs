//! The live waterfall over a WebSocket: binary frames as docs/waterfall.md has them. Lossy: who is slow misses rows.

use super::api::{Problem, problem};
use crate::app::hub::{Hub, Watcher};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// A row must leave within this time, or nobody is there to take it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest message that a watcher may send; none is needed.
const HEARD_MAX: usize = 1024;

/// Levels by frequency as they come, over a WebSocket: docs/waterfall.md.
#[utoipa::path(
    get,
    path = "/waterfall",
    responses((status = 101, description = "binary messages follow"), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json"), (status = 503, description = "too many watch", body = Problem, content_type = "application/problem+json")),
)]
pub async fn waterfall(
    State(hub): State<Hub>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(why) => {
            let (status, detail) = (why.status(), why.body_text());
            return problem(status, "a WebSocket", &detail);
        }
    };
    let Some(watcher) = hub.waterfall().watch() else {
        let why = "as many watch the waterfall as may; close a page that shows it";
        return problem(StatusCode::SERVICE_UNAVAILABLE, "too many", why);
    };
    // Nothing is held back to be sent later.
    let upgrade = upgrade.max_message_size(HEARD_MAX).max_frame_size(HEARD_MAX).write_buffer_size(0);
    upgrade.on_upgrade(|socket| show(socket, watcher)).into_response()
}

/// Until the watcher leaves, is too slow for too long, or the room ends.
async fn show(mut socket: WebSocket, mut watcher: Watcher) {
    loop {
        tokio::select! {
            row = watcher.next() => {
                let Some(row) = row else { return };
                let sent = socket.send(Message::Binary(Bytes::copy_from_slice(&row)));
                if !matches!(tokio::time::timeout(PATIENCE, sent).await, Ok(Ok(()))) {
                    return;
                }
            }
            // Pings are answered beneath; whatever else is said means nothing.
            heard = socket.recv() => if !matches!(heard, Some(Ok(_))) {
                return;
            },
        }
    }
}
