//! One event of the front, encoded by itself: what `replay` checks its two halves with, and what a frame carries.

use crate::pipeline::FrontEvent;
use thiserror::Error;

/// Why bytes are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The message goes on beyond the bytes.
    #[error("a message ends in the middle: {0} bytes held; read more of the stream")]
    Incomplete(usize),
    /// No message begins like this.
    #[error("not a message of this version of emcon; both processes must be of one build")]
    Malformed,
}

/// Appends `event` to `out`.
pub fn encode(event: &FrontEvent, out: &mut Vec<u8>) {
    // Fails only if the writer refuses bytes or a sequence has no length; neither exists here.
    if let Ok(bytes) = postcard::to_allocvec(event) {
        out.extend_from_slice(&bytes);
    }
}

/// Reads one message from the beginning of `bytes`; also gives what follows it.
pub fn decode(bytes: &[u8]) -> Result<(FrontEvent, &[u8]), DecodeError> {
    postcard::take_from_bytes(bytes).map_err(|error| match error {
        postcard::Error::DeserializeUnexpectedEnd => DecodeError::Incomplete(bytes.len()),
        _ => DecodeError::Malformed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Burst, Carrier, Depth, Features, Ghost, Lag, Line, Pulses};
    use crate::pipeline::{Health, HealthReason, HealthState, Observed, SegmentStart};
    use proptest::prelude::*;

    fn features(seed: &[u32]) -> Features {
        let word = |i: usize| seed[i % seed.len()].rotate_left(i as u32);
        let float = |i: usize| f32::from_bits(word(i));
        let some = |i: usize| word(i) & 1 == 0;
        let value = |i: usize| some(i).then(|| float(i + 1));
        let line = |i: usize| {
            some(i).then(|| Line { rate_hz: float(i), height_db: float(i + 1), threshold_db: float(i + 2) })
        };
        let lag = |i: usize| some(i).then(|| Lag { value: float(i), threshold: float(i + 1) });
        Features {
            envelope_cv: value(0),
            papr_db: value(1),
            pulses: some(2).then(|| Pulses {
                count: word(2) as u16,
                on_s: float(3),
                off_s: float(4),
                shortest_s: float(5),
            }),
            fsk_levels: some(3).then(|| word(3) as u8),
            modulation_index: value(4),
            symbol_line: line(5),
            square_line: line(6),
            lag_0u8: lag(7),
            lag_33u3: lag(8),
            carrier_hz: value(9),
            chirp_fit: value(10),
            ..Features::default()
        }
    }

    fn burst() -> impl Strategy<Value = Burst> {
        let seeds = prop::collection::vec(any::<u32>(), 8);
        (any::<[u64; 4]>(), seeds, any::<[bool; 4]>(), 0usize..5, any::<bool>()).prop_map(
            |(words, seed, [cut_start, cut_end, at_edge, clipped], ghost, full)| Burst {
                segment: seed[0],
                start_s: f64::from_bits(words[0]),
                end_s: f64::from_bits(words[1]),
                offset_hz: f64::from_bits(words[2]),
                bandwidth_hz: f64::from_bits(words[3]),
                power_dbfs: f32::from_bits(seed[1]),
                snr_db: f32::from_bits(seed[2]),
                depth: if full { Depth::Full } else { Depth::Light },
                cut_start,
                cut_end,
                at_edge,
                clipped,
                ghost: [Ghost::None, Ghost::Image, Ghost::Dc, Ghost::Splatter, Ghost::Rolloff][ghost],
                features: features(&seed),
            },
        )
    }

    fn event() -> impl Strategy<Value = FrontEvent> {
        let segment = (any::<[u64; 5]>(), any::<u32>(), any::<bool>()).prop_map(|(w, index, known)| {
            FrontEvent::Segment(SegmentStart {
                index,
                start_s: f64::from_bits(w[0]),
                rate_hz: f64::from_bits(w[1]),
                center_hz: known.then(|| f64::from_bits(w[2])),
                shared_axis: known,
                bin_hz: f64::from_bits(w[3]),
                hop_s: f64::from_bits(w[4]),
            })
        });
        let health = (any::<u64>(), 0usize..3, 0usize..5).prop_map(|(at, state, reason)| {
            FrontEvent::Health(Health {
                at_s: f64::from_bits(at),
                state: [HealthState::Ok, HealthState::Degraded, HealthState::Blind][state],
                reason: [
                    HealthReason::Clipping,
                    HealthReason::StuckSamples,
                    HealthReason::NonFiniteSamples,
                    HealthReason::Gap,
                    HealthReason::FloorStep,
                ][reason],
            })
        });
        let observed = any::<[u64; 2]>().prop_map(|[from, until]| {
            FrontEvent::Observed(Observed { from_s: f64::from_bits(from), until_s: f64::from_bits(until) })
        });
        let carrier = (any::<u32>(), any::<bool>(), burst())
            .prop_map(|(number, ended, burst)| FrontEvent::Carrier(Carrier { number, ended, burst }));
        prop_oneof![segment, health, observed, carrier, burst().prop_map(FrontEvent::Burst)]
    }

    proptest! {
        /// Oracle: the bits themselves. Floats are drawn from all bit patterns, NaN included, hence the
        /// comparison of encodings and of debug forms (which print NaN alike) instead of `==`.
        #[test]
        fn what_is_decoded_is_what_was_encoded(events in prop::collection::vec(event(), 1..8)) {
            let mut bytes = Vec::new();
            for event in &events {
                encode(event, &mut bytes);
            }
            let mut rest = bytes.as_slice();
            let mut again = Vec::new();
            for event in &events {
                let (decoded, tail) = decode(rest).expect("a whole message");
                prop_assert_eq!(format!("{decoded:?}"), format!("{event:?}"));
                encode(&decoded, &mut again);
                rest = tail;
            }
            prop_assert!(rest.is_empty());
            prop_assert_eq!(&again, &bytes);
        }

        #[test]
        fn a_message_cut_short_says_so(event in event(), keep in 0.0f64..1.0) {
            let mut bytes = Vec::new();
            encode(&event, &mut bytes);
            bytes.truncate((keep * bytes.len() as f64) as usize);
            prop_assert_eq!(decode(&bytes).err(), Some(DecodeError::Incomplete(bytes.len())));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            let mut rest = bytes.as_slice();
            while let Ok((_, tail)) = decode(rest) {
                prop_assert!(tail.len() < rest.len());
                rest = tail;
            }
        }
    }
}
