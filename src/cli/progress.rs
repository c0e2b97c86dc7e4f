//! How far a replay is and how fast it was, on standard error. The one reader of the clock.

use super::args::Common;
use super::say;
use crate::app::replay::Progress;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Between two drawings of the bar: faster than the eye costs time, slower looks stuck.
const PERIOD: Duration = Duration::from_millis(100);
/// Letters of the bar.
const BAR: usize = 30;

/// The bar, and the stop watch behind it.
pub(super) struct Bar {
    began: Instant,
    drawn: Option<Instant>,
    shown: bool,
    quiet: bool,
}

#[allow(clippy::disallowed_methods, reason = "the edge: what is read here reaches nobody but people")]
fn now() -> Instant {
    Instant::now()
}

impl Bar {
    /// Starts the watch. The bar is shown only on a terminal, and only if standard output does not go there too.
    pub(super) fn start(common: &Common, json: bool) -> Self {
        let shown = io::stderr().is_terminal() && !common.quiet && !(json && io::stdout().is_terminal());
        Self { began: now(), drawn: None, shown, quiet: common.quiet }
    }

    /// Draws, if it is time to.
    pub(super) fn at(&mut self, progress: &Progress) {
        if !self.shown {
            return;
        }
        let now = now();
        if self.drawn.is_some_and(|drawn| now - drawn < PERIOD) {
            return;
        }
        self.drawn = Some(now);
        let elapsed_s = (now - self.began).as_secs_f64().max(1e-9);
        let speed = progress.samples as f64 / elapsed_s / 1e6;
        let line = match progress.duration_s {
            Some(duration_s) => {
                let share = (progress.at_s / duration_s.max(1e-9)).clamp(0.0, 1.0);
                let full = (share * BAR as f64) as usize;
                let (full, rest) = ("#".repeat(full), ".".repeat(BAR - full));
                format!(
                    "[{full}{rest}] {:3.0} %  {:.1} of {duration_s:.1} s  {speed:.1} MS/s",
                    share * 100.0,
                    progress.at_s
                )
            }
            None => format!("{:.1} s  {speed:.1} MS/s", progress.at_s),
        };
        draw(&format!("\r\x1b[2K{line}"));
    }

    /// Removes the bar and says how fast it went.
    pub(super) fn finish(self, samples: u64, duration_s: f64) {
        self.clear();
        if self.quiet {
            return;
        }
        let elapsed_s = (now() - self.began).as_secs_f64().max(1e-9);
        say(&format_args!(
            "{elapsed_s:.2} s for {samples} samples: {:.1} MS/s, {:.1} x real time",
            samples as f64 / elapsed_s / 1e6,
            duration_s / elapsed_s
        ));
    }

    /// Removes the bar.
    pub(super) fn clear(&self) {
        if self.drawn.is_some() {
            draw("\r\x1b[2K");
        }
    }
}

/// A bar that cannot be drawn is no reason to stop.
fn draw(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
