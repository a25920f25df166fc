//! Server names and the contexts they select.

use std::sync::{PoisonError, RwLock};

use crate::engine::Context;

/// Server name patterns and the context each selects; the last one added that matches wins.
/// `*` stands for any run of characters but a dot, the empty run too. Case does not count.
#[derive(Default)]
pub struct SniTable {
    entries: RwLock<Vec<(String, Context)>>,
}

impl SniTable {
    pub fn new() -> Self {
        SniTable::default()
    }

    pub fn add(&self, pattern: &str, context: Context) {
        // A thread that panicked while it held the lock left a whole vector behind: push cannot half happen.
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.push((pattern.to_ascii_lowercase(), context));
    }

    pub fn find(&self, name: &str) -> Option<Context> {
        let name = name.to_ascii_lowercase();
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.iter().rev().find(|(pattern, _)| matches(pattern.as_bytes(), name.as_bytes())).map(|(_, c)| c.clone())
    }
}

/// Linear but for the backtracking to the last `*`, which a dot in `name` ends.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, n));
            p += 1;
        } else if p < pattern.len() && pattern[p] == name[n] {
            p += 1;
            n += 1;
        } else if let Some((at, eaten)) = star.filter(|&(_, eaten)| name[eaten] != b'.') {
            star = Some((at, eaten + 1));
            p = at + 1;
            n = eaten + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    fn m(pattern: &str, name: &str) -> bool {
        matches(pattern.as_bytes(), name.as_bytes())
    }

    #[test]
    fn a_star_matches_within_one_label() {
        assert!(m("*.example.com", "a.example.com"));
        assert!(m("a*c.example.com", "abbc.example.com"));
        assert!(m("a*c*e", "abcde"));
        assert!(m("*", "localhost"));
        assert!(m("a*", "a"));
        assert!(!m("*.example.com", "a.b.example.com"));
        assert!(!m("*.example.com", "example.com"));
        assert!(!m("*", "a.b"));
        assert!(!m("a*.b*", "a.x.bb"));
        assert!(!m("", "a"));
        assert!(m("*.*.com", "a.b.com"));
        assert!(!m("*a.com", "b.com"));
    }
}
