//! A room's everyday and its offenders, through the simulated receiver and the two processes that guard live: whether
//! the right alert comes in time, and none where nothing is wrong.
//!
//! Every run is of simulated time (`pace=0`): seconds are the scene's. First the room's ambient is learned from a minute
//! without the offender, then the meeting begins, with that baseline, and ends with the verdict or the bound. Waiting
//! before the offender comes is shortened; how it behaves from then on is not.

mod list;
mod run;
mod scene;

use crate::ledger::Task;
use list::{SCENARIOS, Scenario};
use scene::{Ambient, Kind};
use std::path::Path;

/// Everything known of one run before it is made.
struct Case {
    scenario: &'static Scenario,
    kind: Kind,
    ambient: Ambient,
    seed: u64,
}

/// What is asked for: `scenarios` is all, `scenarios=3,5:rx-r:a0` some of them.
pub struct Wanted {
    numbers: Vec<u8>,
    words: Vec<String>,
}

impl Wanted {
    /// Of the text after `scenarios=`.
    ///
    /// # Errors
    /// What it is not.
    pub fn of(text: &str) -> Result<Self, String> {
        let mut out = Self { numbers: Vec::new(), words: Vec::new() };
        for (n, part) in text.split(':').enumerate() {
            match part {
                "" => {}
                "rx-h" | "rx-h-slow" | "rx-r" | "a0" | "a1" => out.words.push(part.to_string()),
                _ if n == 0 => {
                    let number = |word: &str| word.parse().map_err(|_| format!("no scenario {word:?}"));
                    out.numbers = part.split(',').map(number).collect::<Result<_, _>>()?;
                }
                _ => return Err(format!("{part:?} is neither a receiver nor an ambient")),
            }
        }
        Ok(out)
    }

    fn has(&self, case: &Case) -> bool {
        let one_of = |words: &[&str], own: &str| {
            let mut named = self.words.iter().filter(|word| words.contains(&word.as_str())).peekable();
            named.peek().is_none() || named.any(|word| word == own)
        };
        (self.numbers.is_empty() || self.numbers.contains(&case.scenario.number))
            // The slow variant is asked for by name.
            && (case.kind != Kind::HackRfSlow || self.words.iter().any(|word| word == "rx-h-slow"))
            && one_of(&["rx-h", "rx-h-slow", "rx-r"], case.kind.word())
            && one_of(&["a0", "a1"], case.ambient.word())
    }
}

/// One task for each scenario, receiver, ambient and seed.
pub fn tasks(root: &Path, seeds: u64, wanted: &Wanted) -> Vec<Task> {
    let version = crate::ledger::version(root).unwrap_or_default();
    let mut out = Vec::new();
    for seed in 1..=seeds {
        for scenario in SCENARIOS {
            for (kind, ambient) in scenario.rooms() {
                let case = Case { scenario, kind, ambient, seed };
                if !wanted.has(&case) {
                    continue;
                }
                let (root, version) = (root.to_path_buf(), version.clone());
                out.push(Task {
                    what: name(scenario.number, kind, ambient),
                    seed,
                    run: Box::new(move || run::run(&root, &version, &case)),
                });
            }
        }
    }
    out
}

/// Names of all that may have been measured, with the scenario's own words.
pub fn names() -> Vec<(String, &'static str)> {
    let each = |scenario: &'static Scenario| {
        let rooms = scenario.rooms().into_iter();
        rooms.map(move |(kind, ambient)| (name(scenario.number, kind, ambient), scenario.name))
    };
    SCENARIOS.iter().flat_map(each).collect()
}

fn name(number: u8, kind: Kind, ambient: Ambient) -> String {
    format!("scenarios/{number:02}/{}/{}", kind.word(), ambient.word())
}
