//! A UDP socket: one task on a shard receives, any thread sends.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use atomic_waker::AtomicWaker;
use tokio::time::{sleep, sleep_until, Sleep};

use super::connection::parse_address;
use super::shard::{self, Shard};
use super::task::SCRATCH;
use super::{lock, next_id, next_peer_id, Event, EventSink};
use crate::error::{Error, Result};
use crate::policy::limits::{ACCEPT_REST, CONNECTION_INBOUND, DATAGRAM_TURN};
use crate::policy::{Peers, Sender};
use crate::transport::{shown, with_interface, BoundUdp, Fault, SocketAddress, Udp, UdpOptions};

/// How a UDP socket is bound, and how it knows its peers.
#[derive(Debug, Clone, Copy)]
pub struct DatagramOptions {
    pub socket: UdpOptions,
    /// Peers known at a time, at least 1; see [`PEERS`](crate::policy::limits::PEERS).
    pub max_peers: usize,
    /// A peer is forgotten after this long without a datagram either way; `None`: never. See
    /// [`PEER_IDLE`](crate::policy::limits::PEER_IDLE).
    pub peer_idle: Option<Duration>,
}

pub struct Datagram {
    id: u32,
    sink: Arc<dyn EventSink>,
    address: SocketAddress,
    /// The socket, until it is closed.
    socket: RwLock<Option<Udp>>,
    peers: Mutex<Peers>,
    waker: AtomicWaker,
}

impl Datagram {
    /// Binds `ip`, an address in text that may name its interface (`fe80::1%eth0`), and receives. Fails with the system's
    /// error, or `ERR_INVALID_IP_ADDRESS`.
    pub fn bind(sink: Arc<dyn EventSink>, ip: &str, port: u16, options: DatagramOptions) -> Result<Arc<Self>> {
        let shard = Shard::for_data()?;
        let _entered = shard.handle().enter();
        let datagram = Self::open(sink, ip, port, options)?;
        shard.handle().spawn(Receiver::new(&datagram, shard));
        Ok(datagram)
    }

    /// Attached to the runtime that the calling thread has entered.
    pub(super) fn open(sink: Arc<dyn EventSink>, ip: &str, port: u16, options: DatagramOptions) -> Result<Arc<Self>> {
        let failed = |e: std::io::Error| Error::system(&e, "bind");
        let wanted = with_interface(parse_address(ip)?, port, ip);
        let bound = BoundUdp::bind(wanted, options.socket).map_err(failed)?;
        Ok(Arc::new(Datagram {
            id: next_id(),
            sink,
            address: bound.address().map_err(failed)?,
            socket: RwLock::new(Some(bound.attach().map_err(failed)?)),
            peers: Mutex::new(Peers::new(options.max_peers, options.peer_idle)),
            waker: AtomicWaker::new(),
        }))
    }

    pub fn id(&self) -> u32 {
        self.id
    }

    /// Where it was bound; also after [`close`](Self::close).
    pub fn address(&self) -> SocketAddress {
        self.address.clone()
    }

    /// Sends one datagram to a peer. False: the peer is not known any more, the socket is closed, or the system refused
    /// it (no room, more than 65,507 bytes, no way there). Nothing is kept to be sent later.
    pub fn send(&self, peer: u32, bytes: &[u8]) -> bool {
        let known = lock(&self.peers).sending(peer, Instant::now());
        known.is_some_and(|address| self.send_datagram(bytes, address))
    }

    /// The same to any address. Fails with `ERR_INVALID_IP_ADDRESS` when `ip` is none.
    pub fn send_to(&self, ip: &str, port: u16, bytes: &[u8]) -> Result<bool> {
        Ok(self.send_datagram(bytes, with_interface(parse_address(ip)?, port, ip)))
    }

    fn send_datagram(&self, bytes: &[u8], to: SocketAddr) -> bool {
        self.socket().as_ref().is_some_and(|socket| socket.send(bytes, to).is_ok())
    }

    /// The address is free when this returns. [`Event::ListenerClosed`] follows as the last event.
    pub fn close(&self) {
        let socket = self.socket.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(socket);
        self.waker.wake();
    }

    fn socket(&self) -> RwLockReadGuard<'_, Option<Udp>> {
        self.socket.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn emit(&self, event: Event<'_>) {
        self.sink.emit(self.id, event);
    }

    /// Room in the sink; without it the task is woken when there is some.
    fn has_room(&self, cx: &Context<'_>) -> bool {
        self.sink.has_room() || {
            self.sink.wake_when_room(cx.waker());
            self.sink.has_room()
        }
    }

