//! Opening the database: one process at a time, a sound file, the current schema.

use super::ballast::Ballast;
use super::{OpenStoreError, Store, is_damaged, is_full, schema};
use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Before 3.51.3 a checkpoint that coincides with a reset of the log could lose commits (sqlite.org/wal.html, "The
/// WAL-Reset Bug"; fixed in 3.51.3).
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long a call waits for another connection, such as an administrator's shell, to let go.
const BUSY: Duration = Duration::from_secs(5);

/// Pages of 4 KiB in the log from which on it is copied into the database: a quarter of the 1 MiB that it may hold,
/// so that the largest transaction fits on top.
const CHECKPOINT_PAGES: i64 = 64;

/// What the log's file is cut to when it begins anew, bytes. Not zero: blocks that it has cannot be lacking later.
const LOG_KEEPS_BYTES: i64 = 512 << 10;

/// Before and after the time in the name of a database that was set aside.
const ASIDE: (&str, &str) = ("emcon.db.", ".damaged");

pub fn open(folder: &Path) -> Result<Store, OpenStoreError> {
    check_version()?;
    fs::create_dir_all(folder).map_err(|source| file_error(folder, source))?;
    let lock = lock(folder)?;
    let path = folder.join("emcon.db");
    let mut ballast = Ballast::new(folder.join("emcon.ballast"));
    let mut recovered = None;
    let mut connection = match sound(&path, &mut ballast)? {
        Ok(connection) => connection,
        Err(why) => {
            let aside = set_aside(folder, &path)?;
            tracing::error!(
                database = %path.display(), aside = %aside.display(), why, "damaged: set aside, a new one begins"
            );
            recovered = Some(aside);
            sound(&path, &mut ballast)?.map_err(|why| OpenStoreError::Damaged { path: path.clone(), why })?
        }
    };
    migrate(&mut connection, &path)?;
    let above = above_those_set_aside(folder).map_err(|source| file_error(folder, source))?;
    continue_above(&connection, above).map_err(|source| database_error(&path, source))?;
    ballast.ensure();
    Ok(Store { connection, path, ballast: Some(ballast), recovered, broken: false, _lock: Some(lock) })
}

pub fn in_memory() -> Result<Store, OpenStoreError> {
    check_version()?;
    let path = PathBuf::from(":memory:");
    let mut connection = Connection::open_in_memory().map_err(|source| database_error(&path, source))?;
    connection.pragma_update(None, "foreign_keys", true).map_err(|source| database_error(&path, source))?;
    migrate(&mut connection, &path)?;
    Ok(Store { connection, path, ballast: None, recovered: None, broken: false, _lock: None })
}

fn check_version() -> Result<(), OpenStoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenStoreError::OldSqlite { found: rusqlite::version().to_string() });
    }
    Ok(())
}

/// The kernel lets go of it when the process ends, however it ends.
fn lock(folder: &Path) -> Result<File, OpenStoreError> {
    let path = folder.join("emcon.lock");
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|source| file_error(&path, source))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(OpenStoreError::InUse { folder: folder.to_path_buf() }),
        Err(errno) => Err(file_error(&path, errno.into())),
    }
}

/// A connection to a sound database, or why it is damaged. Where the disk is full even for that, the ballast goes.
fn sound(path: &Path, ballast: &mut Ballast) -> Result<Result<Connection, String>, OpenStoreError> {
    let mut result = connect(path);
    if result.as_ref().is_err_and(is_full) && ballast.release() {
        result = connect(path);
    }
    let (connection, log, check) = match result {
        Ok(found) => found,
        Err(source) if is_damaged(&source) => return Ok(Err(source.to_string())),
        Err(source) => return Err(database_error(path, source)),
    };
    if log != "wal" {
        return Err(OpenStoreError::NoLog { path: path.to_path_buf() });
    }
    if check != "ok" {
        return Ok(Err(check));
    }
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        .map_err(|source| database_error(path, source))?;
    Ok(Ok(connection))
}

/// A connection set up, the kind of log it keeps, and the first thing that `quick_check` says.
fn connect(path: &Path) -> rusqlite::Result<(Connection, String, String)> {
    let connection = Connection::open(path)?;
    // A damaged database is set aside as it was found.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(BUSY)?;
    // Before the first table it decides how the file is laid out; afterwards it would only touch the file.
    if connection.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0))? == 0 {
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    let log = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "journal_size_limit", LOG_KEEPS_BYTES)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    let check = connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    Ok((connection, log, check))
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenStoreError> {
    let (found, known) =
        (schema::migrate(connection).map_err(|source| database_error(path, source))?, schema::current());
    if found != known {
        return Err(OpenStoreError::Newer { path: path.to_path_buf(), found, known });
    }
    Ok(())
}

/// Renames the database and its log, dated by the last change: when it broke is nearer to that than to now.
fn set_aside(folder: &Path, path: &Path) -> Result<PathBuf, OpenStoreError> {
    let changed = changed(path).map_err(|source| file_error(path, source))?;
    let stamp = changed.strftime("%Y-%m-%dT%H-%M-%SZ").to_string();
    let mut aside = folder.join(format!("{}{stamp}{}", ASIDE.0, ASIDE.1));
    let mut copy = 1;
    while aside.exists() {
        copy += 1;
        aside = folder.join(format!("{}{stamp}-{copy}{}", ASIDE.0, ASIDE.1));
    }
    // The log first: left behind, it would be taken for that of the new database. Its index is made anew when needed.
    let index = with(path, "-shm");
    if let Err(source) = fs::remove_file(&index)
        && source.kind() != io::ErrorKind::NotFound
    {
        return Err(file_error(&index, source));
    }
    for suffix in ["-wal", ""] {
        let (from, to) = (with(path, suffix), with(&aside, suffix));
        match fs::rename(&from, &to) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && !suffix.is_empty() => {}
            Err(source) => return Err(OpenStoreError::SetAside { path: from, to, source }),
        }
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|source| file_error(folder, source))?;
    Ok(aside)
}

/// A number above all that the databases set aside can have given: the time of their last change in milliseconds,
/// for no room ever appended a thousand entries a second. 0 without such.
fn above_those_set_aside(folder: &Path) -> io::Result<i64> {
    let mut above = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(ASIDE.0) && name.ends_with(ASIDE.1)) {
            above = above.max(changed(&entry.path())?.as_millisecond());
        }
    }
    Ok(above)
}

/// Has the numbers of a journal that has none yet begin above `number`.
fn continue_above(connection: &Connection, number: i64) -> rusqlite::Result<()> {
    connection.execute("UPDATE chain SET base = ?1, last = ?1 WHERE last = 0 AND ?1 > 0", [number])?;
    Ok(())
}

fn changed(path: &Path) -> io::Result<Timestamp> {
    let changed = fs::metadata(path)?.modified()?;
    Timestamp::try_from(changed).map_err(io::Error::other)
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn file_error(path: &Path, source: io::Error) -> OpenStoreError {
    OpenStoreError::File { path: path.to_path_buf(), source }
}

fn database_error(path: &Path, source: rusqlite::Error) -> OpenStoreError {
    let path = path.to_path_buf();
    if is_full(&source) { OpenStoreError::Full { path } } else { OpenStoreError::Database { path, source } }
}
