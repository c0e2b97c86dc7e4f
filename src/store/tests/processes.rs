//! Several processes, killed ones, and a disk of their own that becomes full: this binary runs itself.

use super::*;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use tempfile::tempdir;

const FOLDER: &str = "EMCON_STORE_TEST_FOLDER";

/// The arguments that have this binary run one helper below and nothing else.
fn only(helper: &str) -> [String; 4] {
    ["--exact".into(), format!("store::tests::processes::{helper}"), "--ignored".into(), "--nocapture".into()]
}

/// A process that appends without end, and its output once it has the store.
fn appending(folder: &Path) -> (Child, impl Iterator<Item = i64> + use<>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(only("appends_until_killed"))
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, acknowledged(lines))
}

fn acknowledged(lines: std::io::Lines<BufReader<ChildStdout>>) -> impl Iterator<Item = i64> {
    // What a kill cut short does not count.
    lines
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("acknowledged ")?.strip_suffix('.')?.parse().ok())
}

#[test]
#[ignore = "run by the tests below, as a process of its own"]
fn appends_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut store = Store::open(Path::new(&folder)).unwrap();
    loop {
        let number = store.record(&new("tick", 1, "{\"a\":1}"), Some(&alert("a1", 1)), None).unwrap().number;
        println!("\nacknowledged {number}.");
    }
}

#[test]
fn a_kill_in_the_middle_of_appending_loses_nothing_acknowledged() {
    let folder = tempdir().unwrap();
    let mut last = 0;
    for round in 0..5 {
        let (mut child, mut numbers) = appending(folder.path());
        let seen = 20 + 40 * round;
        assert!(numbers.nth(seen - 1).is_some());
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged = numbers.last().unwrap_or(0);
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.recovered(), None);
        let entries = store.after(0, usize::MAX).unwrap();
        let head = store.last_number().unwrap();
        assert!(head >= acknowledged.max(last + seen as i64), "{head} < {acknowledged}, {last} + {seen}");
        assert_eq!(numbers_to(head), super::numbers(&entries));
        store.verify().unwrap();
        last = head;
    }
}

fn numbers_to(last: i64) -> Vec<i64> {
    (1..=last).collect()
}

#[test]
fn a_second_process_is_refused_and_told_the_folder() {
    let folder = tempdir().unwrap();
    let (mut child, mut numbers) = appending(folder.path());
    assert!(numbers.next().is_some());
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenStoreError::InUse { .. }), "{error}");
    assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(Store::open(folder.path()).unwrap().last_number().unwrap() > 0);
}

#[test]
#[ignore = "run by the test below, on a disk of its own"]
fn fills_the_disk() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut store = Store::open(Path::new(&folder)).unwrap();
    let data = format!("{{\"a\":\"{}\"}}", "x".repeat(20_000));
    assert!(!store.short_of_space());
    let mut kept = 0;
    while !store.short_of_space() {
        kept = store.append(&new("tick", kept, &data)).unwrap().number;
    }
    // That one succeeded, and so do more until only the room to prune in is left.
    let at_first = kept;
    let error = loop {
        match store.append(&new("tick", kept, &data)) {
            Ok(entry) => kept = entry.number,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(kept > at_first + 50, "{at_first} {kept}");
    assert_eq!(store.after(0, usize::MAX).unwrap().len() as i64, kept);
    drop(store);
    // A start on such a disk.
    let mut store = Store::open(Path::new(&folder)).unwrap();
    assert_eq!(store.recovered(), None);
    assert_eq!(store.after(0, usize::MAX).unwrap().len() as i64, kept);
    assert!(store.short_of_space());
    assert_eq!(store.prune(at(kept - 10)).unwrap() as i64, kept - 10);
    assert!(!store.short_of_space());
    assert_eq!(store.append(&new("tick", kept, &data)).unwrap().number, kept + 1);
    store.verify().unwrap();
    println!("\nfilled {kept}");
}

/// Needs a kernel that lets a user mount a file system of their own; elsewhere the stand-in of `files` must do.
#[test]
fn a_full_disk_takes_one_more_write_and_recovers_by_pruning() {
    let folder = tempdir().unwrap();
    let own_disk = |command: &str| {
        let mut unshare = Command::new("unshare");
        unshare.args(["-rm", "sh", "-c"]);
        unshare.arg(format!("mount -t tmpfs -o size=16m none \"${FOLDER}\" && exec {command}"));
        unshare.env(FOLDER, folder.path());
        unshare
    };
    if !own_disk("true").output().is_ok_and(|output| output.status.success()) {
        return;
    }
    let output = own_disk("\"$0\" \"$@\"")
        .arg(std::env::current_exe().unwrap())
        .args(only("fills_the_disk"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("filled "), "{said}");
}
