//! One connected socket, in a reading half for its task and a writing half that any thread may use.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

#[cfg(unix)]
use socket2::{Domain, Socket};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, Interest, ReadBuf};
use tokio::net::{tcp, TcpStream};
#[cfg(unix)]
use tokio::net::{unix, UnixStream};
use tokio::runtime::Handle;

/// An address as Node shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketAddress {
    pub address: String,
    pub family: &'static str,
    pub port: u16,
}

impl From<SocketAddr> for SocketAddress {
    fn from(addr: SocketAddr) -> Self {
        let family = if addr.is_ipv6() { "IPv6" } else { "IPv4" };
        let address = match addr {
            SocketAddr::V4(v4) => v4.ip().to_string(),
            SocketAddr::V6(v6) if v6.scope_id() != 0 && v6.ip().is_unicast_link_local() => {
                format!("{}%{}", v6.ip(), scope_name(v6.scope_id()))
            }
            // An IPv4 peer of a dual-stack socket stays mapped: `::ffff:127.0.0.1`, as Node has it.
            SocketAddr::V6(v6) => v6.ip().to_string(),
        };
        SocketAddress { address, family, port: addr.port() }
    }
}

#[cfg(unix)]
fn scope_name(index: u32) -> String {
    let mut name = [0 as libc::c_char; libc::IF_NAMESIZE];
    // SAFETY: the buffer has the IF_NAMESIZE bytes that if_indextoname may write, its terminating zero among them.
    let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr()) };
    if found.is_null() {
        return index.to_string();
    }
    // SAFETY: if_indextoname returned the buffer, so it holds a zero-terminated string.
    unsafe { std::ffi::CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn scope_name(index: u32) -> String {
    index.to_string()
}

/// The interface that [`scope_name`] names, or its number; 0 when there is none.
pub(super) fn scope_index(name: &str) -> u32 {
    name.parse().unwrap_or_else(|_| interface_number(name))
}

#[cfg(unix)]
fn interface_number(name: &str) -> u32 {
    // SAFETY: the name is zero-terminated.
    std::ffi::CString::new(name).map_or(0, |name| unsafe { libc::if_nametoindex(name.as_ptr()) })
}

#[cfg(not(unix))]
fn interface_number(_name: &str) -> u32 {
    0
}

/// Options that a socket has before its first byte.
#[derive(Debug, Clone, Copy, Default)]
pub struct SocketOptions {
    pub no_delay: bool,
    /// Idle time before the first keep-alive probe, in whole seconds, rounded up; zero leaves the system's.
    pub keep_alive: Option<Duration>,
    /// Between two keep-alive probes, in the same way.
    pub keep_alive_interval: Duration,
    /// Probes without an answer that end the connection, where the system has the option; 0 leaves the system's.
    pub keep_alive_retries: u32,
    /// Bytes of the kernel's buffers, as far as it takes part in that (Linux takes twice as much); 0 leaves the system's,
    /// which grow as they must.
    pub receive_buffer: usize,
    pub send_buffer: usize,
}

#[derive(Debug)]
pub enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Stream {
    /// A connected socket, attached to the runtime that the calling thread has entered.
    #[cfg(unix)]
    pub fn connected(socket: Socket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        match socket.local_addr()?.domain() {
            Domain::UNIX => UnixStream::from_std(socket.into()).map(Stream::Unix),
            _ => TcpStream::from_std(socket.into()).map(Stream::Tcp),
        }
    }

    /// Best effort, as Node does it: a refused option never costs the connection.
    pub fn apply(&self, options: SocketOptions) {
        if let Stream::Tcp(tcp) = self {
            if options.no_delay {
                let _ = tcp.set_nodelay(true);
            }
            if let Some(idle) = options.keep_alive {
                let _ = keep_alive(tcp, true, idle);
                if !options.keep_alive_interval.is_zero() {
                    let interval = TcpKeepalive::new().with_interval(whole_seconds(options.keep_alive_interval));
                    let _ = SockRef::from(tcp).set_tcp_keepalive(&interval);
                }
                #[cfg(any(target_os = "linux", target_os = "macos"))]
                if options.keep_alive_retries > 0 {
                    let retries = TcpKeepalive::new().with_retries(options.keep_alive_retries);
                    let _ = SockRef::from(tcp).set_tcp_keepalive(&retries);
                }
            }
            if options.receive_buffer > 0 {
                let _ = SockRef::from(tcp).set_recv_buffer_size(options.receive_buffer);
            }
            if options.send_buffer > 0 {
                let _ = SockRef::from(tcp).set_send_buffer_size(options.send_buffer);
            }
        }
    }

    /// `None` for sockets without an IP address, and when the peer is gone.
    pub fn peer(&self) -> Option<SocketAddr> {
        match self {
            Stream::Tcp(tcp) => tcp.peer_addr().ok(),
            #[cfg(unix)]
            Stream::Unix(_) => None,
        }
    }

    /// Puts the halves together again. Fails when they are not of one socket.
    pub fn join(read: ReadHalf, write: WriteHalf) -> io::Result<Self> {
        let strange = || io::Error::from(io::ErrorKind::InvalidInput);
        match (read, write) {
            (ReadHalf::Tcp(read), WriteHalf::Tcp(write)) => read.reunite(write).map(Stream::Tcp).map_err(|_| strange()),
            #[cfg(unix)]
            (ReadHalf::Unix(read), WriteHalf::Unix(write)) => {
                read.reunite(write).map(Stream::Unix).map_err(|_| strange())
            }
            #[cfg(unix)]
            _ => Err(strange()),
        }
    }

    /// Attaches the socket to another runtime.
    pub fn attach_to(self, runtime: &Handle) -> io::Result<Self> {
        let _entered = runtime.enter();
        match self {
            Stream::Tcp(stream) => TcpStream::from_std(stream.into_std()?).map(Stream::Tcp),
            #[cfg(unix)]
            Stream::Unix(stream) => UnixStream::from_std(stream.into_std()?).map(Stream::Unix),
        }
    }

    pub fn split(self) -> (ReadHalf, WriteHalf) {
        match self {
            Stream::Tcp(stream) => {
                let (r, w) = stream.into_split();
                (ReadHalf::Tcp(r), WriteHalf::Tcp(w))
            }
            #[cfg(unix)]
            Stream::Unix(stream) => {
                let (r, w) = stream.into_split();
                (ReadHalf::Unix(r), WriteHalf::Unix(w))
            }
        }
    }
}

/// Systems count keep-alive in seconds, and refuse 0 of them.
fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)))
}

