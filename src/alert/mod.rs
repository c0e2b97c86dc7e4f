//! From emitters to alerts: raised, updated, resolved.
//!
//! An alert exists for as long as an emitter is banned and not ambient. The [`Book`] is told of every change of
//! an emitter, in order, and answers with what people must hear; it decides nothing about the emitter itself.

use crate::classify::{Device, Signal};
use std::collections::BTreeMap;

/// Where an alert is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertPhase {
    /// First report.
    Raised,
    /// Name or severity changed.
    Updated,
    /// Over.
    Resolved,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Unnamed, or not sure.
    Warning,
    /// A banned device by name.
    Critical,
}

/// Why an alert was resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResolvedBecause {
    /// Observed silence.
    Silent,
    /// Turned out to be infrastructure, interference or ambient.
    Reclassified,
    /// Its emitter proved to be part of another.
    Merged,
}

/// An alert as people are told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertReport {
    /// Where it is in its life.
    pub phase: AlertPhase,
    /// Number in order of raising, from 1.
    pub id: u32,
    /// The emitter.
    pub emitter: u32,
    /// Its device.
    pub device: Device,
    /// Its signal.
    pub signal: Signal,
    /// Time of the last sample that the decision used, seconds.
    pub at_s: f64,
    /// How bad.
    pub severity: Severity,
    /// Sentences.
    pub reasons: Vec<String>,
    /// When resolved.
    pub because: Option<ResolvedBecause>,
}

/// What an alert needs to know of an emitter.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The emitter's number.
    pub emitter: u32,
    /// Its signal.
    pub signal: Signal,
    /// Its device.
    pub device: Device,
    /// How sure, 0..1.
    pub confidence: f64,
    /// Known from the baseline.
    pub ambient: bool,
    /// Too faint to be in the room.
    pub outside: bool,
    /// The level bans this device.
    pub banned: bool,
    /// Sentences: measured value against limit.
    pub reasons: &'a [String],
    /// Time of the last sample that the emitter's report rests on, seconds.
    pub at_s: f64,
}

/// Why an emitter closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Its channels were observed to be silent for long enough.
    Silent,
    /// It proved to be part of another emitter.
    Merged,
    /// The input ended: what is open stays open.
    EndOfInput,
}

/// From this confidence on, a banned device with a name is a critical alert. Below it, or without a name, the
/// evidence warrants a warning: half-way between a guess (0.2) and certainty (1).
const CRITICAL_CONFIDENCE: f64 = 0.6;

impl Subject<'_> {
    fn warrants_alert(&self) -> bool {
        self.banned && !self.ambient && !self.outside
    }

    fn severity(&self) -> Severity {
        let named = self.signal != Signal::Unknown && self.device.is_device();
        if named && self.confidence >= CRITICAL_CONFIDENCE { Severity::Critical } else { Severity::Warning }
    }
}

/// What was last said of an alert.
#[derive(Debug, Clone, Copy)]
struct Open {
    id: u32,
    signal: Signal,
    device: Device,
    severity: Severity,
}

impl Open {
    fn report(
        &self,
        phase: AlertPhase,
        subject: &Subject<'_>,
        because: Option<ResolvedBecause>,
    ) -> AlertReport {
        AlertReport {
            phase,
            id: self.id,
            emitter: subject.emitter,
            device: self.device,
            signal: self.signal,
            at_s: subject.at_s,
            severity: self.severity,
            reasons: subject.reasons.to_vec(),
            because,
        }
    }
}

/// The alerts of one input.
#[derive(Debug, Default)]
pub struct Book {
    raised: u32,
    /// By emitter.
    open: BTreeMap<u32, Open>,
}

impl Book {
    /// A book without alerts.
    pub fn new() -> Self {
        Self::default()
    }

    /// The alert that stands for `emitter`, if one does.
    pub fn open_alert(&self, emitter: u32) -> Option<u32> {
        self.open.get(&emitter).map(|open| open.id)
    }

    /// An emitter opened or changed: to be called after its own report.
    pub fn changed(&mut self, subject: &Subject<'_>, out: &mut Vec<AlertReport>) {
        if !subject.warrants_alert() {
            self.resolve(subject, ResolvedBecause::Reclassified, out);
            return;
        }
        let severity = subject.severity();
        if let Some(open) = self.open.get_mut(&subject.emitter) {
            if (open.signal, open.device, open.severity) != (subject.signal, subject.device, severity) {
                *open = Open { id: open.id, signal: subject.signal, device: subject.device, severity };
                out.push(open.report(AlertPhase::Updated, subject, None));
            }
            return;
        }
        self.raised += 1;
        let open = Open { id: self.raised, signal: subject.signal, device: subject.device, severity };
        out.push(open.report(AlertPhase::Raised, subject, None));
        self.open.insert(subject.emitter, open);
    }

