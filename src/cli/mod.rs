//! Verbs, options and exit statuses: what is typed to what is done, and what came of it to a status.

mod alerts;
pub mod args;
mod calendar;
mod client;
mod config;
mod demo;
mod devices;
mod doctor;
pub mod exit;
mod live;
mod logging;
mod meeting;
mod notify;
mod pages;
mod plan;
mod progress;
mod quantity;
pub mod receiver_args;
mod record;
mod relay;
mod replay;
mod room;
pub mod room_args;
mod scan;
mod status;
mod synth;
mod token;

use crate::recording::printable;
use args::{Cli, Common, Verb};
use clap::{ColorChoice, CommandFactory, FromArgMatches};
use exit::Exit;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// Runs the command line that this process was started with.
pub fn main() -> ExitCode {
    let plain = std::env::args_os().any(|word| word == "--no-color");
    let color = if plain { ColorChoice::Never } else { ColorChoice::Auto };
    let parsed = Cli::command().color(color).try_get_matches().and_then(|m| Cli::from_arg_matches(&m));
    match parsed {
        Ok(cli) => run(&cli).into(),
        Err(error) => {
            // Nobody is left to be told that nobody listens.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8))
        }
    }
}

fn run(cli: &Cli) -> Exit {
    logging::start(&cli.common);
    match &cli.verb {
        Verb::Replay(args) => replay::run(args, &cli.common),
        Verb::Synth(args) => synth::run(args, &cli.common),
        Verb::Run(args) => live::run(args, &cli.common),
        Verb::Demo(args) => demo::run(args, &cli.common),
        Verb::Status(args) => status::run(args),
        Verb::Meeting(args) => meeting::run(args),
        Verb::Alerts(args) => alerts::run(args),
        Verb::Calendar(args) => calendar::run(args),
        Verb::Token(args) => token::run(args, &cli.common),
        Verb::Sense(args) => live::sensor(args, &cli.common),
        Verb::Plan(args) => plan::run(args, &cli.common),
        Verb::Devices(args) => devices::run(args),
        Verb::Doctor(args) => doctor::run(args, &cli.common),
        Verb::Scan(args) => scan::run(args, &cli.common),
        Verb::Record(args) => record::run(args, &cli.common),
        Verb::Notify(args) => notify::run(args, &cli.common),
        Verb::Config(args) => config::run(args, &cli.common),
        Verb::Completions(args) => pages::completions(args),
        Verb::Man(args) => pages::man(args),
    }
}

/// Says what went wrong, in one line on standard error.
fn complain(what: &dyn std::fmt::Display) {
    say(&format_args!("emcon: {}", printable(&what.to_string())));
}

/// A line on standard error. That nobody can be told is no reason to stop.
fn say(line: &dyn std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Whether to colour what goes to `stream` (no-color.org: any value but an empty one forbids).
fn colored(stream: &impl IsTerminal, common: &Common) -> bool {
    let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    stream.is_terminal() && !common.no_color && !forbidden && !dumb
}

/// The status after standard output failed: quiet if its reader left.
fn output_failed(error: &io::Error) -> Exit {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Exit::BrokenPipe;
    }
    complain(&format_args!("cannot write standard output: {error}"));
    Exit::Io
}
