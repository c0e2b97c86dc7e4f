//! Bursts to emitters.
