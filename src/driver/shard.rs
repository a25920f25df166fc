//! The threads that connections live on. Each has a runtime of its own, so that a socket's readiness, its task and its
//! timers meet on one thread: nothing is handed from thread to thread, and one wait of the kernel brings a batch.
//!
//! Handshakes go to the shard that has fewest of them, wherever that is. A connection that carries data moves to one of
//! the first shards, its home: data costs so little beside a handshake that fewer threads with more to do at a time carry
//! it with less work each, and new handshakes stay out of its way.
//!
//! Three kinds of wake-up are saved. What other threads want of a shard goes into its mail, and only a shard that sleeps is
//! woken for it. What tasks tell their sinks is flushed when the shard has run out of work, so that one wake-up of the
//! JavaScript thread carries all that one wait brought. And while that thread is behind, a shard rests instead of waking up
//! for every packet, or is lent to it (see [`super::loan`]).

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Instant;

use atomic_waker::AtomicWaker;
use once_cell::sync::Lazy;
use tokio::runtime::{Builder, Handle, Runtime};

use super::connection::Connection;
use super::loan::{self, Loan};
use super::task::{Running, Task};
use super::{lock, EventSink};
use crate::engine::TlsSession;
use crate::error::{Error, Result};
use crate::policy::limits;

/// What another thread wants of a shard.
pub(super) enum Mail {
    Wake(Arc<Connection>),
    Run(Box<Task>),
    /// To be freed: that takes longer than the JavaScript thread should wait.
    Bury(Box<dyn TlsSession>),
}

pub struct Shard {
    number: usize,
    runtime: &'static Runtime,
    mail: Mutex<Vec<Mail>>,
    /// There may be mail.
    mailed: AtomicBool,
    /// The thread sleeps, or is about to.
    parked: AtomicBool,
    postman: AtomicWaker,
    /// Tasks that live here, and those of them whose handshake is not done.
    tasks: AtomicUsize,
    shaking: AtomicUsize,
    /// The root of the runtime, which ends for a loan.
    root: AtomicWaker,
    loan: Loan,
}

/// The sinks of one thread that have something to pass on.
struct Unflushed {
    sinks: Vec<Arc<dyn EventSink>>,
    since: Instant,
}

thread_local! {
    static CURRENT: Cell<Option<&'static Shard>> = const { Cell::new(None) };
    /// What the sink said at the end of the turn before.
    static LAST_TAKEN: Cell<Option<u64>> = const { Cell::new(None) };
    /// Who is to have the shard on loan.
    static BORROWER: RefCell<Option<Arc<dyn EventSink>>> = const { RefCell::new(None) };
    static UNFLUSHED: RefCell<Unflushed> = RefCell::new(Unflushed { sinks: Vec::new(), since: Instant::now() });
}

/// All shards of the process: one per core, or as many as `C4TLS_THREADS` says.
fn shards() -> &'static [&'static Shard] {
    static SHARDS: Lazy<Vec<&'static Shard>> = Lazy::new(|| (0..limits::threads()).map_while(Shard::begin).collect());
    &SHARDS
}

/// Those that carry data.
fn homes() -> &'static [&'static Shard] {
    let shards = shards();
    &shards[..shards.len().div_ceil(2)]
}

fn least<'a, K: Ord>(
    shards: impl Iterator<Item = &'a &'static Shard>,
    load: impl Fn(&Shard) -> K,
) -> Result<&'static Shard> {
    shards.min_by_key(|shard| load(shard)).copied().ok_or_else(|| {
        let message = "the worker threads could not be started; see the process limits (ulimit -u)";
        Error::new("ERR_C4TLS_RUNTIME", message)
    })
}

