//! One run: the room learned, the meeting guarded, what was said judged.

use super::Case;
use super::list::Expect;
use super::scene::{Ambient, Writer};
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The room is learned for so long, seconds.
const LEARN_S: f64 = 60.0;

/// After a verdict that came late is still told how late, seconds.
const GRACE_S: f64 = 10.0;

/// Runs `case`.
///
/// # Errors
/// emcon cannot be run, or the simulated receiver not be built.
pub fn run(root: &Path, version: &str, case: &Case) -> Result<Map<String, Value>, String> {
    let folder = std::env::temp_dir().join(format!("emcon-scenarios-{}", version.replace('+', "-")));
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let module = module(root)?;
    let baseline = learned(&folder, &module, case)?;
    let bound_s = case.scenario.start_s + case.scenario.bound_s(case.kind);
    let end_s = match case.scenario.expect {
        Expect::Nothing => case.scenario.start_s,
        Expect::Alert { .. } => bound_s + GRACE_S,
    };
    let mut writer = room(case, end_s + 1.0, 2 * case.seed + 1);
    (case.scenario.offender)(&mut writer);
    let scene = folder.join(format!("{}.toml", file_name(case)));
    write(&scene, writer.text())?;
    let mut emcon = emcon(&module, case, &scene, case.seed + 1000);
    emcon.arg("--baseline").arg(&baseline).args(["--for", &end_s.to_string()]);
    let kept = folder.join(format!("{}.jsonl", file_name(case)));
    let heard = listen(emcon, case, bound_s, &kept)?;
    Ok(heard.judged(case, root, bound_s))
}

