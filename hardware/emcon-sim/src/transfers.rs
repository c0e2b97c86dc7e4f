//! Transfers as a driver's ring holds them: what has come, what is lost when nobody reads, and what that is called.

use crate::adc::Model;

/// The ring, in numbers of samples.
#[derive(Debug)]
pub struct Transfers {
    /// Number of the next sample that the client gets.
    pub read: u64,
    model: Model,
    /// Samples of a transfer, and transfers of the ring.
    transfer: u64,
    buffers: u64,
    /// Number of the first sample of some transfer.
    origin: u64,
    /// End of the transfer that the client reads; at or before `read` if it reads none.
    held_until: u64,
    /// Whether what has come is to be thrown away, as SoapyRTLSDR does when the rate changes.
    reset: bool,
}

/// What reading gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Samples up to this number.
    Until(u64),
    /// Samples were lost; reading goes on behind them.
    Overflow,
    /// Nothing before this many samples have been taken.
    At(u64),
}

impl Transfers {
    /// An empty ring whose first sample has number `first`.
    pub fn new(model: Model, first: u64, transfer: u64, buffers: u64) -> Self {
        Self { read: first, model, transfer, buffers, origin: first, held_until: first, reset: false }
    }

    /// Number of samples in whole transfers when `taken` samples have been taken.
    pub fn come(&self, taken: u64) -> u64 {
        self.origin + taken.saturating_sub(self.origin) / self.transfer * self.transfer
    }

    /// Throws away what has come before the next read.
    pub fn reset(&mut self) {
        self.reset = true;
    }

    /// Loses `n` samples.
    pub fn lose(&mut self, n: u64) {
        self.read += n;
        self.held_until = self.read;
    }

    /// What can be read without another transfer.
    pub fn held(&self) -> u64 {
        if self.reset { self.read } else { self.held_until.max(self.read) }
    }

    /// What to read when `taken` samples have been taken; `None`: as many as are asked for.
    pub fn next(&mut self, taken: Option<u64>) -> Next {
        let reset = std::mem::take(&mut self.reset);
        let Some(taken) = taken else {
            // Nothing waits in the ring when samples are made as they are read.
            if reset {
                self.origin = self.read;
            }
            return self.hold(u64::MAX);
        };
        let come = self.come(taken);
        if reset {
            self.read = self.read.max(come);
            self.held_until = self.read;
        }
        if self.held_until > self.read {
            return Next::Until(self.held_until);
        }
        if come.saturating_sub(self.read) > self.buffers * self.transfer {
            // SoapyRTLSDR drains its ring; SoapyHackRF overwrote the oldest and keeps the rest.
            let kept = if self.model == Model::RtlSdr { 0 } else { self.buffers * self.transfer };
            self.read = come - kept;
            return Next::Overflow;
        }
        if come <= self.read {
            return Next::At(self.end_of_transfer());
        }
        self.hold(come)
    }

    fn hold(&mut self, come: u64) -> Next {
        self.held_until = self.end_of_transfer().min(come);
        Next::Until(self.held_until)
    }

    /// Number after the last sample of the transfer that the next sample is in.
    fn end_of_transfer(&self) -> u64 {
        self.origin + (self.read.saturating_sub(self.origin) / self.transfer + 1) * self.transfer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_in_whole_transfers() {
        let mut ring = Transfers::new(Model::HackRf, 1000, 100, 15);
        assert_eq!(ring.next(Some(1099)), Next::At(1100));
        assert_eq!(ring.next(Some(1100)), Next::Until(1100));
        ring.read = 1040;
        assert_eq!(ring.held(), 1100);
        ring.read = 1100;
        assert_eq!(ring.next(Some(1100)), Next::At(1200));
        assert_eq!(ring.next(None), Next::Until(1200));
    }

    #[test]
    fn an_rtl_sdr_loses_its_ring_and_a_hackrf_the_oldest() {
        for (model, read) in [(Model::RtlSdr, 1600), (Model::HackRf, 100)] {
            let mut ring = Transfers::new(model, 0, 100, 15);
            assert_eq!(ring.next(Some(1599)), Next::Until(100), "15 transfers fit");
            let mut ring = Transfers::new(model, 0, 100, 15);
            assert_eq!(ring.next(Some(1600)), Next::Overflow);
            assert_eq!(ring.read, read);
        }
    }

    #[test]
    fn a_reset_throws_away_what_has_come() {
        let mut ring = Transfers::new(Model::RtlSdr, 0, 100, 15);
        assert_eq!(ring.next(Some(500)), Next::Until(100));
        ring.read = 50;
        ring.reset();
        assert_eq!(ring.held(), 50);
        assert_eq!(ring.next(Some(560)), Next::At(600));
        assert_eq!(ring.read, 500);
    }
}
