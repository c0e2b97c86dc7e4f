//! What happens to files: schema, damage, growth, a full disk.

use super::*;
use rusqlite::Connection;
use std::fs;
use tempfile::{TempDir, tempdir};

fn open(folder: &TempDir) -> Store {
    Store::open(folder.path()).unwrap()
}

/// A folder whose store holds `count` entries and is closed.
fn folder(count: i64) -> TempDir {
    let folder = tempdir().unwrap();
    filled(open(&folder), count);
    folder
}

fn length(folder: &TempDir, name: &str) -> u64 {
    fs::metadata(folder.path().join(name)).unwrap().len()
}

fn set_aside(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("damaged"))
        .collect();
    names.sort();
    names
}

fn schema_of(folder: &TempDir) -> (i64, Vec<String>) {
    let connection = Connection::open(folder.path().join("emcon.db")).unwrap();
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let mut statement =
        connection.prepare("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY 1").unwrap();
    let sql = statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    (version, sql)
}

#[test]
fn it_is_durable_by_its_settings() {
    let folder = tempdir().unwrap();
    let store = open(&folder);
    let pragma = |name| -> String {
        let value: rusqlite::types::Value =
            store.connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
        format!("{value:?}")
    };
    assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
    assert_eq!(pragma("synchronous"), "Integer(2)");
    assert_eq!(pragma("busy_timeout"), "Integer(5000)");
    assert_eq!(pragma("foreign_keys"), "Integer(1)");
    assert_eq!(pragma("auto_vacuum"), "Integer(2)");
    assert_eq!(pragma("journal_size_limit"), "Integer(524288)");
    let not_strict: i64 = store
        .connection
        .query_row(
            "SELECT count(*) FROM pragma_table_list WHERE NOT strict AND name NOT LIKE 'sqlite_%'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(not_strict, 0);
}

#[test]
fn everything_is_there_after_opening_anew_and_numbers_go_on() {
    let folder = folder(3);
    let mut store = open(&folder);
    store.record(&new("begin", 4, "{}"), Some(&alert("a1", 4)), Some(&meeting("m1", 4))).unwrap();
    deliver(&store, 4);
    drop(store);
    let mut store = open(&folder);
    assert_eq!(store.recovered(), None);
    assert_eq!(numbers(&store.after(0, 9).unwrap()), [1, 2, 3, 4]);
    assert_eq!(store.alerts(None, 9).unwrap(), [alert("a1", 4)]);
    assert_eq!(store.meetings(9).unwrap(), [meeting("m1", 4)]);
    assert_eq!(store.waiting("ada", 9).unwrap().len(), 1);
    store.prune(at(1000)).unwrap();
    drop(store);
    let mut store = open(&folder);
    assert_eq!(store.after(0, 9).unwrap().len(), 0);
    assert_eq!(store.append(&new("tick", 5, "{}")).unwrap().number, 5);
    store.verify().unwrap();
}

#[test]
fn version_1_becomes_what_an_empty_file_becomes() {
    let empty = tempdir().unwrap();
    fs::write(empty.path().join("emcon.db"), "").unwrap();
    assert_eq!(open(&empty).recovered(), None);
    assert_eq!(schema_of(&empty).0, schema::current());

    let old = tempdir().unwrap();
    let connection = Connection::open(old.path().join("emcon.db")).unwrap();
    connection.execute_batch(schema::MIGRATIONS[0]).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    let entry = journal::append(&connection, &new("tick", 1, "{}")).unwrap();
    connection
        .execute_batch(
            "INSERT INTO alerts (id, emitter, device, signal, severity, reasons, raised, updated, open)
             VALUES ('a1', 'e7', 'phone', 'gsm', 'critical', '[]', '2026-01-02T03:04:05Z', '2026-01-02T03:04:06Z', 1)",
        )
        .unwrap();
    drop(connection);
    let store = open(&old);
    assert_eq!(store.recovered(), None);
    assert_eq!(store.after(0, 9).unwrap(), [entry]);
    deliver(&store, 1);
    let kept = store.alert("a1").unwrap().unwrap();
    assert_eq!((kept.device.as_str(), kept.evidence.clone()), ("phone", None));
    store.verify().unwrap();
    drop(store);
    assert_eq!(schema_of(&old), schema_of(&empty));
}

#[test]
fn a_migration_that_fails_leaves_the_version_before() {
    let old = tempdir().unwrap();
    let connection = Connection::open(old.path().join("emcon.db")).unwrap();
    connection.execute_batch(schema::MIGRATIONS[0]).unwrap();
    connection
        .execute_batch("PRAGMA user_version = 1; CREATE TABLE outbox_waiting (x INTEGER) STRICT;")
        .unwrap();
    drop(connection);
    let before = schema_of(&old);
    let error = Store::open(old.path()).unwrap_err();
    assert!(matches!(error, OpenStoreError::Database { .. }), "{error}");
    assert_eq!(schema_of(&old), before);
}

#[test]
fn a_newer_version_is_refused_and_left_alone() {
    let folder = folder(2);
    let path = folder.path().join("emcon.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", schema::current() + 1).unwrap();
    let before = fs::read(&path).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(
        matches!(error, OpenStoreError::Newer { found, known, .. } if found == known + 1 && known == schema::current()),
        "{error}"
    );
    let known = schema::current();
    let told = format!("emcon.db has schema {}, this emcon knows up to {known}", known + 1);
    assert!(error.to_string().contains(&told), "{error}");
    assert!(fs::read(&path).unwrap() == before);
    assert_eq!(set_aside(&folder).len(), 0);
}

#[test]
fn what_is_no_database_is_set_aside_and_said_and_numbers_stay_above() {
    let folder = folder(5);
    let path = folder.path().join("emcon.db");
    let garbage = vec![0x5a; 10_000];
    fs::write(&path, &garbage).unwrap();
    let mut store = open(&folder);
    let aside = store.recovered().unwrap().to_path_buf();
    let name = aside.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("emcon.db.20") && name.ends_with("Z.damaged"), "{name}");
    assert!(fs::read(&aside).unwrap() == garbage);
    assert_eq!(store.after(0, 9).unwrap().len(), 0);
    let number = store.append(&new("tick", 1, "{}")).unwrap().number;
    assert!(number > 1_700_000_000_000, "{number}");
    store.verify().unwrap();
    drop(store);
    let mut store = open(&folder);
    assert_eq!(store.recovered(), None);
    assert_eq!(store.append(&new("tick", 2, "{}")).unwrap().number, number + 1);
    assert_eq!(set_aside(&folder).len(), 1);
}