fn keep_alive(tcp: &TcpStream, on: bool, idle: Duration) -> io::Result<()> {
    let socket = SockRef::from(tcp);
    socket.set_keepalive(on)?;
    if on && !idle.is_zero() {
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(whole_seconds(idle)))?;
    }
    Ok(())
}

/// Owned by the connection's task.
#[derive(Debug)]
pub enum ReadHalf {
    Tcp(tcp::OwnedReadHalf),
    #[cfg(unix)]
    Unix(unix::OwnedReadHalf),
}

impl ReadHalf {
    /// One read; 0 is the end of the stream. A short read clears readiness, so that no second call is needed to learn
    /// that nothing is left.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        let polled = match self {
            ReadHalf::Tcp(half) => Pin::new(half).poll_read(cx, &mut buf),
            #[cfg(unix)]
            ReadHalf::Unix(half) => Pin::new(half).poll_read(cx, &mut buf),
        };
        polled.map_ok(|()| buf.filled().len())
    }

    /// There may be something to read.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            ReadHalf::Tcp(half) => half.as_ref().poll_read_ready(cx),
            #[cfg(unix)]
            ReadHalf::Unix(half) => half.as_ref().poll_read_ready(cx),
        }
    }

    /// One read of at most `most` bytes, appended to `buf`; otherwise as [`poll_read`](Self::poll_read). `WouldBlock`: ask
    /// [`poll_readable`](Self::poll_readable) again.
    pub fn try_append(&self, buf: &mut Vec<u8>, most: usize) -> io::Result<usize> {
        buf.reserve(most);
        match self {
            ReadHalf::Tcp(half) => {
                let socket = half.as_ref();
                short_read_blocks(most, |read| socket.try_io(Interest::READABLE, || read(receive(socket, buf, most))))
            }
            #[cfg(unix)]
            ReadHalf::Unix(half) => {
                let socket = half.as_ref();
                short_read_blocks(most, |read| socket.try_io(Interest::READABLE, || read(receive(socket, buf, most))))
            }
        }
    }
}

