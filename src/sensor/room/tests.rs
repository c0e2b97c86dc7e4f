//! Processes that speak like a sensor, as far as they are let.

use super::*;
use crate::iq::SampleFormat;
use crate::plan::{ReceiverAbility, ReceiverPlan};

/// A program that says what a sensor says when its receiver is open, then does what `then` says.
fn speaking(folder: &std::path::Path, then: &str) -> SensorCommand {
    let ability = ReceiverAbility {
        name: "test".into(),
        ranges_hz: vec![[0.0, 1e9]],
        rate_hz: 1e6,
        usable_hz: 8e5,
        offset_hz: 1e3,
        settle_s: 1e-3,
        usual_settle_s: 1e-3,
        looked_min: 0.0,
        gain_steps: 1,
    };
    let hello = Hello {
        driver: "test".into(),
        hardware: "test".into(),
        serial: None,
        rate_hz: 1e6,
        format: SampleFormat::Ci8,
        settle_samples: 1000,
        settle_measured: true,
        real_time: false,
        plan: ReceiverPlan::parked(&ability, 446e6),
    };
    let mut bytes = preamble().to_vec();
    frame(&FromSensor::Hello(hello), &mut bytes);
    let file = folder.join("hello");
    std::fs::write(&file, bytes).expect("written");
    SensorCommand {
        program: "sh".into(),
        arguments: ["-c".into(), format!("cat {}; {then}", file.display()).into()].into(),
        environment: Vec::new(),
        patient: false,
    }
}

fn until<T>(room: &mut Room, wanted: impl Fn(&News) -> Option<T>) -> T {
    for _ in 0..2000 {
        if let Some(found) = room.next(Duration::from_millis(10)).as_ref().and_then(&wanted) {
            return found;
        }
    }
    panic!("not in time");
}

#[test]
fn a_sensor_that_ends_leaves_no_picture_unanswered() {
    let folder = tempfile::tempdir().expect("a folder");
    // It ends with the first byte after the room's preamble: with the ask.
    let mut room = Room::start(speaking(folder.path(), "head -c 9 > /dev/null"));
    let ask = EvidenceAsk { number: 7, from_s: 0.0, until_s: 1.0, low_hz: 1.0, high_hz: 2.0 };
    assert_eq!(room.evidence(ask), Err(NoEvidence::NoSensor));
    until(&mut room, |news| matches!(news, News::Open(_)).then_some(()));
    assert_eq!(room.evidence(ask), Ok(()));
    let answer = until(&mut room, |news| match news {
        News::Evidence(number, answer) => Some((*number, answer.clone())),
        _ => None,
    });
    assert_eq!(answer, (7, Err(NoEvidence::Ended)));
}
