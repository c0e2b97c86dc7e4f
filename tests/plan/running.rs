//! The scheduler: bounds hold whatever is asked of it, and its books are exact.

use crate::planned;
use emcon::plan::{CONFIRM_SHARE, CONFIRM_WINDOW_S, Loop, ReceiverPlan};
use emcon::policy::Level;
use emcon::sweep::{Dwell, Look, Purpose, Scheduler, Suspicion, Want};
use proptest::prelude::*;

fn hackrf() -> ReceiverPlan {
    planned("cn", Level::Confidential, &["hackrf"], None).unwrap().receivers.remove(0)
}

/// Runs for `seconds`; `each` sees every dwell with its beginning and what it gave, and says how much of it clipped.
fn run(
    plan: &ReceiverPlan,
    scheduler: &mut Scheduler,
    seconds: f64,
    mut each: impl FnMut(&mut Scheduler, f64, &Dwell) -> f32,
) -> f64 {
    let mut now_s = 0.0;
    while now_s < seconds {
        let dwell = scheduler.next(now_s);
        let clipped_share = each(scheduler, now_s, &dwell);
        let from_s = now_s + plan.settle_s;
        let until_s = from_s + dwell.look_s;
        scheduler.looked(&Look { dwell, from_s, until_s, lost_samples: 0, clipped_share });
        now_s = until_s;
    }
    now_s
}

/// Longest time between a tuning's sweeping visits, seconds.
fn longest_gaps(plan: &ReceiverPlan, visits: &[(u32, f64)], end_s: f64) -> Vec<f64> {
    let mut last = vec![0.0; plan.tunings.len()];
    let mut gaps = vec![0f64; plan.tunings.len()];
    let ends = (0u32..).take(plan.tunings.len()).map(|tuning| (tuning, end_s));
    for (tuning, at_s) in visits.iter().copied().chain(ends) {
        let n = tuning as usize;
        gaps[n] = gaps[n].max(at_s - last[n]);
        last[n] = at_s;
    }
    gaps
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// A flood of suspicions, more than can ever be served, of all kinds and everywhere.
    #[test]
    fn confirming_keeps_to_its_share_and_starves_nobody(seed in any::<u64>()) {
        let plan = hackrf();
        let mut scheduler = Scheduler::new(&plan, seed);
        let (mut spent, mut visits) = (Vec::new(), Vec::new());
        let mut n = seed as usize;
        let end_s = run(&plan, &mut scheduler, 120.0, |scheduler, now_s, dwell| {
            n = n.wrapping_add(1);
            let tuning = &plan.tunings[n % plan.tunings.len()];
            let want = if n.is_multiple_of(3) { Want::GhostTest } else { Want::Stare { seconds: 0.1 + (n % 7) as f64 * 0.4 } };
            let low_hz = tuning.low_hz + 1e6;
            scheduler.suspect(&Suspicion { low_hz, high_hz: low_hz + 2e5, want, until_s: now_s + 30.0 });
            match dwell.purpose {
                Purpose::Sweep => visits.push((dwell.tuning, now_s)),
                _ => spent.push((now_s, plan.settle_s + dwell.look_s)),
            }
            0.0
        });
        // Two seconds of ten are enough for a stare of a second, and a shorter look.
        prop_assert!(spent.len() >= 20, "only {} dwells confirmed", spent.len());
        // Any window that ends with a confirming dwell.
        for (end, (at_s, took_s)) in spent.iter().enumerate() {
            let from_s = at_s + took_s - CONFIRM_WINDOW_S;
            let within: f64 = spent[..=end].iter().map(|(s, t)| (s + t - s.max(from_s)).max(0.0)).sum();
            prop_assert!(within <= CONFIRM_SHARE * CONFIRM_WINDOW_S + 1e-9, "{within} s at {at_s} s");
        }
        // A period and a half by the order of visits, a period more for a dense tuning that was passed over once, a
        // tenth for the lengths of dwells; what confirming may take in as many of its windows; and as places are drawn,
        // three standard deviations of how many of all visits happen to lie between two places.
        let count: f64 = plan.tunings.iter().map(|t| f64::from(t.visits)).sum();
        let drawn_s = 3.0 * 0.5 * count.sqrt() * plan.superframe_s / count;
        for (tuning, gap_s) in plan.tunings.iter().zip(longest_gaps(&plan, &visits, end_s)) {
            let periods = if tuning.of == Loop::Dense { 2.5 } else { 1.5 };
            let confirming_s = CONFIRM_SHARE * CONFIRM_WINDOW_S * (gap_s / CONFIRM_WINDOW_S).ceil();
            let most_s = periods * 1.1 * plan.revisit_s(tuning) + confirming_s + drawn_s;
            prop_assert!(gap_s <= most_s, "{gap_s:.2} s, at most {most_s:.2} s: {tuning:?}");
        }
    }

    #[test]
    fn all_is_visited_as_often_as_planned(seed in any::<u64>()) {
        let plan = hackrf();
        let mut scheduler = Scheduler::new(&plan, seed);
        let mut counts = vec![0u32; plan.tunings.len()];
        let frames = 5u32;
        let dwells: u32 = plan.tunings.iter().map(|t| u32::from(t.visits)).sum();
        let mut now_s = 0.0;
        for number in 1..=u64::from(frames * dwells) {
            let dwell = scheduler.next(now_s);
            prop_assert_eq!(dwell.number, number);
            let tuning = &plan.tunings[dwell.tuning as usize];
            prop_assert!((dwell.look_s / tuning.dwell_s - 1.0).abs() <= 0.1 + 1e-9);
            prop_assert!(tuning.centers_hz.contains(&dwell.center_hz));
            counts[dwell.tuning as usize] += 1;
            now_s += plan.settle_s + dwell.look_s;
        }
        let planned: Vec<u32> = plan.tunings.iter().map(|t| frames * u32::from(t.visits)).collect();
        prop_assert_eq!(counts, planned);
    }
}

