//! A program for each message: its arguments as configured, without a shell; the document on its standard input.

use super::message::Message;
use super::queue::Failure;
use rustix::process::{Pid, Signal, kill_process_group};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

/// A program that takes longer is killed, with all that it started.
const DEADLINE: Duration = Duration::from_secs(10);

/// A contact that is reached by a program.
pub struct Program {
    argv: Vec<String>,
    room: Arc<str>,
}

/// Ends the program's process group when it is dropped: also where a message was given up.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        // One that ended by itself is not there any more.
        let _ = self.0.map(|pid| kill_process_group(pid, Signal::KILL));
    }
}

impl Program {
    /// See [`super::channel::Channel::new`].
    pub fn new(argv: &[String], room: &Arc<str>) -> Self {
        Self { argv: argv.to_vec(), room: room.clone() }
    }

    /// See [`super::channel::Channel::send`].
    pub async fn send(&self, batch: &[Message]) -> Result<(), Failure> {
        let later = |why: String| Failure::Unreached(why, None);
        let Some((program, arguments)) = self.argv.split_first() else {
            return Err(later("no program".into()));
        };
        let mut child = Command::new(program)
            .args(arguments)
            // What this process was given is not that program's business; what it says goes to the same log.
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| later(format!("{program} cannot be started: {error}")))?;
        let group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
        let document = batch[0].document(&self.room, &batch[1..]).to_string();
        let ended = tokio::time::timeout(DEADLINE, fed(&mut child, &document)).await;
        drop(group);
        match ended {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(later(format!("{program}: {status}"))),
            Ok(Err(error)) => Err(later(format!("{program}: {error}"))),
            Err(_) => {
                Err(later(format!("{program} was killed: it took longer than {} s", DEADLINE.as_secs())))
            }
        }
    }
}

async fn fed(child: &mut Child, document: &str) -> std::io::Result<std::process::ExitStatus> {
    if let Some(mut stdin) = child.stdin.take() {
        // A program that reads nothing may be content all the same: its status tells.
        let _ = stdin.write_all(document.as_bytes()).await;
    }
    child.wait().await
}
