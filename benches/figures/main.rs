//! Measures emcon and writes what came out: `docs/detection.md`, `docs/intercept.md`, `docs/performance.md`
//! and `docs/scenarios.md`.
//!
//! ```text
//! cargo bench --bench figures -- [WHAT]... [--seeds N] [--jobs N]
//! ```
//!
//! WHAT is `detection`, `noise`, `confusion`, `recordings`, `throughput`, `memory`, `intercept`, `scenarios` or
//! `pages`; without any, all in turn. `scenarios=3,5:rx-r:a0` are some of the scenarios, on one receiver, in one ambient. What has been measured in this version is not measured again (see `ledger`): interrupt it when you like.

mod air;
mod cases;
mod confusion;
mod detection;
mod intercept;
mod ledger;
mod memory;
mod noise;
mod pages;
mod recordings;
mod scenarios;
mod theory;
mod throughput;
mod trial;
mod watch;

use ledger::{Ledger, Task};
use std::path::Path;
use std::sync::Mutex;

/// What was asked for.
struct Args {
    whats: Vec<String>,
    seeds: Option<u64>,
    jobs: usize,
}

const ALL: [&str; 9] = [
    "throughput",
    "memory",
    "intercept",
    "recordings",
    "detection",
    "confusion",
    "noise",
    "scenarios",
    "pages",
];

fn args() -> Result<Args, String> {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let mut out = Args { whats: Vec::new(), seeds: None, jobs };
    let mut given = std::env::args().skip(1);
    while let Some(arg) = given.next() {
        let mut number = || given.next().and_then(|n| n.parse::<u64>().ok()).filter(|n| *n > 0);
        match arg.as_str() {
            // Cargo says so to every bench.
            "--bench" => {}
            "--seeds" => out.seeds = Some(number().ok_or("--seeds needs a number")?),
            "--jobs" => out.jobs = number().ok_or("--jobs needs a number")? as usize,
            what if ALL.contains(&what) || what.starts_with("scenarios=") => out.whats.push(arg),
            _ => return Err(format!("unknown {arg:?}; one of {}, --seeds N, --jobs N", ALL.join(", "))),
        }
    }
    if out.whats.is_empty() {
        out.whats = ALL.iter().map(|w| w.to_string()).collect();
    }
    Ok(out)
}

fn main() -> std::process::ExitCode {
    match args().and_then(|args| measure(&args)) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("figures: {fault}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn measure(args: &Args) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let version = ledger::version(root).map_err(|e| format!("cannot digest the sources: {e}"))?;
    eprintln!("figures: version {version}");
    let ledger = |name: &str| {
        let path = root.join("docs/figures").join(format!("{name}.jsonl"));
        Ledger::open(&path, &version).map_err(|e| format!("cannot read {}: {e}", path.display()))
    };
    for what in &args.whats {
        let seeds = |usual: u64| args.seeds.unwrap_or(usual);
        let (what, which) = what.split_once('=').unwrap_or((what, ""));
        let tasks = match what {
            "throughput" => throughput::tasks(),
            "memory" => memory::tasks(),
            "intercept" => intercept::tasks()?,
            "recordings" => recordings::tasks(root),
            "detection" => detection::tasks(seeds(10)),
            "confusion" => confusion::tasks(seeds(40)),
            "noise" => noise::tasks(seeds(10)),
            "scenarios" => scenarios::tasks(root, seeds(20), &scenarios::Wanted::of(which)?),
            _ => {
                pages::write(root, &version, &ledger)?;
                continue;
            }
        };
        // Times are taken alone.
        let jobs = if matches!(what, "throughput" | "memory") { 1 } else { args.jobs };
        work(&ledger(what)?, what, tasks, jobs)?;
    }
    Ok(())
}

/// Does what `ledger` does not have yet, `jobs` at a time.
fn work(ledger: &Ledger, name: &str, tasks: Vec<Task>, jobs: usize) -> Result<(), String> {
    let total = tasks.len();
    let left: Vec<Task> = tasks.into_iter().filter(|t| !ledger.has(&t.what, t.seed)).collect();
    eprintln!("figures: {name}: {} of {total} left to measure", left.len());
    let queue = Mutex::new(left.into_iter());
    let faults = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(task) = { queue.lock().map_or(None, |mut q| q.next()) } {
                    let done = (task.run)().and_then(|result| {
                        ledger
                            .put(&task.what, task.seed, result)
                            .map_err(|e| format!("cannot keep a result: {e}"))
                    });
                    match done {
                        Ok(()) => eprintln!("figures: {} seed {}", task.what, task.seed),
                        Err(fault) => {
                            eprintln!("figures: {} seed {}: {fault}", task.what, task.seed);
                            if let Ok(mut all) = faults.lock() {
                                all.push(fault);
                            }
                        }
                    }
                }
            });
        }
    });
    ledger.compact().map_err(|e| format!("cannot rewrite a ledger: {e}"))?;
    let faults = faults.into_inner().unwrap_or_default();
    if faults.is_empty() { Ok(()) } else { Err(format!("{} measurements of {name} failed", faults.len())) }
}