#[test]
fn a_second_one_damaged_in_the_same_second_replaces_nothing() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("emcon.db");
    let then = std::time::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    for text in ["first", "second"] {
        fs::write(&path, text.repeat(1000)).unwrap();
        fs::write(folder.path().join("emcon.db-wal"), text).unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(then).unwrap();
        assert!(open(&folder).recovered().is_some());
    }
    let names = set_aside(&folder);
    let texts: Vec<String> =
        names.iter().map(|name| fs::read_to_string(folder.path().join(name)).unwrap()).collect();
    assert_eq!(
        names,
        ["emcon.db.2027-01-15T08-00-00Z-2.damaged", "emcon.db.2027-01-15T08-00-00Z.damaged",]
            .iter()
            .flat_map(|name| [name.to_string(), format!("{name}-wal")])
            .collect::<Vec<_>>()
    );
    assert!(texts == ["second".repeat(1000), "second".into(), "first".repeat(1000), "first".into()]);
}

#[test]
fn a_page_overwritten_in_the_middle_is_damage() {
    let folder = folder(2000);
    let path = folder.path().join("emcon.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xff);
    fs::write(&path, &bytes).unwrap();
    let mut store = open(&folder);
    assert!(fs::read(store.recovered().unwrap()).unwrap() == bytes);
    store.append(&new("tick", 1, "{}")).unwrap();
}

#[test]
fn one_byte_changed_in_the_file_breaks_the_chain() {
    let folder = folder(500);
    let path = folder.path().join("emcon.db");
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.windows(9).position(|window| window == b"{\"n\":321}").unwrap();
    bytes[place + 5] = b'9';
    fs::write(&path, bytes).unwrap();
    let store = open(&folder);
    assert_eq!(store.recovered(), None, "its structure is sound");
    assert_eq!(store.after(0, 999).unwrap().len(), 500);
    let found = store.verify().unwrap_err();
    assert!(matches!(found, Altered::Entry { number: 321 }), "{found}");
}

#[test]
fn the_log_stays_below_1_mib() {
    let folder = tempdir().unwrap();
    let mut store = open(&folder);
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(journal::LONGEST_DATA - 8));
    let mut longest = 0;
    for number in 0..600 {
        let data = if number % 4 == 0 { &long } else { "{}" };
        let alert = closed(&format!("a{number}"), number);
        store.record(&new("tick", number, data), Some(&alert), Some(&meeting("m1", 0))).unwrap();
        deliver(&store, number + 1);
        longest = longest.max(length(&folder, "emcon.db-wal"));
    }
    let whole = length(&folder, "emcon.db");
    // What it grows to while pruning, the file's length remembers until the log is cut.
    assert!(prune::delete(&mut store, at(590)).unwrap() > 1000);
    prune::shrink(&mut store).unwrap();
    longest = longest.max(length(&folder, "emcon.db-wal"));
    assert!(longest > 0 && longest < 1 << 20, "{longest}");
    assert_eq!(store.prune(at(590)).unwrap(), 0);
    assert!(length(&folder, "emcon.db") < whole / 10, "room goes back to the disk");
    assert_eq!(store.after(0, 999).unwrap().len(), 10);
    store.verify().unwrap();
}

