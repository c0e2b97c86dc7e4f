//! An emitter's bursts, one by one: what a forecast by formulas is held against.
//!
//! It takes the models' figures (lengths, periods, bands) and none of their formulas: bursts are drawn in time and
//! frequency, and a look meets one if enough of it lies in what the look could see.

use emcon::plan::{EmitterModel, Pattern, Random};

/// Shortest stretch of a burst that counts, seconds, and the least share of its width.
const SHORTEST_S: f64 = 1e-4;
const LEAST_WIDTH: f64 = 0.5;

/// What a look can see.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// First good sample, seconds.
    pub from_s: f64,
    /// The last one.
    pub until_s: f64,
    /// Centre, hertz.
    pub center_hz: f64,
    /// Width that is used, hertz.
    pub usable_hz: f64,
    /// Width in the middle that the receiver's offset hides, hertz.
    pub hidden_hz: f64,
}

impl View {
    /// Whether enough of an emission of `width_hz` around `hz` is seen.
    fn sees(&self, hz: f64, width_hz: f64) -> bool {
        let (low, high) = (hz - width_hz / 2.0, hz + width_hz / 2.0);
        let common = |half: f64| (high.min(self.center_hz + half) - low.max(self.center_hz - half)).max(0.0);
        let seen = common(self.usable_hz / 2.0) - common(self.hidden_hz / 2.0);
        seen >= LEAST_WIDTH * width_hz.min(self.usable_hz)
    }

    /// Whether enough of a burst is inside.
    fn holds(&self, start_s: f64, on_s: f64) -> bool {
        (start_s + on_s).min(self.until_s) - start_s.max(self.from_s) >= SHORTEST_S
    }
}

/// One emitter's life, looked at in the order of time.
pub struct Air<'a> {
    model: &'a EmitterModel,
    band: [f64; 2],
    /// Where it is, if it is on one channel.
    center_hz: f64,
    random: Random,
    /// Edges of the phases of the chain that is next or now.
    edges: Vec<f64>,
    /// Next burst of each phase that has a train.
    trains: Vec<f64>,
    /// Bursts of a scan: start and channel's centre.
    scan: Vec<(f64, f64)>,
}

impl<'a> Air<'a> {
    /// An emitter that is there from `start_s` on, somewhere in `own`.
    pub fn new(model: &'a EmitterModel, own: &[[f64; 2]], start_s: f64, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let center_hz = place(own, model.width_hz, &mut random);
        let band = [own[0][0], own[own.len() - 1][1]];
        let mut air = Self { model, band, center_hz, random, edges: vec![], trains: vec![], scan: vec![] };
        match model.every_s {
            Some(_) => air.begin(start_s),
            None => air.fill(vec![start_s, f64::INFINITY]),
        }
        air
    }

    /// Whether a look with the view's centre could ever meet it; of one that is all over its band that is not asked.
    pub fn is_in_reach(&self, view: &View) -> bool {
        let sees = |hz: f64| view.sees(hz, self.model.width_hz);
        let fixed = &self.model.place.at_hz;
        self.model.hops() || sees(self.center_hz) || fixed.iter().any(|hz| sees(*hz))
    }

    /// The next chain of phases, after a silence from `end_s` on.
    fn begin(&mut self, end_s: f64) {
        let mut at_s = end_s + self.random.exponential(self.model.every_s.unwrap_or(0.0));
        let mut edges = vec![at_s];
        for phase in &self.model.phases {
            at_s += self.random.between(phase.lasts_s[0], phase.lasts_s[1]);
            edges.push(at_s);
        }
        self.fill(edges);
    }

    fn fill(&mut self, edges: Vec<f64>) {
        self.trains.clear();
        self.scan.clear();
        for (phase, span) in self.model.phases.iter().zip(edges.windows(2)) {
            let offset_s = match phase.pattern {
                Pattern::Periodic { period_s, .. } | Pattern::Hopping { period_s, .. } => {
                    self.random.unit() * period_s
                }
                _ => 0.0,
            };
            self.trains.push(span[0] + offset_s);
            if let Pattern::Scan { channels, bursts, on_s } = phase.pattern {
                let stay_s = (span[1] - span[0]) / f64::from(channels);
                let step_hz = (self.band[1] - self.band[0]) / f64::from(channels);
                for n in 0..channels {
                    for _ in 0..bursts {
                        let at_s = span[0] + f64::from(n) * stay_s + self.random.unit() * (stay_s - on_s);
                        self.scan.push((at_s, self.band[0] + (f64::from(n) + 0.5) * step_hz));
                    }
                }
            }
        }
        self.edges = edges;
    }

