//! Scenes: receivers as models, and what an office hears all day.

use emcon::plan::Random;
use std::fmt::Write;

/// A model of a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 20 MS/s, full scale at -30 dBm with the gains to search with, 5 ms to settle.
    HackRf,
    /// The same with 30 ms to settle, as with a driver's usual buffers.
    HackRfSlow,
    /// 2.4 MS/s, full scale at -45 dBm, 10 ms to settle, lines of its clock.
    RtlSdr,
}

impl Kind {
    /// As tasks are called.
    pub fn word(self) -> &'static str {
        match self {
            Self::HackRf => "rx-h",
            Self::HackRfSlow => "rx-h-slow",
            Self::RtlSdr => "rx-r",
        }
    }

    /// SoapySDR arguments beside the scene.
    pub fn arguments(self) -> &'static str {
        match self {
            Self::HackRf => "model=hackrf,settle_samples=100000",
            Self::HackRfSlow => "model=hackrf,settle_samples=600000",
            Self::RtlSdr => "model=rtlsdr,settle_samples=24000",
        }
    }

    /// Level in a scene of what is `dbm` at the antenna. Scenes hold at the simulator's own gain, 4 dB above that of
    /// `config/receivers.toml` for searching with a HackRF.
    pub fn dbfs(self, dbm: f64) -> f64 {
        match self {
            Self::HackRf | Self::HackRfSlow => dbm + 30.0 + 4.0,
            Self::RtlSdr => dbm + 45.0,
        }
    }

    /// Head of a scene.
    fn head(self, name: &str, seconds: f64) -> String {
        let (model, center, noise_dbm_per_hz, impairments) = match self {
            Self::HackRf | Self::HackRfSlow => (
                "hackrf",
                "2440M",
                -163.0,
                "dc_dbfs = -40\niq_image_dbc = -32\nrolloff = 0.9\nppm = 8".to_string(),
            ),
            Self::RtlSdr => (
                "rtlsdr",
                "433M",
                -169.0,
                format!(
                    "dc_dbfs = -45\niq_image_dbc = -35\nclock = \"28.8M\"\nclock_dbfs = {}",
                    self.dbfs(-80.0)
                ),
            ),
        };
        format!(
            "name = \"{name}\"\nduration = {seconds}\n[receiver]\nmodel = \"{model}\"\ncenter = \"{center}\"\n\
             noise_dbfs_per_hz = {}\n[impairments]\n{impairments}\n",
            self.dbfs(noise_dbm_per_hz)
        )
    }
}

/// What else is on the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ambient {
    /// Noise, and what the receiver makes itself.
    Quiet,
    /// An office in a city of China.
    Office,
}

impl Ambient {
    /// As tasks are called.
    pub fn word(self) -> &'static str {
        match self {
            Self::Quiet => "a0",
            Self::Office => "a1",
        }
    }
}

/// A scene in the making.
pub struct Writer {
    kind: Kind,
    text: String,
    count: usize,
}

impl Writer {
    /// For `kind`.
    pub fn new(kind: Kind, name: &str, seconds: f64) -> Self {
        Self { kind, text: kind.head(name, seconds), count: 0 }
    }

    /// What stands in the scene.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds an offender `mhz` of `dbm`, with the kind's own `keys`.
    pub fn emitter(&mut self, kind: &str, mhz: f64, dbm: f64, keys: &str) {
        self.add("emitter", kind, mhz, dbm, keys);
    }

    /// Adds something of the place.
    pub fn ambient(&mut self, kind: &str, mhz: f64, dbm: f64, keys: &str) {
        self.add("ambient", kind, mhz, dbm, keys);
    }

    fn add(&mut self, table: &str, kind: &str, mhz: f64, dbm: f64, keys: &str) {
        self.count += 1;
        // Writing to a string cannot fail.
        let _ = write!(
            self.text,
            "[[{table}]]\nname = \"{kind} {}\"\nkind = \"{kind}\"\nfreq = \"{mhz:.6}M\"\nlevel_dbfs = {:.2}\n{keys}\n",
            self.count,
            self.kind.dbfs(dbm)
        );
    }

