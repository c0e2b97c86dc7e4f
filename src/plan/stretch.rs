//! Sets of stretches of spectrum: sorted, apart, hertz.

/// Lower and upper edge.
pub type Stretch = [f64; 2];

/// What all of `stretches` cover.
pub fn union(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    stretches.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let mut out: Vec<Stretch> = Vec::new();
    for [low, high] in stretches {
        match out.last_mut() {
            Some(last) if low <= last[1] => last[1] = last[1].max(high),
            _ => out.push([low, high]),
        }
    }
    out
}

/// What of `from` none of `taken` covers; both are sorted and apart.
pub fn without(from: &[Stretch], taken: &[Stretch]) -> Vec<Stretch> {
    let mut out = Vec::new();
    for &[low, high] in from {
        let mut at = low;
        for &[taken_low, taken_high] in taken.iter().filter(|t| t[1] > low && t[0] < high) {
            if taken_low > at {
                out.push([at, taken_low]);
            }
            at = at.max(taken_high);
        }
        if at < high {
            out.push([at, high]);
        }
    }
    out
}

/// What is in `a` and in `b`; both are sorted and apart.
pub fn common(a: &[Stretch], b: &[Stretch]) -> Vec<Stretch> {
    let pairs = a.iter().flat_map(|x| b.iter().map(|y| [x[0].max(y[0]), x[1].min(y[1])]));
    pairs.filter(|[low, high]| low < high).collect()
}

/// Total width.
pub fn width(stretches: &[Stretch]) -> f64 {
    stretches.iter().map(|[low, high]| high - low).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_stretches() {
        let all = union(vec![[5.0, 8.0], [0.0, 2.0], [1.0, 3.0], [8.0, 9.0]]);
        assert_eq!(all, [[0.0, 3.0], [5.0, 9.0]]);
        assert_eq!(without(&all, &[[1.0, 6.0], [7.0, 7.5]]), [[0.0, 1.0], [6.0, 7.0], [7.5, 9.0]]);
        assert_eq!(without(&all, &[]), all);
        assert_eq!(common(&all, &[[2.0, 6.0]]), [[2.0, 3.0], [5.0, 6.0]]);
        assert_eq!(width(&all), 7.0);
    }
}
