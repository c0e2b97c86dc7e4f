//! The control socket: one verb a line, each answered with `ok` or `error: ` and a sentence.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use super::Board;

/// Longest line, bytes.
const LONGEST: u64 = 4096;

/// Listens at `path` for as long as the process lives; false if another process does.
///
/// # Errors
/// A sentence if there can be no socket.
pub fn serve(path: &Path, board: Arc<Board>) -> Result<bool, String> {
    let failed =
        |error: io::Error| format!("emcon-sim: control={}: no socket there: {error}", path.display());
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(format!(
                "emcon-sim: control={}: exists and is no socket; name another path",
                path.display()
            ));
        }
        Ok(_) if UnixStream::connect(path).is_ok() => return Ok(false),
        // Left behind by a process that is gone.
        Ok(_) => fs::remove_file(path).map_err(failed)?,
        Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    let listen = move || {
        for stream in listener.incoming().flatten() {
            let board = board.clone();
            // Without a thread the line goes unanswered, which whoever sent it sees.
            let _ = thread::Builder::new()
                .name("emcon-sim verbs".to_owned())
                .spawn(move || answer(&stream, &board));
        }
    };
    thread::Builder::new().name("emcon-sim control".to_owned()).spawn(listen).map_err(failed)?;
    Ok(true)
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