    /// An office: what is there all day follows from `place`, what comes and goes in `seconds` from `events`.
    pub fn office(&mut self, place: u64, events: u64, seconds: f64) {
        let mut place = Random::new(place);
        for (mhz, blocks, dbm) in DOWNLINKS {
            self.ambient("lte", *mhz, *dbm, &format!("role = \"downlink\"\nblocks = {blocks}\nload = 0.5"));
        }
        for (mhz, dbm) in TDD_DOWNLINKS {
            self.ambient("nr", *mhz, *dbm, "role = \"downlink\"\ntdd = true\nblocks = 51\nload = 0.5");
        }
        for (mhz, dbm) in ACCESS_POINTS {
            // A beacon of 802.11b each 102.4 ms on 2.4 GHz, and frames of OFDM for 15 % of the time.
            if *mhz < 3000.0 {
                self.ambient("wifi-dsss", *mhz, *dbm, "data_rate = \"one\"\nframes_per_s = 0\npeer = false");
            }
            self.ambient("wifi-ofdm", *mhz, *dbm, "frames_per_s = 500\nframe_us = [200, 400]\npeer = false");
        }
        for _ in 0..20 {
            let (dbm, interval) = (place.between(-85.0, -72.0), 1e3 * place.between(0.1, 2.0));
            let offset = place.between(-50e3, 50e3);
            self.ambient("ble", 2402.0, dbm, &format!("interval_ms = {interval:.0}\noffset = {offset:.0}"));
        }
        for n in 0..12 {
            let mhz = 88.3 + 1.6 * f64::from(n) + 0.1 * place.between(-4.0, 4.0).round();
            self.ambient("fm-broadcast", mhz, place.between(-60.0, -35.0), "");
        }
        self.passing(&mut Random::new(events), seconds);
    }

    /// What comes and goes: telephones outside, meters, vehicles, keys of cars.
    fn passing(&mut self, random: &mut Random, seconds: f64) {
        for (kind, per_hour, on_s, dbm, spread_db, bands, keys) in PASSING {
            let mut at_s = random.exponential(3600.0 / per_hour);
            while at_s < seconds {
                let band = bands[(random.bits() % bands.len() as u64) as usize];
                let mhz = random.between(band[0], band[1]);
                // Of nearly normal distribution: twelve uniform ones.
                let normal = (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
                let keys = format!("{keys}\non = [[{at_s:.3}, {:.3}]]", at_s + on_s);
                self.ambient(kind, mhz, dbm + spread_db * normal, &keys);
                at_s += on_s + random.exponential(3600.0 / per_hour);
            }
        }
    }
}

/// Carriers of base stations: centre, resource blocks, dBm.
const DOWNLINKS: &[(f64, u16, f64)] = &[
    (768.0, 100, -60.0),
    (783.0, 50, -60.0),
    (874.5, 50, -58.0),
    (944.0, 100, -50.0),
    (956.5, 25, -50.0),
    (1815.0, 100, -48.0),
    (1835.0, 100, -48.0),
    (1855.0, 100, -48.0),
    (1872.5, 75, -48.0),
    (2120.0, 100, -52.0),
    (2140.0, 100, -52.0),
    (2152.5, 25, -52.0),
];

/// The same of time-division networks, 20 MHz each.
const TDD_DOWNLINKS: &[(f64, f64)] = &[
    (1895.0, -62.0),
    (2525.0, -55.0),
    (2545.0, -55.0),
    (2565.0, -55.0),
    (2585.0, -55.0),
    (2605.0, -55.0),
    (3410.0, -68.0),
    (3430.0, -68.0),
    (3450.0, -68.0),
    (3470.0, -68.0),
    (3490.0, -68.0),
];

/// Access points: channel, dBm.
const ACCESS_POINTS: &[(f64, f64)] =
    &[(2412.0, -62.0), (2437.0, -65.0), (2462.0, -70.0), (5180.0, -68.0), (5765.0, -72.0)];

/// Kind, times an hour, seconds on, median dBm, its spread in dB, where, and keys.
type Passing = (&'static str, f64, f64, f64, f64, &'static [[f64; 2]], &'static str);

const PASSING: &[Passing] = &[
    (
        "lte",
        30.0,
        10.0,
        -75.0,
        8.0,
        &[[1715.0, 1780.0], [894.0, 910.0], [708.0, 728.0]],
        "role = \"uplink\"\ntraffic = \"idle\"\nsession_gap_s = 1e6",
    ),
    ("fsk", 60.0, 0.5, -80.0, 0.0, &[[471.0, 509.0]], "bit_rate = 100e3\ndeviation_hz = 50e3\nbytes = 200"),
    ("nfm", 5.0, 3.0, -60.0, 0.0, &[[351.0, 358.0]], ""),
    ("ook", 10.0, 0.4, -75.0, 0.0, &[[433.92, 433.921]], "interval_s = 10"),
];
