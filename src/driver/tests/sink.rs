//! An [`EventSink`] that keeps everything and lets tests wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::Waker;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::PATIENCE;
use crate::driver::{Connection, Event, EventSink, Frame, Shard, Visitor};
use crate::engine::Question;
use crate::framing::websocket::Kind;
use crate::framing::Message;
use crate::transport::SocketAddress;

/// An event without its borrows.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    Accept(u32, Option<Visitor>),
    Adopt(u32),
    Drop,
    Data(Vec<u8>),
    /// Whether it ended.
    Message(Vec<u8>, bool),
    Eof {
        truncated: bool,
    },
    /// Text, its first part, its last.
    Part(Vec<u8>, [bool; 3]),
    /// Whether it ended.
    Ping(Vec<u8>),
    Pong(Vec<u8>, Option<u32>),
    /// The request's target.
    Upgrade(String),
    Opened(String),
    CloseFrame(u16, String),
    Error(String),
    Question(Question),
    CipherOut(Vec<u8>),
    Peer(u32, SocketAddress),
    Datagram(u32, Vec<u8>),
    /// Whether it was pushed out.
    PeerGone(u32, bool),
    FileProgress(u64, u64),
    FileDone {
        interrupted: bool,
        error: Option<String>,
    },
    /// Any other, by its name.
    Other(&'static str),
}

#[derive(Default)]
struct Kept {
    events: Vec<(u32, Seen)>,
    offered: HashMap<u32, Arc<Connection>>,
    /// Data is kept back from [`Connection::consumed`].
    withhold: bool,
}

#[derive(Default)]
pub struct Sink {
    kept: Mutex<Kept>,
    changed: Condvar,
    /// Whoever takes the events has not woken up yet.
    pub behind: AtomicBool,
    /// How often a shard let it be.
    pub rests: AtomicUsize,
    /// A shard that would rest is taken on loan.
    pub borrows: AtomicBool,
    loan: Mutex<Option<&'static Shard>>,
    /// How often there was one.
    pub loans: AtomicUsize,
    /// Who has brought data last.
    teller: Mutex<Option<ThreadId>>,
    pub minds_records: AtomicBool,
    /// A part of a message was said to wait when one was told.
    pub told_with_part: AtomicBool,
    /// There is no room; see [`Sink::make_room`].
    pub full: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl Sink {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// From now on nobody takes the data.
    pub fn withhold(&self) {
        self.kept.lock().unwrap().withhold = true;
    }

    /// Wakes whoever waits for room.
    pub fn make_room(&self) {
        self.full.store(false, Ordering::SeqCst);
        self.wakers.lock().unwrap().drain(..).for_each(Waker::wake);
    }

    /// Somebody waits for room.
    pub fn is_waited_for(&self) -> bool {
        !self.wakers.lock().unwrap().is_empty()
    }

    /// The events of `target` so far.
    pub fn seen(&self, target: u32) -> Vec<Seen> {
        let kept = self.kept.lock().unwrap();
        kept.events.iter().filter(|(t, _)| *t == target).map(|(_, e)| e.clone()).collect()
    }

    /// What `connection` has given is taken, and what it gives from now on.
    pub fn release(&self, connection: &Arc<Connection>) {
        self.kept.lock().unwrap().withhold = false;
        connection.consumed();
    }

    /// From now on the caller's, if there is one.
    pub fn take_loan(&self) -> Option<&'static Shard> {
        self.loan.lock().unwrap().take()
    }

    /// Whether the calling thread has brought what came last.
    pub fn is_teller(&self) -> bool {
        *self.teller.lock().unwrap() == Some(thread::current().id())
    }

    fn keep(&self, target: u32, seen: Seen) {
        self.kept.lock().unwrap().events.push((target, seen));
        self.changed.notify_all();
    }

