//! Two scenarios on the receiver that is cheap to simulate, from the scene to the alert.

use crate::scenarios::{Wanted, tasks};
use std::path::Path;

#[test]
fn what_is_near_is_told_in_time() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let wanted = Wanted::of("5,10:rx-r:a0").unwrap();
    let tasks = tasks(root, 1, &wanted);
    assert_eq!(tasks.len(), 2);
    for task in tasks {
        let line = (task.run)().unwrap();
        assert_eq!(line["verdict"], "in time", "{}: {line:?}", task.what);
    }
}

#[test]
fn what_is_asked_for_is_there() {
    for wrong in ["99x", "3:rx-q", "x"] {
        assert!(Wanted::of(wrong).is_err(), "{wrong}");
    }
    assert!(tasks(Path::new("."), 2, &Wanted::of("").unwrap()).len() > 40);
}
