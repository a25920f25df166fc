//! UDP over real sockets.

use std::future::Future;
use std::net::{IpAddr, Ipv6Addr, UdpSocket};
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::Poll;

use super::sink::{Seen, Sink};
use super::*;
use crate::driver::datagram::Receiver;
use crate::driver::shard::Shard;
use crate::driver::{Datagram, DatagramOptions};
use crate::policy::limits::{CONNECTION_INBOUND, DATAGRAM_TURN, PEERS, PEER_IDLE};
use crate::transport::{SocketAddress, UdpOptions};

/// What IPv4 and the lengths in its headers leave for one datagram.
const LARGEST: usize = 65_507;

fn options() -> DatagramOptions {
    DatagramOptions { socket: UdpOptions::default(), max_peers: PEERS, peer_idle: Some(PEER_IDLE) }
}

/// A socket of ours on a free port.
fn bind(sink: &Arc<Sink>, configure: impl FnOnce(&mut DatagramOptions)) -> (Arc<Datagram>, SocketAddr) {
    let mut options = options();
    configure(&mut options);
    let datagram = Datagram::bind(sink.clone(), "127.0.0.1", 0, options).unwrap();
    let port = datagram.address().port;
    (datagram, (Ipv4Addr::LOCALHOST, port).into())
}

