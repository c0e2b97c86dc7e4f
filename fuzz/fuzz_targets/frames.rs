//! Streams between the two processes: any bytes after a good preamble are messages, wait for more, or are refused.
#![no_main]

use emcon::wire::{Frames, FromSensor, ToSensor, preamble};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut sensor = Frames::default();
    sensor.take(&preamble());
    sensor.take(data);
    while let Ok(Some(_)) = sensor.next_message::<FromSensor>() {}
    let mut room = Frames::default();
    room.take(data);
    while let Ok(Some(_)) = room.next_message::<ToSensor>() {}
});