    /// Whether `view` meets a burst.
    pub fn meets(&mut self, view: &View) -> bool {
        while self.edges[self.edges.len() - 1] <= view.from_s {
            self.begin(self.edges[self.edges.len() - 1]);
        }
        let mut met = false;
        for n in 0..self.model.phases.len() {
            let span = [self.edges[n], self.edges[n + 1]];
            if span[0] < view.until_s && view.from_s < span[1] {
                met |= self.phase_meets(n, span, view);
            }
        }
        met
    }

    fn phase_meets(&mut self, n: usize, span: [f64; 2], view: &View) -> bool {
        let width_hz = self.model.width_hz;
        let on_channel = |hz: f64| view.sees(hz, width_hz);
        match self.model.phases[n].pattern {
            Pattern::Continuous => on_channel(self.center_hz) && view.holds(span[0], span[1] - span[0]),
            Pattern::Periodic { on_s, period_s, jitter_s } => {
                let mut met = false;
                while self.trains[n] < view.until_s.min(span[1]) {
                    let at_s = self.trains[n];
                    met |= self
                        .packets(at_s, on_s)
                        .any(|(s, hz)| view.holds(s, on_s) && view.sees(hz, width_hz));
                    if at_s + period_s >= view.until_s {
                        break;
                    }
                    self.trains[n] = at_s + period_s + jitter_s * self.random.unit();
                }
                met
            }
            Pattern::Hopping { on_s, period_s } => {
                // Hops that nobody watched are not drawn.
                let skipped = ((view.from_s - on_s - self.trains[n]) / period_s).floor().max(0.0);
                self.trains[n] += skipped * period_s;
                let mut met = false;
                while self.trains[n] < view.until_s.min(span[1]) {
                    let hz = self.random.between(self.band[0], self.band[1]);
                    met |= view.holds(self.trains[n], on_s) && view.sees(hz, width_hz);
                    self.trains[n] += period_s;
                }
                met
            }
            Pattern::Random { on_s, rate_hz } => {
                // Arrivals have no memory, and looks do not overlap.
                let (from_s, until_s) = (view.from_s.max(span[0]) - on_s, view.until_s.min(span[1]));
                let mut at_s = from_s + self.random.exponential(1.0 / rate_hz);
                let mut met = false;
                while at_s < until_s {
                    met |= view.holds(at_s, on_s) && on_channel(self.center_hz);
                    at_s += self.random.exponential(1.0 / rate_hz);
                }
                met
            }
            Pattern::Scan { on_s, .. } => {
                self.scan.iter().any(|(at_s, hz)| view.holds(*at_s, on_s) && view.sees(*hz, width_hz))
            }
        }
    }

    /// The packets of one burst: on each fixed channel in turn, or on the emitter's own.
    fn packets(&self, at_s: f64, on_s: f64) -> impl Iterator<Item = (f64, f64)> {
        let fixed = &self.model.place.at_hz;
        let own = [self.center_hz];
        let channels = if fixed.is_empty() { own.to_vec() } else { fixed.clone() };
        // As long again between them: an answer would go there.
        channels.into_iter().enumerate().map(move |(n, hz)| (at_s + 2.0 * n as f64 * on_s, hz))
    }
}

/// A centre that keeps the emitter within a stretch of `own`.
fn place(own: &[[f64; 2]], width_hz: f64, random: &mut Random) -> f64 {
    let room = |s: &[f64; 2]| (s[1] - s[0] - width_hz).max(1.0);
    let mut at = random.unit() * own.iter().map(room).sum::<f64>();
    for stretch in own {
        if at < room(stretch) {
            return stretch[0] + (width_hz / 2.0).min((stretch[1] - stretch[0]) / 2.0) + at;
        }
        at -= room(stretch);
    }
    own[own.len() - 1][1]
}
