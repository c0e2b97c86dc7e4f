//! The control socket: one verb a line, each answered with `ok` or `error: ` and a sentence.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::Board;

/// Longest line, bytes.
const LONGEST: u64 = 4096;

/// How often a socket that another process serves is looked at again.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Listens at `path` for as long as the process lives, once no other process does.
///
/// # Errors
/// A sentence if there can be no socket.
pub fn serve(path: &Path, board: Arc<Board>) -> Result<(), String> {
    let mut claimed = claim(path)?;
    let path = path.to_owned();
    let listen = move || {
        let listener = loop {
            match claimed.take() {
                Some(listener) => break listener,
                None => {
                    thread::sleep(LOOK_EVERY);
                    claimed = claim(&path).unwrap_or_default();
                }
            }
        };
        for stream in listener.incoming().flatten() {
            let board = board.clone();
            // Without a thread the line goes unanswered, which whoever sent it sees.
            let _ = thread::Builder::new()
                .name("emcon-sim verbs".to_owned())
                .spawn(move || answer(&stream, &board));
        }
    };
    let spawned = thread::Builder::new().name("emcon-sim control".to_owned()).spawn(listen);
    spawned.map(|_| ()).map_err(|error| format!("emcon-sim: control: no thread for the socket: {error}"))
}

/// Takes the socket; `None` if another process serves it.
fn claim(path: &Path) -> Result<Option<UnixListener>, String> {
    let failed =
        |error: io::Error| format!("emcon-sim: control={}: no socket there: {error}", path.display());
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            let path = path.display();
            Err(format!("emcon-sim: control={path}: exists and is no socket; name another path"))
        }
        Ok(_) if UnixStream::connect(path).is_ok() => Ok(None),
        // Left behind by a process that is gone.
        Ok(_) => fs::remove_file(path).and_then(|()| UnixListener::bind(path)).map(Some).map_err(failed),
        Err(_) => UnixListener::bind(path).map(Some).map_err(failed),
    }
}

fn answer(stream: &UnixStream, board: &Board) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        if reader.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&line);
        let reply =
            board.obey(line.trim()).map_or_else(|error| format!("error: {error}\n"), |()| "ok\n".to_owned());
        (&*stream).write_all(reply.as_bytes())?;
    }
}
