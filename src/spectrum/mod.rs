//! Overlap, window, FFT, power.
