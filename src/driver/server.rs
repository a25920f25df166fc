//! A listening server: accepts, limits, and starts handshakes without asking JavaScript.

use std::collections::HashMap;
#[cfg(unix)]
use std::collections::VecDeque;
use std::future::Future;
use std::io;
#[cfg(unix)]
use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use atomic_waker::AtomicWaker;
#[cfg(unix)]
use socket2::Socket;
use tokio::time::Sleep;

use super::connection::{Connection, StartOptions};
use super::shard::{self, Shard};
use super::websocket::WebSocketOptions;
use super::{lock, next_id, Event, EventSink};
use crate::error::{Error, Result};
use crate::framing::Framing;
use crate::policy::limits::ACCEPT_REST;
use crate::policy::Access;
use crate::transport::{Accepted, Listener, SocketAddress, SocketOptions, Stream};

/// What later connections get.
#[derive(Clone)]
pub struct ServerConfig {
    pub start: StartOptions,
    /// JavaScript wants to see each connection before its handshake, and starts it itself.
    pub eager: bool,
    /// Connections wait for [`Connection::read_start`] before they read clear bytes.
    pub paused: bool,
    pub socket: SocketOptions,
    /// Connections above this many are closed at once; 0 for no limit.
    pub max_connections: usize,
    /// Connections of the owner's from elsewhere, which count too.
    pub elsewhere: Arc<AtomicUsize>,
    /// Connections give messages instead of data.
    pub framing: Option<Framing>,
    /// A part of a message is given when nothing has come for so long. `None`: at the end.
    pub quiet: Option<Duration>,
    /// Connections are WebSockets; then without `framing`.
    pub websocket: Option<Arc<WebSocketOptions>>,
    /// Clients that may connect; `None` for everybody. Whoever may not is closed without an event.
    pub access: Option<Access>,
    /// The owner has the last word on who may connect: it sees everybody, as with `eager`.
    pub ask: bool,
    /// Neither side of a connection moves a byte for so long: see [`Connection::set_idle_timeout`]. Zero: no limit.
    pub idle_timeout: Duration,
    /// The owner's number for this configuration, to tell by what a connection was accepted.
    pub generation: u32,
}

impl ServerConfig {
    /// Connections wait for their owner.
    pub(super) fn waits(&self) -> bool {
        self.eager || (self.ask && self.access.is_some())
    }
}

/// Who connects to a server with lists of who may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// An IPv4 address inside IPv6 is shown as IPv4. Empty for a Unix socket.
    pub address: String,
    pub port: u16,
    /// What the lists say.
    pub allowed: bool,
}

/// Connections that JavaScript has not heard of.
#[derive(Default)]
struct Unseen {
    connections: HashMap<u32, Arc<Connection>>,
    /// No more will come: [`Event::PendingZero`] follows the last one.
    last: bool,
    /// Nobody is left to hear of any: what still comes is closed at once.
    aborted: bool,
}

pub struct Server {
    id: u32,
    sink: Arc<dyn EventSink>,
    config: RwLock<Arc<ServerConfig>>,
    address: Option<SocketAddress>,
    /// The listening socket, until the server is closed.
    source: Mutex<Option<Accepted>>,
    /// Connections that somebody else accepted, on their way to the acceptor.
    #[cfg(unix)]
    handed: Mutex<VecDeque<Socket>>,
    unseen: Mutex<Unseen>,
    /// All connections whose task runs.
    live: AtomicUsize,
    closed: AtomicBool,
    waker: AtomicWaker,
}

impl Server {
    /// Starts accepting on a bound socket.
    pub fn start(sink: Arc<dyn EventSink>, listener: Listener, config: ServerConfig) -> Result<Arc<Self>> {
        let shard = Shard::for_data()?;
        let address = listener.address();
        let _entered = shard.handle().enter();
        let source = listener.attach().map_err(|e| Error::system(&e, "listen"))?;
        let server = Arc::new(Server {
            id: next_id(),
            sink,
            config: RwLock::new(Arc::new(config)),
            address,
            source: Mutex::new(Some(source)),
            #[cfg(unix)]
            handed: Mutex::default(),
            unseen: Mutex::default(),
            live: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        });
        shard.handle().spawn(Acceptor { server: server.clone(), rest: None });
        Ok(server)
    }

    pub fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn sink(&self) -> &Arc<dyn EventSink> {
        &self.sink
    }

    /// For connections accepted from now on.
    pub fn configure(&self, config: ServerConfig) {
        *self.config.write().unwrap_or_else(|e| e.into_inner()) = Arc::new(config);
    }

    fn config(&self) -> Arc<ServerConfig> {
        self.config.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// For the next connection: without a handshake it is at once where it stays.
    fn shard(&self) -> Result<&'static Shard> {
        match self.config().start.provider {
            Some(_) => Shard::for_handshake(),
            None => Shard::for_data(),
        }
    }

    /// `None` for a path.
    pub fn address(&self) -> Option<SocketAddress> {
        self.address.clone()
    }

    /// Connections that JavaScript has not heard of.
    pub fn pending(&self) -> usize {
        #[cfg(unix)]
        let handed = lock(&self.handed).len();
        #[cfg(not(unix))]
        let handed = 0;
        handed + lock(&self.unseen).connections.len()
    }

    /// Takes a connection that somebody else accepted, in a socket of its own beside the descriptor `fd`. Not after
    /// [`close`](Self::close).
    #[cfg(unix)]
    pub fn hand_over(&self, fd: i32) -> Result<()> {
        let copied = |e: io::Error| Error::system(&e, "accept");
        if fd < 0 {
            return Err(copied(io::Error::from_raw_os_error(libc::EBADF)));
        }
        // SAFETY: a number that is open, or EBADF; it is borrowed for the call only.
        let socket = unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned().map_err(copied)?;
        lock(&self.handed).push_back(socket.into());
        self.waker.wake();
        Ok(())
    }

