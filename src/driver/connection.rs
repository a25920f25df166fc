//! A connection as its owner sees it: commands that any thread may give, and questions about its state.

mod sending;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use atomic_waker::AtomicWaker;

use super::core::{Core, Io, Phase};
use super::duplex::Duplex;
use super::outbox::Outbox;
use super::server::{Server, ServerConfig, Visitor};
use super::shard::{Mail, Shard};
use super::task::{Opening, Task};
use super::websocket::{Changes, Speaker};
use super::{lock, next_id, Event, EventSink};
use crate::engine::{Answer, Hooks, Provider, Role, SessionConfig, TlsSession, Verify};
use crate::error::{Error, Result};
use crate::framing::Framing;
use crate::transport::{ConnectOptions, SocketAddress, Stream};

/// How TLS begins on a connection.
#[derive(Clone)]
pub struct StartOptions {
    /// `None`: no TLS, plain TCP.
    pub provider: Option<Provider>,
    pub session: SessionConfig,
    /// From the call on; `None` for no limit.
    pub handshake_timeout: Option<Duration>,
    /// How long the peer may be silent in the handshake while it is waited for; `None` for no limit.
    pub handshake_inactivity: Option<Duration>,
    /// A FIN without close_notify is an error.
    pub strict_eof: bool,
}

impl StartOptions {
    /// No TLS: plain TCP.
    pub fn clear() -> Self {
        let session = SessionConfig::new(Role::Server);
        StartOptions { provider: None, session, handshake_timeout: None, handshake_inactivity: None, strict_eof: false }
    }
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteStatus {
    /// All of it is in the kernel.
    Done,
    /// [`super::Event::Drain`] follows when it is.
    Pending,
    /// The connection is closing; nothing was taken.
    Gone,
}

pub(super) mod control {
    pub const READ: u8 = 1;
    pub const CLOSE: u8 = 2;
    pub const RESET: u8 = 4;
    pub const SHUTDOWN: u8 = 8;
    pub const ENDED: u8 = 16;
    /// The order has a new framing, or changes for a WebSocket.
    pub const REFRAME: u8 = 32;
    pub const FINISH: u8 = 64;
    /// The order has limits of time.
    pub const LIMITED: u8 = 128;
}

/// What goes with the bits of [`control`].
#[derive(Default)]
pub(super) struct Orders {
    pub framing: Option<Framing>,
    pub websocket: Option<Box<Changes>>,
    pub finish: Duration,
    /// Zero: no limit; so for the others.
    pub idle: Duration,
    /// Of the peer, in the handshake.
    pub silence: Duration,
    pub stall: Duration,
    /// The time of a stall begins anew.
    pub stall_anew: bool,
}

impl Orders {
    pub fn limited(&self) -> bool {
        !(self.idle.is_zero() && self.silence.is_zero() && self.stall.is_zero())
    }
}

pub struct Connection {
    id: u32,
    /// The number of the shard where the task lives.
    shard: AtomicUsize,
    pub(super) sink: Arc<dyn EventSink>,
    pub(super) core: Mutex<Core>,
    pub(super) outbox: Mutex<Outbox>,
    pub(super) orders: Mutex<Orders>,
    /// Only for connections over a stream of JavaScript's.
    pub(super) duplex: Option<Mutex<Duplex>>,
    pub(super) waker: AtomicWaker,
    /// The shard's mail has a wake-up for the task.
    mailed: AtomicBool,
    pub(super) control: AtomicU8,
    /// Clear bytes that wait in the sink.
    pub(super) inbound: AtomicUsize,
    /// Reading stopped for want of room in the sink.
    pub(super) stalled: AtomicBool,
    /// A part of a message waits for the rest of it.
    pub(super) partial: AtomicBool,
    /// See [`ServerConfig::generation`].
    generation: AtomicU32,
    pub(super) local: OnceLock<Option<SocketAddress>>,
    pub(super) peer: OnceLock<Option<SocketAddress>>,
}

impl Connection {
    fn new(shard: &'static Shard, sink: Arc<dyn EventSink>, core: Core, duplex: Option<Duplex>) -> Arc<Self> {
        Arc::new(Connection {
            id: next_id(),
            shard: AtomicUsize::new(shard.number()),
            sink,
            core: Mutex::new(core),
            outbox: Mutex::default(),
            orders: Mutex::default(),
            duplex: duplex.map(Mutex::new),
            waker: AtomicWaker::new(),
            mailed: AtomicBool::new(false),
            control: AtomicU8::new(0),
            inbound: AtomicUsize::new(0),
            stalled: AtomicBool::new(false),
            partial: AtomicBool::new(false),
            generation: AtomicU32::new(0),
            local: OnceLock::new(),
            peer: OnceLock::new(),
        })
    }

