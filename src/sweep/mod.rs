//! The scheduler: which tuning next. Runs a plan, spends a bounded share on confirming, keeps the coverage ledger.
