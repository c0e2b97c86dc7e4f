//! Exit statuses, after sysexits(3) where it has one.

use std::process::ExitCode;

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, and nothing to say.
    Ok = 0,
    /// The command line is wrong (clap's own status too).
    Usage = 2,
    /// An alert was raised.
    Alert = 3,
    /// An input was blind for more than half of its time.
    Blind = 4,
    /// Somebody may have had a hand in it.
    Tamper = 5,
    /// It works, but not as well as it should.
    Degraded = 6,
    /// No meeting is guarded, or not yet.
    Standby = 7,
    /// Input that cannot be what it claims to be (EX_DATAERR).
    BadData = 65,
    /// No such input (EX_NOINPUT).
    NoInput = 66,
    /// A receiver is there, but cannot be used (EX_UNAVAILABLE).
    Unavailable = 69,
    /// An output file cannot be created (EX_CANTCREAT).
    CannotCreate = 73,
    /// Reading or writing failed midway (EX_IOERR).
    Io = 74,
    /// The configuration is wrong (EX_CONFIG).
    Config = 78,
    /// Whoever read our output left: what a shell shows for a program ended by SIGPIPE.
    BrokenPipe = 141,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
