//! Servers and connections over real sockets, with clients of OpenSSL's and a sink that keeps everything.

mod access;
mod datagram;
mod duplex;
mod file;
mod limits;
mod loan;
mod messages;
mod platform;
mod server;
mod sink;
mod watch;
mod websocket;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode};

use super::{Connection, Server, ServerConfig, StartOptions};
use crate::credentials::{generate_certificate, KeyType};
use crate::engine::{testing, Context, Hooks, Role, SessionConfig};
use crate::transport::{BindOptions, Listener, SocketOptions};
use sink::Sink;

/// Far beyond what any step takes; only a failure waits this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Does `meanwhile` until it is `done`.
#[track_caller]
fn until(what: &str, done: impl Fn() -> bool, mut meanwhile: impl FnMut()) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "{what}");
        meanwhile();
    }
}

fn context() -> Context {
    let made = generate_certificate(&["localhost".to_owned()], 1, KeyType::Ec).unwrap();
    let context = Context::new(None, 0x0303, 0x0304).unwrap();
    context.set_cert(made.cert.as_bytes()).unwrap();
    context.set_key(made.key.as_bytes(), None).unwrap();
    context
}

fn options(context: Context, role: Role, hooks: Hooks) -> StartOptions {
    StartOptions {
        provider: Some(context.into()),
        session: SessionConfig { hooks, ..testing::config(role) },
        handshake_timeout: None,
        handshake_inactivity: None,
        strict_eof: false,
    }
}

fn config() -> ServerConfig {
    ServerConfig {
        start: options(context(), Role::Server, Hooks::default()),
        eager: false,
        socket: SocketOptions::default(),
        paused: false,
        max_connections: 0,
        elsewhere: Arc::default(),
        framing: None,
        quiet: None,
        websocket: None,
        access: None,
        ask: false,
        idle_timeout: Duration::ZERO,
        generation: 0,
    }
}

/// A server on a free port, changed by `configure`.
fn listen(sink: &Arc<Sink>, configure: impl FnOnce(&mut ServerConfig)) -> (Arc<Server>, SocketAddr) {
    let mut config = config();
    configure(&mut config);
    let bound = Listener::tcp(Ipv4Addr::LOCALHOST.into(), 0, 16, BindOptions::default()).unwrap();
    let server = Server::start(sink.clone(), bound, config).unwrap();
    let port = server.address().unwrap().port;
    (server, (Ipv4Addr::LOCALHOST, port).into())
}

fn connect(address: SocketAddr) -> TcpStream {
    let tcp = TcpStream::connect(address).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    tcp.set_write_timeout(Some(PATIENCE)).unwrap();
    tcp.set_nodelay(true).unwrap();
    tcp
}

/// A client that trusts anybody.
fn handshake<S: Read + Write + std::fmt::Debug>(stream: S) -> SslStream<S> {
    let mut builder = SslConnector::builder(SslMethod::tls()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    let config = builder.build().configure().unwrap().verify_hostname(false);
    config.connect("localhost", stream).unwrap()
}

/// Writes one byte a call.
#[derive(Debug)]
struct Dribble(TcpStream);

impl Read for Dribble {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let one = buf.len().min(1);
        self.0.read(&mut buf[..one])
    }
}

impl Write for Dribble {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let one = buf.len().min(1);
        self.0.write(&buf[..one])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Waits for the adopted connection and starts its reading.
fn adopted(sink: &Sink, server: &Server) -> Arc<Connection> {
    let id = sink.wait_for(server.id(), |event| match event {
        sink::Seen::Adopt(id) | sink::Seen::Accept(id, _) => Some(*id),
        _ => None,
    });
    sink.claim(id)
}

/// A server, a client of it, and the server's side of it, which reads.
fn reading(sink: &Arc<Sink>) -> (Arc<Server>, SslStream<TcpStream>, Arc<Connection>) {
    let (server, address) = listen(sink, |_| {});
    let client = handshake(connect(address));
    let conn = adopted(sink, &server);
    conn.read_start();
    (server, client, conn)
}
