//! UDP sockets. Binding is synchronous, so that an address or an error is known when the call returns.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::ReadBuf;

use super::stream::{scope_index, SocketAddress};

/// How a UDP socket is bound.
#[derive(Debug, Clone, Copy, Default)]
pub struct UdpOptions {
    /// Other sockets may be bound to the same address, as far as the system allows it. Default: no.
    pub reuse_address: bool,
    /// For IPv6 addresses: IPv4 peers are not served. Default: they are, and look like any IPv4 peer.
    pub ipv6_only: bool,
}

/// A bound socket, not yet attached to a runtime.
#[derive(Debug)]
pub struct BoundUdp(std::net::UdpSocket);

impl BoundUdp {
    pub fn bind(address: SocketAddr, options: UdpOptions) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(options.ipv6_only)?;
        }
        if options.reuse_address {
            share_address(&socket)?;
        }
        // Discovery asks everybody. Without the option a broadcast fails with EACCES.
        socket.set_broadcast(true)?;
        socket.bind(&address.into())?;
        socket.set_nonblocking(true)?;
        Ok(BoundUdp(socket.into()))
    }

    pub fn address(&self) -> io::Result<SocketAddress> {
        self.0.local_addr().map(shown)
    }

    /// Attaches to the runtime that the calling thread has entered.
    pub fn attach(self) -> io::Result<Udp> {
        let ipv6 = self.0.local_addr()?.is_ipv6();
        Ok(Udp { socket: tokio::net::UdpSocket::from_std(self.0)?, ipv6 })
    }
}

/// As libuv does it: the BSDs share an address by the other option.
fn share_address(socket: &Socket) -> io::Result<()> {
    #[cfg(any(
        target_vendor = "apple",
        target_os = "freebsd",
        target_os = "dragonfly",
        target_os = "netbsd",
        target_os = "openbsd"
    ))]
    return socket.set_reuse_port(true);
    #[cfg(not(any(
        target_vendor = "apple",
        target_os = "freebsd",
        target_os = "dragonfly",
        target_os = "netbsd",
        target_os = "openbsd"
    )))]
    socket.set_reuse_address(true)
}

/// A socket that receives on its runtime and sends on any thread.
#[derive(Debug)]
pub struct Udp {
    socket: tokio::net::UdpSocket,
    ipv6: bool,
}

impl Udp {
    /// One datagram, and where it came from. What `buffer` has no room for is lost: 65,535 bytes hold any.
    pub fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut buffer = ReadBuf::new(buffer);
        self.socket.poll_recv_from(cx, &mut buffer).map_ok(|from| (buffer.filled().len(), from))
    }

    /// One datagram, at once; `WouldBlock` when the kernel has no room for it. `to` may be an IPv4 address on a socket
    /// that serves both.
    pub fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        let to = match to.ip() {
            IpAddr::V4(ip) if self.ipv6 => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
            IpAddr::V6(_) if !self.ipv6 => SocketAddr::new(to.ip().to_canonical(), to.port()),
            _ => to,
        };
        // Not the runtime's own call: it refuses before the kernel has told for the first time that there is room.
        SockRef::from(&self.socket).send_to(bytes, &to.into()).map(drop)
    }

    /// For tests that set what programs do not.
    #[cfg(test)]
    pub fn options(&self) -> SockRef<'_> {
        SockRef::from(&self.socket)
    }
}

/// The address as people write it: that of an IPv4 peer is never mapped into IPv6.
pub fn shown(address: SocketAddr) -> SocketAddress {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()).into(),
        IpAddr::V6(_) => address.into(),
    }
}

/// `ip` and `port`, with the interface that `text` names behind a `%`: a link-local address means nothing without one.
pub fn with_interface(ip: IpAddr, port: u16, text: &str) -> SocketAddr {
    let mut address = SocketAddr::new(ip, port);
    if let (SocketAddr::V6(v6), Some((_, interface))) = (&mut address, text.split_once('%')) {
        v6.set_scope_id(scope_index(interface));
    }
    address
}

/// What a failed read says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An earlier datagram of ours came back: systems tell of ICMP errors this way, and of no other harm.
    Peer,
    /// The system is short of something, or knows what; it may pass.
    Passing,
    /// The socket will never work again.
    Broken,
}

impl Fault {
    pub fn of(error: &io::Error) -> Self {
        use io::ErrorKind as K;
        match error.kind() {
            K::ConnectionRefused | K::ConnectionReset | K::HostUnreachable | K::NetworkUnreachable | K::Interrupted => {
                Fault::Peer
            }
            K::InvalidInput | K::NotConnected => Fault::Broken,
            _ if error.raw_os_error().is_some_and(is_no_socket) => Fault::Broken,
            _ => Fault::Passing,
        }
    }
}

#[cfg(unix)]
fn is_no_socket(errno: i32) -> bool {
    matches!(errno, libc::EBADF | libc::ENOTSOCK)
}

#[cfg(not(unix))]
fn is_no_socket(errno: i32) -> bool {
    const WSAENOTSOCK: i32 = 10038;
    errno == WSAENOTSOCK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv4_peers_are_shown_as_such() {
        let show = |text: &str| shown(text.parse().unwrap());
        let mapped = show("[::ffff:192.0.2.7]:9");
        assert_eq!((&*mapped.address, mapped.family, mapped.port), ("192.0.2.7", "IPv4", 9));
        assert_eq!(show("192.0.2.7:9"), mapped);
        let v6 = show("[2001:db8::7]:9");
        assert_eq!((&*v6.address, v6.family, v6.port), ("2001:db8::7", "IPv6", 9));
    }

    #[test]
    fn an_interface_goes_by_number_or_name() {
        let scope = |text: &str| match with_interface("fe80::1".parse().unwrap(), 9, text) {
            SocketAddr::V6(v6) => v6.scope_id(),
            SocketAddr::V4(_) => panic!(),
        };
        assert_eq!((scope("fe80::1"), scope("fe80::1%3"), scope("fe80::1%no such")), (0, 3, 0));
        #[cfg(target_os = "linux")]
        assert_eq!(scope("fe80::1%lo"), 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_a_socket_that_is_none_is_broken() {
        let fault = |errno| Fault::of(&io::Error::from_raw_os_error(errno));
        assert_eq!(fault(libc::ECONNREFUSED), Fault::Peer);
        assert_eq!(fault(libc::EHOSTUNREACH), Fault::Peer);
        assert_eq!(fault(libc::ENOBUFS), Fault::Passing);
        assert_eq!(fault(libc::EPROTO), Fault::Passing);
        assert_eq!(fault(libc::EBADF), Fault::Broken);
    }
}
