//! `emcon run` as a service: what the service manager is told, reading the configuration again, and the unit itself.
//!
//! The module of the simulated receiver is the one of `tests/live_verbs.rs`.

// A helper that fails fails its test.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A quiet room.
const SCENE: &str = "name = \"quiet\"\nduration = 600.0\n[receiver]\nmodel = \"rtlsdr\"\ncenter = \"446M\"\n\
                     noise_dbfs_per_hz = -110\n";

/// Longest wait for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

struct Service {
    child: Child,
    socket: UnixDatagram,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    /// With the configuration in `folder`/emcon.toml, which names receiver, records and address.
    fn start(folder: &Path) -> Self {
        let socket = UnixDatagram::bind(folder.join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_emcon"));
        let mut command = Command::new(program);
        if std::env::var_os("SOAPY_SDR_PLUGIN_PATH").is_none() {
            command.env("SOAPY_SDR_PLUGIN_PATH", program.parent().unwrap().parent().unwrap().join("soapy"));
        }
        let mut child = command
            .args(["run", "--standby", "--json", "--quiet", "--park", "446M"])
            .env("EMCON_CONFIG", folder.join("emcon.toml"))
            .env("NOTIFY_SOCKET", folder.join("notify"))
            .env("WATCHDOG_USEC", "2000000")
            .env_remove("WATCHDOG_PID")
            .env_remove("STATE_DIRECTORY")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert!(line.contains("\"url\""), "{line}");
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        Self { child, socket }
    }

    /// Waits until each of `wanted` has begun a message, in any order.
    fn told(&self, wanted: &[&str]) {
        let (begun, mut left, mut told) = (emcon::clock::Monotonic::now(), wanted.to_vec(), Vec::new());
        while !left.is_empty() {
            assert!(begun.elapsed() < PATIENCE, "{left:?} not within {PATIENCE:?}: {told:?}");
            let mut bytes = [0; 4096];
            let count = self.socket.recv(&mut bytes).unwrap_or_else(|error| panic!("{error} after {told:?}"));
            let message = String::from_utf8(bytes[..count].to_vec()).unwrap();
            if let Some(at) = left.iter().position(|wanted| message.starts_with(wanted)) {
                left.remove(at);
            }
            told.push(message);
        }
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

fn configure(folder: &Path, more: &str) {
    std::fs::write(folder.join("scene.toml"), SCENE).unwrap();
    let device = format!("driver=emcon-sim,model=rtlsdr,scene={}", folder.join("scene.toml").display());
    let text = format!("{more}[room]\ndevice = \"{device}\"\ndata = \"records\"\nlisten = \"127.0.0.1:0\"\n");
    std::fs::write(folder.join("emcon.toml"), text).unwrap();
}

/// Entries of the journal of kind `configuration`, after the service ended.
fn noted(folder: &Path) -> Vec<Value> {
    let store = emcon::store::Store::open(&folder.join("records")).unwrap();
    let entries = store.after(0, 1000).unwrap();
    let noted = entries.into_iter().filter(|entry| entry.kind == "configuration");
    noted.map(|entry| serde_json::from_str(&entry.data).unwrap()).collect()
}

#[test]
fn the_service_manager_is_told_and_the_configuration_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), "");
    let mut service = Service::start(dir.path());
    service.told(&["READY=1", "STATUS=STANDBY (standby)", "WATCHDOG=1", "WATCHDOG=1"]);
    // Wrong first: all stays. The watchdog's meals tell that the service lives on.
    configure(dir.path(), "regoin = \"eu\"\n");
    service.signal("-HUP");
    service.told(&["WATCHDOG=1"; 4]);
    configure(dir.path(), "region = \"eu\"\n[policy.secret]\nbans = [\"mobile-phone\"]\n");
    service.signal("-HUP");
    // It is looked for ten times a second, and read within milliseconds.
    service.told(&["WATCHDOG=1"; 4]);
    service.signal("-TERM");
    service.told(&["STOPPING=1"]);
    service.child.wait().unwrap();
    let noted = noted(dir.path());
    assert_eq!(noted.len(), 2, "{noted:?}");
    assert_eq!(noted[0]["applied"], false);
    assert!(
        noted[0]["faults"][0].as_str().unwrap().contains("emcon.toml:1: regoin: unknown key"),
        "{noted:?}"
    );
    assert_eq!(
        noted[1],
        serde_json::json!({ "applied": true, "changed": ["policy.secret.bans"], "at_start": ["region"] })
    );
}

/// The unit by systemd's own tools, with this build in place of the installed program.
#[test]
fn the_unit_is_sound_and_confined() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/emcon.service");
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("SKIPPED: systemd-analyze is not here; the unit was NOT checked");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("emcon.service");
    let text = std::fs::read_to_string(unit).unwrap();
    std::fs::write(&copy, text.replace("/usr/bin/emcon", env!("CARGO_BIN_EXE_emcon"))).unwrap();
    let analyze = |arguments: &[&str]| {
        let output = Command::new("systemd-analyze").args(arguments).arg(&copy).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), said)
    };
    let (sound, said) = analyze(&["verify", "--man=no", "--recursive-errors=no"]);
    // Of other units of this machine it says what it likes.
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("emcon.service")).collect();
    assert!(sound && ours.is_empty(), "{said}");
    // Exposure, of 100: what is left is the network of the page, the receiver's USB and real-time scheduling.
    let (confined, said) = analyze(&["security", "--offline=true", "--threshold=20"]);
    assert!(confined, "{}", said.lines().last().unwrap_or_default());
}
