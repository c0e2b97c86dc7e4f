//! The configuration while emcon runs: read again when somebody asks, and told to whoever subscribed.
//!
//! Whoever needs one section keeps a receiver of [`Configured::subscribe`], and on each change compares its own part with
//! what it had: other sections change too. A configuration with faults is told to nobody; the room's journal has it.

use super::hub::Hub;
use crate::config::{Change, Config, ConfigError, Survey, survey};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;

/// The configuration, and who is told of it.
pub struct Configured {
    /// The main file, if one was named.
    path: Option<PathBuf>,
    /// What was read at the start: what cannot change since is compared with it.
    started: Survey,
    /// What holds.
    holds: Survey,
    told: watch::Sender<Arc<Config>>,
    hub: Hub,
}

impl Configured {
    /// Of the main file `path`, or the usual places, as `started` was read from them.
    ///
    /// # Errors
    /// It has changed on disk since, and is wrong now.
    pub fn new(path: Option<PathBuf>, started: Survey, hub: Hub) -> Result<Self, ConfigError> {
        let holds = survey(path.as_deref());
        let told = watch::Sender::new(Arc::new(holds.checked()?.clone()));
        Ok(Self { path, started, holds, told, hub })
    }

    /// The configuration: what holds now, and each that follows.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Config>> {
        self.told.subscribe()
    }

    /// Reads it again. If anything is wrong all stays as it was.
    pub fn reload(&mut self) {
        let next = survey(self.path.as_deref());
        let config = match next.checked() {
            Ok(config) => Arc::new(config.clone()),
            Err(error) => {
                tracing::error!("the configuration stays as it was: {error}");
                let faults: Vec<String> = next.faults.iter().map(ToString::to_string).collect();
                return self
                    .hub
                    .note("configuration", json!({ "applied": false, "faults": faults }).to_string());
            }
        };
        let keys = |changes: Vec<Change>, at_start: bool| -> Vec<String> {
            changes
                .into_iter()
                .filter(|change| change.at_start == at_start)
                .map(|change| change.key)
                .collect()
        };
        let changed = keys(next.changes(&self.holds), false);
        let at_start = keys(next.changes(&self.started), true);
        if at_start.is_empty() {
            tracing::info!("the configuration was read again; changed: {}", listed(&changed));
        } else {
            tracing::warn!(
                "the configuration was read again; changed: {}; from the next start on only: {}",
                listed(&changed),
                listed(&at_start)
            );
        }
        self.hub.set_policies(config.policies.clone());
        self.hub.note(
            "configuration",
            json!({ "applied": true, "changed": changed, "at_start": at_start }).to_string(),
        );
        self.holds = next;
        self.told.send_replace(config);
    }
}

fn listed(keys: &[String]) -> String {
    if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") }
}