    /// Connects over TCP. [`super::Event::Connected`] or [`super::Event::ConnectFailed`] follows.
    pub fn connect_tcp(sink: Arc<dyn EventSink>, options: ConnectOptions) -> Result<Arc<Self>> {
        Self::open(sink, Opening::Connecting(Box::pin(crate::transport::connect_tcp(options))))
    }

    /// Connects to a Unix socket.
    #[cfg(unix)]
    pub fn connect_path(sink: Arc<dyn EventSink>, path: String) -> Result<Arc<Self>> {
        Self::open(sink, Opening::Connecting(Box::pin(crate::transport::connect_path(path))))
    }

    fn open(sink: Arc<dyn EventSink>, opening: Opening) -> Result<Arc<Self>> {
        let shard = Shard::for_data()?;
        let conn = Self::new(shard, sink, Core::new(Phase::Connecting), None);
        shard.run_task(Task::new(&conn, shard, opening, None));
        Ok(conn)
    }

    /// Speaks TLS over a stream of JavaScript's: ciphertext comes by [`receive`](Self::receive) and leaves by
    /// [`super::Event::CipherOut`].
    pub fn over_duplex(sink: Arc<dyn EventSink>) -> Result<Arc<Self>> {
        let shard = Shard::for_data()?;
        let mut core = Core::new(Phase::Idle);
        core.io = Some(Io::Duplex);
        let conn = Self::new(shard, sink, core, Some(Duplex::default()));
        shard.run_task(Task::new(&conn, shard, Opening::Duplex, None));
        Ok(conn)
    }

    /// A connection that `server` accepted. Its handshake begins at once and JavaScript hears of it when it must; or, as
    /// `config` has it, it is offered right away and waits for [`start`](Self::start). Called on a runtime thread.
    pub(super) fn accepted(
        server: &Arc<Server>,
        shard: &'static Shard,
        stream: Stream,
        config: &ServerConfig,
        visitor: Option<Visitor>,
    ) -> Arc<Self> {
        let mut core = Core::new(Phase::Idle);
        let (read, write) = stream.split();
        core.io = Some(Io::Socket(write));
        let waits = config.waits();
        core.start = (!waits).then(|| config.start.clone());
        core.unseen = Some(server.clone());
        let conn = Self::new(shard, server.sink().clone(), core, None);
        conn.generation.store(config.generation, Ordering::Release);
        if !(waits || config.paused) {
            conn.control.store(control::READ, Ordering::Release);
        }
        if !config.idle_timeout.is_zero() {
            conn.limit(|orders| orders.idle = config.idle_timeout);
        }
        if let Some(options) = &config.websocket {
            lock(&conn.outbox).speaker = Some(Box::new(Speaker::new(options.clone())));
        }
        server.admit(&conn);
        if waits {
            lock(&conn.core).unseen = None;
            server.seen(&conn, Event::Accept { id: conn.id(), visitor: visitor.as_ref() });
        }
        shard.run_task(
            Task::new(&conn, shard, Opening::Open(read), Some(server.clone()))
                .framed(config.framing.clone().map(|framing| (framing, config.quiet)))
                .upgrading(config.websocket.clone()),
        );
        conn
    }

    pub fn id(&self) -> u32 {
        self.id
    }

    /// See [`ServerConfig::generation`].
    pub fn generation(&self) -> u32 {
        self.generation.load(Ordering::Acquire)
    }

    /// Whether a part of a message waits for the rest of it.
    pub fn has_partial(&self) -> bool {
        self.partial.load(Ordering::Acquire)
    }

    /// Lets the task look again, from any thread.
    pub(super) fn wake(self: &Arc<Self>) {
        let Some(shard) = self.shard() else { return };
        if shard.is_current() {
            self.waker.wake();
        } else if !self.mailed.swap(true, Ordering::AcqRel) {
            shard.post(Mail::Wake(self.clone()));
        }
    }

