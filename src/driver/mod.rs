//! One task per connection, one per server, one per UDP socket. The only place that composes engine, policy and transport.
//!
//! Events go up through [`EventSink`]; the bridge implements it. Nothing here knows JavaScript.

mod connection;
mod core;
mod datagram;
mod duplex;
mod file;
mod frame;
mod loan;
mod outbox;
mod server;
mod shard;
mod task;
mod websocket;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use crate::engine::Question;
use crate::error::Error;
use crate::framing::websocket::Request;
use crate::framing::Message;
use crate::transport::{ConnectError, SocketAddress};

pub use connection::{parse_address, Connection, StartOptions, WriteStatus};
pub use datagram::{Datagram, DatagramOptions};
pub use frame::Frame;
pub use server::{Server, ServerConfig, Visitor};
pub use shard::Shard;
pub use websocket::{broadcast, Part, Taken, WebSocketOptions};

/// What a connection or a server tells its owner, in the order it came about.
#[derive(Debug)]
pub enum Event<'a> {
    /// Server: a connection waits for [`Connection::start`].
    Accept {
        id: u32,
        /// Where [`ServerConfig::access`] is set.
        visitor: Option<&'a Visitor>,
    },
    /// Server: a connection that already speaks TLS comes to JavaScript's notice.
    Adopt(u32),
    /// Server: a connection above the limit was closed.
    Drop {
        local: Option<SocketAddress>,
        peer: Option<SocketAddress>,
    },
    /// Server: the listening socket is closed.
    ListenerClosed,
    /// Server, once, after it was closed: no connection is left that JavaScript has not seen.
    PendingZero,
    Connected,
    ConnectFailed(&'a [ConnectError]),
    Secure,
    /// The peer will send no more; `truncated`: by FIN, without close_notify.
    Eof {
        truncated: bool,
    },
    /// The write that was pending is in the kernel.
    Drain,
    ShutdownDone,
    /// How much of a file has left, in bytes; see [`Connection::send_file`].
    FileProgress {
        sent: u64,
        total: u64,
    },
    /// The file is over: all of it is in the kernel, or it was interrupted, or it could not be read on.
    FileDone {
        interrupted: bool,
        error: Option<&'a Error>,
    },
    /// The kernel has taken nothing of what waits for too long; see [`Connection::set_stall_timeout`].
    Stalled,
    /// Final: the connection closes by itself.
    Error(&'a Error),
    Closed {
        /// The peer took nothing for too long, so that what was given last is lost.
        gave_up: bool,
    },
    Question(&'a Question),
    Keylog(&'a [u8]),
    NewSession {
        id: &'a [u8],
        session: &'a [u8],
    },
    OcspResponse(Option<&'a [u8]>),
    CipherOut(Vec<u8>),
    CipherResume,
    CipherEnd,
    Trace(&'a str),
    /// WebSocket: a request that waits for [`Connection::accept_upgrade`] or [`Connection::reject_upgrade`].
    Upgrade(&'a Request),
    /// WebSocket: it is open, with these extensions.
    Opened {
        extensions: &'a str,
    },
    /// WebSocket: the peer's Close frame, or our failure, behind its [`Error`](Self::Error). The answer leaves with
    /// [`Connection::answer_close`], or after [`limits::CLOSE_STALL`](crate::policy::limits::CLOSE_STALL); then the
    /// connection ends.
    CloseFrame {
        code: u16,
        reason: &'a str,
    },
    /// UDP: somebody new sends datagrams.
    Peer {
        id: u32,
        address: &'a SocketAddress,
    },
    /// UDP: one datagram, whole; it may be empty.
    Datagram {
        peer: u32,
        bytes: &'a [u8],
    },
    /// UDP: the peer was idle for too long, or had to make room for a new one.
    PeerGone {
        id: u32,
        pushed_out: bool,
    },
}

/// Where events go. Called from any thread; must not call back into the connection before it returns.
pub trait EventSink: Send + Sync {
    fn emit(&self, target: u32, event: Event<'_>);
    /// Clear bytes of `connection`. The sink calls [`Connection::consumed`] when they are on their way to the listener.
    fn data(&self, connection: &Arc<Connection>, bytes: &[u8]);
    /// A message of `connection`; [`Connection::consumed`] as for [`data`](Self::data).
    fn message(&self, connection: &Arc<Connection>, message: Message<'_>);
    /// A frame of `connection`; [`Connection::consumed`] as for [`data`](Self::data).
    fn frame(&self, connection: &Arc<Connection>, frame: Frame<'_>);
    /// False while all connections together have too much waiting.
    fn has_room(&self) -> bool;
    /// Whether the owner minds how its peers cut what they send: a record that may be a limited one is then given by
    /// itself, otherwise several are given together.
    fn minds_records(&self) -> bool;
    /// Asks for a [`Connection::consumed`] when there is room again.
    fn wait_for_room(&self, connection: &Arc<Connection>);
    /// The same for a task that is no connection's.
    fn wake_when_room(&self, waker: &Waker);
    /// The caller has no more to say for now: what waits goes on its way. Until then the sink may hold it back.
    /// Says how many batches the owner has taken so far, if there are clear bytes that it has not.
    fn flush(&self) -> Option<u64>;
    /// Returns when the owner has taken another batch than the `taken` of [`flush`](Self::flush), at the latest after
    /// `limit`.
    fn rest(&self, taken: u64, limit: Duration);
    /// Whether the owner's thread would run a shard's tasks: what it has to do is light, and those tasks have no other
    /// owners.
    fn would_borrow(&self) -> bool;
    /// The owner's thread runs `shard` from now on, by [`Shard::turn`], until [`Shard::give_back`]. False: it does not.
    fn borrow_shard(&self, shard: &'static Shard) -> bool;
    /// The shard's thread takes it back. False: the owner is at it just now.
    fn return_shard(&self, shard: &'static Shard) -> bool;
    /// Makes a connection that the owner has not seen claimable by its id.
    fn offer(&self, connection: &Arc<Connection>);
}

/// Ids are never 0 and name connections, servers and UDP sockets of the whole process. They are below 2^31.
fn next_id() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    next_of(&NEXT)
}

/// The id of a UDP peer, from 2^31 on: false sender addresses use ids up by the million, and must not come to those of
/// connections that live.
fn next_peer_id() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    next_of(&NEXT) | 1 << 31
}

fn next_of(counter: &AtomicU32) -> u32 {
    loop {
        match counter.fetch_add(1, Ordering::Relaxed) & (u32::MAX >> 1) {
            0 => continue,
            id => return id,
        }
    }
}

/// A panic elsewhere must not take every later caller down with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
