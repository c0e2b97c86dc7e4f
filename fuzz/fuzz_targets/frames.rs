//! Streams between the two processes: any bytes after a good preamble are messages, wait for more, or are refused.
#![no_main]

use emcon::app::waterfall::{Shown, draw};
use emcon::wire::{Frames, FromSensor, ToSensor, preamble};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut sensor = Frames::default();
    sensor.take(&preamble());
    sensor.take(data);
    while let Ok(Some(message)) = sensor.next_message::<FromSensor>() {
        if let FromSensor::Evidence(_, Ok(tile)) = message {
            // What is decoded can be drawn.
            assert!(draw(&Shown { title: "", begins: "", tile: &tile, emission: &tile.extent }).is_ok());
        }
    }
    let mut room = Frames::default();
    room.take(data);
    while let Ok(Some(_)) = room.next_message::<ToSensor>() {}
});
