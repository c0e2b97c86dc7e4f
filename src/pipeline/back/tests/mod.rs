//! Synthetic sequences of bursts, as a front would report them: jitter, missed bursts, levels. Oracle: the timing
//! and modulation of the standards, written here a second time and independently of the table of signatures.

mod doorway;
mod life;
mod names;
mod scene;
mod surroundings;
