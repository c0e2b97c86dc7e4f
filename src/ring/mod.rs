//! Blocks of samples from the thread that captures to the one that looks, without a lock and without waiting.
