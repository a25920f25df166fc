//! One environment: the main thread or a Worker, with its queue and its wake-up.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::Waker;
use std::time::Duration;

use napi::bindgen_prelude::*;
use napi::{sys, Env};
use napi_derive::napi;
use serde_json::json;

use super::pin::pin_library;
use super::queue::{kind, Batch, Queue, WORDS};
use super::throw::{throw, to_json};
use super::wake::Wake;
use crate::driver::{Connection, Event, EventSink, Frame, Shard};
use crate::engine::Question;
use crate::error::Error as CoreError;
use crate::framing::websocket::Request;
use crate::framing::Message;
use crate::policy::limits;
use crate::transport::{ConnectError, SocketAddress};

/// Shared with every connection of the environment.
pub(super) struct Environment {
    queue: Mutex<Queue>,
    /// A batch was taken while somebody rested.
    taken: Condvar,
    /// The queue's: bytes that wait.
    inbound: Arc<AtomicUsize>,
    wake: Wake,
    /// Accepted connections that JavaScript has not claimed yet.
    offered: Mutex<HashMap<u32, Arc<Connection>>>,
    /// Events in the last batch.
    last_batch: AtomicUsize,
    /// Batches taken so far.
    batches: AtomicUsize,
    minds_records: AtomicBool,
    closed: AtomicBool,
    /// The last batch had a payload with a buffer of its own.
    bulky: AtomicBool,
    /// A shard whose tasks the JavaScript thread runs. Locked while it does.
    borrowed: Mutex<Option<&'static Shard>>,
}

/// Environments of the process: tasks of a shard may belong to any.
static ENVIRONMENTS: AtomicUsize = AtomicUsize::new(0);

/// The JavaScript thread's own part.
struct Local {
    shared: Arc<Environment>,
    /// The batch being handed over, and how far that has come.
    batch: Batch,
    words_done: usize,
    slab_done: usize,
}

thread_local! {
    static LOCAL: RefCell<Option<Local>> = const { RefCell::new(None) };
}