/// Tells the runtime of a read with less than `most` bytes that the socket has no more, which it would otherwise learn
/// from another read.
fn short_read_blocks(
    most: usize,
    attempt: impl FnOnce(&mut dyn FnMut(io::Result<usize>) -> io::Result<usize>) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut short = None;
    let outcome = attempt(&mut |received| match received {
        Ok(count) if (1..most).contains(&count) => {
            short = Some(count);
            Err(io::ErrorKind::WouldBlock.into())
        }
        received => received,
    });
    short.map_or(outcome, Ok)
}

/// Appends at most `most` bytes, for which there is room.
fn receive<'s, S>(socket: &'s S, buf: &mut Vec<u8>, most: usize) -> io::Result<usize>
where
    SockRef<'s>: From<&'s S>,
{
    let count = SockRef::from(socket).recv(&mut buf.spare_capacity_mut()[..most])?;
    // SAFETY: so many bytes behind the end were written just now.
    unsafe { buf.set_len(buf.len() + count) };
    Ok(count)
}

/// A plain system call; when the kernel takes nothing, `otherwise` lets the runtime see that too.
#[cfg(target_os = "linux")]
fn send(
    socket: impl std::os::fd::AsFd,
    bytes: &[u8],
    otherwise: impl FnOnce() -> io::Result<usize>,
) -> io::Result<usize> {
    use rustix::net::SendFlags;
    match rustix::net::send(socket, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
        Err(rustix::io::Errno::AGAIN) => otherwise(),
        sent => Ok(sent?),
    }
}

#[cfg(not(target_os = "linux"))]
fn send<S>(_: S, _: &[u8], otherwise: impl FnOnce() -> io::Result<usize>) -> io::Result<usize> {
    otherwise()
}

/// Shared between the connection's task and the JavaScript thread.
#[derive(Debug)]
pub enum WriteHalf {
    Tcp(tcp::OwnedWriteHalf),
    #[cfg(unix)]
    Unix(unix::OwnedWriteHalf),
}

