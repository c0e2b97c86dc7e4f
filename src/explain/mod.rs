//! Why, and why not, for a box in time and frequency.
