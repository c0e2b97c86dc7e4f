//! `emcon doctor`: what is wrong with a receiver and its computer, and the fix.

use super::args::Common;
use super::devices::here;
use super::exit::Exit;
use super::receiver_args::DoctorArgs;
use super::record::stopped_by_signals;
use super::{colored, complain, output_failed};
use crate::app::attached::{Attached, attached};
use crate::app::doctor::{
    Check, Health, Roots, coverage, host, measure, realtime, receivers, soapysdr, usb, usb_receivers, worst,
};
use crate::app::receiver::{Chosen, argument};
use crate::config;
use crate::sdr::ReceiverProfile;
use crate::sdr::soapy::OpenError;
use crate::sensor::{ListenError, ListenParams, Visit};
use std::io::{self, Write};
use std::sync::atomic::AtomicBool;

/// Time that a receiver is listened to, seconds: rounding by a transfer of 131072 samples is then 0.2 % at 20 MS/s.
const LISTEN_S: f64 = 3.0;

/// Does it.
pub(super) fn run(args: &DoctorArgs, common: &Common) -> Exit {
    let failed = |error: &dyn std::fmt::Display| {
        complain(error);
        Exit::Config
    };
    let config = match config::load(common.config.as_deref()) {
        Ok(config) => config,
        Err(error) => return failed(&error),
    };
    let region = match config::region(args.region.map_or(config.region, |region| region.as_str())) {
        Ok(region) => region,
        Err(error) => return failed(&error),
    };
    let profiles = match config::receivers() {
        Ok(profiles) => profiles,
        Err(error) => return failed(&error),
    };
    let stop = match stopped_by_signals() {
        Ok(stop) => stop,
        Err(exit) => return exit,
    };
    let level = args.level.unwrap_or(config.level);
    let mut out = Report { json: args.json, color: colored(&io::stdout(), common), told: Vec::new() };
    let result = machine(args, &profiles, &mut out).and_then(|found| {
        let Some(chosen) = chosen(args, &found, &mut out)? else { return Ok(()) };
        match coverage(&chosen.profile, &region, level) {
            Ok(checks) => out.tell(checks)?,
            Err(why) => out.tell([Check::fail("coverage", why, "report it")])?,
        }
        receiver(args, &chosen, &stop, &mut out)
    });
    match result.and_then(|()| out.end()) {
        Ok(()) => match worst(&out.told) {
            Health::Pass => Exit::Ok,
            Health::Warn => Exit::Degraded,
            Health::Fail => Exit::Blind,
        },
        Err(error) => output_failed(&error),
    }
}

/// The computer, its USB and its SoapySDR; gives what is attached.
fn machine(args: &DoctorArgs, profiles: &[ReceiverProfile], out: &mut Report) -> io::Result<Vec<Attached>> {
    let asked = args.receiver.which.device.as_deref().unwrap_or_default();
    // Listing them loads the modules, which `here` then sees.
    let found = attached(asked);
    out.tell(soapysdr(&here(), argument(asked, "driver")))?;
    let roots = Roots::default();
    let on_usb = usb_receivers(&roots, profiles);
    out.tell(host(&roots, &on_usb))?;
    for receiver in &on_usb {
        out.tell(usb(&roots, receiver))?;
    }
    out.tell([realtime(), receivers(&found)])?;
    Ok(found.unwrap_or_default())
}

/// The receiver to listen to, if it is clear which.
fn chosen(args: &DoctorArgs, found: &[Attached], out: &mut Report) -> io::Result<Option<Chosen>> {
    if found.len() != 1 {
        return Ok(None);
    }
    match Chosen::of(args.receiver.which.device.as_deref(), args.receiver.which.receiver.as_deref()) {
        Ok(chosen) => Ok(Some(chosen)),
        Err(error) => {
            out.tell([Check::fail("kind", error.to_string(), "say which kind it is like with --receiver")])?;
            Ok(None)
        }
    }
}

fn receiver(args: &DoctorArgs, chosen: &Chosen, stop: &AtomicBool, out: &mut Report) -> io::Result<()> {
    let center_hz = chosen.somewhere_hz();
    let mut open = chosen.options(center_hz, args.receiver.which.rate);
    match chosen.gains(args.receiver.gain.as_ref()) {
        Ok(gains) => open.gains = gains,
        Err(why) => return out.tell([Check::fail("gain", why, "take another --gain")]),
    }
    let samples = (LISTEN_S * open.rate_hz) as u64;
    let listen = ListenParams {
        settle_default: chosen.settle_default(open.rate_hz),
        open,
        visits: Box::new(std::iter::once(Visit { center_hz, samples })),
        patient: chosen.is_patient(),
    };
    match measure(listen, stop) {
        Ok(flow) => out.tell(flow.checks()),
        Err(ListenError::Stopped) => Ok(()),
        Err(error) => {
            let fix = match &error {
                ListenError::Open(OpenError::Busy { .. }) => {
                    "end whoever holds it (see `holder`), or modprobe -r dvb_usb_rtl28xxu"
                }
                ListenError::Open(_) => {
                    "see the lines on modules, permission and holder; then plug it in again"
                }
                ListenError::Refused(_) => "take another --rate or --gain",
                _ => "plug it in again, into another port; if it comes again, take another cable or receiver",
            };
            let name = if matches!(error, ListenError::Open(_)) { "opens" } else { "samples" };
            out.tell([Check::fail(name, error.to_string(), fix)])
        }
    }
}

/// Writes checks as they come.
struct Report {
    json: bool,
    color: bool,
    told: Vec<Check>,
}

impl Report {
    fn tell(&mut self, checks: impl IntoIterator<Item = Check>) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        for check in checks {
            if self.json {
                let Check { name, health, seen, fix } = &check;
                let line = serde_json::json!({
                    "event": "check", "name": name, "health": health, "seen": seen, "fix": fix,
                });
                writeln!(stdout, "{line}")?;
            } else {
                let (on, off) = match (self.color, check.health) {
                    (false, _) => ("", ""),
                    (true, Health::Pass) => ("\x1b[32m", "\x1b[0m"),
                    (true, Health::Warn) => ("\x1b[33m", "\x1b[0m"),
                    (true, Health::Fail) => ("\x1b[31m", "\x1b[0m"),
                };
                writeln!(stdout, "{on}{}{off}  {:18}  {}", check.health.as_str(), check.name, check.seen)?;
                if let Some(fix) = &check.fix {
                    writeln!(stdout, "      {:18}  fix: {fix}", "")?;
                }
            }
            self.told.push(check);
        }
        stdout.flush()
    }

    fn end(&self) -> io::Result<()> {
        if !self.json {
            return Ok(());
        }
        let count = |health| self.told.iter().filter(|check| check.health == health).count();
        let line = serde_json::json!({
            "event": "summary",
            "health": worst(&self.told),
            "pass": count(Health::Pass),
            "warn": count(Health::Warn),
            "fail": count(Health::Fail),
        });
        writeln!(io::stdout().lock(), "{line}")
    }
}