    /// An emitter closed: to be called after its own last report.
    pub fn closed(&mut self, subject: &Subject<'_>, closing: Closing, out: &mut Vec<AlertReport>) {
        match closing {
            Closing::Merged => self.resolve(subject, ResolvedBecause::Merged, out),
            Closing::Silent => {
                self.changed(subject, out);
                self.resolve(subject, ResolvedBecause::Silent, out);
            }
            Closing::EndOfInput => self.changed(subject, out),
        }
    }

    fn resolve(&mut self, subject: &Subject<'_>, because: ResolvedBecause, out: &mut Vec<AlertReport>) {
        if let Some(mut open) = self.open.remove(&subject.emitter) {
            (open.signal, open.device) = (subject.signal, subject.device);
            out.push(open.report(AlertPhase::Resolved, subject, Some(because)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(emitter: u32) -> Subject<'static> {
        Subject {
            emitter,
            signal: Signal::Dect,
            device: Device::CordlessPhone,
            confidence: 0.9,
            ambient: false,
            outside: false,
            banned: true,
            reasons: &[],
            at_s: 1.0,
        }
    }

    fn unnamed(emitter: u32) -> Subject<'static> {
        Subject {
            signal: Signal::Unknown,
            device: Device::OtherWireless,
            confidence: 0.3,
            ..subject(emitter)
        }
    }

    /// What each report says, in one word a piece.
    fn told(out: &[AlertReport]) -> Vec<(AlertPhase, u32, Option<ResolvedBecause>)> {
        out.iter().map(|a| (a.phase, a.id, a.because)).collect()
    }

    #[test]
    fn raised_once_and_only_if_banned_and_not_ambient() {
        let (mut book, mut out) = (Book::new(), Vec::new());
        book.changed(&Subject { ambient: true, ..subject(1) }, &mut out);
        book.changed(&Subject { banned: false, ..subject(2) }, &mut out);
        assert!(out.is_empty());
        book.changed(&subject(3), &mut out);
        book.changed(&subject(3), &mut out);
        assert_eq!(told(&out), [(AlertPhase::Raised, 1, None)]);
        assert_eq!((out[0].emitter, out[0].severity), (3, Severity::Critical));
        assert_eq!(book.open_alert(3), Some(1));
    }

    #[test]
    fn a_name_that_changes_is_updated_and_a_harmless_one_resolves() {
        let (mut book, mut out) = (Book::new(), Vec::new());
        book.changed(&unnamed(1), &mut out);
        book.changed(&subject(1), &mut out);
        book.changed(&Subject { device: Device::Infrastructure, banned: false, ..subject(1) }, &mut out);
        book.changed(&subject(1), &mut out);
        assert_eq!(
            told(&out),
            [
                (AlertPhase::Raised, 1, None),
                (AlertPhase::Updated, 1, None),
                (AlertPhase::Resolved, 1, Some(ResolvedBecause::Reclassified)),
                (AlertPhase::Raised, 2, None),
            ]
        );
        assert_eq!(
            out.iter().map(|a| a.severity).collect::<Vec<_>>()[..2],
            [Severity::Warning, Severity::Critical]
        );
        assert_eq!(out[2].device, Device::Infrastructure);
    }

    #[test]
    fn closing_says_why_and_the_end_of_input_leaves_it_open() {
        let (mut book, mut out) = (Book::new(), Vec::new());
        for emitter in 1..=3 {
            book.changed(&subject(emitter), &mut out);
        }
        out.clear();
        book.closed(&subject(1), Closing::Silent, &mut out);
        book.closed(&subject(2), Closing::Merged, &mut out);
        book.closed(&subject(3), Closing::EndOfInput, &mut out);
        assert_eq!(
            told(&out),
            [
                (AlertPhase::Resolved, 1, Some(ResolvedBecause::Silent)),
                (AlertPhase::Resolved, 2, Some(ResolvedBecause::Merged)),
            ]
        );
        assert_eq!(book.open_alert(3), Some(3));
    }

    #[test]
    fn closing_as_harmless_is_reclassified_not_silent() {
        let (mut book, mut out) = (Book::new(), Vec::new());
        book.changed(&subject(1), &mut out);
        book.closed(&Subject { banned: false, ..subject(1) }, Closing::Silent, &mut out);
        assert_eq!(told(&out)[1..], [(AlertPhase::Resolved, 1, Some(ResolvedBecause::Reclassified))]);
    }
}
