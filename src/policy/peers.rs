//! Who has sent datagrams to a UDP socket lately. Anybody can send from a thousand addresses that are not theirs, so the
//! table is bounded: whoever was quiet longest goes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hashlink::LinkedHashMap;

/// Peers by id and by address. Every operation takes constant time.
#[derive(Debug)]
pub struct Peers {
    most: usize,
    idle: Option<Duration>,
    /// Whoever was quiet longest stands in front.
    by_id: LinkedHashMap<u32, Peer>,
    /// The standard library's hash has a secret key: addresses are a stranger's to choose.
    ids: HashMap<SocketAddr, u32>,
}

#[derive(Debug)]
struct Peer {
    address: SocketAddr,
    /// The last datagram, either way.
    last: Instant,
}

/// Who a datagram came from.
#[derive(Debug, PartialEq, Eq)]
pub enum Sender {
    Known(u32),
    /// `pushed_out` had to make room.
    New {
        id: u32,
        pushed_out: Option<u32>,
    },
}

impl Peers {
    /// `most`: peers kept, at least 1. `idle`: a peer goes after this long without a datagram either way; `None`: never.
    pub fn new(most: usize, idle: Option<Duration>) -> Self {
        Peers { most: most.max(1), idle, by_id: LinkedHashMap::new(), ids: HashMap::new() }
    }

    /// A datagram came from `address`. `next_id` gives numbers until one is not in use.
    pub fn received(&mut self, address: SocketAddr, now: Instant, mut next_id: impl FnMut() -> u32) -> Sender {
        if let Some(&id) = self.ids.get(&address) {
            self.touch(id, now);
            return Sender::Known(id);
        }
        let pushed_out = if self.by_id.len() < self.most { None } else { self.remove_first() };
        let id = loop {
            let id = next_id();
            if !self.by_id.contains_key(&id) {
                break id;
            }
        };
        self.by_id.insert(id, Peer { address, last: now });
        self.ids.insert(address, id);
        Sender::New { id, pushed_out }
    }

    /// A datagram goes to peer `id`: its address, if it is still known.
    pub fn sending(&mut self, id: u32, now: Instant) -> Option<SocketAddr> {
        self.touch(id, now)
    }

    fn touch(&mut self, id: u32, now: Instant) -> Option<SocketAddr> {
        let peer = self.by_id.to_back(&id)?;
        peer.last = peer.last.max(now);
        Some(peer.address)
    }

    /// Removes a peer whose time is over. To be called until there is none.
    pub fn expire(&mut self, now: Instant) -> Option<u32> {
        let (_, first) = self.by_id.front()?;
        if now.saturating_duration_since(first.last) < self.idle? {
            return None;
        }
        self.remove_first()
    }

    /// When the next peer's time is over if nothing happens.
    pub fn next_expiry(&self) -> Option<Instant> {
        let (_, first) = self.by_id.front()?;
        first.last.checked_add(self.idle?)
    }

    fn remove_first(&mut self) -> Option<u32> {
        let (id, peer) = self.by_id.pop_front()?;
        self.ids.remove(&peer.address);
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(300);

    fn address(host: u32) -> SocketAddr {
        SocketAddr::new(std::net::Ipv4Addr::from_bits(host).into(), 9)
    }

    fn table(most: usize) -> (Peers, impl FnMut() -> u32) {
        let mut last = 100;
        let next = move || {
            last += 1;
            last
        };
        (Peers::new(most, Some(IDLE)), next)
    }

    #[test]
    fn an_address_keeps_its_id() {
        let (mut peers, mut next) = table(9);
        let now = Instant::now();
        assert_eq!(peers.received(address(1), now, &mut next), Sender::New { id: 101, pushed_out: None });
        assert_eq!(peers.received(address(2), now, &mut next), Sender::New { id: 102, pushed_out: None });
        assert_eq!(peers.received(address(1), now, &mut next), Sender::Known(101));
        assert_eq!(peers.sending(102, now), Some(address(2)));
        assert_eq!(peers.sending(103, now), None);
    }

    #[test]
    fn whoever_was_quiet_longest_makes_room() {
        let (mut peers, mut next) = table(3);
        let now = Instant::now();
        for host in 1..=3 {
            peers.received(address(host), now, &mut next);
        }
        // A datagram either way counts.
        peers.received(address(1), now, &mut next);
        peers.sending(102, now);
        assert_eq!(peers.received(address(4), now, &mut next), Sender::New { id: 104, pushed_out: Some(103) });
        assert_eq!(peers.received(address(5), now, &mut next), Sender::New { id: 105, pushed_out: Some(101) });
        assert_eq!(peers.sending(101, now), None);
        // A peer that comes back has another id.
        assert_eq!(peers.received(address(1), now, &mut next), Sender::New { id: 106, pushed_out: Some(102) });
    }

    #[test]
    fn a_flood_of_addresses_leaves_nothing_behind() {
        let (mut peers, mut next) = table(16);
        for host in 0..100_000 {
            peers.received(address(host), Instant::now(), &mut next);
        }
        assert_eq!((peers.by_id.len(), peers.ids.len()), (16, 16));
        assert!(peers.by_id.capacity() <= 64 && peers.ids.capacity() <= 64);
    }

    #[test]
    fn peers_go_when_they_were_idle_and_not_before() {
        let (mut peers, mut next) = table(9);
        let start = Instant::now();
        let moment = Duration::from_millis(1);
        assert_eq!((peers.next_expiry(), peers.expire(start)), (None, None));
        peers.received(address(1), start, &mut next);
        peers.received(address(2), start, &mut next);
        assert_eq!(peers.next_expiry(), Some(start + IDLE));
        peers.sending(101, start + moment);
        assert_eq!(peers.expire(start + IDLE - moment), None);
        assert_eq!(peers.expire(start + IDLE), Some(102));
        assert_eq!(peers.expire(start + IDLE), None);
        assert_eq!(peers.next_expiry(), Some(start + moment + IDLE));
        assert_eq!(peers.expire(start + moment + IDLE), Some(101));
        assert_eq!((peers.by_id.len(), peers.ids.len()), (0, 0));
    }

    #[test]
    fn without_an_idle_time_peers_stay() {
        let now = Instant::now();
        for idle in [None, Some(Duration::MAX)] {
            let mut peers = Peers::new(1, idle);
            peers.received(address(1), now, || 1);
            assert_eq!((peers.next_expiry(), peers.expire(now + IDLE)), (None, None));
        }
    }

    #[test]
    fn an_id_in_use_is_not_given_again() {
        let mut peers = Peers::new(2, None);
        let now = Instant::now();
        let mut ids = [7, 7, 8].into_iter();
        peers.received(address(1), now, || ids.next().unwrap());
        assert_eq!(peers.received(address(2), now, || ids.next().unwrap()), Sender::New { id: 8, pushed_out: None });
    }
}
