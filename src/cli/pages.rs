//! What is generated from the definition of the command line: completions and man pages.

use super::args::{Cli, CompletionsArgs, ManArgs};
use super::exit::Exit;
use super::{complain, output_failed};
use clap::{Command, CommandFactory};
use std::io::{self, Write};

/// Prints a shell's completion script.
pub(super) fn completions(args: &CompletionsArgs) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "emcon", &mut script);
    print(&script)
}

/// Prints a man page.
pub(super) fn man(args: &ManArgs) -> Exit {
    let mut whole = Cli::command();
    // Options of every verb reach the verbs only then.
    whole.build();
    let command = match &args.verb {
        None => whole,
        Some(verb) => match whole.find_subcommand(verb) {
            Some(found) => named(found, verb),
            None => {
                let verbs: Vec<&str> = whole.get_subcommands().map(Command::get_name).collect();
                complain(&format_args!("no verb {verb:?}: there are {}", verbs.join(", ")));
                return Exit::Usage;
            }
        },
    };
    let mut page = Vec::new();
    match clap_mangen::Man::new(command).render(&mut page) {
        Ok(()) => print(&page),
        Err(error) => output_failed(&error),
    }
}

fn named(command: &Command, verb: &str) -> Command {
    let name: &'static str = String::leak(format!("emcon-{verb}"));
    command.clone().name(name)
}

fn print(text: &[u8]) -> Exit {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Ok(()) => Exit::Ok,
        Err(error) => output_failed(&error),
    }
}
