//! Memory of `emcon replay` while samples stream through it, from the system's books.

use crate::ledger::Task;
use serde_json::Map;
use std::io::Write;
use std::process::{Command, Stdio};

/// Stream lengths: if the second takes no more than the first, length costs nothing.
const SECONDS: [u64; 2] = [5, 50];
/// Complex samples a second.
const RATE_HZ: u64 = 20_000_000;

/// One task for each length; the seed is the length.
pub fn tasks() -> Vec<Task> {
    let each = |seconds: u64| Task {
        what: "memory/20 MS/s".into(),
        seed: seconds,
        run: Box::new(move || {
            let peak_kib = peak_kib(seconds)?;
            Ok(Map::from_iter([
                ("seconds".to_string(), seconds.into()),
                ("peak_kib".into(), peak_kib.into()),
            ]))
        }),
    };
    SECONDS.into_iter().map(each).collect()
}

/// Largest resident memory, KiB, of a replay of `seconds` of noise given on standard input.
fn peak_kib(seconds: u64) -> Result<u64, String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_emcon"))
        .args(["replay", "--quiet", "--json", "--format", "cs8", "--rate", "20M", "--freq", "2441M", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|e| format!("cannot start emcon: {e}"))?;
    let fed = feed(&mut child, seconds);
    // Read before the end: the books close with the process.
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    drop(child.stdin.take());
    let exit = child.wait().map_err(|e| format!("cannot wait for emcon: {e}"))?;
    fed.map_err(|e| format!("emcon stopped reading: {e}"))?;
    if !matches!(exit.code(), Some(0 | 3)) {
        return Err(format!("emcon ended with {exit}"));
    }
    let status = status.map_err(|e| format!("cannot read the process's status: {e}"))?;
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().split(' ').next()?.parse().ok());
    peak.ok_or_else(|| "no VmHWM in the process's status".to_string())
}

fn feed(child: &mut std::process::Child, seconds: u64) -> std::io::Result<()> {
    let Some(pipe) = child.stdin.as_mut() else { return Ok(()) };
    // Two rails of three standard deviations of about 2 steps: an 8-bit receiver set up with sense.
    let mut rng = emcon::synth::Rng::new(seconds);
    let block: Vec<u8> = (0..2_000_000).map(|_| (rng.normal() * 2.0).round() as i8 as u8).collect();
    for _ in 0..seconds * RATE_HZ * 2 / block.len() as u64 {
        pipe.write_all(&block)?;
    }
    Ok(())
}