    /// The first thing that `find` finds among the events of `target`, now or later.
    pub fn wait_for<T>(&self, target: u32, find: impl Fn(&Seen) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut kept = self.kept.lock().unwrap();
        loop {
            if let Some(found) = kept.events.iter().filter(|(t, _)| *t == target).find_map(|(_, e)| find(e)) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no such event of {target} among {:?}", kept.events);
            kept = self.changed.wait_timeout(kept, left).unwrap().0;
        }
    }

    pub fn wait_other(&self, target: u32, name: &'static str) {
        self.wait_for(target, |e| (*e == Seen::Other(name)).then_some(()));
    }

    pub fn has(&self, target: u32, wanted: &Seen) -> bool {
        self.kept.lock().unwrap().events.iter().any(|(t, e)| *t == target && e == wanted)
    }

    /// Drops the events of `target`.
    pub fn forget(&self, target: u32) {
        self.kept.lock().unwrap().events.retain(|(t, _)| *t != target);
    }

    fn take(&self, connection: &Arc<Connection>, seen: Seen) {
        *self.teller.lock().unwrap() = Some(thread::current().id());
        let mut kept = self.kept.lock().unwrap();
        kept.events.push((connection.id(), seen));
        let taken = !kept.withhold;
        drop(kept);
        if taken {
            connection.consumed();
        }
        self.changed.notify_all();
    }

    pub fn claim(&self, id: u32) -> Arc<Connection> {
        self.kept.lock().unwrap().offered.remove(&id).unwrap()
    }

    /// All clear bytes of `target` so far.
    pub fn data(&self, target: u32) -> Vec<u8> {
        let kept = self.kept.lock().unwrap();
        let mine = kept.events.iter().filter(|(t, _)| *t == target);
        mine.flat_map(|(_, e)| if let Seen::Data(d) = e { d.clone() } else { Vec::new() }).collect()
    }

    pub fn events(&self, target: u32) -> Vec<Seen> {
        let kept = self.kept.lock().unwrap();
        kept.events.iter().filter(|(t, _)| *t == target).map(|(_, e)| e.clone()).collect()
    }

    /// The lengths of the pieces in which they came.
    pub fn chunks(&self, target: u32) -> Vec<usize> {
        let kept = self.kept.lock().unwrap();
        let mine = kept.events.iter().filter(|(t, _)| *t == target);
        mine.filter_map(|(_, e)| if let Seen::Data(d) = e { Some(d.len()) } else { None }).collect()
    }

    /// Takes the next ciphertext piece of `target`, if there is one.
    pub fn take_cipher(&self, target: u32) -> Option<Vec<u8>> {
        let mut kept = self.kept.lock().unwrap();
        let at = kept.events.iter().position(|(t, e)| *t == target && matches!(e, Seen::CipherOut(_)))?;
        match kept.events.remove(at).1 {
            Seen::CipherOut(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Waits until something happens, or a moment has passed.
    pub fn wait_change(&self) {
        let kept = self.kept.lock().unwrap();
        drop(self.changed.wait_timeout(kept, Duration::from_millis(20)).unwrap());
    }

    pub fn names(&self, target: u32) -> Vec<&'static str> {
        let kept = self.kept.lock().unwrap();
        kept.events.iter().filter(|(t, _)| *t == target).filter_map(|(_, e)| e.name()).collect()
    }
}

impl Seen {
    fn name(&self) -> Option<&'static str> {
        match self {
            Seen::Other(name) => Some(name),
            _ => None,
        }
    }
}

impl EventSink for Sink {
    fn emit(&self, target: u32, event: Event<'_>) {
        self.keep(
            target,
            match event {
                Event::Accept { id, visitor } => Seen::Accept(id, visitor.cloned()),
                Event::Adopt(id) => Seen::Adopt(id),
                Event::Drop { .. } => Seen::Drop,
                Event::Eof { truncated } => Seen::Eof { truncated },
                Event::Error(error) => Seen::Error(error.code.to_string()),
                Event::Upgrade(request) => Seen::Upgrade(request.uri.clone()),
                Event::Opened { extensions } => Seen::Opened(extensions.to_owned()),
                Event::CloseFrame { code, reason } => Seen::CloseFrame(code, reason.to_owned()),
                Event::Question(question) => Seen::Question(question.clone()),
                Event::CipherOut(bytes) => Seen::CipherOut(bytes),
                Event::Peer { id, address } => Seen::Peer(id, address.clone()),
                Event::Datagram { peer, bytes } => Seen::Datagram(peer, bytes.to_vec()),
                Event::PeerGone { id, pushed_out } => Seen::PeerGone(id, pushed_out),
                Event::ListenerClosed => Seen::Other("listener closed"),
                Event::PendingZero => Seen::Other("pending zero"),
                Event::Connected => Seen::Other("connected"),
                Event::ConnectFailed(_) => Seen::Other("connect failed"),
                Event::Secure => Seen::Other("secure"),
                Event::Drain => Seen::Other("drain"),
                Event::FileProgress { sent, total } => Seen::FileProgress(sent, total),
                Event::FileDone { interrupted, error } => {
                    Seen::FileDone { interrupted, error: error.map(|e| e.code.to_string()) }
                }
                Event::Stalled => Seen::Other("stalled"),
                Event::ShutdownDone => Seen::Other("shutdown"),
                Event::Closed { gave_up: false } => Seen::Other("closed"),
                Event::Closed { gave_up: true } => Seen::Other("closed, with a loss"),
                Event::Keylog(_) => Seen::Other("keylog"),
                Event::NewSession { .. } => Seen::Other("session"),
                Event::OcspResponse(_) => Seen::Other("ocsp"),
                Event::CipherResume => Seen::Other("resume"),
                Event::CipherEnd => Seen::Other("cipher end"),
                Event::Trace(_) => Seen::Other("trace"),
            },
        );
    }

