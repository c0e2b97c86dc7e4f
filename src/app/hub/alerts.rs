//! What becomes of emitters and alerts: raised, updated, resolved, acknowledged.

use super::super::ndjson::{alert_word, because_word, severity_word};
use super::check::is_of_the_room;
use super::inbox::Facts;
use super::outbox::Wanted;
use super::{Answer, AskError, OPEN_MAX, Room, short, view};
use crate::alert::{AlertPhase, AlertReport, ResolvedBecause, Severity};
use crate::clock;
use crate::pipeline::{EmitterReport, Phase};
use crate::store::{AlertRecord, Deed, NewEntry};
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::Ordering;

/// An alert's report, on its way past the reports of emitters.
pub(super) struct Alarm {
    pub report: AlertReport,
    /// What was known of its emitter then.
    pub facts: Option<Facts>,
    /// When it was sent, monotonic seconds.
    pub at_s: f64,
    /// When the samples came that it is of, monotonic seconds.
    pub heard_s: f64,
}

/// What is recorded and told of an alert.
struct News {
    data: String,
    record: AlertRecord,
    /// When the samples came that raised it, monotonic seconds.
    raised_s: Option<f64>,
}

impl Room {
    pub(super) fn emitter(&mut self, phase: Phase, report: EmitterReport, at_s: f64) {
        if let Some(alert) = self.acknowledged.get(&report.id).filter(|_| phase != Phase::Closed) {
            self.guard.sends(alert, at_s);
        }
        let json = view::emitter(phase, &report, self.epoch, self.meeting.as_ref());
        match phase {
            Phase::Closed => {
                self.emitters.remove(&report.id);
                self.heard_s.remove(&report.id);
            }
            _ => {
                self.heard_s.insert(report.id, at_s);
                if report.banned && is_of_the_room(&report) {
                    self.agenda.uneasy_s = at_s;
                }
                self.emitters.insert(report.id, report);
            }
        }
        if phase == Phase::Updated {
            // Figures only; what changed of importance comes as an alert.
            self.tell(None, "emitter", json);
        } else {
            self.record("emitter", json, None, None);
        }
    }

    /// Takes alerts that came together: one commit for all, since a disk may take milliseconds for each.
    pub(super) fn alarms(&mut self, alarms: &[Alarm]) {
        let mut news = Vec::new();
        for alarm in alarms {
            self.guard.heard(alarm.at_s);
            let name = self.name_of(&alarm.report);
            if self.alerts.contains_key(&name) || alarm.report.phase == AlertPhase::Raised {
                news.extend(self.alert(name, alarm));
            } else {
                // It may be among those that wait.
                self.record_alerts(std::mem::take(&mut news));
                self.afterwards(&name, &alarm.report, clock::utc());
            }
        }
        self.record_alerts(news);
    }

    fn name_of(&self, report: &AlertReport) -> String {
        format!("a{}-{}", report.id, self.run)
    }

    fn alert(&mut self, name: String, alarm: &Alarm) -> Option<News> {
        let Alarm { report, facts, .. } = alarm;
        // Without a meeting nothing is banned, and that is why it is over: it did not turn out to be anything else.
        if self.meeting.is_none() && report.because == Some(ResolvedBecause::Reclassified) {
            return None;
        }
        let now = clock::utc();
        let before = self.alerts.get(&name);
        // Of an emitter that closed, what was known before stays.
        let facts = facts.or_else(|| before.map(Facts::of));
        let record = AlertRecord {
            id: name.clone(),
            meeting: before
                .map_or_else(|| self.meeting.as_ref().map(|m| m.id.clone()), |b| b.meeting.clone()),
            emitter: format!("e{}", report.emitter),
            device: report.device.as_str().into(),
            signal: report.signal.as_str().into(),
            severity: severity_word(report.severity).into(),
            confidence: facts.map_or(0.0, |e| e.confidence),
            center_hz: facts.and_then(|e| e.center_hz),
            bandwidth_hz: facts.map_or(0.0, |e| e.bandwidth_hz),
            power_dbfs: facts.map_or(0.0, |e| e.power_dbfs),
            reasons: report.reasons.clone(),
            raised: before.map_or(now, |b| b.raised),
            updated: now,
            resolved: (report.phase == AlertPhase::Resolved).then_some(now),
            resolved_because: report.because.map(|because| because_word(because).into()),
            acknowledged: None,
            acknowledged_by: None,
            note: None,
            evidence: before.and_then(|b| b.evidence.clone()),
        };
        if report.phase == AlertPhase::Raised {
            self.figures.alerts.fetch_add(1, Ordering::Relaxed);
            self.guard.raise(name.clone());
        }
        if self.alerts.len() < OPEN_MAX || self.alerts.contains_key(&name) {
            self.alerts.insert(name, record.clone());
        }
        let raised_s = (report.phase == AlertPhase::Raised).then_some(alarm.heard_s);
        Some(News { data: view::alert(alert_word(report.phase), &record), record, raised_s })
    }

