//! The band plans against what is known of the spectrum. Oracle: the published tables named in the files, read
//! independently into the lists below.

use super::*;

fn plan(name: &str) -> BandPlan {
    region(name).unwrap()
}

/// Names of the allocations of `service` at `mhz`.
fn names(plan: &BandPlan, mhz: f64, service: Service) -> Vec<&str> {
    plan.at(mhz * 1e6).filter(|a| a.service == service).map(|a| a.name.as_str()).collect()
}

#[test]
fn every_region_parses_under_its_own_name() {
    assert_eq!(FILES.len(), REGIONS.len());
    for name in REGIONS {
        let plan = plan(name);
        assert_eq!(plan.region, *name);
        assert!(plan.allocations.len() > 50, "{name} has {} allocations only", plan.allocations.len());
        assert!(plan.allocations.is_sorted_by(|a, b| a.low_hz <= b.low_hz));
    }
    assert!(matches!(region("mars"), Err(ConfigError::UnknownRegion { .. })));
}

#[test]
fn duplex_bands_have_two_halves_of_one_width_and_only_the_known_ones_are_reversed() {
    const REVERSED: &[&str] = &["B13", "B14", "B20", "B71"];
    let mut pairs = 0;
    for name in REGIONS {
        let plan = plan(name);
        for uplink in plan.allocations.iter().filter(|a| a.service == Service::Cellular) {
            let Some(band) = uplink.name.strip_suffix(" uplink") else { continue };
            let half = format!("{band} downlink");
            let downlink = plan.allocations.iter().find(|a| a.name == half).expect(&half);
            assert_eq!(uplink.direction, Direction::Uplink);
            assert_eq!(downlink.direction, Direction::Downlink);
            assert_eq!(uplink.high_hz - uplink.low_hz, downlink.high_hz - downlink.low_hz, "{name} {band}");
            assert_eq!(uplink.low_hz > downlink.low_hz, REVERSED.contains(&band), "{name} {band}");
            pairs += 1;
        }
    }
    // cn: B28 B5 GSM-R B8 B3 B1; eu: B28 B20 GSM-R B8 B3 B1 B7; us: B71 B12 B13 B14 B26 B70 B66 B25 B30.
    assert_eq!(pairs, 6 + 7 + 9);
}

#[test]
fn cellular_is_complete() {
    /// Region, direction, edges in MHz as 3GPP and the regulators give them.
    const BANDS: &[(&str, Direction, f64, f64)] = &[
        ("cn", Direction::Uplink, 703.0, 733.0),
        ("cn", Direction::Uplink, 824.0, 835.0),
        ("cn", Direction::Uplink, 885.0, 915.0),
        ("cn", Direction::Downlink, 930.0, 960.0),
        ("cn", Direction::Uplink, 1710.0, 1785.0),
        ("cn", Direction::Downlink, 1805.0, 1880.0),
        ("cn", Direction::Tdd, 1885.0, 1915.0),
        ("cn", Direction::Uplink, 1920.0, 1980.0),
        ("cn", Direction::Tdd, 2010.0, 2025.0),
        ("cn", Direction::Downlink, 2110.0, 2170.0),
        ("cn", Direction::Tdd, 2300.0, 2370.0),
        ("cn", Direction::Tdd, 2515.0, 2675.0),
        ("cn", Direction::Tdd, 3300.0, 3600.0),
        ("cn", Direction::Tdd, 4800.0, 4960.0),
        ("eu", Direction::Uplink, 832.0, 862.0),
        ("eu", Direction::Downlink, 791.0, 821.0),
        ("eu", Direction::Uplink, 874.4, 915.0),
        ("eu", Direction::Downlink, 919.4, 960.0),
        ("eu", Direction::Downlink, 1427.0, 1517.0),
        ("eu", Direction::Uplink, 2500.0, 2570.0),
        ("eu", Direction::Tdd, 2570.0, 2620.0),
        ("eu", Direction::Downlink, 2620.0, 2690.0),
        ("eu", Direction::Tdd, 3400.0, 3800.0),
        ("us", Direction::Downlink, 617.0, 652.0),
        ("us", Direction::Uplink, 663.0, 698.0),
        ("us", Direction::Uplink, 699.0, 716.0),
        ("us", Direction::Downlink, 729.0, 756.0),
        ("us", Direction::Uplink, 777.0, 787.0),
        ("us", Direction::Uplink, 788.0, 798.0),
        ("us", Direction::Uplink, 814.0, 849.0),
        ("us", Direction::Uplink, 1695.0, 1780.0),
        ("us", Direction::Uplink, 1850.0, 1915.0),
        ("us", Direction::Downlink, 1930.0, 2020.0),
        ("us", Direction::Downlink, 2110.0, 2200.0),
        ("us", Direction::Tdd, 2496.0, 2690.0),
        ("us", Direction::Tdd, 3450.0, 3980.0),
    ];
    for &(name, direction, low_mhz, high_mhz) in BANDS {
        let plan = plan(name);
        // Every 100 kHz, so that a gap between two entries shows.
        let mut mhz = low_mhz + 0.05;
        while mhz < high_mhz {
            let found = plan.find(mhz * 1e6, Service::Cellular).map(|a| a.direction);
            assert_eq!(found, Some(direction), "{name} {mhz:.2} MHz");
            mhz += 0.1;
        }
    }
}