    fn data(&self, connection: &Arc<Connection>, bytes: &[u8]) {
        self.take(connection, Seen::Data(bytes.to_vec()));
    }

    fn message(&self, connection: &Arc<Connection>, message: Message<'_>) {
        self.told_with_part.fetch_or(connection.has_partial(), Ordering::SeqCst);
        self.take(connection, Seen::Message(message.bytes.to_vec(), message.ended));
    }

    fn frame(&self, connection: &Arc<Connection>, frame: Frame<'_>) {
        let seen = match frame {
            Frame::Data(data) => Seen::Part(data.bytes.to_vec(), [data.kind == Kind::Text, data.first, data.last]),
            Frame::Ping(payload) => Seen::Ping(payload.to_vec()),
            Frame::Pong { payload, answers } => Seen::Pong(payload.to_vec(), answers),
        };
        self.take(connection, seen);
    }

    fn has_room(&self) -> bool {
        !self.full.load(Ordering::SeqCst)
    }

    fn minds_records(&self) -> bool {
        self.minds_records.load(Ordering::Relaxed)
    }

    fn wait_for_room(&self, _connection: &Arc<Connection>) {}

    fn wake_when_room(&self, waker: &Waker) {
        self.wakers.lock().unwrap().push(waker.clone());
        self.changed.notify_all();
    }

    fn flush(&self) -> Option<u64> {
        self.behind.load(Ordering::Acquire).then_some(0)
    }

    fn rest(&self, taken: u64, limit: Duration) {
        assert!(self.behind.load(Ordering::Acquire) && taken == 0 && limit <= Duration::from_millis(1));
        self.rests.fetch_add(1, Ordering::AcqRel);
    }

    fn would_borrow(&self) -> bool {
        self.borrows.load(Ordering::Acquire)
    }

    fn borrow_shard(&self, shard: &'static Shard) -> bool {
        *self.loan.lock().unwrap() = Some(shard);
        self.loans.fetch_add(1, Ordering::AcqRel);
        self.changed.notify_all();
        true
    }

    fn return_shard(&self, _: &'static Shard) -> bool {
        self.take_loan().is_some()
    }

    fn offer(&self, connection: &Arc<Connection>) {
        self.kept.lock().unwrap().offered.insert(connection.id(), connection.clone());
    }
}
