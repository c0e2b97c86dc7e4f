//! The scenarios.

use super::scene::{Ambient, Kind, Writer};

/// One of them.
pub struct Scenario {
    /// Number.
    pub number: u8,
    /// What it is, in words.
    pub name: &'static str,
    /// Receivers that it is for, each with the time that a verdict may take, seconds.
    pub receivers: &'static [(Kind, f64)],
    /// When the offender comes, seconds; of a null scenario, how long it runs.
    pub start_s: f64,
    /// What it must be told as.
    pub expect: Expect,
    /// Whose rules apply.
    pub region: &'static str,
    /// Only in a quiet room.
    pub quiet: bool,
    /// What is in the room all day.
    pub place: fn(&mut Writer),
    /// The offender.
    pub offender: fn(&mut Writer),
}

/// What is to come of it.
pub enum Expect {
    /// An alert of one of these devices, whose emitter is centred within these MHz.
    Alert {
        /// As the alert calls it.
        devices: &'static [&'static str],
        /// Where.
        mhz: [f64; 2],
        /// Nothing else may be told, and clipping must be.
        overload: bool,
    },
    /// No alert at all.
    Nothing,
}

impl Scenario {
    /// Receivers and ambients that it is run with.
    pub fn rooms(&self) -> Vec<(Kind, Ambient)> {
        let ambients: &[Ambient] =
            if self.quiet { &[Ambient::Quiet] } else { &[Ambient::Quiet, Ambient::Office] };
        ambients.iter().flat_map(|ambient| self.receivers.iter().map(|(kind, _)| (*kind, *ambient))).collect()
    }

    /// Time that a verdict may take with `kind`, seconds.
    pub fn bound_s(&self, kind: Kind) -> f64 {
        self.receivers.iter().find(|(own, _)| *own == kind).map_or(0.0, |(_, bound_s)| *bound_s)
    }
}

const fn alert(devices: &'static [&'static str], mhz: [f64; 2]) -> Expect {
    Expect::Alert { devices, mhz, overload: false }
}

const fn scenario(number: u8, name: &'static str) -> Scenario {
    Scenario {
        number,
        name,
        receivers: &[(H, 0.0)],
        start_s: 5.0,
        expect: Expect::Nothing,
        region: "cn",
        quiet: false,
        place: |_| {},
        offender: |_| {},
    }
}

const H: Kind = Kind::HackRf;
const S: Kind = Kind::HackRfSlow;
const R: Kind = Kind::RtlSdr;