#[test]
fn nothing_between_cellular_bands_is_cellular() {
    for (name, mhz) in [
        ("cn", 745.0),
        ("cn", 920.0),
        ("cn", 1882.0),
        ("cn", 2440.0),
        ("cn", 2700.0),
        ("eu", 735.0),
        ("eu", 825.0),
        ("eu", 1890.0),
        ("eu", 1915.0),
        ("eu", 2450.0),
        ("us", 787.5),
        ("us", 850.0),
        ("us", 910.0),
        ("us", 1925.0),
        ("us", 2440.0),
    ] {
        assert_eq!(names(&plan(name), mhz, Service::Cellular), [""; 0], "{name} {mhz}");
    }
}

#[test]
fn known_frequencies_have_their_names() {
    for (name, mhz, service, expected) in [
        ("eu", 847.0, Service::Cellular, "B20 uplink"),
        ("eu", 806.0, Service::Cellular, "B20 downlink"),
        ("eu", 1747.5, Service::Cellular, "B3 uplink"),
        ("cn", 1747.5, Service::Cellular, "B3 uplink"),
        ("cn", 902.4, Service::Cellular, "B8 uplink"),
        ("cn", 947.4, Service::Cellular, "B8 downlink"),
        ("cn", 2645.0, Service::Cellular, "B41 TDD"),
        ("eu", 2645.0, Service::Cellular, "B7 downlink"),
        ("us", 751.0, Service::Cellular, "B13 downlink"),
        ("us", 782.0, Service::Cellular, "B13 uplink"),
        ("us", 793.0, Service::Cellular, "B14 uplink"),
        ("us", 836.5, Service::Cellular, "B26 uplink"),
        ("us", 3600.0, Service::Cellular, "B48 TDD"),
        ("cn", 144.5, Service::LandMobile, "2 m amateur"),
        ("eu", 446.00625, Service::LandMobile, "PMR446"),
        ("cn", 406.2125, Service::LandMobile, "shared walkie-talkies"),
        ("us", 151.88, Service::LandMobile, "MURS, 151 MHz"),
        ("us", 462.5625, Service::LandMobile, "FRS and GMRS, 462 MHz"),
        ("cn", 409.8125, Service::LandMobile, "public walkie-talkies"),
        ("cn", 433.92, Service::Srd, "433 MHz remote controls"),
        ("eu", 433.92, Service::Srd, "433 MHz short-range"),
        ("us", 433.92, Service::Srd, "433 MHz remote controls"),
        ("eu", 868.3, Service::Srd, "863 MHz short-range"),
        ("us", 915.0, Service::Srd, "902 MHz ISM"),
        ("cn", 490.3, Service::Srd, "470 MHz meters"),
        ("eu", 1888.704, Service::Cordless, "DECT"),
        ("us", 1924.992, Service::Cordless, "DECT 6.0"),
        ("cn", 48.5, Service::Cordless, "45/48 MHz cordless uplink"),
        ("cn", 92.35, Service::Broadcast, "FM broadcast"),
        ("us", 92.35, Service::Broadcast, "FM broadcast"),
        ("eu", 506.0, Service::Broadcast, "UHF television"),
        ("cn", 650.3, Service::Microphone, "UHF microphones"),
        ("eu", 863.5, Service::Microphone, "863 MHz microphones"),
        ("cn", 2437.0, Service::Ism, "2.4 GHz ISM"),
        ("cn", 5825.0, Service::Ism, "5.8 GHz Wi-Fi"),
        ("eu", 5825.0, Service::Ism, "5.8 GHz short-range"),
        ("eu", 5600.0, Service::Ism, "5.6 GHz Wi-Fi"),
        ("us", 6500.0, Service::Ism, "6 GHz Wi-Fi"),
        ("cn", 1616.0, Service::Satellite, "L-band satellite uplink"),
        ("cn", 1090.0, Service::Aeronautical, "SSR and ADS-B"),
        ("us", 121.5, Service::Aeronautical, "airband"),
        ("eu", 5800.0, Service::Video, "5.8 GHz video links"),
    ] {
        let plan = plan(name);
        let found = plan.find(mhz * 1e6, service).map(|a| a.name.as_str());
        assert_eq!(found, Some(expected), "{name} {mhz} MHz");
    }
    // Several systems share one stretch: each has its raster there.
    for (name, mhz, service, expected) in [
        ("eu", 446.00625, Service::LandMobile, "UHF professional"),
        ("us", 151.88, Service::LandMobile, "VHF professional"),
        ("cn", 406.2125, Service::LandMobile, "UHF professional"),
        ("cn", 2426.0, Service::Ism, "Bluetooth"),
        ("cn", 2426.0, Service::Ism, "2.4 GHz Wi-Fi"),
        ("cn", 2425.0, Service::Ism, "2.4 GHz IEEE 802.15.4"),
        ("cn", 1090.0, Service::Aeronautical, "DME"),
    ] {
        let plan = plan(name);
        let found = names(&plan, mhz, service);
        assert!(found.contains(&expected), "{name} {mhz} MHz: {found:?}");
    }
}

