//! The scan plan: from a band plan, what must be covered and what the receivers can do, to tunings, dwells,
//! revisits, and what that gives: probability of intercept and time to it.
