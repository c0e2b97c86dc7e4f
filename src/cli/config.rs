//! `emcon config`: what the configuration files say, right or wrong.

use super::args::{Common, ConfigArgs, ConfigVerb, OutputArgs};
use super::exit::Exit;
use super::{complain, output_failed};
use crate::config::{Misfit, Survey, schema, survey};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Does it.
pub(super) fn run(args: &ConfigArgs, common: &Common) -> Exit {
    match &args.what {
        ConfigVerb::Check(output) => {
            let mut survey = survey(common.config.as_deref());
            survey.check_secrets();
            check(&survey, output)
        }
        ConfigVerb::Show(output) => show(&survey(common.config.as_deref()), output),
        ConfigVerb::Schema => print(&format!("{:#}\n", schema()), Exit::Ok),
    }
}

fn check(survey: &Survey, output: &OutputArgs) -> Exit {
    let exit = told(survey);
    let files: Vec<_> = survey.files.iter().map(|path| path.display().to_string()).collect();
    if output.json {
        let faults: Vec<Value> = survey.faults.iter().map(fault).collect();
        return print(&format!("{}\n", json!({ "files": files, "faults": faults })), exit);
    }
    match (exit, files.as_slice()) {
        (Exit::Ok, []) => print("no configuration file: what is built in holds\n", exit),
        (Exit::Ok, files) => print(&format!("nothing is wrong with {}\n", files.join(", ")), exit),
        _ => exit,
    }
}

fn show(survey: &Survey, output: &OutputArgs) -> Exit {
    match told(survey) {
        Exit::Ok if output.json => print(&format!("{}\n", survey.as_json()), Exit::Ok),
        Exit::Ok => print(&survey.as_toml(), Exit::Ok),
        exit => exit,
    }
}

/// Complains of all that is wrong.
fn told(survey: &Survey) -> Exit {
    for fault in &survey.faults {
        complain(fault);
    }
    if survey.faults.is_empty() { Exit::Ok } else { Exit::Config }
}

fn fault(fault: &Misfit) -> Value {
    let file = fault.file.as_ref().map(|path| path.display().to_string());
    json!({ "file": file, "line": fault.line, "key": fault.key, "what": fault.what })
}

fn print(text: &str, exit: Exit) -> Exit {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => exit,
        Err(error) => output_failed(&error),
    }
}
