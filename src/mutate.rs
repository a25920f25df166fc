//! A simple mutator for tests: what `fuzz/` does for long, done shortly with every `cargo test`.

/// The same bytes every time.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

/// Grows `seeds`: a changed one that came to its end joins them.
pub fn mutate(mut seeds: Vec<Vec<u8>>, rounds: usize, target: fn(&[u8])) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for seed in &seeds {
        target(seed);
    }
    for _ in 0..rounds {
        let mut data = seeds[random.next(seeds.len())].clone();
        for _ in 0..=random.next(4) {
            let at = random.next(data.len() + 1);
            match random.next(4) {
                0 => data.insert(at, random.next(256) as u8),
                1 => data.truncate(at.max(8)),
                2 if at < data.len() => data[at] ^= 1 << random.next(8),
                _ => {
                    let other = &seeds[random.next(seeds.len())];
                    data.extend_from_slice(&other[random.next(other.len())..]);
                }
            }
        }
        data.truncate(2_000);
        target(&data);
        // The first ones stay.
        match random.next(64) {
            place if place >= seeds.len() => seeds.push(data),
            place if place > 3 => seeds[place] = data,
            _ => {}
        }
    }
}