/// All of them. A null scenario runs for its `start_s`.
pub const SCENARIOS: &[Scenario] = &[
    Scenario { receivers: &[(H, 0.0), (R, 0.0)], start_s: 60.0, quiet: true, ..scenario(1, "empty room") },
    Scenario {
        receivers: &[(H, 35.0), (S, 35.0), (R, 3.0)],
        expect: alert(&["walkie-talkie"], [409.79, 409.83]),
        offender: |w| {
            w.emitter("nfm", 409.8125, -17.0, "ctcss_hz = 88.5\non = [[5, 8], [15, 18], [25, 28], [35, 38]]")
        },
        ..scenario(3, "public walkie-talkie, four times 3 s")
    },
    Scenario {
        receivers: &[(H, 10.0)],
        expect: Expect::Alert { devices: &["walkie-talkie"], mhz: [410.18, 410.22], overload: true },
        offender: |w| w.emitter("dmr", 410.2, -2.0, "on = [[5, 15]]"),
        ..scenario(4, "DMR of 5 W close by")
    },
    Scenario {
        receivers: &[(H, 11.0), (S, 22.0), (R, 19.0)],
        expect: alert(&["wireless-microphone"], [650.2, 650.4]),
        offender: |w| {
            w.emitter("wfm", 650.3, -34.0, "deviation_hz = 35000\naudio = \"music\"\non = [[5, 900]]")
        },
        ..scenario(5, "wireless microphone")
    },
    Scenario {
        receivers: &[(H, 11.0), (R, 20.0)],
        expect: alert(&["wireless-microphone"], [92.28, 92.42]),
        place: |w| {
            w.ambient("fm-broadcast", 92.1, -45.0, "");
            w.ambient("fm-broadcast", 92.6, -45.0, "");
        },
        offender: |w| w.emitter("wfm", 92.35, -25.0, "deviation_hz = 50000\non = [[5, 900]]"),
        ..scenario(6, "FM bug between two stations")
    },
    Scenario {
        receivers: &[(H, 75.0)],
        expect: alert(&["mobile-phone"], [1739.0, 1751.0]),
        offender: |w| {
            w.emitter(
                "lte",
                1745.0,
                -48.0,
                "role = \"uplink\"\ntraffic = \"idle\"\nsession_gap_s = 1e6\non = [[5, 16], [65, 76]]",
            );
        },
        ..scenario(7, "idle telephone, two sessions a minute apart")
    },
    Scenario {
        receivers: &[(H, 20.0)],
        expect: alert(&["mobile-phone"], [2539.0, 2561.0]),
        offender: |w| {
            w.emitter(
                "nr",
                2550.0,
                -40.0,
                "role = \"uplink\"\ntdd = true\nblocks = 51\nload = 0.5\non = [[5, 65]]",
            );
        },
        ..scenario(8, "telephone streaming in n41")
    },
    Scenario {
        receivers: &[(H, 6.0), (S, 12.0), (R, 12.0)],
        expect: alert(&["mobile-phone"], [900.0, 900.4]),
        offender: |w| w.emitter("gsm", 900.2, -21.0, "role = \"uplink\"\non = [[5, 65]]"),
        ..scenario(10, "GSM call")
    },
    Scenario {
        receivers: &[(H, 6.0)],
        expect: alert(&["wireless-network-card"], [2427.0, 2447.0]),
        offender: |w| {
            w.emitter(
                "wifi-ofdm",
                2437.0,
                -37.0,
                "role = \"client\"\nframes_per_s = 50\nframe_us = [150, 300]\nreverse = 0.5\npeer_level_db = -28\non = [[5, 65]]",
            );
        },
        ..scenario(11, "Wi-Fi call on channel 6")
    },
    Scenario {
        receivers: &[(H, 20.0), (S, 40.0)],
        expect: alert(&["bluetooth-device"], [2401.0, 2481.0]),
        offender: |w| {
            w.emitter("ble", 2402.0, -58.0, "interval_ms = 270\ndata_bytes = [20, 24]\non = [[5, 900]]")
        },
        ..scenario(13, "idle telephone's Bluetooth LE")
    },
    Scenario {
        receivers: &[(H, 3.0)],
        expect: alert(&["bluetooth-device"], [2401.0, 2481.0]),
        offender: |w| w.emitter("bluetooth-classic", 2441.0, -42.0, "traffic = \"esco\"\non = [[5, 65]]"),
        ..scenario(15, "Bluetooth earphones in a call")
    },
    Scenario {
        receivers: &[(H, 95.0)],
        start_s: 0.0,
        expect: alert(&["wireless-keyboard"], [2442.0, 2446.0]),
        offender: |w| w.emitter("esb", 2444.0, -52.0, "on = [[2, 900]]"),
        ..scenario(16, "keyboard of 2.4 GHz")
    },
    Scenario {
        receivers: &[(H, 11.0)],
        start_s: 20.0,
        region: "eu",
        expect: alert(&["cordless-phone"], [1888.0, 1889.4]),
        place: |w| w.ambient("dect", 1888.704, -60.0, "role = \"beacon\""),
        offender: |w| w.emitter("dect", 1888.704, -24.0, "role = \"handset\"\nslot = 4\non = [[20, 900]]"),
        ..scenario(17, "cordless telephone in a call")
    },
    Scenario {
        start_s: 60.0,
        offender: |w| w.ambient("microwave-oven", 2455.0, -45.0, "sweep_hz = 5e6\non = [[3, 900]]"),
        ..scenario(18, "microwave oven")
    },
    Scenario {
        receivers: &[(H, 0.0), (R, 0.0)],
        start_s: 60.0,
        quiet: true,
        // Two strong carriers of a base station and what a receiver of an intercept point of -5 dBm makes of them
        // (3 * -18 - 2 * -5 dBm, at 2 f1 - f2 and 2 f2 - f1), and one in a telephones' band, which has an image.
        offender: |w| {
            w.ambient("cw", 935.2, -18.0, "");
            w.ambient("cw", 948.0, -18.0, "");
            w.ambient("cw", 922.4, -44.0, "");
            w.ambient("cw", 960.8, -44.0, "");
            w.ambient("cw", 900.0, -20.0, "");
        },
        ..scenario(19, "what the receiver itself makes")
    },
];
