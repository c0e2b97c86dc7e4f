//! Names of files, and quantities as people type them.
#![no_main]

use emcon::recording::{Datatype, MAX_HZ, MIN_RATE_HZ, file_name, parse_quantity};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let sane = |hz: f64| (MIN_RATE_HZ..=MAX_HZ).contains(&hz);
    let hints = file_name::read(text);
    assert!(hints.rate_hz.is_none_or(sane) && hints.center_hz.is_none_or(sane));
    assert!(parse_quantity(text).is_ok_and(sane) || parse_quantity(text).is_err());
    if let Ok(datatype) = text.parse::<Datatype>() {
        assert_eq!(datatype.to_string().parse(), Ok(datatype));
    }
});
