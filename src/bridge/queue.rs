//! Events on their way to one JavaScript thread.
//!
//! Producers append to the waiting batch; the JavaScript thread takes it whole. An event is four words, `[target, kind,
//! arg, length]`, and its payload stands in the slab, in order and back to back, or as a buffer of its own.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::Waker;

use crate::driver::{Connection, Frame};
use crate::framing::websocket::Kind;
use crate::framing::Message;
use crate::policy::limits;

/// Words of a descriptor.
pub(super) const WORDS: usize = 4;
/// Flag in `kind`: the payload is the next large buffer.
pub(super) const LARGE: u32 = 0x100;

pub(super) mod kind {
    pub const ACCEPT: u32 = 1;
    pub const ADOPT: u32 = 2;
    pub const DROP: u32 = 3;
    pub const LISTENER_CLOSED: u32 = 5;
    pub const PENDING_ZERO: u32 = 6;
    pub const CONNECTED: u32 = 16;
    pub const CONNECT_FAILED: u32 = 17;
    pub const SECURE: u32 = 18;
    pub const DATA: u32 = 19;
    pub const EOF: u32 = 20;
    pub const DRAIN: u32 = 21;
    pub const SHUTDOWN_DONE: u32 = 22;
    pub const ERROR: u32 = 23;
    pub const CLOSED: u32 = 24;
    pub const HELLO: u32 = 25;
    pub const CERTIFICATE: u32 = 26;
    pub const KEYLOG: u32 = 27;
    pub const NEW_SESSION: u32 = 28;
    pub const OCSP_RESPONSE: u32 = 29;
    pub const CIPHER_OUT: u32 = 30;
    pub const CIPHER_RESUME: u32 = 31;
    pub const CIPHER_END: u32 = 32;
    pub const TRACE: u32 = 33;
    pub const PSK: u32 = 34;
    pub const RENEGOTIATION: u32 = 35;
    pub const MESSAGE: u32 = 36;
    pub const TICKET_KEYS: u32 = 44;
    pub const DATAGRAM: u32 = 37;
    pub const PEER: u32 = 38;
    pub const PEER_GONE: u32 = 39;
    pub const CLIENT_CERTIFICATE: u32 = 40;
    pub const FILE_PROGRESS: u32 = 41;
    pub const FILE_DONE: u32 = 42;
    pub const STALLED: u32 = 43;
    pub const UPGRADE: u32 = 45;
    pub const OPEN: u32 = 46;
    pub const PING_IN: u32 = 47;
    pub const PONG_IN: u32 = 48;
    pub const CLOSE_IN: u32 = 49;
}

/// MESSAGE's arg, as bits.
pub(super) mod part {
    /// The message ends with it: its delimiter was there, or its last frame.
    pub const LAST: u32 = 1;
    /// Of a WebSocket, as the others.
    pub const TEXT: u32 = 2;
    /// The message begins with it.
    pub const FIRST: u32 = 4;
}

/// A slab larger than this, in bytes, is not kept for the next batch: one burst must not pin its memory for ever.
const KEPT_SLAB: usize = 1 << 20;

/// Events that travel together.
#[derive(Default)]
pub(super) struct Batch {
    pub words: Vec<u32>,
    pub slab: Vec<u8>,
    pub large: VecDeque<Vec<u8>>,
    /// Connections with clear bytes in here.
    touched: Vec<Arc<Connection>>,
    /// There are datagrams in here.
    datagrams: bool,
}

impl Batch {
    pub fn has_data(&self) -> bool {
        self.datagrams || !self.touched.is_empty()
    }

    pub fn clear(&mut self) {
        self.words.clear();
        self.slab.clear();
        self.large.clear();
        self.datagrams = false;
        if self.slab.capacity() > KEPT_SLAB {
            self.slab = Vec::new();
        }
    }
}

