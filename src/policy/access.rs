//! Who may connect: lists of addresses, in which `*` stands for any characters.

use std::net::IpAddr;

/// Two lists: whoever is on the first and not on the second may connect.
#[derive(Debug, Clone, Default)]
pub struct Access {
    allowed: Vec<Pattern>,
    blocked: Vec<Pattern>,
}

#[derive(Debug, Clone)]
enum Pattern {
    Address(IpAddr),
    /// In lower case; an address is compared as it is written in its shortest form.
    Text(String),
}

impl Access {
    /// Patterns of IPv4 and IPv6 addresses: `192.168.1.7`, `192.168.*`, `fe80:*`, `*`. What is neither matches nobody.
    pub fn new<T: AsRef<str>>(allowed: &[T], blocked: &[T]) -> Self {
        let parsed = |list: &[T]| list.iter().map(|text| Pattern::new(text.as_ref())).collect();
        Access { allowed: parsed(allowed), blocked: parsed(blocked) }
    }

    /// An IPv4 address inside IPv6 counts as IPv4. Who has no address (`None`, a Unix socket) is matched by `*` alone.
    pub fn permits(&self, address: Option<IpAddr>) -> bool {
        let address = address.map(|address| address.to_canonical());
        let text = address.map(|address| address.to_string()).unwrap_or_default();
        let listed = |list: &[Pattern]| list.iter().any(|pattern| pattern.matches(address, &text));
        listed(&self.allowed) && !listed(&self.blocked)
    }
}

impl Pattern {
    fn new(text: &str) -> Self {
        let text = text.trim().to_ascii_lowercase();
        if let Ok(address) = text.split('%').next().unwrap_or_default().parse::<IpAddr>() {
            return Pattern::Address(address.to_canonical());
        }
        let mapped = text.strip_prefix("::ffff:").filter(|rest| rest.contains('.'));
        Pattern::Text(mapped.map(str::to_owned).unwrap_or(text))
    }

    fn matches(&self, address: Option<IpAddr>, text: &str) -> bool {
        match self {
            Pattern::Address(wanted) => address == Some(*wanted),
            Pattern::Text(pattern) => fits(pattern.as_bytes(), text.as_bytes()),
        }
    }
}

/// In time of the product of both lengths at most.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Behind the last `*`, and where it was tried last.
    let mut retry = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            retry = Some((p, t));
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((behind, tried)) = retry {
            p = behind;
            t = tried + 1;
            retry = Some((behind, t));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, address: &str) -> bool {
        Access::new(&[pattern], &[]).permits(Some(address.parse().unwrap()))
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, address, fit) in [
            ("*", "192.168.1.7", true),
            ("*", "::1", true),
            ("192.168.1.*", "192.168.1.7", true),
            ("192.168.1.*", "192.168.17.1", false),
            ("192.*.7", "192.168.1.7", true),
            ("*.7", "192.168.1.77", false),
            ("*1*1*", "1.0.0.1", true),
            ("*1*1*1", "1.0.0.1", false),
            ("**", "1.0.0.1", true),
            ("FE80:*", "fe80::1", true),
            ("fe80:*", "fd80::1", false),
            ("", "1.2.3.4", false),
            ("example.com", "1.2.3.4", false),
        ] {
            assert_eq!(matches(pattern, address), fit, "{pattern} {address}");
        }
    }

    #[test]
    fn an_address_matches_however_it_is_written() {
        for (pattern, address) in [
            (" 127.0.0.1 ", "127.0.0.1"),
            ("127.0.0.1", "::ffff:127.0.0.1"),
            ("127.*", "::ffff:127.0.0.1"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("::FFFF:127.0.*", "127.0.0.1"),
            ("0:0:0:0:0:0:0:1", "::1"),
            ("2001:DB8::A", "2001:db8:0:0::a"),
            ("fe80::1%eth0", "fe80::1"),
        ] {
            assert!(matches(pattern, address), "{pattern} {address}");
        }
    }

    #[test]
    fn the_second_list_has_the_last_word() {
        let access = Access::new(&["10.*", "::1"], &["10.0.0.1", "10.9.*"]);
        for (address, permitted) in
            [("10.0.0.2", true), ("10.0.0.1", false), ("10.9.1.1", false), ("::1", true), ("11.0.0.1", false)]
        {
            assert_eq!(access.permits(Some(address.parse().unwrap())), permitted, "{address}");
        }
        assert!(!Access::new::<&str>(&[], &[]).permits(Some("::1".parse().unwrap())));
        assert!(Access::new(&["*"], &["10.*"]).permits(None));
        assert!(!access.permits(None));
    }

    #[test]
    fn a_pattern_of_many_stars_costs_no_more_than_its_length() {
        let pattern = "*1".repeat(10_000);
        assert!(!matches(&pattern, "1111:1111:1111:1111:1111:1111:1111:1111"));
    }
}