/// A peer that talks to `address`.
fn peer(address: SocketAddr) -> UdpSocket {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
    let socket = UdpSocket::bind((any, 0)).unwrap();
    socket.connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn address_of(socket: &UdpSocket) -> SocketAddress {
    socket.local_addr().unwrap().into()
}

/// The id that the peer at `address` has, or gets.
fn id_of(sink: &Sink, datagram: &Datagram, address: &SocketAddress) -> u32 {
    sink.wait_for(datagram.id(), |e| match e {
        Seen::Peer(id, seen) if seen == address => Some(*id),
        _ => None,
    })
}

fn wait(sink: &Sink, datagram: &Datagram, wanted: Seen) {
    sink.wait_for(datagram.id(), |e| (*e == wanted).then_some(()));
}

fn next(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let length = socket.recv(&mut buffer).unwrap();
    buffer[..length].to_vec()
}

#[test]
fn datagrams_come_whole_and_in_order_behind_their_peer() {
    let sink = Sink::new();
    let (datagram, address) = bind(&sink, |_| {});
    let (one, two) = (peer(address), peer(address));
    one.send(b"first").unwrap();
    let first = id_of(&sink, &datagram, &address_of(&one));
    one.send(b"").unwrap();
    one.send(b"second").unwrap();
    one.send(b"third").unwrap();
    wait(&sink, &datagram, Seen::Datagram(first, b"third".to_vec()));
    two.send(b"hello").unwrap();
    let second = id_of(&sink, &datagram, &address_of(&two));
    wait(&sink, &datagram, Seen::Datagram(second, b"hello".to_vec()));
    let expected = [
        Seen::Peer(first, address_of(&one)),
        Seen::Datagram(first, b"first".to_vec()),
        Seen::Datagram(first, Vec::new()),
        Seen::Datagram(first, b"second".to_vec()),
        Seen::Datagram(first, b"third".to_vec()),
        Seen::Peer(second, address_of(&two)),
        Seen::Datagram(second, b"hello".to_vec()),
    ];
    assert_eq!(sink.seen(datagram.id()), expected);
    assert!(first != second && first >= 1 << 31 && datagram.id() < 1 << 31);

    // Each answer finds its peer.
    assert!(datagram.send(second, b"to two") && datagram.send(first, b"") && datagram.send(first, b"to one"));
    assert_eq!((next(&one), next(&one), next(&two)), (Vec::new(), b"to one".to_vec(), b"to two".to_vec()));
    assert!(!datagram.send(first ^ second, b"nobody"));
}

#[test]
fn the_largest_datagram_passes_both_ways() {
    let sink = Sink::new();
    let (datagram, address) = bind(&sink, |_| {});
    let peer = peer(address);
    let large: Vec<u8> = (0..LARGEST).map(|i| (i % 251) as u8).collect();
    peer.send(&large).unwrap();
    let id = id_of(&sink, &datagram, &address_of(&peer));
    wait(&sink, &datagram, Seen::Datagram(id, large.clone()));
    assert!(datagram.send(id, &large));
    assert!(next(&peer) == large);
    // One byte more is refused, and harms nothing.
    assert!(!datagram.send(id, &vec![0; LARGEST + 1]));
    assert!(datagram.send(id, b"still here"));
    assert_eq!(next(&peer), b"still here");
}

#[test]
fn anybody_can_be_sent_to_without_having_sent() {
    let sink = Sink::new();
    let (datagram, address) = bind(&sink, |_| {});
    let peer = peer(address);
    let port = address_of(&peer).port;
    assert!(datagram.send_to("127.0.0.1", port, b"who is there?").unwrap());
    assert_eq!(next(&peer), b"who is there?");
    assert_eq!(sink.seen(datagram.id()), []);
    let error = datagram.send_to("localhost", port, b"").unwrap_err();
    assert_eq!(error.code, "ERR_INVALID_IP_ADDRESS");
}

#[test]
fn an_idle_peer_goes_and_comes_back_as_another() {
    let sink = Sink::new();
    let (datagram, address) = bind(&sink, |options| options.peer_idle = Some(Duration::from_millis(30)));
    let peer = peer(address);
    peer.send(b"hello").unwrap();
    let before = id_of(&sink, &datagram, &address_of(&peer));
    wait(&sink, &datagram, Seen::PeerGone(before, false));
    assert!(!datagram.send(before, b"too late"));
    sink.forget(datagram.id());
    // The timer serves the next one too.
    peer.send(b"again").unwrap();
    let after = id_of(&sink, &datagram, &address_of(&peer));
    assert_ne!(before, after);
    wait(&sink, &datagram, Seen::PeerGone(after, false));
}

#[test]
fn above_the_limit_the_one_quiet_longest_makes_room() {
    let sink = Sink::new();
    let (datagram, address) = bind(&sink, |options| options.max_peers = 2);
    let peers: Vec<_> = (0..3).map(|_| peer(address)).collect();
    let mut ids = Vec::new();
    for peer in &peers {
        peer.send(b"hello").unwrap();
        let id = id_of(&sink, &datagram, &address_of(peer));
        wait(&sink, &datagram, Seen::Datagram(id, b"hello".to_vec()));
        ids.push(id);
    }
    let seen = sink.seen(datagram.id());
    let expected = [
        Seen::PeerGone(ids[0], true),
        Seen::Peer(ids[2], address_of(&peers[2])),
        Seen::Datagram(ids[2], b"hello".to_vec()),
    ];
    assert_eq!(seen[4..], expected);
    assert!(!datagram.send(ids[0], b"gone") && datagram.send(ids[1], b"here"));
}

/// The kernel tells of a refused datagram only when it is asked to; other systems do so by themselves.
#[cfg(target_os = "linux")]
#[test]
fn a_peer_that_refuses_does_not_end_the_socket() {
    use std::os::fd::AsRawFd;
    let sink = Sink::new();
    let (datagram, address) = bind(&sink, |_| {});
    let set = datagram.with_socket(|socket| {
        let (on, size) = (1, size_of::<libc::c_int>() as libc::socklen_t);
        let fd = socket.options().as_raw_fd();
        // SAFETY: the value is an int, and lives through the call.
        unsafe { libc::setsockopt(fd, libc::SOL_IP, libc::IP_RECVERR, std::ptr::from_ref(&on).cast(), size) }
    });
    assert_eq!(set, Some(0));
    let closed = peer(address);
    let port = address_of(&closed).port;
    drop(closed);
    let alive = peer(address);
    for i in 0..10 {
        // Its answer is what the next read finds. When that was slow, this one fails for it.
        let _ = datagram.send_to("127.0.0.1", port, b"nobody").unwrap();
        alive.send(&[i]).unwrap();
        let id = id_of(&sink, &datagram, &address_of(&alive));
        wait(&sink, &datagram, Seen::Datagram(id, vec![i]));
    }
    assert_eq!(sink.seen(datagram.id()).len(), 11);
}

#[test]
fn without_room_datagrams_stay_in_the_kernel() {
    let sink = Sink::new();
    sink.full.store(true, Ordering::SeqCst);
    let (datagram, address) = bind(&sink, |_| {});
    let peer = peer(address);
    for i in 0..100u8 {
        peer.send(&[i]).unwrap();
    }
    until("somebody waits for room", || sink.is_waited_for(), || sink.wait_change());
    assert_eq!(sink.seen(datagram.id()), []);
    sink.make_room();
    let id = id_of(&sink, &datagram, &address_of(&peer));
    wait(&sink, &datagram, Seen::Datagram(id, vec![99]));
    let seen = sink.seen(datagram.id());
    let bytes: Vec<_> =
        seen.iter().filter_map(|e| if let Seen::Datagram(_, b) = e { Some(b[0]) } else { None }).collect();
    assert_eq!(bytes, (0..100).collect::<Vec<u8>>());

    // Closing does not wait for room.
    sink.full.store(true, Ordering::SeqCst);
    datagram.close();
    sink.wait_other(datagram.id(), "listener closed");
}

#[test]
fn a_turn_is_bounded_in_datagrams_and_bytes() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (length, most) in [(1, DATAGRAM_TURN), (50_000, CONNECTION_INBOUND.div_ceil(50_000))] {
        let sink = Sink::new();
        let turns = runtime.block_on(async {
            let datagram = Datagram::open(sink.clone(), "127.0.0.1", 0, options()).unwrap();
            let large = datagram.with_socket(|socket| socket.options().set_recv_buffer_size(4 << 20));
            large.unwrap().unwrap();
            let peer = peer((Ipv4Addr::LOCALHOST, datagram.address().port).into());
            let count = if length == 1 { 3 * most } else { most + 1 };
            for _ in 0..count {
                peer.send(&vec![7; length]).unwrap();
            }
            let mut receiver = pin!(Receiver::new(&datagram, Shard::for_data().unwrap()));
            let (mut turns, mut before) = (Vec::new(), 0);
            std::future::poll_fn(|cx| {
                let _ = receiver.as_mut().poll(cx);
                let seen = sink.seen(datagram.id()).len();
                if seen > before {
                    // The first has the peer's own event too.
                    turns.push(seen - before - usize::from(before == 0));
                }
                before = seen;
                // Never woken again unless the turn has asked for another.
                if turns.iter().sum::<usize>() < count {
                    Poll::Pending
                } else {
                    Poll::Ready(())
                }
            })
            .await;
            turns
        });
        assert!(turns.len() > 1 && turns.iter().all(|turn| *turn <= most), "{turns:?}");
    }
}

