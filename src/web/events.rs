//! Server-sent events: the state at least once a second, and all that happens, in order and without gaps.
//!
//! Entries of the journal carry their number as `id`. Who comes back with `Last-Event-ID` gets what was missed from the
//! store, page by page; so does who fell behind the broadcast. States and refreshed figures have no number: of those
//! only the latest counts.

use super::api::Problem;
use super::guard::Who;
use crate::access::Role;
use crate::app::hub::{Hub, Stated, Told};
use crate::clock;
use crate::store::Entry;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;

/// The state is sent again after this time without a change: a client believes it for five seconds.
const RENEWAL: Duration = Duration::from_secs(1);
/// Entries read at a time.
const PAGE: usize = 256;

struct Listener {
    hub: Hub,
    who: Who,
    tokens: watch::Receiver<u64>,
    told: broadcast::Receiver<Arc<Told>>,
    state: watch::Receiver<Stated>,
    renewal: tokio::time::Interval,
    /// The number of the last entry that was sent, or that was there before.
    last: i64,
    /// What must be read from the store.
    missed: bool,
    waiting: VecDeque<Event>,
}

/// All that happens, as server-sent events: `state`, `alert`, `meeting`, `changed`, `emitter`. `Last-Event-ID` replays what was missed.
#[utoipa::path(
    get,
    path = "/events",
    params(("last-event-id" = Option<i64>, Header, description = "Number of the entry that was got last")),
    responses((status = 200, description = "a stream that does not end", content_type = "text/event-stream"), (status = 401, description = "who asks is not known", body = Problem, content_type = "application/problem+json")),
)]
pub async fn events(
    State(hub): State<Hub>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let told = hub.listen();
    let latest = hub.figures().number.load(Ordering::Relaxed);
    let listener = Listener {
        told,
        who,
        tokens: hub.keys().changed(),
        state: hub.state(),
        renewal: tokio::time::interval(RENEWAL),
        missed: seen.is_some(),
        // Numbers of a room that began anew are smaller.
        last: seen.map_or(latest, |seen: i64| seen.min(latest)),
        waiting: VecDeque::new(),
        hub,
    };
    let stream = stream::unfold(listener, |mut listener| async {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        loop {
            // Who is no longer known is told no more; asked again with each state, since a token's time ends too.
            if self.who.id.as_ref().is_some_and(|id| !self.hub.keys().holds(id, clock::utc())) {
                return None;
            }
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.missed {
                self.catch_up().await;
                continue;
            }
            tokio::select! {
                told = self.told.recv() => match told {
                    Ok(told) => self.take(&told),
                    Err(RecvError::Lagged(_)) => self.missed = true,
                    Err(RecvError::Closed) => return None,
                },
                Ok(()) = self.tokens.changed() => {}
                _ = self.renewal.tick() => {
                    let stated = self.state.borrow().clone();
                    // What a room that hangs said last is no state.
                    if stated.is_fresh() {
                        self.waiting.push_back(event(None, "state", &stated.text));
                    }
                }
            }
        }
    }

    fn take(&mut self, told: &Told) {
        // A page of the store may have had it already.
        if told.number.is_some_and(|number| number <= self.last) {
            return;
        }
        self.last = told.number.unwrap_or(self.last);
        if self.may_know(told.kind) {
            self.waiting.push_back(event(told.number, told.kind, &told.data));
            if let Some(raised_s) = told.raised_s {
                self.hub.figures().latency.add(clock::monotonic_s() - raised_s);
            }
        }
        if told.kind == "changed" {
            let text = self.state.borrow().text.clone();
            self.waiting.push_back(event(None, "state", &text));
        }
    }

    /// Who holds which token is the officers' business.
    fn may_know(&self, kind: &str) -> bool {
        kind != "access" || self.who.role == Role::Officer
    }

    async fn catch_up(&mut self) {
        match self.hub.after(self.last, PAGE).await {
            Ok(entries) => {
                self.missed = entries.len() == PAGE;
                for Entry { number, kind, data, .. } in entries {
                    self.last = number;
                    if self.may_know(&kind) {
                        self.waiting.push_back(event(Some(number), &kind, &data));
                    }
                }
            }
            // The room is stuck: what it tells once it is not comes in time.
            Err(_) => tokio::time::sleep(RENEWAL).await,
        }
    }
}

fn event(number: Option<i64>, kind: &str, data: &str) -> Event {
    let event = Event::default().event(kind).data(data);
    number.into_iter().fold(event, |event, number| event.id(number.to_string()))
}
