//! Output of what must go on: who reads it may stall, and guarding waits for nobody who reads.
//!
//! A thread writes. What it cannot take is left out, whole texts at a time, and that is said on standard error.

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, TrySendError, bounded};
use std::io::{self, Write};
use std::thread;
use std::time::Duration;

/// Texts that wait, each what was said between two flushes: some seconds of the busiest band.
const WAITING: usize = 4096;
/// At the end, what waits has this long.
const LAST: Duration = Duration::from_secs(2);

/// A writer that never waits for whom it writes to, unless it is to.
pub struct Relay {
    held: Vec<u8>,
    /// None once it ends.
    texts: Option<Sender<Vec<u8>>>,
    /// Why the thread ended.
    ended: Receiver<io::Error>,
    /// Nothing is left out: who is written to sets the pace.
    waits: bool,
    left_out: u64,
}

impl Relay {
    /// Writes to `to`; waits for it if `waits`.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn new(mut to: impl Write + Send + 'static, waits: bool) -> io::Result<Self> {
        let (texts, taken) = bounded::<Vec<u8>>(WAITING);
        let (end, ended) = bounded(1);
        thread::Builder::new().name("output".into()).spawn(move || {
            while let Ok(text) = taken.recv() {
                if let Err(error) = to.write_all(&text).and_then(|()| to.flush()) {
                    // There is room for the one that there is.
                    let _ = end.try_send(error);
                    return;
                }
            }
        })?;
        Ok(Self { held: Vec::new(), texts: Some(texts), ended, waits, left_out: 0 })
    }

    /// Hands `text` to the thread; gives it back if there is no room.
    fn hand_on(&self, text: Vec<u8>) -> Result<(), TrySendError<Vec<u8>>> {
        match &self.texts {
            Some(texts) if self.waits => texts.send(text).map_err(|gone| TrySendError::Disconnected(gone.0)),
            Some(texts) => texts.try_send(text),
            None => Err(TrySendError::Disconnected(text)),
        }
    }

    fn why(&self) -> io::Error {
        self.ended.recv_timeout(LAST).unwrap_or_else(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Relay {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.ended.try_recv() {
            Ok(error) => return Err(error),
            Err(TryRecvError::Disconnected) => return Err(self.why()),
            Err(TryRecvError::Empty) => {}
        }
        if self.held.is_empty() {
            return Ok(());
        }
        let text = std::mem::take(&mut self.held);
        match self.hand_on(text) {
            Ok(()) if self.left_out > 0 => {
                tracing::warn!("standard output is read again: {} texts were left out", self.left_out);
                self.left_out = 0;
            }
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                if self.left_out == 0 {
                    tracing::warn!("nobody reads standard output: what is said there is left out");
                }
                self.left_out += 1;
            }
            Err(TrySendError::Disconnected(_)) => return Err(self.why()),
        }
        Ok(())
    }
}

impl Drop for Relay {
    /// What waits is written, if somebody takes it.
    fn drop(&mut self) {
        // Whether it could be written shows in what was flushed before; at the end nobody is left to be told.
        let _ = self.flush();
        self.texts = None;
        match self.ended.recv_timeout(LAST) {
            Ok(_) | Err(RecvTimeoutError::Disconnected) => {}
            Err(RecvTimeoutError::Timeout) => {
                tracing::warn!("nobody reads standard output: the end of it is lost")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Takes a text for each permit.
    struct Slow(Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)?;
            self.1.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn say(relay: &mut Relay, n: usize) -> io::Result<()> {
        writeln!(relay, "{n}")?;
        relay.flush()
    }

    #[test]
    fn who_reads_nothing_holds_up_nobody_and_gets_whole_texts_later() {
        let (permit, permits) = bounded(0);
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let mut relay = Relay::new(Slow(permits, written.clone()), false).unwrap();
        say(&mut relay, 0).unwrap();
        while relay.texts.as_ref().is_some_and(|texts| !texts.is_empty()) {
            thread::yield_now();
        }
        (1..2 * WAITING).for_each(|n| say(&mut relay, n).unwrap());
        // One is with the thread.
        assert_eq!(relay.left_out as usize, WAITING - 1);
        let kept = WAITING + 1;
        (0..kept).for_each(|_| permit.send(()).unwrap());
        say(&mut relay, 7).unwrap();
        assert_eq!(relay.left_out, 0);
        permit.send(()).unwrap();
        drop(relay);
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let expected: String = (0..kept).chain([7]).map(|n| format!("{n}\n")).collect();
        assert!(text == expected, "{} lines", text.lines().count());
    }

    #[test]
    fn a_closed_output_is_an_error_and_one_that_waits_loses_nothing() {
        let (permit, permits) = bounded::<()>(0);
        drop(permit);
        let mut relay = Relay::new(Slow(permits, Arc::default()), false).unwrap();
        let failed = (0..1000).any(|n| {
            thread::sleep(Duration::from_millis(1));
            say(&mut relay, n).is_err()
        });
        assert!(failed);
        let (permit, permits) = bounded(0);
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let giver = thread::spawn(move || (0..3 * WAITING).for_each(|_| permit.send(()).unwrap()));
        let mut relay = Relay::new(Slow(permits, written.clone()), true).unwrap();
        (0..3 * WAITING).for_each(|n| say(&mut relay, n).unwrap());
        drop(relay);
        giver.join().unwrap();
        assert_eq!(written.lock().unwrap().split(|byte| *byte == b'\n').count(), 3 * WAITING + 1);
    }
}
