//! Encoding of what passes between the two halves of the pipeline.