    fn shard(&self) -> Option<&'static Shard> {
        Shard::at(self.shard.load(Ordering::Acquire))
    }

    /// The task moves. A wake-up that still goes to its old shard finds it all the same.
    pub(super) fn moves_to(&self, shard: &Shard) {
        self.shard.store(shard.number(), Ordering::Release);
    }

    /// The mail has come.
    pub(super) fn wake_task(&self) {
        self.mailed.swap(false, Ordering::AcqRel);
        self.waker.wake();
    }

    /// Begins TLS. Once per connection; it may come before the socket is connected.
    pub fn start(self: &Arc<Self>, options: StartOptions) {
        lock(&self.core).start = Some(options);
        self.wake();
    }

    /// Cuts what the peer sends in another way, beginning with what was not given yet; see [`EventSink::message`].
    pub fn set_framing(self: &Arc<Self>, framing: Framing) {
        lock(&self.orders).framing = Some(framing);
        self.command(control::REFRAME);
    }

    /// Neither side moved a byte for so long: `ERR_C4TLS_IDLE_TIMEOUT`. Zero: no limit.
    pub fn set_idle_timeout(self: &Arc<Self>, limit: Duration) {
        self.limit(|orders| orders.idle = limit);
        self.wake();
    }

    /// Something waits for the kernel and nothing of it left for so long, from this call on: [`super::Event::Stalled`],
    /// and again only when something has left since, or behind another call. Zero: no limit.
    pub fn set_stall_timeout(self: &Arc<Self>, limit: Duration) {
        self.limit(|orders| {
            orders.stall = limit;
            orders.stall_anew = true;
        });
        self.wake();
    }

    /// Changes limits of time. The task takes note of them, and of their end.
    pub(super) fn limit(&self, change: impl FnOnce(&mut Orders)) {
        let mut orders = lock(&self.orders);
        change(&mut orders);
        self.control.fetch_or(control::LIMITED, Ordering::AcqRel);
    }

    /// Sends all that was taken, then close_notify and FIN; drops what the peer still sends, and waits for its FIN, at
    /// most [`FINISH_TIME`](crate::policy::limits::FINISH_TIME) behind ours. A peer that takes nothing for `timeout` (zero:
    /// for ever) gets a reset. Nothing is taken any more; [`super::Event::Closed`] follows.
    pub fn finish(self: &Arc<Self>, timeout: Duration) {
        lock(&self.orders).finish = timeout;
        self.command(control::FINISH | control::SHUTDOWN);
    }

    /// After everything written: close_notify and FIN, then [`super::Event::ShutdownDone`].
    pub fn shutdown(self: &Arc<Self>) {
        self.command(control::SHUTDOWN);
    }

    /// Drops what is queued and closes; [`super::Event::Closed`] follows. With `reset` the peer gets a reset.
    /// After [`super::Event::Closed`] it lets the session go, which can be asked until then.
    pub fn close(self: &Arc<Self>, reset: bool) {
        if self.control.load(Ordering::Acquire) & control::ENDED != 0 {
            let session = lock(&self.core).session.take();
            if let (Some(session), Some(shard)) = (session, self.shard()) {
                shard.post(Mail::Bury(session));
            }
            return;
        }
        self.command(if reset { control::CLOSE | control::RESET } else { control::CLOSE });
    }

    pub fn read_start(self: &Arc<Self>) {
        if self.control.fetch_or(control::READ, Ordering::AcqRel) & control::READ == 0 {
            self.wake();
        }
    }

    pub fn read_stop(&self) {
        self.control.fetch_and(!control::READ, Ordering::AcqRel);
    }

    /// The sink has passed on, or dropped, all that it held of this connection.
    pub fn consumed(self: &Arc<Self>) {
        // Against `has_room` of the task: each writes first and looks then, so that one of the two sees the other.
        self.inbound.store(0, Ordering::SeqCst);
        if self.stalled.swap(false, Ordering::SeqCst) {
            self.wake();
        }
    }

    /// Clear bytes that wait in the sink.
    pub fn inbound(&self) -> usize {
        self.inbound.load(Ordering::Acquire)
    }

    pub(super) fn command(self: &Arc<Self>, bits: u8) {
        self.control.fetch_or(bits, Ordering::AcqRel);
        self.wake();
    }