#[test]
fn the_ballast_is_allocated_and_made_again() {
    use std::os::unix::fs::MetadataExt;
    let folder = folder(1);
    let path = folder.path().join("emcon.ballast");
    let check = |what: &str| {
        let meta = fs::metadata(&path).unwrap();
        assert!(meta.len() == 4 << 20 && meta.blocks() * 512 >= 4 << 20, "{what}: {meta:?}");
    };
    check("made");
    fs::write(&path, "").unwrap();
    open(&folder);
    check("was empty");
    let sparse = File::create(&path).unwrap();
    sparse.set_len(4 << 20).unwrap();
    open(&folder);
    check("was sparse");
    fs::remove_file(&path).unwrap();
    let mut store = open(&folder);
    check("was gone");
    assert!(!store.short_of_space());
    for pruning in [true, false] {
        assert!(store.ballast.as_mut().unwrap().release());
        assert!(store.short_of_space() && !path.exists());
        if pruning {
            store.prune(at(0)).unwrap();
        } else {
            store.append(&new("x", 1, "{}")).unwrap();
        }
        assert!(!store.short_of_space());
        check("was released");
    }
}

/// As many pages as there are stand in for a disk without room, which deleting the ballast does not help.
#[test]
fn a_database_that_cannot_grow_says_full_loses_nothing_and_works_after_pruning() {
    let folder = tempdir().unwrap();
    let mut store = open(&folder);
    let pages: i64 = store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    store.connection.pragma_update(None, "max_page_count", pages + 20).unwrap();
    let data = format!("{{\"a\":\"{}\"}}", "x".repeat(3000));
    let mut kept = 0;
    let error = loop {
        match store.append(&new("tick", kept, &data)) {
            Ok(entry) => kept = entry.number,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(error.to_string().contains("emcon.db is full; prune"), "{error}");
    assert!(store.short_of_space());
    assert!(kept > 10);
    assert_eq!(store.after(0, 999).unwrap().len() as i64, kept);
    assert_eq!(store.last_number().unwrap(), kept);
    assert_eq!(store.prune(at(kept / 2)).unwrap() as i64, kept / 2);
    assert_eq!(store.append(&new("tick", kept, &data)).unwrap().number, kept + 1);
    assert!(!store.short_of_space());
    store.verify().unwrap();
}

#[test]
fn a_folder_that_is_none_is_refused_by_name() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Store::open(&file).unwrap_err();
    assert!(matches!(error, OpenStoreError::File { .. }), "{error}");
    assert!(error.to_string().contains("/file cannot be used"), "{error}");
    assert!(Store::open(&folder.path().join("deeper/still")).is_ok());
}