impl Environment {
    /// The calling thread's environment.
    pub fn current(env: &Env) -> Result<Arc<Environment>> {
        LOCAL.with_borrow(|local| local.as_ref().map(|l| l.shared.clone())).ok_or_else(|| {
            throw(env, &CoreError::new("ERR_C4TLS_BINDING", "init() must be called before anything else"))
        })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offered(&self) -> MutexGuard<'_, HashMap<u32, Arc<Connection>>> {
        self.offered.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn borrowed(&self) -> MutexGuard<'_, Option<&'static Shard>> {
        self.borrowed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn claim(&self, id: u32) -> Option<Arc<Connection>> {
        self.offered().remove(&id)
    }

    /// The number of the present batch: while it stays, the JavaScript thread is at the same turn, or has nothing to do.
    pub fn batch(&self) -> usize {
        self.batches.load(Ordering::Relaxed)
    }

    /// The JavaScript thread has little to do: a small write may be sent by itself.
    pub fn light(&self) -> bool {
        self.last_batch.load(Ordering::Relaxed) <= limits::DIRECT_WRITE_BATCH
    }

    /// The program limits its records, so it minds how its peers cut theirs: see [`EventSink::minds_records`].
    pub fn mind_records(&self) {
        self.minds_records.store(true, Ordering::Relaxed);
    }

    /// Appends; [`EventSink::flush`] wakes the JavaScript thread, unless there is much already.
    fn enqueue(&self, push: impl FnOnce(&mut Queue)) {
        if self.closed.load(Ordering::Acquire) {
            return;
        }
        let mut queue = self.queue();
        push(&mut queue);
        if queue.waiting.words.len() >= limits::FLUSH_EVENTS * WORDS {
            self.wake_for(queue);
        }
    }

    /// Appends and wakes at once: the JavaScript thread answers while the shard reads on.
    fn hand_over(&self, push: impl FnOnce(&mut Queue)) {
        if self.closed.load(Ordering::Acquire) {
            return;
        }
        let mut queue = self.queue();
        push(&mut queue);
        self.wake_for(queue);
    }

    /// Wakes the JavaScript thread if nobody has yet.
    fn wake_for(&self, mut queue: MutexGuard<'_, Queue>) {
        let wake = !std::mem::replace(&mut queue.woken, true);
        drop(queue);
        if wake {
            self.wake.call();
        }
    }

    fn shut_down(&self) {
        self.closed.store(true, Ordering::Release);
        if let Some(shard) = self.borrowed().take() {
            shard.give_back();
        }
        ENVIRONMENTS.fetch_sub(1, Ordering::Relaxed);
        self.wake.close();
        let (_, told) = self.queue().take(Batch::default());
        let offered: Vec<_> = self.offered().drain().map(|(_, c)| c).collect();
        for connection in told.into_iter().chain(offered) {
            connection.close(false);
        }
    }
}

impl EventSink for Environment {
    fn emit(&self, target: u32, event: Event<'_>) {
        self.enqueue(|queue| push_event(queue, target, event));
    }

    fn data(&self, connection: &Arc<Connection>, bytes: &[u8]) {
        self.hand_over(|queue| queue.push_data(connection, bytes));
    }

    fn message(&self, connection: &Arc<Connection>, message: Message<'_>) {
        self.hand_over(|queue| queue.push_message(connection, message));
    }

    fn frame(&self, connection: &Arc<Connection>, frame: Frame<'_>) {
        self.hand_over(|queue| queue.push_frame(connection, frame));
    }

    fn has_room(&self) -> bool {
        self.inbound.load(Ordering::Relaxed) < limits::ENVIRONMENT_INBOUND
    }

    fn minds_records(&self) -> bool {
        self.minds_records.load(Ordering::Relaxed)
    }

    fn wait_for_room(&self, connection: &Arc<Connection>) {
        self.queue().wait_for_room(connection);
    }

    fn wake_when_room(&self, waker: &Waker) {
        self.queue().wake_when_room(waker);
    }

    fn flush(&self) -> Option<u64> {
        let queue = self.queue();
        if queue.waiting.words.is_empty() || self.closed.load(Ordering::Acquire) {
            return None;
        }
        // A rest is for data: who waits for room to write must not wait for the JavaScript thread too.
        let behind = queue.waiting.has_data().then_some(queue.taken);
        self.wake_for(queue);
        behind
    }

    fn rest(&self, taken: u64, limit: Duration) {
        let mut queue = self.queue();
        queue.resting += 1;
        let woken = self.taken.wait_timeout_while(queue, limit, |queue| queue.taken == taken);
        woken.unwrap_or_else(PoisonError::into_inner).0.resting -= 1;
    }

    fn would_borrow(&self) -> bool {
        self.light() && !self.bulky.load(Ordering::Relaxed) && ENVIRONMENTS.load(Ordering::Relaxed) == 1
    }

    fn borrow_shard(&self, shard: &'static Shard) -> bool {
        let mut borrowed = self.borrowed();
        // Looked at under the lock: `shut_down` gives back what is there then.
        if borrowed.is_some() || self.closed.load(Ordering::Acquire) {
            return false;
        }
        *borrowed = Some(shard);
        drop(borrowed);
        // It may have taken in the meantime what it was behind with.
        self.wake_for(self.queue());
        true
    }

    fn return_shard(&self, shard: &'static Shard) -> bool {
        let mut borrowed = match self.borrowed.try_lock() {
            Ok(borrowed) => borrowed,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        if borrowed.is_some_and(|it| std::ptr::eq(it, shard)) {
            *borrowed = None;
        }
        true
    }

    fn offer(&self, connection: &Arc<Connection>) {
        let mut offered = self.offered();
        // Looked at under the lock: what comes in before `shut_down` has it is closed there.
        if self.closed.load(Ordering::Acquire) {
            connection.close(false);
        } else {
            offered.insert(connection.id(), connection.clone());
        }
    }
}

fn push_event(queue: &mut Queue, target: u32, event: Event<'_>) {
    let mut plain = |kind, arg| queue.push(target, kind, arg, &[]);
    match event {
        Event::Accept { id, visitor: None } => plain(kind::ACCEPT, id),
        Event::Accept { id, visitor: Some(visitor) } => {
            let seen = json!({ "address": visitor.address, "port": visitor.port, "allowed": visitor.allowed });
            queue.push(target, kind::ACCEPT, id, seen.to_string().as_bytes());
        }
        Event::Adopt(id) => plain(kind::ADOPT, id),
        Event::ListenerClosed => plain(kind::LISTENER_CLOSED, 0),
        Event::PendingZero => plain(kind::PENDING_ZERO, 0),
        Event::Connected => plain(kind::CONNECTED, 0),
        Event::Secure => plain(kind::SECURE, 0),
        Event::Eof { truncated } => plain(kind::EOF, truncated.into()),
        Event::Drain => plain(kind::DRAIN, 0),
        Event::FileProgress { sent, total } => {
            let progress = json!({ "sent": sent, "total": total });
            queue.push(target, kind::FILE_PROGRESS, 0, progress.to_string().as_bytes());
        }
        Event::FileDone { interrupted, error } => {
            let error = error.map(|error| to_json(error).to_string()).unwrap_or_default();
            queue.push(target, kind::FILE_DONE, interrupted.into(), error.as_bytes());
        }
        Event::Stalled => plain(kind::STALLED, 0),
        Event::ShutdownDone => plain(kind::SHUTDOWN_DONE, 0),
        Event::Closed { gave_up } => plain(kind::CLOSED, gave_up.into()),
        Event::CipherResume => plain(kind::CIPHER_RESUME, 0),
        Event::CipherEnd => plain(kind::CIPHER_END, 0),
        Event::OcspResponse(None) => plain(kind::OCSP_RESPONSE, 0),
        Event::OcspResponse(Some(der)) => queue.push(target, kind::OCSP_RESPONSE, 1, der),
        Event::Keylog(line) => queue.push(target, kind::KEYLOG, 0, line),
        Event::Trace(text) => queue.push(target, kind::TRACE, 0, text.as_bytes()),
        Event::CipherOut(bytes) if bytes.len() >= limits::OWN_BUFFER => {
            queue.push_large(target, kind::CIPHER_OUT, 0, bytes)
        }
        Event::CipherOut(bytes) => queue.push(target, kind::CIPHER_OUT, 0, &bytes),
        Event::NewSession { id, session } => {
            queue.push(target, kind::NEW_SESSION, id.len() as u32, &[id, session].concat())
        }
        Event::Drop { local, peer } => queue.push(target, kind::DROP, 0, &drop_json(local, peer)),
        Event::ConnectFailed(errors) => queue.push(target, kind::CONNECT_FAILED, 0, &connect_json(errors)),
        Event::Error(error) => {
            let system = error.syscall.is_some();
            queue.push(target, kind::ERROR, if system { 2 } else { 1 }, to_json(error).to_string().as_bytes())
        }
        Event::Question(Question::ClientHello { servername, alpn, session_id, ticket, ocsp }) => {
            let alpn: Vec<_> = alpn.iter().map(|p| latin1(p)).collect();
            let asked = json!({
                "servername": servername, "alpn": alpn, "sessionId": hex(session_id), "ticket": ticket, "ocsp": ocsp,
            });
            queue.push(target, kind::HELLO, 0, asked.to_string().as_bytes());
        }
        Event::Question(Question::Certificate { servername, ocsp, offer }) => {
            let mut asked = json!({ "servername": servername, "ocsp": ocsp });
            if let Some(offer) = offer {
                asked["suites"] = json!(offer.suites);
                asked["sigalgs"] = json!(offer.signature_algorithms);
            }
            queue.push(target, kind::CERTIFICATE, 0, asked.to_string().as_bytes());
        }
        Event::Question(Question::ClientCertificate { present, fault }) => {
            let (code, message) = fault.as_ref().map(|f| (&f.code, &f.message)).unzip();
            let asked = json!({ "present": present, "code": code, "message": message });
            queue.push(target, kind::CLIENT_CERTIFICATE, 0, asked.to_string().as_bytes());
        }
        Event::Question(Question::PskIdentities { identities }) => {
            let asked = json!({ "identities": identities });
            queue.push(target, kind::PSK, 0, asked.to_string().as_bytes());
        }
        Event::Question(Question::PskHint { hint }) => {
            let asked = json!({ "hint": hint });
            queue.push(target, kind::PSK, 0, asked.to_string().as_bytes());
        }
        Event::Question(Question::TicketKeys { shown, fresh }) => {
            let shown: Vec<_> = shown.iter().map(|head| hex(head)).collect();
            let asked = json!({ "shown": shown, "fresh": fresh });
            queue.push(target, kind::TICKET_KEYS, 0, asked.to_string().as_bytes());
        }
        Event::Question(Question::Renegotiation) => plain(kind::RENEGOTIATION, 0),
        Event::Upgrade(request) => queue.push(target, kind::UPGRADE, 0, &upgrade_json(request)),
        Event::Opened { extensions } => {
            queue.push(target, kind::OPEN, 0, json!({ "extensions": extensions }).to_string().as_bytes())
        }
        Event::CloseFrame { code, reason } => queue.push(target, kind::CLOSE_IN, code.into(), reason.as_bytes()),
        Event::Datagram { peer, bytes } => queue.push_datagram(target, peer, bytes),
        Event::Peer { id, address } => {
            let seen = json!({ "address": address.address, "family": address.family, "port": address.port });
            queue.push(target, kind::PEER, id, seen.to_string().as_bytes());
        }
        Event::PeerGone { id, pushed_out } => {
            queue.push(target, kind::PEER_GONE, id, if pushed_out { b"1" } else { b"" })
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Protocol names are bytes; each becomes the character of the same number.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}

fn upgrade_json(request: &Request) -> Vec<u8> {
    let extensions: Vec<_> = request.extensions.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
    let headers: Vec<_> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let asked = json!({
        "target": request.uri, "host": request.host, "origin": request.origin, "protocols": request.protocols,
        "extensions": extensions, "headers": headers.join("\r\n"),
    });
    asked.to_string().into_bytes()
}

fn drop_json(local: Option<SocketAddress>, peer: Option<SocketAddress>) -> Vec<u8> {
    let mut data = serde_json::Map::new();
    for (side, address) in [("local", local), ("remote", peer)] {
        if let Some(a) = address {
            data.insert(format!("{side}Address"), a.address.into());
            data.insert(format!("{side}Port"), a.port.into());
            data.insert(format!("{side}Family"), a.family.into());
        }
    }
    serde_json::Value::Object(data).to_string().into_bytes()
}

fn connect_json(errors: &[ConnectError]) -> Vec<u8> {
    let list: Vec<_> = errors
        .iter()
        .map(|e| {
            json!({
                "code": e.error.code, "errno": -e.error.errno, "syscall": e.error.syscall,
                "address": e.address, "port": e.port,
            })
        })
        .collect();
    serde_json::Value::Array(list).to_string().into_bytes()
}

/// Prepares the calling thread's environment; later calls do nothing.
#[napi]
pub fn init(env: Env, on_wake: Function<(), ()>) -> Result<()> {
    if LOCAL.with_borrow(Option::is_some) {
        return Ok(());
    }
    pin_library();
    // SAFETY: the value comes from this environment, on its thread.
    let wake = unsafe { Wake::new(env.raw(), on_wake.raw())? };
    let queue = Queue::default();
    let shared = Arc::new(Environment {
        inbound: queue.counter(),
        queue: Mutex::new(queue),
        taken: Condvar::new(),
        wake,
        offered: Mutex::default(),
        last_batch: AtomicUsize::new(0),
        batches: AtomicUsize::new(0),
        minds_records: AtomicBool::new(false),
        closed: AtomicBool::new(false),
        bulky: AtomicBool::new(false),
        borrowed: Mutex::default(),
    });
    ENVIRONMENTS.fetch_add(1, Ordering::Relaxed);
    LOCAL.set(Some(Local { shared, batch: Batch::default(), words_done: 0, slab_done: 0 }));
    // Added after the threadsafe function's own hook, so it runs before it.
    // SAFETY: the hook is a plain function and takes no argument.
    let status = unsafe { sys::napi_add_env_cleanup_hook(env.raw(), Some(on_cleanup), std::ptr::null_mut()) };
    napi::bindgen_prelude::check_status!(status)
}

unsafe extern "C" fn on_cleanup(_arg: *mut std::ffi::c_void) {
    if let Some(local) = LOCAL.take() {
        local.shared.shut_down();
    }
}

/// Hands events over: `words` becomes `[count, large, more, 0]` and then the descriptors; the slab is returned.
#[napi]
pub fn drain<'env>(env: &'env Env, mut words: Uint32ArraySlice<'env>) -> Result<Option<BufferSlice<'env>>> {
    // SAFETY: the array is JavaScript's, and nothing of JavaScript runs before this function returns.
    let words = unsafe { words.as_mut() };
    LOCAL.with_borrow_mut(|local| {
        let (Some(local), true) = (local.as_mut(), words.len() >= 2 * WORDS) else {
            return Ok(None);
        };
        if local.words_done == local.batch.words.len() {
            local.next();
        }
        let (head, room) = words.split_at_mut(WORDS);
        let waiting = &local.batch.words[local.words_done..];
        let taken = waiting.len().min(room.len() / WORDS * WORDS);
        room[..taken].copy_from_slice(&waiting[..taken]);
        let mut slab = 0;
        let mut large = 0;
        for event in waiting[..taken].chunks_exact(WORDS) {
            match event[1] & super::queue::LARGE {
                0 => slab += event[3] as usize,
                _ => large += 1,
            }
        }
        let more = taken < waiting.len();
        local.words_done += taken;
        head.copy_from_slice(&[(taken / WORDS) as u32, large, more.into(), 0]);
        let from = local.slab_done;
        local.slab_done += slab;
        match slab {
            0 => Ok(None),
            _ => BufferSlice::copy_from(env, &local.batch.slab[from..from + slab]).map(Some),
        }
    })
}

impl Local {
    /// The next batch. With a shard on loan its tasks have their turn when nothing else waits.
    fn next(&mut self) {
        self.refill();
        let shared = self.shared.clone();
        let mut borrowed = shared.borrowed();
        let Some(shard) = *borrowed else { return };
        if self.batch.words.is_empty() {
            // What the tasks tell is taken right behind them.
            shared.queue().woken = true;
            shard.turn();
            self.refill();
        }
        if self.batch.words.is_empty() || !shared.would_borrow() || !shard.is_fit() {
            *borrowed = None;
            shard.give_back();
        } else {
            // The next turn comes when the event loop has gone round.
            shared.wake_for(shared.queue());
        }
    }

    /// Takes the next batch and tells its connections that there is room again.
    fn refill(&mut self) {
        self.batch.clear();
        let empty = std::mem::take(&mut self.batch);
        let mut queue = self.shared.queue();
        let (batch, told) = queue.take(empty);
        let tasks = queue.take_stalled_tasks();
        let resting = queue.resting > 0;
        drop(queue);
        if resting {
            self.shared.taken.notify_all();
        }
        self.shared.last_batch.store(batch.words.len() / WORDS, Ordering::Relaxed);
        self.shared.batches.fetch_add(1, Ordering::Relaxed);
        self.shared.bulky.store(!batch.large.is_empty(), Ordering::Relaxed);
        self.batch = batch;
        self.words_done = 0;
        self.slab_done = 0;
        for connection in told {
            connection.consumed();
        }
        tasks.into_iter().for_each(Waker::wake);
    }
}

/// The payloads of the last `drain` that have a buffer of their own; `count` of them. Copied: memory of V8's own is free
/// again with the next collection of young objects, lent memory long after it, by a finalizer of its own.
#[napi]
pub fn take_large(env: &Env, count: u32) -> Result<Vec<BufferSlice<'_>>> {
    LOCAL.with_borrow_mut(|local| {
        let Some(local) = local.as_mut() else { return Ok(Vec::new()) };
        let count = (count as usize).min(local.batch.large.len());
        local.batch.large.drain(..count).map(|b| BufferSlice::copy_from(env, &b)).collect()
    })
}

/// Asks for another `onWake` right after the present one.
#[napi]
pub fn rewake(env: &Env) -> Result<()> {
    Environment::current(env)?.wake.call();
    Ok(())
}

/// Whether open handles keep the event loop alive.
#[napi]
pub fn set_alive(env: &Env, alive: bool) -> Result<()> {
    let environment = Environment::current(env)?;
    // SAFETY: called by JavaScript, so on the thread of this environment.
    unsafe { environment.wake.set_alive(env.raw(), alive) };
    Ok(())
}