#[test]
fn a_closed_socket_is_silent_and_its_address_free() {
    let sink = Sink::new();
    let (datagram, address) = bind(&sink, |_| {});
    let peer = peer(address);
    peer.send(b"hello").unwrap();
    let id = id_of(&sink, &datagram, &address_of(&peer));
    wait(&sink, &datagram, Seen::Datagram(id, b"hello".to_vec()));
    datagram.close();
    let next = UdpSocket::bind(address).unwrap();
    assert!(!datagram.send(id, b"") && !datagram.send_to("127.0.0.1", 9, b"").unwrap());
    assert_eq!(datagram.address(), address.into());
    sink.wait_other(datagram.id(), "listener closed");
    datagram.close();
    peer.send(b"for another").unwrap();
    let mut buffer = [0; 20];
    next.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(next.recv(&mut buffer).unwrap(), 11);
    assert_eq!(sink.seen(datagram.id()).len(), 3);
    assert_eq!(sink.seen(datagram.id())[2], Seen::Other("listener closed"));
}

#[test]
fn an_address_in_use_is_an_error_unless_it_is_shared() {
    let sink = Sink::new();
    let share = |options: &mut DatagramOptions| options.socket.reuse_address = true;
    let (datagram, _) = bind(&sink, share);
    let mut options = options();
    let again = |options| Datagram::bind(sink.clone(), "127.0.0.1", datagram.address().port, options);
    let error = again(options).err().unwrap();
    assert_eq!((&*error.code, error.syscall), ("EADDRINUSE", Some("bind")));
    share(&mut options);
    assert!(again(options).is_ok());
    let error = Datagram::bind(sink.clone(), "nowhere", 0, options).err().unwrap();
    assert_eq!(error.code, "ERR_INVALID_IP_ADDRESS");
}

#[test]
fn ipv4_peers_of_a_dual_stack_socket_look_like_any() {
    let sink = Sink::new();
    let mut options = options();
    let datagram = match Datagram::bind(sink.clone(), "::", 0, options) {
        Ok(datagram) => datagram,
        Err(error) if matches!(&*error.code, "EAFNOSUPPORT" | "EADDRNOTAVAIL") => return,
        Err(error) => panic!("{error}"),
    };
    let port = datagram.address().port;
    assert_eq!(&*datagram.address().address, "::");
    for address in [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))] {
        let peer = peer(address);
        peer.send(b"hello").unwrap();
        let from = address_of(&peer);
        let id = id_of(&sink, &datagram, &from);
        assert!(datagram.send(id, b"back"));
        assert!(datagram.send_to(&from.address, from.port, b"there").unwrap());
        assert_eq!((next(&peer), next(&peer)), (b"back".to_vec(), b"there".to_vec()));
    }
    options.socket.ipv6_only = true;
    let alone = Datagram::bind(sink.clone(), "::", 0, options).unwrap();
    assert!(!alone.send_to("127.0.0.1", port, b"no way").unwrap());
}