impl Shard {
    fn begin(number: usize) -> Option<&'static Shard> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(limits::FILE_THREADS)
            .on_thread_park(|| with_current(Shard::before_park))
            .on_thread_unpark(|| with_current(Shard::after_park))
            .build()
            .ok()?;
        let runtime: &'static Runtime = Box::leak(Box::new(runtime));
        // A shard lives as long as the process.
        let shard: &'static Shard = Box::leak(Box::new(Shard {
            number,
            runtime,
            mail: Mutex::default(),
            mailed: AtomicBool::new(false),
            parked: AtomicBool::new(false),
            postman: AtomicWaker::new(),
            tasks: AtomicUsize::new(0),
            shaking: AtomicUsize::new(0),
            root: AtomicWaker::new(),
            loan: Loan::default(),
        }));
        thread::Builder::new().name(format!("c4tls-{number}")).spawn(move || shard.run()).ok()?;
        Some(shard)
    }

    fn run(&'static self) {
        CURRENT.set(Some(self));
        self.loan.belongs_to(&thread::current());
        self.runtime.spawn(self.deliver());
        loop {
            let borrower = self.runtime.block_on(poll_fn(|cx| {
                self.root.register(cx.waker());
                BORROWER.take().map_or(Poll::Pending, Poll::Ready)
            }));
            self.loan.lend(self, &borrower);
        }
    }

    /// Lets `drive` run the shard's tasks where it is called. What they told their sinks is on its way then.
    pub(super) fn on_this_thread(&'static self, drive: impl FnOnce(&Runtime)) {
        let outer = CURRENT.replace(Some(self));
        if self.mailed.load(Ordering::SeqCst) {
            self.postman.wake();
        }
        drive(self.runtime);
        let _ = flush();
        CURRENT.set(outer);
    }

    pub(super) fn loan(&self) -> &Loan {
        &self.loan
    }

    /// Where a handshake is done soonest; of equals, away from the data.
    pub fn for_handshake() -> Result<&'static Shard> {
        // One on loan does none.
        least(shards().iter().rev(), |shard| (shard.loan.is_out(), shard.shaking.load(Ordering::Relaxed)))
    }

    /// Where data is at home: on the fewest tasks of the first shards.
    pub fn for_data() -> Result<&'static Shard> {
        least(homes().iter(), |shard| shard.tasks.load(Ordering::Relaxed))
    }

    /// Where data is carried that comes in here; `None`: here.
    pub fn home(&self) -> Option<&'static Shard> {
        match self.is_home() {
            true => None,
            false => Shard::for_data().ok(),
        }
    }

    fn is_home(&self) -> bool {
        homes().len() > self.number
    }

    pub fn number(&self) -> usize {
        self.number
    }

    /// By its number.
    pub fn at(number: usize) -> Option<&'static Shard> {
        shards().get(number).copied()
    }

    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    pub fn task_entered(&self) {
        self.tasks.fetch_add(1, Ordering::Relaxed);
    }

    pub fn task_left(&self) {
        self.tasks.fetch_sub(1, Ordering::Relaxed);
    }

    pub fn handshake_begun(&self) {
        self.shaking.fetch_add(1, Ordering::Relaxed);
    }

    pub fn handshake_over(&self) {
        self.shaking.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether the calling thread is this shard's.
    pub fn is_current(&self) -> bool {
        CURRENT.get().is_some_and(|current| std::ptr::eq(current, self))
    }

    pub(super) fn run_task(&self, task: Box<Task>) {
        match self.is_current() {
            true => drop(self.runtime.spawn(Running::of(task))),
            false => self.post(Mail::Run(task)),
        }
    }

    pub(super) fn post(&self, mail: Mail) {
        lock(&self.mail).push(mail);
        self.mailed.store(true, Ordering::SeqCst);
        // A thread that is awake looks before it sleeps. Both sides write first and look then.
        if self.parked.load(Ordering::SeqCst) {
            self.postman.wake();
        }
    }

    fn before_park(&self) {
        if let Some((sink, taken)) = flush() {
            self.rest_with(&sink, taken);
        }
        self.parked.store(true, Ordering::SeqCst);
        if self.mailed.load(Ordering::SeqCst) {
            // On its own thread: the task is runnable now, so the runtime does not sleep.
            self.postman.wake();
        }
    }

    fn after_park(&self) {
        self.parked.store(false, Ordering::SeqCst);
    }

    /// A second turn has ended and the owner has not taken what the first one brought. It has enough to do: what comes in
    /// now can as well be read in one go when it takes the next batch, instead of in many short waits.
    fn rest_with(&self, sink: &Arc<dyn EventSink>, taken: u64) {
        let behind = LAST_TAKEN.replace(Some(taken)) == Some(taken);
        if !behind || self.mailed.load(Ordering::SeqCst) {
            return;
        }
        if self.is_home() && self.loan.is_possible() && sink.would_borrow() {
            BORROWER.set(Some(sink.clone()));
            self.root.wake();
        } else {
            sink.rest(taken, limits::SHARD_REST);
        }
    }

    /// The task that takes the mail in.
    async fn deliver(&'static self) {
        let mut taken = Vec::new();
        poll_fn(|cx| -> Poll<()> {
            self.postman.register(cx.waker());
            self.mailed.store(false, Ordering::SeqCst);
            std::mem::swap(&mut *lock(&self.mail), &mut taken);
            for mail in taken.drain(..) {
                match mail {
                    Mail::Wake(connection) => connection.wake_task(),
                    Mail::Run(task) => drop(self.runtime.spawn(Running::of(task))),
                    Mail::Bury(session) => drop(session),
                }
            }
            Poll::Pending
        })
        .await;
    }
}

/// Of the shard's own thread: a borrower's never parks.
fn with_current(act: impl FnOnce(&'static Shard)) {
    if let Some(shard) = CURRENT.get().filter(|_| !loan::is_borrowed()) {
        act(shard);
    }
}

/// Every task's last act in a turn: `sink` may have been told something.
pub(super) fn end_turn(sink: &Arc<dyn EventSink>) {
    let Some(shard) = CURRENT.get() else {
        sink.flush();
        return;
    };
    UNFLUSHED.with_borrow_mut(|unflushed| {
        if !unflushed.sinks.iter().any(|known| Arc::ptr_eq(known, sink)) {
            if unflushed.sinks.is_empty() {
                unflushed.since = Instant::now();
            }
            unflushed.sinks.push(sink.clone());
        }
    });
    // While there is always a task to run, the thread never comes to park.
    if shard.mailed.load(Ordering::Relaxed) {
        shard.postman.wake();
    }
}

/// Before something slow: what has waited long enough goes out first.
pub(super) fn before_slow(now: Instant) {
    let due = UNFLUSHED.with_borrow(|unflushed| {
        !unflushed.sinks.is_empty() && now.duration_since(unflushed.since) >= limits::FLUSH_DELAY
    });
    if due {
        let _ = flush();
    }
}

/// Answers what the sink did, if it was the only one.
fn flush() -> Option<(Arc<dyn EventSink>, u64)> {
    UNFLUSHED.with_borrow_mut(|unflushed| {
        let alone = unflushed.sinks.len() == 1;
        let last = unflushed.sinks.drain(..).fold(None, |_, sink| sink.flush().map(|taken| (sink, taken)));
        last.filter(|_| alone)
    })
}