/// What waits, and who waits for room.
#[derive(Default)]
pub(super) struct Queue {
    pub waiting: Batch,
    /// Payloads and descriptors in `waiting`, in bytes. Written under the queue's lock, read without it.
    bytes: Arc<AtomicUsize>,
    /// Connections that stopped reading because of the others.
    stalled: Vec<Arc<Connection>>,
    /// Tasks of UDP sockets that did.
    stalled_tasks: Vec<Waker>,
    /// A wake-up is on its way.
    pub woken: bool,
    /// Batches taken so far.
    pub taken: u64,
    /// Shards that rest until the next is taken.
    pub resting: usize,
}

impl Queue {
    pub fn push(&mut self, target: u32, kind: u32, arg: u32, payload: &[u8]) {
        if payload.len() >= limits::OWN_BUFFER {
            self.push_large(target, kind, arg, payload.to_vec());
        } else {
            self.count(payload);
            self.waiting.words.extend_from_slice(&[target, kind, arg, payload.len() as u32]);
            self.waiting.slab.extend_from_slice(payload);
        }
    }

    pub fn push_large(&mut self, target: u32, kind: u32, arg: u32, payload: Vec<u8>) {
        self.count(&payload);
        self.waiting.words.extend_from_slice(&[target, kind | LARGE, arg, payload.len() as u32]);
        self.waiting.large.push_back(payload);
    }

    /// Every event takes room, not only data: a peer causes others too, and small ones are mostly descriptor.
    fn count(&mut self, payload: &[u8]) {
        self.bytes.fetch_add(payload.len() + WORDS * size_of::<u32>(), Ordering::Relaxed);
    }

    pub fn push_data(&mut self, connection: &Arc<Connection>, bytes: &[u8]) {
        self.touch(connection, bytes.len());
        self.push(connection.id(), kind::DATA, 0, bytes);
    }

    pub fn push_message(&mut self, connection: &Arc<Connection>, message: Message<'_>) {
        self.touch(connection, message.bytes.len() + limits::MESSAGE_COST);
        self.push(connection.id(), kind::MESSAGE, message.ended.into(), message.bytes);
    }

    pub fn push_frame(&mut self, connection: &Arc<Connection>, frame: Frame<'_>) {
        self.touch(connection, frame.bytes().len() + limits::MESSAGE_COST);
        let bit = |set: bool, bit: u32| if set { bit } else { 0 };
        let (kind, arg) = match &frame {
            Frame::Data(data) => {
                let text = bit(data.kind == Kind::Text, part::TEXT);
                (kind::MESSAGE, text | bit(data.first, part::FIRST) | bit(data.last, part::LAST))
            }
            Frame::Ping(_) => (kind::PING_IN, 0),
            Frame::Pong { answers, .. } => (kind::PONG_IN, answers.unwrap_or(0)),
        };
        self.push(connection.id(), kind, arg, frame.bytes());
    }

    /// The connection counts before it hands over: equal means that nothing of it waits yet.
    fn touch(&mut self, connection: &Arc<Connection>, counted: usize) {
        if connection.inbound() == counted {
            self.waiting.touched.push(connection.clone());
        }
    }

    pub fn push_datagram(&mut self, target: u32, peer: u32, bytes: &[u8]) {
        self.waiting.datagrams = true;
        self.push(target, kind::DATAGRAM, peer, bytes);
    }

    /// Bytes that wait.
    pub fn counter(&self) -> Arc<AtomicUsize> {
        self.bytes.clone()
    }

    pub fn wait_for_room(&mut self, connection: &Arc<Connection>) {
        self.stalled.push(connection.clone());
    }

    pub fn wake_when_room(&mut self, waker: &Waker) {
        if !self.stalled_tasks.iter().any(|known| known.will_wake(waker)) {
            self.stalled_tasks.push(waker.clone());
        }
    }

    /// Tasks to wake when a batch was taken.
    pub fn take_stalled_tasks(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.stalled_tasks)
    }

    /// Exchanges the waiting batch for an empty one and gives those to tell of it.
    pub fn take(&mut self, empty: Batch) -> (Batch, Vec<Arc<Connection>>) {
        self.woken = false;
        self.taken += 1;
        self.bytes.store(0, Ordering::Relaxed);
        let mut batch = std::mem::replace(&mut self.waiting, empty);
        let mut told = std::mem::take(&mut batch.touched);
        told.append(&mut self.stalled);
        (batch, told)
    }
}