    /// Records, then tells, as [`Room::record`] does for one.
    fn record_alerts(&mut self, news: Vec<News>) {
        if news.is_empty() {
            return;
        }
        let meeting = self.meeting.as_ref().map(|meeting| meeting.id.as_str());
        let (at, level) = (clock::utc(), self.level());
        let wanted: Vec<Option<Wanted>> =
            news.iter().map(|news| self.outbox.wanted("alert", &news.data, at, level)).collect();
        let names: Vec<Vec<&str>> = wanted.iter().map(|wanted| Wanted::names(wanted.as_ref())).collect();
        let deeds: Vec<Deed<'_>> = (news.iter().zip(&wanted).zip(&names))
            .map(|((news, wanted), names)| Deed {
                entry: NewEntry { kind: "alert", at, meeting, data: &news.data },
                alert: Some(&news.record),
                meeting: None,
                contacts: names,
                about: wanted.as_ref().and_then(|wanted| wanted.about.as_deref()),
            })
            .collect();
        match self.store.record_together(&deeds) {
            Ok(done) => {
                self.guard.recorded(clock::monotonic_s(), true);
                let last = done.last().map_or(0, |(entry, _)| entry.number);
                self.figures.number.store(last, Ordering::Relaxed);
                // Who is told and asks must find it.
                self.publish();
                for (((entry, deliveries), wanted), news) in done.into_iter().zip(&wanted).zip(news) {
                    if let Some(wanted) = wanted {
                        self.outbox.tell(wanted, "alert", &news.data, at, Some((entry.number, &deliveries)));
                    }
                    self.tell_raised(Some(entry.number), "alert", news.data, news.raised_s);
                }
            }
            // One of them may be the cause, and must not keep the others from being recorded.
            Err(_) => {
                news.into_iter().for_each(|news| self.record("alert", news.data, Some(&news.record), None))
            }
        }
    }

    /// Acknowledged already: what becomes of it is recorded, and latches nothing.
    fn afterwards(&mut self, name: &str, report: &AlertReport, now: Timestamp) {
        // Without a meeting nothing is banned: as above.
        if self.meeting.is_none() && report.because == Some(ResolvedBecause::Reclassified) {
            return;
        }
        let Ok(Some(mut record)) = self.store.alert(name) else { return };
        record.updated = now;
        record.reasons.clone_from(&report.reasons);
        let severity = severity_word(report.severity);
        let worse = report.phase == AlertPhase::Updated
            && report.severity == Severity::Critical
            && record.severity != severity;
        record.severity = severity.into();
        record.device = report.device.as_str().into();
        record.signal = report.signal.as_str().into();
        if worse {
            // Somebody acknowledged something lesser.
            (record.acknowledged, record.acknowledged_by, record.note) = (None, None, None);
            self.guard.raise(name.to_owned());
            self.alerts.insert(name.to_owned(), record.clone());
        }
        if report.phase == AlertPhase::Resolved {
            record.resolved = Some(now);
            record.resolved_because = report.because.map(|because| because_word(because).into());
        }
        self.record("alert", view::alert(alert_word(report.phase), &record), Some(&record), None);
    }

    pub(super) fn acknowledge(&mut self, id: &str, by: String, note: String) -> Answer<AlertRecord> {
        short("the name", &by)?;
        short("the note", &note)?;
        let missing = || AskError::NoAlert(id.to_owned());
        let mut record = match self.alerts.get(id) {
            Some(record) => record.clone(),
            None => self.store.alert(id)?.filter(AlertRecord::is_open).ok_or_else(missing)?,
        };
        record.acknowledged = Some(clock::utc());
        record.acknowledged_by = Some(by);
        record.note = (!note.is_empty()).then_some(note);
        // Not acknowledged unless it is on record.
        self.store.put_alert(&record)?;
        self.alerts.remove(id);
        // Those that were too many to be shown have room now.
        if self.alerts.len() < self.guard.open().count().saturating_sub(1).min(OPEN_MAX)
            && let Ok(open) = self.store.open_alerts()
        {
            self.alerts.extend(open.into_iter().take(OPEN_MAX).map(|alert| (alert.id.clone(), alert)));
        }
        let emitter = record.emitter.trim_start_matches('e').parse().ok();
        let emitter =
            emitter.filter(|emitter| id.ends_with(&self.run) && self.emitters.contains_key(emitter));
        let age_s = emitter
            .and_then(|emitter| self.emitters.get(&emitter))
            .and_then(|report| {
                self.epoch.checked_add(SignedDuration::try_from_secs_f64(report.last_s).ok()?).ok()
            })
            .map_or(f64::INFINITY, |last| clock::utc().duration_since(last).as_secs_f64().max(0.0));
        if let Some(emitter) = emitter {
            self.acknowledged.insert(emitter, id.to_owned());
        }
        self.guard.acknowledge(id, clock::monotonic_s() - age_s);
        self.record("alert", view::alert("acknowledged", &record), None, None);
        Ok(record)
    }
}
