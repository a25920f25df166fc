//! Opening connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpSocket, TcpStream};

use super::stream::{SocketOptions, Stream};
use crate::error::Error;

/// Where and how to connect.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Tried in turn until one answers.
    pub addresses: Vec<IpAddr>,
    pub port: u16,
    pub local_address: Option<IpAddr>,
    /// 0: the system chooses.
    pub local_port: u16,
    /// Time for each address but the last; `None`: the system's.
    pub attempt_timeout: Option<Duration>,
    pub socket: SocketOptions,
}

/// Why one address did not answer.
#[derive(Debug, Clone)]
pub struct ConnectError {
    pub error: Error,
    pub address: String,
    /// `None` for a path.
    pub port: Option<u16>,
}

/// Connects to the first address that answers, else tells of each why not.
pub async fn connect_tcp(options: ConnectOptions) -> Result<Stream, Vec<ConnectError>> {
    let mut errors = Vec::new();
    let last = options.addresses.len().saturating_sub(1);
    for (i, ip) in options.addresses.iter().enumerate() {
        let attempt = connect_one(&options, *ip);
        let outcome = match options.attempt_timeout.filter(|_| i < last) {
            Some(limit) => tokio::time::timeout(limit, attempt)
                .await
                .unwrap_or_else(|_| Err(("connect", io::Error::from_raw_os_error(libc::ETIMEDOUT)))),
            None => attempt.await,
        };
        match outcome {
            Ok(stream) => {
                let stream = Stream::Tcp(stream);
                stream.apply(options.socket);
                return Ok(stream);
            }
            Err((syscall, e)) => errors.push(ConnectError {
                error: Error::system(&e, syscall),
                address: ip.to_string(),
                port: Some(options.port),
            }),
        }
    }
    Err(errors)
}

async fn connect_one(options: &ConnectOptions, ip: IpAddr) -> Result<TcpStream, (&'static str, io::Error)> {
    let socket = bound_socket(options, ip)?;
    socket.connect(SocketAddr::new(ip, options.port)).await.map_err(|e| ("connect", e))
}

fn bound_socket(options: &ConnectOptions, ip: IpAddr) -> Result<TcpSocket, (&'static str, io::Error)> {
    let domain = if ip.is_ipv6() { Domain::IPV6 } else { Domain::IPV4 };
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP)).map_err(|e| ("connect", e))?;
    socket.set_nonblocking(true).map_err(|e| ("connect", e))?;
    if options.local_address.is_some() || options.local_port != 0 {
        let any: IpAddr = match ip {
            IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        };
        let local = SocketAddr::new(options.local_address.unwrap_or(any), options.local_port);
        #[cfg(unix)]
        socket.set_reuse_address(true).map_err(|e| ("bind", e))?;
        socket.bind(&local.into()).map_err(|e| ("bind", e))?;
    }
    Ok(TcpSocket::from_std_stream(socket.into()))
}

/// Connects to a Unix socket; a name that begins with NUL is in Linux' abstract name space.
#[cfg(unix)]
pub async fn connect_path(path: String) -> Result<Stream, Vec<ConnectError>> {
    tokio::net::UnixStream::connect(&path)
        .await
        .map(Stream::Unix)
        .map_err(|e| vec![ConnectError { error: Error::system(&e, "connect"), address: path, port: None }])
}
