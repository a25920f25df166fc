//! Finds a byte string in a stream that comes in pieces.
//!
//! Inside a piece `memchr` searches, whose worst case is linear. What may begin in one piece and end in another is
//! followed byte by byte with the borders of Knuth, Morris and Pratt: at most the first and the last bytes of a piece, as
//! many as the string has, so that no byte is looked at again because more have come.

use memchr::memmem::Finder;

#[derive(Debug)]
pub(super) struct Needle {
    finder: Finder<'static>,
    /// For each beginning of the string, by its length less one: how long its longest end is that is a beginning too.
    borders: Box<[u32]>,
    /// Bytes followed one by one, and falls back to a border.
    #[cfg(test)]
    pub steps: std::sync::atomic::AtomicUsize,
}

impl Needle {
    /// `bytes` are not empty.
    pub fn new(bytes: &[u8]) -> Self {
        let mut borders = vec![0_u32; bytes.len()];
        let mut length = 0;
        for at in 1..bytes.len() {
            while length > 0 && bytes[length] != bytes[at] {
                length = borders[length - 1] as usize;
            }
            length += usize::from(bytes[length] == bytes[at]);
            borders[at] = length as u32;
        }
        Needle {
            finder: Finder::new(bytes).into_owned(),
            borders: borders.into(),
            #[cfg(test)]
            steps: Default::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.borders.len()
    }

    #[cfg(any(test, fuzzing))]
    pub fn bytes(&self) -> &[u8] {
        self.finder.needle()
    }

    /// Where the first occurrence ends. `matched`: how much of the string the stream ended with before `bytes`, then
    /// behind them.
    pub fn find(&self, bytes: &[u8], matched: &mut usize) -> Option<usize> {
        let mut so_far = std::mem::take(matched);
        let mut at = 0;
        // What has begun before these bytes.
        while so_far > at {
            let Some(byte) = bytes.get(at) else {
                *matched = so_far;
                return None;
            };
            so_far = self.follow(so_far, *byte);
            at += 1;
            if so_far == self.len() {
                return Some(at);
            }
        }
        let from = at - so_far;
        if let Some(found) = self.finder.find(&bytes[from..]) {
            return Some(from + found + self.len());
        }
        // What may have begun at their end.
        let from = from.max(bytes.len().saturating_sub(self.len() - 1));
        *matched = bytes[from..].iter().fold(0, |so_far, byte| self.follow(so_far, *byte));
        None
    }

    /// `so_far` is less than the string's length.
    fn follow(&self, mut so_far: usize, byte: u8) -> usize {
        let needle = self.finder.needle();
        loop {
            #[cfg(test)]
            self.steps.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if needle[so_far] == byte {
                return so_far + 1;
            }
            match so_far.checked_sub(1) {
                Some(last) => so_far = self.borders[last] as usize,
                None => return 0,
            }
        }
    }
}
