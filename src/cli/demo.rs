//! `emcon demo`: a simulated room and a scripted meeting through the same two processes, on the page.

use super::args::{Common, DemoArgs};
use super::exit::Exit;
use super::relay::Relay;
use super::room::{Listen, OpenRoom, Telling, stopped_by_signals};
use super::{colored, complain, output_failed};
use crate::app::hub::{Hub, Start};
use crate::app::live::{LinesLive, LiveParams, RoomLive, guard};
use crate::app::receiver::Chosen;
use crate::clock;
use crate::config;
use crate::pipeline::BackParams;
use crate::policy::{Level, Policies, ROOM_M};
use crate::sensor::SensorCommand;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is heard.
const SCENE: &str = include_str!("../../config/scenes/demo.toml");
/// The simulated receiver's module.
const MODULE: &str = "libemcon_sim.so";
/// The surroundings are learned for so long, seconds: some rounds of the sweep.
const LEARN_S: f64 = 22.0;

/// What happens, and when: seconds from the start.
const SCRIPT: &[(f64, Act)] = &[
    (0.0, Act::Say("the surroundings are learned, nothing is banned")),
    (25.0, Act::Begin),
    (45.0, Act::Say("a telephone is in a call")),
    (64.0, Act::Acknowledge("the telephone was taken out of the room")),
    (70.0, Act::Say("a walkie-talkie at the door")),
    (92.0, Act::Say("a headset, then a keyboard")),
    (124.0, Act::Acknowledge("walkie-talkie, headset and keyboard were switched off")),
    (142.0, Act::Say("a microphone under the table")),
    (165.0, Act::Acknowledge("the microphone was found")),
    (170.0, Act::Break("vanish 8s")),
    (200.0, Act::End),
];
/// The script is over, seconds.
const END_S: f64 = 204.0;

