//! The program's own log, on standard error.

use super::args::Common;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Starts logging: as loud as `-q` and `-v` say, or as `EMCON_LOG` says in the directives of `tracing`.
pub(super) fn start(common: &Common) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let filter =
        EnvFilter::builder().with_default_directive(level.into()).with_env_var("EMCON_LOG").from_env_lossy();
    let stderr = std::io::stderr();
    let color = super::colored(&stderr, common) && stderr.is_terminal();
    let subscriber = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(color).without_time();
    // A second start within one process (tests) keeps the first.
    let _ = subscriber.with_env_filter(filter).try_init();
}