#[test]
fn the_order_differs_from_superframe_to_superframe_and_both_centres_are_used() {
    let plan = hackrf();
    let mut scheduler = Scheduler::new(&plan, 7);
    let dwells: usize = plan.tunings.iter().map(|t| usize::from(t.visits)).sum();
    let frame =
        |scheduler: &mut Scheduler| -> Vec<Dwell> { (0..dwells).map(|_| scheduler.next(0.0)).collect() };
    let (first, second) = (frame(&mut scheduler), frame(&mut scheduler));
    let order = |frame: &[Dwell]| frame.iter().map(|d| d.tuning).collect::<Vec<_>>();
    assert_ne!(order(&first), order(&second));
    for (n, tuning) in plan.tunings.iter().enumerate() {
        for center in tuning.centers_hz {
            let used = first.iter().chain(&second).any(|d| d.tuning as usize == n && d.center_hz == center);
            assert!(used, "{center} of {tuning:?}");
        }
    }
    // The same seed, the same dwells.
    assert_eq!(order(&frame(&mut Scheduler::new(&plan, 7))), order(&first));
}

/// A transmitter that overloads one tuning down to two steps below the search gain, for a minute.
#[test]
fn overload_is_looked_at_again_at_once_with_less_gain_which_comes_back_later() {
    let plan = hackrf();
    let near = 40;
    let mut scheduler = Scheduler::new(&plan, 3);
    let mut seen: Vec<(f64, Dwell)> = Vec::new();
    let seconds = plan.superframe_s * 20.0;
    run(&plan, &mut scheduler, seconds, |_, now_s, dwell| {
        if dwell.tuning == near {
            seen.push((now_s, *dwell));
        }
        let loud = dwell.tuning == near && now_s < 60.0 && dwell.gain_step < 2;
        if loud { 0.05 } else { 0.0 }
    });
    let steps: Vec<(u8, Purpose)> = seen.iter().map(|(_, d)| (d.gain_step, d.purpose)).collect();
    assert_eq!(steps[..3], [(0, Purpose::Sweep), (1, Purpose::GainStep), (2, Purpose::GainStep)]);
    // At once: nothing was looked at in between.
    assert_eq!(seen[1].1.number, seen[0].1.number + 1);
    assert_eq!(seen[2].1.number, seen[1].1.number + 1);
    let quiet = seen.iter().find(|(at_s, d)| *at_s > 60.0 && d.gain_step == 0);
    assert!(quiet.is_some_and(|(at_s, _)| *at_s > 60.0 + plan.superframe_s), "{quiet:?}");
}