    pub fn answer(self: &Arc<Self>, answer: Answer) -> Result<()> {
        let mut core = lock(&self.core);
        let answered = core.session.as_mut().map_or(Ok(()), |s| s.answer(answer));
        core.stir = true;
        drop(core);
        self.wake();
        answered
    }

    /// The listener of `newSession` is done: the server's flight may leave.
    pub fn session_stored(self: &Arc<Self>) {
        lock(&self.core).awaiting_store = false;
        self.wake();
    }

    pub fn renegotiate(self: &Arc<Self>) -> Result<()> {
        let done = self.with_session(|s| s.renegotiate());
        lock(&self.core).stir = true;
        self.wake();
        done.unwrap_or_else(|| Err(Error::new("ERR_SOCKET_CLOSED", "Socket is closed")))
    }

    /// Applies to a session that runs, or to one that has not begun yet.
    pub fn set_verify(&self, verify: Verify) -> Result<()> {
        let mut core = lock(&self.core);
        if let Some(start) = core.start.as_mut() {
            start.session.verify = verify;
        }
        core.session.as_mut().map_or(Ok(()), |s| s.set_verify(verify))
    }

    pub fn enable_hooks(&self, hooks: Hooks) {
        let mut core = lock(&self.core);
        if let Some(start) = core.start.as_mut() {
            start.session.hooks = start.session.hooks.with(hooks);
        }
        if let Some(session) = core.session.as_mut() {
            session.enable_hooks(hooks);
        }
    }

    /// Looks at the session; `None` before TLS begins and after the end.
    pub fn with_session<T>(&self, look: impl FnOnce(&mut dyn TlsSession) -> T) -> Option<T> {
        let mut core = lock(&self.core);
        let session = core.session.as_mut()?;
        Some(look(&mut **session))
    }

    /// `None` for sockets without an IP address, before there is a socket, and after the end unless asked before.
    pub fn local_address(&self) -> Option<SocketAddress> {
        self.address(&self.local, |write| write.local_address())
    }

    pub fn peer_address(&self) -> Option<SocketAddress> {
        self.address(&self.peer, |write| write.peer_address())
    }

    fn address(
        &self,
        known: &OnceLock<Option<SocketAddress>>,
        ask: impl FnOnce(&crate::transport::WriteHalf) -> Option<SocketAddress>,
    ) -> Option<SocketAddress> {
        if let Some(address) = known.get() {
            return address.clone();
        }
        match &lock(&self.core).io {
            Some(Io::Socket(write)) => known.get_or_init(|| ask(write)).clone(),
            _ => None,
        }
    }

    /// Keeps the addresses beyond the socket's end.
    pub(super) fn keep_addresses(&self, core: &Core) {
        if let Some(Io::Socket(write)) = &core.io {
            self.peer.get_or_init(|| write.peer_address());
            self.local.get_or_init(|| write.local_address());
        }
    }

    pub fn set_no_delay(&self, on: bool) {
        if let Some(Io::Socket(write)) = &lock(&self.core).io {
            // As Node: an option the system refuses is no reason to fail.
            let _ = write.set_no_delay(on);
        }
    }

    pub fn set_keep_alive(&self, on: bool, idle: Duration) {
        if let Some(Io::Socket(write)) = &lock(&self.core).io {
            let _ = write.set_keep_alive(on, idle);
        }
    }

    /// Ciphertext of the peer, over a duplex. False: pause until [`super::Event::CipherResume`].
    pub fn receive(self: &Arc<Self>, bytes: &[u8]) -> bool {
        let Some(duplex) = &self.duplex else { return true };
        let go_on = lock(duplex).receive(bytes);
        self.wake();
        go_on
    }

    pub fn receive_eof(self: &Arc<Self>) {
        if let Some(duplex) = &self.duplex {
            lock(duplex).eof = true;
            self.wake();
        }
    }

    /// The last [`super::Event::CipherOut`] is written.
    pub fn cipher_written(self: &Arc<Self>) {
        if let Some(duplex) = &self.duplex {
            lock(duplex).in_flight = false;
            self.wake();
        }
    }
}

/// Parses the addresses that JavaScript looked up.
pub fn parse_address(text: &str) -> Result<IpAddr> {
    let plain = text.split('%').next().unwrap_or(text);
    plain.parse().map_err(|_| Error::new("ERR_INVALID_IP_ADDRESS", format!("Invalid IP address: {text}")))
}