impl WriteHalf {
    /// Writes what the kernel takes at once; `WouldBlock` when it takes nothing.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            WriteHalf::Tcp(half) => send(half.as_ref(), bytes, || half.try_write(bytes)),
            #[cfg(unix)]
            WriteHalf::Unix(half) => send(half.as_ref(), bytes, || half.try_write(bytes)),
        }
    }

    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            WriteHalf::Tcp(half) => half.as_ref().poll_write_ready(cx),
            #[cfg(unix)]
            WriteHalf::Unix(half) => half.as_ref().poll_write_ready(cx),
        }
    }

    /// Sends FIN.
    pub fn shutdown(&self) -> io::Result<()> {
        match self {
            WriteHalf::Tcp(half) => SockRef::from(half.as_ref()).shutdown(Shutdown::Write),
            #[cfg(unix)]
            WriteHalf::Unix(half) => SockRef::from(half.as_ref()).shutdown(Shutdown::Write),
        }
    }

    /// Closes without another FIN: ours is out.
    pub fn release(self) {
        match self {
            WriteHalf::Tcp(half) => half.forget(),
            #[cfg(unix)]
            WriteHalf::Unix(half) => half.forget(),
        }
    }

    /// Closes with a reset instead of FIN once both halves are dropped.
    pub fn reset(self) {
        match self {
            WriteHalf::Tcp(half) => {
                let _ = SockRef::from(half.as_ref()).set_linger(Some(Duration::ZERO));
                half.forget();
            }
            #[cfg(unix)]
            WriteHalf::Unix(half) => half.forget(),
        }
    }

    /// `None` for sockets without an IP address.
    pub fn local_address(&self) -> Option<SocketAddress> {
        match self {
            WriteHalf::Tcp(half) => half.as_ref().local_addr().ok().map(Into::into),
            #[cfg(unix)]
            WriteHalf::Unix(_) => None,
        }
    }

    pub fn peer_address(&self) -> Option<SocketAddress> {
        match self {
            WriteHalf::Tcp(half) => half.as_ref().peer_addr().ok().map(Into::into),
            #[cfg(unix)]
            WriteHalf::Unix(_) => None,
        }
    }

    pub fn set_no_delay(&self, on: bool) -> io::Result<()> {
        match self {
            WriteHalf::Tcp(half) => half.as_ref().set_nodelay(on),
            #[cfg(unix)]
            WriteHalf::Unix(_) => Ok(()),
        }
    }

    /// `idle`: as [`SocketOptions::keep_alive`].
    pub fn set_keep_alive(&self, on: bool, idle: Duration) -> io::Result<()> {
        match self {
            WriteHalf::Tcp(half) => keep_alive(half.as_ref(), on, idle),
            #[cfg(unix)]
            WriteHalf::Unix(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Write;

    use super::*;

    fn with_stream(look: impl FnOnce(&Stream, SockRef<'_>)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _entered = runtime.enter();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_nonblocking(true).unwrap();
        let stream = Stream::Tcp(TcpStream::from_std(client).unwrap());
        assert_eq!(stream.peer(), listener.local_addr().ok());
        let Stream::Tcp(tcp) = &stream else { unreachable!() };
        look(&stream, SockRef::from(tcp));
    }

    #[test]
    fn options_reach_the_socket() {
        with_stream(|stream, socket| {
            stream.apply(SocketOptions {
                no_delay: true,
                keep_alive: Some(Duration::from_secs(17)),
                keep_alive_interval: Duration::from_millis(2_001),
                keep_alive_retries: 5,
                receive_buffer: 20_000,
                send_buffer: 30_000,
            });
            assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
            assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(17));
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(3));
            #[cfg(any(target_os = "linux", target_os = "macos"))]
            assert_eq!(socket.tcp_keepalive_retries().unwrap(), 5);
            assert!((20_000..=40_000).contains(&socket.recv_buffer_size().unwrap()));
            assert!((30_000..=60_000).contains(&socket.send_buffer_size().unwrap()));
        });
    }

    #[test]
    fn reads_are_appended_until_nothing_is_left() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (read, _write) = Stream::Tcp(listener.accept().await.unwrap().0).split();
            let mut buf = b"a".to_vec();
            for (sent, most, expected) in [(&b"bcd"[..], 2, &b"abc"[..]), (b"", 2, b"abcd"), (b"ef", 9, b"abcdef")] {
                peer.write_all(sent).unwrap();
                poll_fn(|cx| read.poll_readable(cx)).await.unwrap();
                read.try_append(&mut buf, most).unwrap();
                assert_eq!(buf, expected);
            }
            // The read before was short: the runtime knows that there is no more.
            assert!(poll_fn(|cx| Poll::Ready(read.poll_readable(cx))).await.is_pending());
            assert_eq!(read.try_append(&mut buf, 9).unwrap_err().kind(), io::ErrorKind::WouldBlock);
            drop(peer);
            poll_fn(|cx| read.poll_readable(cx)).await.unwrap();
            assert_eq!(read.try_append(&mut buf, 9).unwrap(), 0);
        });
    }

    #[test]
    fn a_part_of_a_second_without_a_byte_is_a_second() {
        with_stream(|stream, socket| {
            let idle_of = |idle| {
                stream.apply(SocketOptions { keep_alive: Some(idle), ..SocketOptions::default() });
                socket.tcp_keepalive_time().unwrap()
            };
            let systems = idle_of(Duration::ZERO);
            assert!(systems > Duration::from_secs(2));
            assert_eq!(idle_of(Duration::from_nanos(1)), Duration::from_secs(1));
            assert_eq!(idle_of(Duration::from_secs(1)), Duration::from_secs(1));
            assert_eq!(idle_of(Duration::from_millis(1_001)), Duration::from_secs(2));
        });
    }

    #[test]
    fn what_the_system_does_not_like_costs_nothing() {
        with_stream(|stream, socket| {
            let before = socket.recv_buffer_size().unwrap();
            stream.apply(SocketOptions::default());
            assert_eq!(socket.recv_buffer_size().unwrap(), before);
            stream.apply(SocketOptions {
                keep_alive: Some(Duration::MAX),
                keep_alive_interval: Duration::from_millis(1),
                receive_buffer: usize::MAX,
                send_buffer: usize::MAX,
                ..SocketOptions::default()
            });
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(1));
        });
    }
}