enum Act {
    Say(&'static str),
    Begin,
    /// All that is open, with this note.
    Acknowledge(&'static str),
    /// A fault of the receiver.
    Break(&'static str),
    End,
}

/// `emcon demo`.
pub(super) fn run(args: &DemoArgs, common: &Common) -> Exit {
    let failed = |error: &dyn std::fmt::Display, exit| {
        complain(error);
        exit
    };
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            return failed(&format_args!("cannot find myself to start the sensor: {error}"), Exit::Io);
        }
    };
    let Some(modules) = modules(&program) else {
        let why = format!(
            "the simulated receiver ({MODULE}) is not found beside {}: build it with scripts/sim-module.sh",
            program.display()
        );
        return failed(&why, Exit::NoInput);
    };
    let folder = match tempfile() {
        Ok(folder) => folder,
        Err(error) => return failed(&error, Exit::CannotCreate),
    };
    let (scene, control) = (folder.0.join("scene.toml"), folder.0.join("control"));
    if let Err(error) = std::fs::write(&scene, SCENE) {
        return failed(&format_args!("{}: {error}", scene.display()), Exit::CannotCreate);
    }
    let device =
        format!("driver=emcon-sim,model=hackrf,scene={},control={}", scene.display(), control.display());
    let parts = config::region("cn")
        .map_err(|error| error.to_string())
        .and_then(|region| Ok((region, config::signatures().map_err(|error| error.to_string())?)))
        .and_then(|(region, signatures)| {
            let chosen = Chosen::of(Some(&device), Some("hackrf")).map_err(|error| error.to_string())?;
            Ok((region, signatures, chosen))
        });
    let (band_plan, signatures, chosen) = match parts {
        Ok(parts) => parts,
        Err(error) => return failed(&error, Exit::Config),
    };
    let stop = match stopped_by_signals() {
        Ok(stop) => stop,
        Err(exit) => return exit,
    };
    let epoch = clock::utc();
    // A play is nobody's business outside this machine.
    let telling = Telling { contacts: &[], room: "" };
    let listen = Listen::Anywhere(args.listen);
    let (web, policies) = (config::Web::default(), Policies::default());
    let room = match OpenRoom::open(None, Start::Standby, epoch, listen, &web, policies, telling) {
        Ok(room) => room,
        Err(exit) => return exit,
    };
    let arguments = ["sense", "--device", &device, "--receiver", "hackrf", "--region", "cn", "--quiet"];
    let params = LiveParams {
        command: SensorCommand {
            program,
            arguments: arguments.iter().map(Into::into).collect(),
            environment: vec![("SOAPY_SDR_PLUGIN_PATH".into(), modules.into_os_string())],
            patient: chosen.is_patient(),
        },
        back: BackParams {
            band_plan,
            signatures,
            level: Level::Open,
            baseline: None,
            learn_s: LEARN_S,
            gate: chosen.gate(ROOM_M),
        },
        for_s: (!args.stay).then_some(END_S),
        policies: Some(room.policies()),
    };
    let mut stdout = match Relay::new(io::stdout(), false) {
        Ok(stdout) => stdout,
        Err(error) => return output_failed(&error),
    };
    if let Err(error) = room.announce(&mut stdout, false, common.quiet) {
        return output_failed(&error);
    }
    room.spawn(play(room.hub(), control));
    let lines = LinesLive::new(stdout, epoch, colored(&io::stdout(), common), common.verbose > 0);
    let guarded = guard(params, &mut RoomLive::new(room.hub(), lines), &stop);
    drop(room);
    match guarded {
        Ok(guarded) => guarded.refused.map_or(Exit::Ok, |why| failed(&why, Exit::Config)),
        Err(error) => output_failed(&error),
    }
}

/// The folder of the simulated receiver's module: as built, or as installed.
fn modules(program: &Path) -> Option<PathBuf> {
    let beside = program.parent()?;
    let up = beside.parent()?;
    let folders = [up.join("soapy"), beside.join("soapy"), up.join("lib/emcon/soapy")];
    folders.into_iter().find(|folder| folder.join(MODULE).exists())
}

/// A folder that is removed when it is dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the folder for temporary files is nobody's loss.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn tempfile() -> io::Result<Folder> {
    let folder = std::env::temp_dir().join(format!("emcon-demo-{}", std::process::id()));
    std::fs::create_dir(&folder)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))?;
    Ok(Folder(folder))
}

/// Plays the script.
async fn play(hub: Hub, control: PathBuf) {
    let start = clock::Monotonic::now();
    for (at_s, act) in SCRIPT {
        let wait_s = at_s - start.elapsed().as_secs_f64();
        tokio::time::sleep(Duration::from_secs_f64(wait_s.max(0.0))).await;
        let done = match act {
            Act::Say(what) => {
                tracing::info!("{what}");
                Ok(())
            }
            Act::Begin => hub
                .begin("Quarterly figures".into(), Level::Confidential.as_str().into(), None)
                .await
                .map(|_| tracing::info!("a confidential meeting begins")),
            Act::Acknowledge(note) => acknowledge(&hub, note).await,
            Act::Break(verb) => {
                tracing::info!("the receiver is unplugged for eight seconds");
                if let Err(error) = tell(&control, verb) {
                    tracing::warn!("cannot break the receiver: {error}");
                }
                Ok(())
            }
            Act::End => hub.end().await.map(|_| tracing::info!("the meeting ends")),
        };
        if let Err(error) = done {
            tracing::warn!("{error}");
        }
    }
}

async fn acknowledge(hub: &Hub, note: &str) -> Result<(), crate::app::hub::AskError> {
    for alert in hub.alerts(None, 1000).await? {
        if alert.is_open() {
            hub.acknowledge(alert.id, "Organizer".into(), note.into()).await?;
        }
    }
    tracing::info!("the organizer acknowledges: {note}");
    Ok(())
}

fn tell(control: &Path, verb: &str) -> io::Result<()> {
    let mut stream = UnixStream::connect(control)?;
    writeln!(stream, "{verb}")
}
