//! Noise floor, segments above it, bursts and carriers.