    fn received(&self, from: SocketAddr, bytes: &[u8], now: Instant) {
        let sender = lock(&self.peers).received(from, now, next_peer_id);
        let peer = match sender {
            Sender::Known(id) => id,
            Sender::New { id, pushed_out } => {
                if let Some(gone) = pushed_out {
                    self.emit(Event::PeerGone { id: gone, pushed_out: true });
                }
                self.emit(Event::Peer { id, address: &shown(from) });
                id
            }
        };
        self.emit(Event::Datagram { peer, bytes });
    }

    #[cfg(test)]
    pub fn with_socket<T>(&self, look: impl FnOnce(&Udp) -> T) -> Option<T> {
        self.socket().as_ref().map(look)
    }
}

/// The task.
pub(super) struct Receiver {
    datagram: Arc<Datagram>,
    shard: &'static Shard,
    /// When a peer may have been idle for long enough; it is looked at only then.
    timer: Option<Pin<Box<Sleep>>>,
    /// The system is short of something: a short rest instead of a busy loop.
    rest: Option<Pin<Box<Sleep>>>,
}

/// How far a turn came.
enum Received {
    /// Nothing is left in the kernel.
    All,
    /// There may be more: others of the shard come first.
    More,
    /// In the sink.
    NoRoom,
    /// The system is short of something.
    Short,
    Closed,
    Failed(Error),
}

impl Future for Receiver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.turn(cx);
        shard::end_turn(&self.datagram.sink);
        polled
    }
}

impl Receiver {
    pub fn new(datagram: &Arc<Datagram>, shard: &'static Shard) -> Self {
        shard.task_entered();
        Receiver { datagram: datagram.clone(), shard, timer: None, rest: None }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.datagram.waker.register(cx.waker());
        loop {
            if let Some(rest) = &mut self.rest {
                if rest.as_mut().poll(cx).is_pending() && self.datagram.socket().is_some() {
                    return Poll::Pending;
                }
                self.rest = None;
            }
            match self.receive(cx) {
                Received::All => return self.expire(cx),
                Received::More => {
                    cx.waker().wake_by_ref();
                    return self.expire(cx);
                }
                // Nobody is idle for that: their datagrams may be in the kernel.
                Received::NoRoom => return Poll::Pending,
                Received::Short => self.rest = Some(Box::pin(sleep(ACCEPT_REST))),
                Received::Closed => return Poll::Ready(()),
                Received::Failed(error) => {
                    self.datagram.emit(Event::Error(&error));
                    return Poll::Ready(());
                }
            }
        }
    }

    /// What the kernel has, up to a turn's worth.
    fn receive(&self, cx: &mut Context<'_>) -> Received {
        let datagram = &*self.datagram;
        let now = Instant::now();
        SCRATCH.with_borrow_mut(|scratch| {
            let buffer = &mut scratch.cipher;
            let (mut reads, mut bytes) = (0, 0);
            while reads < DATAGRAM_TURN && bytes < CONNECTION_INBOUND {
                let polled = match &*datagram.socket() {
                    None => return Received::Closed,
                    Some(_) if !datagram.has_room(cx) => return Received::NoRoom,
                    Some(socket) => socket.poll_receive(cx, buffer),
                };
                match polled {
                    Poll::Pending => return Received::All,
                    Poll::Ready(Ok((length, from))) => {
                        datagram.received(from, &buffer[..length], now);
                        bytes += length;
                    }
                    Poll::Ready(Err(e)) => match Fault::of(&e) {
                        Fault::Peer => {}
                        Fault::Passing => return Received::Short,
                        Fault::Broken => return Received::Failed(Error::system(&e, "recvfrom")),
                    },
                }
                reads += 1;
            }
            Received::More
        })
    }

    /// Forgets the peers whose time is over. Never ready: the task goes on.
    fn expire(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.timer.is_none() {
                let Some(next) = lock(&self.datagram.peers).next_expiry() else { return Poll::Pending };
                self.timer = Some(Box::pin(sleep_until(next.into())));
            }
            let due = self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready());
            if !due {
                return Poll::Pending;
            }
            self.timer = None;
            let now = Instant::now();
            loop {
                let gone = lock(&self.datagram.peers).expire(now);
                let Some(id) = gone else { break };
                self.datagram.emit(Event::PeerGone { id, pushed_out: false });
            }
        }
    }
}

impl Drop for Receiver {
    /// Whatever ended the task, a panic included: JavaScript hears of the end.
    fn drop(&mut self) {
        self.datagram.close();
        self.datagram.emit(Event::ListenerClosed);
        self.shard.task_left();
        shard::end_turn(&self.datagram.sink);
    }
}
