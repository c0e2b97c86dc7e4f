//! scratch
use emcon::{classify::Device, config, plan, policy::Level};
#[test]
fn show() {
    let (covers, emitters) = config::coverage().unwrap();
    for (reg, settle) in [("cn", None), ("cn", Some(0.03)), ("cn", Some(0.005)), ("eu", None), ("us", None)] {
        for rx in ["hackrf", "rtlsdr"] {
            let region = config::region(reg).unwrap();
            let profile = config::receiver(rx).unwrap();
            let settle = if rx == "rtlsdr" && settle.is_some() { Some(0.010) } else { settle };
            let ability = config::ability(&profile, settle);
            let devices: Vec<Device> = Device::ALL.to_vec();
            let t = std::time::Instant::now();
            let p = plan::scan_plan(&plan::Request {
                region: &region,
                covers: &covers,
                emitters: &emitters,
                level: Level::Confidential,
                devices: &devices,
                receivers: &[ability],
            })
            .unwrap();
            let r = &p.receivers[0];
            println!(
                "{reg} {rx} {settle:?}: {} tunings {} bands superframe {:.2} looked {:.3} slots {} in {:?} unseen {}",
                r.tunings.len(),
                r.bands.len(),
                r.superframe_s,
                r.looked_share(),
                r.tunings.iter().map(|t| t.visits as u32).sum::<u32>(),
                t.elapsed(),
                p.unseen.len()
            );
            if std::env::var("V").is_ok() {
                for t in &r.tunings {
                    println!(
                        "  {:9.3} {:9.3}  {:9.3}-{:9.3} dwell {:.1} ms n {} Tr {:.2} {:?} {}",
                        t.centers_hz[0] / 1e6,
                        t.centers_hz[1] / 1e6,
                        t.low_hz / 1e6,
                        t.high_hz / 1e6,
                        t.dwell_s * 1e3,
                        t.visits,
                        r.revisit_s(t),
                        t.of,
                        t.bands
                            .iter()
                            .map(|b| r.bands[*b as usize].name.clone())
                            .collect::<Vec<_>>()
                            .join(", ")
                    );
                }
            }
        }
    }
}
