//! Listening sockets. Binding is synchronous, so that an address or an error is known when the call returns.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

use super::stream::{SocketAddress, Stream};

/// A bound and listening socket, not yet attached to a runtime.
#[derive(Debug)]
pub enum Listener {
    Tcp(std::net::TcpListener),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener, Option<SocketFile>),
    /// No socket: somebody else accepts, and hands connections over.
    Handed,
}

/// The file of a Unix socket; it goes when the socket does, as libuv has it.
#[cfg(unix)]
#[derive(Debug)]
pub struct SocketFile(std::path::PathBuf);

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have removed it already.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// How a TCP port is bound.
#[derive(Debug, Clone, Copy, Default)]
pub struct BindOptions {
    /// For IPv6 addresses: IPv4 clients are not served. Default: they are.
    pub ipv6_only: bool,
    /// Others may bind the same port and share its connections, where the system can do that. Default: no.
    pub reuse_port: bool,
    /// Windows, where by default a socket with SO_REUSEADDR may take a port away: SO_EXCLUSIVEADDRUSE. Elsewhere ports are
    /// exclusive anyway.
    pub exclusive: bool,
}

impl Listener {
    pub fn tcp(ip: IpAddr, port: u16, backlog: i32, options: BindOptions) -> io::Result<Self> {
        let domain = if ip.is_ipv6() { Domain::IPV6 } else { Domain::IPV4 };
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        if ip.is_ipv6() {
            socket.set_only_v6(options.ipv6_only)?;
        }
        // On Windows the option would let two servers share a port.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
        if options.reuse_port {
            socket.set_reuse_port(true)?;
        }
        #[cfg(windows)]
        if options.exclusive {
            bind_exclusively(&socket)?;
        }
        socket.bind(&SocketAddr::new(ip, port).into())?;
        socket.listen(backlog)?;
        socket.set_nonblocking(true)?;
        Ok(Listener::Tcp(socket.into()))
    }

    /// A name that begins with NUL is in Linux' abstract name space. `mode`: permission bits to add to the socket file.
    #[cfg(unix)]
    pub fn path(path: &str, backlog: i32, mode: u32) -> io::Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&socket2::SockAddr::unix(path)?)?;
        let file = (!path.starts_with('\0')).then(|| SocketFile(path.into()));
        if mode != 0 {
            let present = std::fs::metadata(path)?.permissions().mode();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(present | mode))?;
        }
        socket.listen(backlog)?;
        socket.set_nonblocking(true)?;
        Ok(Listener::Unix(socket.into(), file))
    }

    /// A descriptor that somebody else bound, and may already have put to listening. Takes it over.
    #[cfg(unix)]
    pub fn descriptor(fd: i32, backlog: i32) -> io::Result<Self> {
        use std::os::fd::FromRawFd;
        // SAFETY: fcntl only reads the table of descriptors; a bad number gives EBADF.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is open, and the caller hands it over.
        let socket = std::mem::ManuallyDrop::new(unsafe { Socket::from_raw_fd(fd) });
        let unix = socket.local_addr()?.domain() == Domain::UNIX;
        socket.listen(backlog)?;
        socket.set_nonblocking(true)?;
        let socket = std::mem::ManuallyDrop::into_inner(socket);
        Ok(if unix { Listener::Unix(socket.into(), None) } else { Listener::Tcp(socket.into()) })
    }

    /// `None` for a path and where there is no socket.
    pub fn address(&self) -> Option<SocketAddress> {
        match self {
            Listener::Tcp(listener) => listener.local_addr().ok().map(Into::into),
            #[cfg(unix)]
            Listener::Unix(..) => None,
            Listener::Handed => None,
        }
    }

    /// Attaches to the runtime that the calling thread has entered.
    pub fn attach(self) -> io::Result<Accepted> {
        Ok(match self {
            Listener::Tcp(listener) => Accepted::Tcp(TcpListener::from_std(listener)?),
            #[cfg(unix)]
            Listener::Unix(listener, file) => Accepted::Unix(UnixListener::from_std(listener)?, file),
            Listener::Handed => Accepted::Handed,
        })
    }
}

/// socket2 does not have this option.
#[cfg(windows)]
fn bind_exclusively(socket: &Socket) -> io::Result<()> {
    use std::os::windows::io::AsRawSocket;
    use windows_sys::Win32::Networking::WinSock::{setsockopt, SOL_SOCKET, SO_EXCLUSIVEADDRUSE};

    let on = 1_i32;
    // SAFETY: the socket is open, and the option's value is an integer that lives as long as the call.
    let failed = unsafe {
        setsockopt(
            socket.as_raw_socket() as usize,
            SOL_SOCKET,
            SO_EXCLUSIVEADDRUSE,
            (&raw const on).cast(),
            size_of::<i32>() as i32,
        )
    };
    match failed {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The source of accepted streams.
#[derive(Debug)]
pub enum Accepted {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener, Option<SocketFile>),
    Handed,
}

impl Accepted {
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        match self {
            Accepted::Tcp(listener) => listener.poll_accept(cx).map_ok(|(stream, _)| Stream::Tcp(stream)),
            #[cfg(unix)]
            Accepted::Unix(listener, _) => listener.poll_accept(cx).map_ok(|(stream, _)| Stream::Unix(stream)),
            Accepted::Handed => Poll::Pending,
        }
    }
}
