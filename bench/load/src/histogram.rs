//! Latencies in microseconds, in buckets that are at most 1/64 of their value wide, in fixed memory.

/// Buckets per power of two.
const STEPS: u64 = 64;
/// Values from here on (about 67 s) share the last bucket.
const TOP: u64 = 1 << 26;
const BUCKETS: usize = (STEPS as usize) * 21;

/// A histogram of microseconds.
pub struct Histogram {
    counts: Box<[u64; BUCKETS]>,
    total: u64,
    max: u64,
}

impl Histogram {
    pub fn new() -> Self {
        Self { counts: Box::new([0; BUCKETS]), total: 0, max: 0 }
    }

    pub fn record(&mut self, micros: u64) {
        self.counts[Self::bucket(micros)] += 1;
        self.total += 1;
        self.max = self.max.max(micros);
    }

    pub fn max(&self) -> u64 {
        self.max
    }

    /// The smallest value, in microseconds, that at least `share` (0 to 1) of the recorded ones do not exceed; the lower
    /// edge of its bucket. 0 when nothing is recorded.
    pub fn quantile(&self, share: f64) -> u64 {
        let wanted = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Self::lower_edge(bucket as u64);
            }
        }
        0
    }

    /// Values below `2 * STEPS` have a bucket each; above, every doubling has `STEPS` buckets.
    fn bucket(micros: u64) -> usize {
        let value = micros.min(TOP - 1);
        let shift = (64 - value.leading_zeros()).saturating_sub(STEPS.trailing_zeros() + 1);
        (u64::from(shift) * STEPS + (value >> shift)) as usize
    }

    fn lower_edge(bucket: u64) -> u64 {
        let shift = (bucket / STEPS).saturating_sub(1);
        (bucket - shift * STEPS) << shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_below_their_values_by_less_than_a_64th() {
        for value in (0..5000).chain([65_535, 65_536, 1_000_000, TOP - 1]) {
            let edge = Histogram::lower_edge(Histogram::bucket(value) as u64);
            assert!(edge <= value && value - edge <= value / STEPS, "{value} -> {edge}");
        }
        assert_eq!(Histogram::bucket(u64::MAX), Histogram::bucket(TOP - 1));
        assert!(Histogram::bucket(u64::MAX) < BUCKETS);
    }

    #[test]
    fn quantiles() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), 0);
        (1..=100).for_each(|micros| histogram.record(micros));
        assert_eq!((histogram.quantile(0.5), histogram.quantile(0.99), histogram.max()), (50, 99, 100));
    }
}