    #[cfg(unix)]
    fn accept_handed(self: &Arc<Self>) {
        loop {
            let next = lock(&self.handed).pop_front();
            let Some(socket) = next else { return };
            let Ok(shard) = self.shard() else { return };
            let stream = {
                let _entered = shard.handle().enter();
                Stream::connected(socket)
            };
            // The peer may be gone already, which is nobody's error.
            if let Ok(stream) = stream {
                self.accept(shard, stream);
            }
        }
    }

    /// Stops accepting; connections live on. [`Event::ListenerClosed`] follows, and [`Event::PendingZero`] behind the
    /// last connection that JavaScript had not heard of, or at once.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // At once, as Node does it: who connects from now on is refused.
        let source = lock(&self.source).take();
        drop(source);
        self.waker.wake();
    }

    /// Stops accepting and drops what JavaScript has not heard of: its environment is gone.
    pub fn abort(&self) {
        self.close();
        let mut unseen = lock(&self.unseen);
        unseen.aborted = true;
        let unseen: Vec<_> = unseen.connections.values().cloned().collect();
        for connection in unseen {
            connection.close(false);
        }
    }

    pub(super) fn admit(&self, connection: &Arc<Connection>) {
        let mut unseen = lock(&self.unseen);
        unseen.connections.insert(connection.id(), connection.clone());
        if unseen.aborted {
            connection.close(false);
        }
    }

    /// Brings a connection to JavaScript's notice, by an event that names it.
    pub(super) fn seen(&self, connection: &Arc<Connection>, event: Event<'_>) {
        self.sink.offer(connection);
        self.sink.emit(self.id, event);
        self.forget(connection.id());
    }

    /// The connection was seen, or ended unseen. Its event is out by now, so that [`Event::PendingZero`] comes behind.
    pub(super) fn forget(&self, id: u32) {
        let mut unseen = lock(&self.unseen);
        if unseen.connections.remove(&id).is_some() && unseen.last && unseen.connections.is_empty() {
            self.sink.emit(self.id, Event::PendingZero);
        }
    }

    fn ended(&self) {
        self.sink.emit(self.id, Event::ListenerClosed);
        let mut unseen = lock(&self.unseen);
        unseen.last = true;
        if unseen.connections.is_empty() {
            self.sink.emit(self.id, Event::PendingZero);
        }
    }

    pub(super) fn left(&self) {
        self.live.fetch_sub(1, Ordering::AcqRel);
    }

    fn accept(self: &Arc<Self>, shard: &'static Shard, stream: Stream) {
        let config = self.config();
        let visitor = config.access.as_ref().map(|access| Visitor::new(access, &stream));
        if !config.ask && visitor.as_ref().is_some_and(|visitor| !visitor.allowed) {
            return;
        }
        let live = self.live.fetch_add(1, Ordering::AcqRel);
        let elsewhere = config.elsewhere.load(Ordering::Acquire);
        if config.max_connections != 0 && live.saturating_add(elsewhere) >= config.max_connections {
            self.left();
            let (_read, write) = stream.split();
            self.sink.emit(self.id, Event::Drop { local: write.local_address(), peer: write.peer_address() });
            return;
        }
        stream.apply(config.socket);
        Connection::accepted(self, shard, stream, &config, visitor);
    }
}

impl Visitor {
    fn new(access: &Access, stream: &Stream) -> Self {
        let peer = stream.peer();
        let ip = peer.map(|peer| peer.ip().to_canonical());
        Visitor {
            address: ip.map(|ip| ip.to_string()).unwrap_or_default(),
            port: peer.map_or(0, |peer| peer.port()),
            allowed: access.permits(ip),
        }
    }
}

struct Acceptor {
    server: Arc<Server>,
    /// Out of descriptors: a short rest instead of a busy loop.
    rest: Option<Pin<Box<Sleep>>>,
}

impl Future for Acceptor {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.accept_all(cx);
        shard::end_turn(&self.server.sink);
        polled
    }
}

impl Acceptor {
    fn accept_all(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let this = self;
        this.server.waker.register(cx.waker());
        loop {
            let closed = this.server.closed.load(Ordering::Acquire);
            // What was handed over before close() still counts.
            #[cfg(unix)]
            this.server.accept_handed();
            if closed {
                this.server.ended();
                return Poll::Ready(());
            }
            if let Some(rest) = &mut this.rest {
                if rest.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                this.rest = None;
            }
            let Ok(shard) = this.server.shard() else { return Poll::Ready(()) };
            let accepted = {
                // The socket belongs to the runtime that is entered when it comes.
                let _entered = shard.handle().enter();
                match &*lock(&this.server.source) {
                    Some(source) => source.poll_accept(cx),
                    // Closed just now.
                    None => continue,
                }
            };
            match accepted {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(stream)) => this.server.accept(shard, stream),
                Poll::Ready(Err(e)) if exhausted(&e) => this.rest = Some(Box::pin(tokio::time::sleep(ACCEPT_REST))),
                // The peer went away before it was accepted: nobody's error.
                Poll::Ready(Err(_)) => {}
            }
        }
    }
}

#[cfg(unix)]
fn exhausted(e: &io::Error) -> bool {
    matches!(e.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

#[cfg(not(unix))]
fn exhausted(e: &io::Error) -> bool {
    const WSAEMFILE: i32 = 10024;
    const WSAENOBUFS: i32 = 10055;
    matches!(e.raw_os_error(), Some(WSAEMFILE | WSAENOBUFS))
}
