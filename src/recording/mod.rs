//! Recordings: SigMF, WAV and raw, read and written.