/// What is real stays where it is; the offset and an image move off the box when the centre is shifted.
#[test]
fn a_ghost_test_moves_the_centre_then_lowers_the_gain() {
    let plan = hackrf();
    let tuning = &plan.tunings[60];
    let (low_hz, high_hz) = (tuning.low_hz + 3e6, tuning.low_hz + 3.2e6);
    let mut scheduler = Scheduler::new(&plan, 5);
    assert!(scheduler.suspect(&Suspicion { low_hz, high_hz, want: Want::GhostTest, until_s: 60.0 }));
    let (shifted, lower) = (scheduler.next(0.0), scheduler.next(0.1));
    assert_eq!((shifted.purpose, shifted.tuning, shifted.gain_step), (Purpose::LoShift, 60, 0));
    assert_eq!((lower.purpose, lower.tuning, lower.gain_step), (Purpose::GainStep, 60, 1));
    for center in tuning.centers_hz {
        let moved_hz = (shifted.center_hz - center).abs();
        assert!(moved_hz > high_hz - low_hz || center != lower.center_hz, "moved by {moved_hz} Hz");
    }
    let inside = |hz: f64| (hz - shifted.center_hz).abs() <= plan.usable_hz / 2.0;
    assert!(inside(low_hz) && inside(high_hz));
    assert_eq!(scheduler.next(0.2).purpose, Purpose::Sweep);
    // Nobody sees it, or nobody waits any longer.
    let far = Suspicion { low_hz: 7e9, high_hz: 7.1e9, want: Want::GhostTest, until_s: 60.0 };
    assert!(!scheduler.suspect(&far));
    scheduler.suspect(&Suspicion { low_hz, high_hz, want: Want::Stare { seconds: 1.0 }, until_s: 0.25 });
    assert_eq!(scheduler.next(0.3).purpose, Purpose::Sweep);
}

/// Oracle: a second bookkeeper that keeps every look.
#[test]
fn the_ledger_is_exact() {
    let plan = hackrf();
    let mut scheduler = Scheduler::new(&plan, 11);
    let mut looks: Vec<Look> = Vec::new();
    let mut now_s = 0.0;
    while now_s < 100.0 {
        let dwell = scheduler.next(now_s);
        let from_s = now_s + plan.settle_s;
        let until_s = from_s + dwell.look_s;
        // Some lose samples, some are blind.
        let lost_samples = if dwell.number.is_multiple_of(10) { 20_000 } else { 0 };
        let clipped_share = if dwell.number.is_multiple_of(17) { 0.5 } else { 0.0 };
        looks.push(Look { dwell, from_s, until_s, lost_samples, clipped_share });
        scheduler.looked(&looks[looks.len() - 1]);
        now_s = until_s;
    }
    // 315 MHz is covered by one tuning, off its centre.
    let n = plan.bands.iter().position(|b| b.name == "315 MHz remote controls").unwrap();
    let books = &scheduler.coverage(now_s)[n];
    let own: Vec<&Look> =
        looks.iter().filter(|l| plan.tunings[l.dwell.tuning as usize].bands.contains(&(n as u16))).collect();
    let seen: Vec<&&Look> = own.iter().filter(|l| l.clipped_share < 0.2).collect();
    let observed_s: f64 =
        seen.iter().map(|l| l.until_s - l.from_s - l.lost_samples as f64 / plan.rate_hz).sum();
    assert!((books.observed_s - observed_s).abs() < 1e-9, "{books:?}, not {observed_s}");
    assert_eq!(books.visits, seen.len() as u64);
    assert_eq!(books.lost_samples, own.iter().map(|l| l.lost_samples).sum::<u64>());
    let ends: Vec<f64> = [0.0].into_iter().chain(seen.iter().map(|l| l.until_s)).collect();
    let starts: Vec<f64> = seen.iter().map(|l| l.from_s).chain([now_s]).collect();
    let gaps: Vec<f64> = starts.iter().zip(&ends).map(|(s, e)| s - e).collect();
    assert_eq!(books.longest_gap_s, gaps.iter().copied().fold(0.0, f64::max));
    assert_eq!(books.age_s, gaps.last().copied());
    let event_s = plan.bands[n].event_s;
    let missed: f64 = gaps.iter().map(|g| (g - event_s).max(0.0)).sum();
    assert!((books.intercept - (1.0 - missed / (now_s - event_s))).abs() < 1e-9, "{books:?}");
    let lost: u64 = looks.iter().map(|l| l.lost_samples).sum();
    assert_eq!(scheduler.ledger().lost_samples(), lost);
    // Every band has its line, under its name.
    let names: Vec<String> = scheduler.coverage(now_s).into_iter().map(|c| c.band).collect();
    assert_eq!(names, plan.bands.iter().map(|b| b.name.clone()).collect::<Vec<_>>());
}
