//! `emcon plan`: what the receivers would do, and what that gives.

use super::args::{Common, PlanArgs};
use super::exit::Exit;
use super::{complain, output_failed};
use crate::app::plan::{self, Asked, Error, Planned};
use crate::config::{self, ConfigError};
use std::io::{self, Write};

/// What is planned for where nothing is said.
const USUAL_RECEIVER: &str = "hackrf";

/// Does it.
pub(super) fn run(args: &PlanArgs, common: &Common) -> Exit {
    let config = match config::load(common.config.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            complain(&error);
            return Exit::Config;
        }
    };
    let receivers =
        if args.receiver.is_empty() { vec![USUAL_RECEIVER.to_string()] } else { args.receiver.clone() };
    let asked = Asked {
        region: args.region.map_or(config.region, |region| region.as_str()).to_string(),
        level: args.level.unwrap_or(config.level),
        receivers,
        settle_s: args.settle,
        devices: args.require.clone(),
    };
    match plan::plan(&asked) {
        Ok(planned) => tell(&planned, args.json).map_or_else(|error| output_failed(&error), |()| Exit::Ok),
        Err(error) => {
            complain(&error);
            match error {
                Error::Config(ConfigError::Invalid { .. } | ConfigError::Misfits(_)) => Exit::Config,
                _ => Exit::Usage,
            }
        }
    }
}

fn tell(planned: &Planned, json: bool) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if json {
        writeln!(stdout, "{}", plan::json::object(planned))
    } else {
        write!(stdout, "{}", plan::table::text(planned))
    }
}