#[test]
fn channels_fall_on_their_raster() {
    for (name, allocation, mhz) in [
        ("cn", "public walkie-talkies", 409.9875),
        ("cn", "shared walkie-talkies", 407.7),
        ("cn", "FM broadcast", 103.9),
        ("cn", "45/48 MHz cordless downlink", 45.975),
        ("eu", "DECT", 1881.792),
        ("eu", "PMR446", 446.19375),
        ("us", "DECT 6.0", 1928.448),
        ("us", "FM broadcast", 107.9),
        ("us", "FRS and GMRS, 467 MHz", 467.7125),
        ("us", "UHF television", 605.0),
        ("cn", "2.4 GHz Wi-Fi", 2472.0),
        ("cn", "Bluetooth", 2480.0),
        ("cn", "2.4 GHz IEEE 802.15.4", 2480.0),
        ("us", "5.6 GHz Wi-Fi", 5720.0),
    ] {
        let plan = plan(name);
        let a = plan.allocations.iter().find(|a| a.name == allocation).expect(allocation);
        assert!(a.low_hz < mhz * 1e6 && mhz * 1e6 < a.high_hz, "{name} {allocation} {mhz}");
        let steps = (mhz * 1e6 - a.raster_origin_hz.unwrap()) / a.raster_hz.unwrap();
        // A tenth of a hertz in a raster of kilohertz: rounding of decimal megahertz only.
        assert!((steps - steps.round()).abs() < 1e-4, "{name} {allocation} {mhz}: {steps} steps");
    }
}

#[test]
fn every_service_is_in_every_region() {
    for name in REGIONS {
        let plan = plan(name);
        for service in [
            Service::Cellular,
            Service::Ism,
            Service::Srd,
            Service::LandMobile,
            Service::Cordless,
            Service::Microphone,
            Service::Broadcast,
            Service::Satellite,
            Service::Aeronautical,
            Service::Video,
        ] {
            assert!(plan.allocations.iter().any(|a| a.service == service), "{name} lacks {service:?}");
        }
    }
}

/// A file with one of each, `change`d.
fn faults_after(change: impl Fn(&str) -> String) -> String {
    let text = "region = \"xx\"\n\n\
        [[duplex]]\nname = \"B3\"\nservice = \"cellular\"\nuplink_mhz = [1710, 1785]\n\
        downlink_mhz = [1805, 1880]\nsource = \"x\"\n\n\
        [[allocation]]\nname = \"B38 TDD\"\nservice = \"cellular\"\ndirection = \"tdd\"\n\
        band_mhz = [2570, 2620]\nraster_khz = 100\nchannel_mhz = 2600\nsource = \"x\"\n";
    assert_eq!(parse(text).unwrap().allocations.len(), 3);
    let changed = change(text);
    assert_ne!(changed, text);
    parse(&changed).unwrap_err().to_string()
}

#[test]
fn faults_in_a_file_are_found() {
    let said = faults_after(|text| text.replace("1880", "1875").replace("source = \"x\"", "source = \"\""));
    assert_eq!(
        said,
        "3 faults: duplex[0].downlink_mhz: B3 is not as wide as its uplink; duplex[0].source: is empty; \
         allocation[0].source: is empty"
    );
    let said = faults_after(|text| text.replace("[2570, 2620]", "[1700, 1720]"));
    assert!(said.contains("overlaps B38 TDD"), "{said}");
    let said = faults_after(|text| text.replace("[2570, 2620]", "[2620, 2570]"));
    assert!(said.contains("is no band"), "{said}");
    let said = faults_after(|text| text.replace("[2570, 2620]", "[nan, 2570]"));
    assert!(said.contains("is no band"), "{said}");
    let said = faults_after(|text| text.replace("channel_mhz = 2600\n", ""));
    assert!(said.contains("go together"), "{said}");
    let said = faults_after(|text| text.replace("raster_khz", "raster_hz"));
    assert!(said.starts_with("line 15: unknown field `raster_hz`"), "{said}");
    let said = faults_after(|text| text.replace("\"tdd\"", "\"both\""));
    assert!(said.contains("unknown variant `both`"), "{said}");
}