/// Folder of the simulated receiver's module.
fn module(root: &Path) -> Result<PathBuf, String> {
    if let Some(folder) = std::env::var_os("SOAPY_SDR_PLUGIN_PATH") {
        return Ok(folder.into());
    }
    let output = Command::new(root.join("scripts/sim-module.sh"))
        .output()
        .map_err(|e| format!("cannot build the simulated receiver: {e}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().into())
}

/// The room without the offender.
fn room(case: &Case, seconds: f64, events: u64) -> Writer {
    let mut writer = Writer::new(case.kind, case.scenario.name, seconds);
    if case.ambient == Ambient::Office {
        writer.office(case.seed, events, seconds);
    }
    (case.scenario.place)(&mut writer);
    writer
}

/// The baseline of the case's room: learned, unless one was of the same receiver and scene.
fn learned(folder: &Path, module: &Path, case: &Case) -> Result<PathBuf, String> {
    let writer = room(case, LEARN_S, 2 * case.seed);
    // FNV-1a (Fowler, Noll and Vo 1991) of all that it depends on; the scene's name is no part of that.
    let text = writer.text().replacen(case.scenario.name, "", 1);
    let all = format!("{text}{}{}{}", case.kind.arguments(), case.scenario.region, case.seed);
    let digest = all.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let path = folder.join(format!("baseline-{digest:016x}.json"));
    if path.exists() {
        return Ok(path);
    }
    let scene = folder.join(format!("baseline-{digest:016x}.toml"));
    write(&scene, writer.text())?;
    let part = path.with_extension("part");
    let log = folder.join(format!("baseline-{digest:016x}.jsonl"));
    let log = std::fs::File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
    let mut emcon = emcon(module, case, &scene, case.seed);
    let status = emcon
        .args(["--learn", &LEARN_S.to_string(), "--for", &(LEARN_S + 0.5).to_string(), "--save-baseline"])
        .arg(&part)
        .stdout(log)
        .status()
        .map_err(|e| format!("cannot start emcon: {e}"))?;
    std::fs::rename(&part, &path).map_err(|e| format!("nothing was learned ({status}): {e}"))?;
    Ok(path)
}

fn emcon(module: &Path, case: &Case, scene: &Path, seed: u64) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emcon"));
    let device =
        format!("driver=emcon-sim,pace=0,{},seed={seed},scene={}", case.kind.arguments(), scene.display());
    command.env("SOAPY_SDR_PLUGIN_PATH", module).args([
        "run",
        "--listen",
        "127.0.0.1:0",
        "--json",
        "--quiet",
        "--region",
        case.scenario.region,
        "--device",
        &device,
    ]);
    command
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

fn file_name(case: &Case) -> String {
    format!("{:02}-{}-{}-{}", case.scenario.number, case.kind.word(), case.ambient.word(), case.seed)
}

/// What was said that matters.
#[derive(Default)]
struct Heard {
    /// The first alert on the offender under any name, and the one under the right one: time, signal, device.
    told: Option<(f64, String, String)>,
    named: Option<(f64, String, String)>,
    /// Alerts on anything else.
    others: Vec<Value>,
    /// Whether clipping was told.
    clipped: bool,
    /// End of the latest coverage report or event, seconds.
    seconds: f64,
    lost: u64,
    shed: u64,
}

/// Runs `emcon` until it ends, or the verdict is in; all that it says is kept.
fn listen(mut emcon: Command, case: &Case, bound_s: f64, kept: &Path) -> Result<Heard, String> {
    let mut child = emcon.stdout(Stdio::piped()).spawn().map_err(|e| format!("cannot start emcon: {e}"))?;
    let stdout = child.stdout.take().ok_or("emcon has no output")?;
    let mut copy = std::fs::File::create(kept).map_err(|e| format!("{}: {e}", kept.display()))?;
    let mut heard = Heard::default();
    let mut reports: Map<String, Value> = Map::new();
    for line in BufReader::new(stdout).lines() {
        let line = line.map_err(|e| format!("emcon's output: {e}"))?;
        let _ = std::io::Write::write_all(&mut copy, format!("{line}\n").as_bytes());
        let event: Value = serde_json::from_str(&line).map_err(|e| format!("emcon wrote no JSON: {e}"))?;
        heard.take(case, event, &mut reports);
        if heard.named.is_some() || heard.seconds > bound_s + GRACE_S {
            break;
        }
    }
    // Its sensor ends with it.
    let _ = child.kill();
    let _ = child.wait();
    Ok(heard)
}

impl Heard {
    fn take(&mut self, case: &Case, event: Value, reports: &mut Map<String, Value>) {
        if let Some(at_s) = event["at_s"].as_f64().or(event["last_s"].as_f64()) {
            self.seconds = self.seconds.max(at_s);
        }
        match event["event"].as_str() {
            Some("emitter") => {
                let id = event["id"].as_str().unwrap_or_default().to_string();
                reports.insert(id, event);
            }
            Some("alert") if event["phase"] != "resolved" => {
                let report = event["emitter"].as_str().and_then(|id| reports.get(id));
                self.alert(case, &event, report.unwrap_or(&Value::Null));
            }
            Some("health") => {
                let all = event["conditions"].as_array();
                self.clipped |= all.is_some_and(|all| all.iter().any(|c| c["reason"] == "clipping"));
            }
            Some("coverage") => {
                let count = |key: &str| event["samples"][key].as_u64().unwrap_or(0);
                (self.lost, self.shed) = (count("lost") + count("dropped"), count("shed"));
            }
            _ => {}
        }
    }

    fn alert(&mut self, case: &Case, event: &Value, report: &Value) {
        let word = |key: &str| event[key].as_str().unwrap_or_default().to_string();
        let this = (event["at_s"].as_f64().unwrap_or(0.0), word("signal"), word("device"));
        let late_enough = this.0 >= case.scenario.start_s;
        if let Expect::Alert { devices, mhz, .. } = &case.scenario.expect
            && late_enough
            && is_at(report, *mhz)
        {
            if devices.contains(&this.2.as_str()) {
                self.named.get_or_insert_with(|| this.clone());
            }
            self.told.get_or_insert(this);
            return;
        }
        if event["phase"] == "raised" {
            self.others.push(json!({
                "at_s": this.0, "signal": this.1, "device": this.2,
                "center_hz": report["center_hz"], "bandwidth_hz": report["bandwidth_hz"],
                "power_dbfs": report["power_dbfs"], "bursts": report["bursts"],
            }));
        }
    }

    /// The line of the ledger.
    fn judged(self, case: &Case, root: &Path, bound_s: f64) -> Map<String, Value> {
        let start_s = case.scenario.start_s;
        let verdict = match &case.scenario.expect {
            Expect::Nothing if self.others.is_empty() => "quiet",
            Expect::Nothing => "false alarm",
            Expect::Alert { overload: true, .. } if !self.clipped => "overload not told",
            Expect::Alert { overload: true, .. } if !self.others.is_empty() => "told of what is not there",
            Expect::Alert { .. } => match (&self.named, &self.told) {
                (Some(named), _) if named.0 <= bound_s => "in time",
                (Some(_), _) => "late",
                (None, Some(_)) => "under another name",
                (None, None) => "missed",
            },
        };
        let since = |told: &Option<(f64, String, String)>| {
            told.as_ref().map_or(Value::Null, |(at_s, signal, device)| {
                json!({ "after_s": round(at_s - start_s), "signal": signal, "device": device })
            })
        };
        Map::from_iter([
            ("commit".to_string(), commit(root)),
            ("verdict".into(), verdict.into()),
            ("bound_s".into(), round(bound_s - start_s)),
            ("told".into(), since(&self.told)),
            ("named".into(), since(&self.named)),
            ("others".into(), self.others.into()),
            ("clipped".into(), self.clipped.into()),
            ("seconds".into(), round(self.seconds)),
            ("lost".into(), self.lost.into()),
            ("shed".into(), self.shed.into()),
        ])
    }
}

/// Whether the emitter of `report`, or one of its channels, lies within `mhz`.
fn is_at(report: &Value, mhz: [f64; 2]) -> bool {
    let inside = |hz: &Value| hz.as_f64().is_some_and(|hz| (mhz[0]..=mhz[1]).contains(&(hz / 1e6)));
    inside(&report["center_hz"]) || report["channels_hz"].as_array().is_some_and(|all| all.iter().any(inside))
}

fn round(seconds: f64) -> Value {
    ((seconds * 1e3).round() / 1e3).into()
}

/// The commit that is checked out, if git knows.
fn commit(root: &Path) -> Value {
    let output = Command::new("git").arg("-C").arg(root).args(["rev-parse", "--short=10", "HEAD"]).output();
    match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().into(),
        _ => Value::Null,
    }
}
