//! A shard on loan to its owner's thread.
//!
//! On a machine without a core to spare, a shard and a JavaScript thread that both work all the time only take turns on the
//! same cores: each batch costs two wake-ups, and finds the other's caches. So when the owner is behind with light work,
//! the shard's thread goes to sleep, and the owner runs the shard's runtime itself, a turn between two batches: the
//! tasks and sockets stay where they are. The owner gives it back when a turn brings nothing, and the thread takes it back
//! when the owner does not come for one. What is slow is not done on loan: a handshake, compression, much to encrypt.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::{self, Thread};
use std::time::Instant;

use once_cell::sync::OnceCell;
use tokio::task::yield_now;

use super::shard::Shard;
use super::EventSink;
use crate::policy::limits;

#[derive(Default)]
pub(super) struct Loan {
    /// The borrower runs the tasks.
    out: AtomicBool,
    /// A task waits for the shard's own thread.
    unfit: AtomicBool,
    /// Turns of borrowers so far.
    turns: AtomicUsize,
    /// The shard's own, which sleeps meanwhile.
    thread: OnceCell<Thread>,
}

thread_local! {
    /// The shard on whose behalf a borrower's thread is at work.
    static BORROWED: Cell<Option<&'static Shard>> = const { Cell::new(None) };
    /// No loan before: the last one ended for a task.
    static NOT_BEFORE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Whether the calling thread runs the tasks of a shard on loan.
pub(super) fn is_borrowed() -> bool {
    BORROWED.get().is_some()
}

/// For a task that is not to run on loan: it is polled again by the shard's own thread.
pub(super) fn postpone(cx: &mut Context<'_>) -> Poll<()> {
    if let Some(shard) = BORROWED.get() {
        shard.loan().unfit.store(true, Ordering::Relaxed);
    }
    // Not before the driver has been asked: otherwise the same turn would only come back to it.
    let _ = pin!(yield_now()).poll(cx);
    Poll::Pending
}

impl Loan {
    /// Called once, before there is a loan.
    pub fn belongs_to(&self, thread: &Thread) {
        let _ = self.thread.set(thread.clone());
    }

    /// By the shard's thread: there may be a loan now.
    pub fn is_possible(&self) -> bool {
        limits::lends() && NOT_BEFORE.get().is_none_or(|moment| moment <= Instant::now())
    }

    /// By the shard's thread, outside its runtime: sleeps until it is back.
    pub fn lend(&self, shard: &'static Shard, borrower: &Arc<dyn EventSink>) {
        self.out.store(true, Ordering::SeqCst);
        self.unfit.store(false, Ordering::Relaxed);
        if !borrower.borrow_shard(shard) {
            self.out.store(false, Ordering::SeqCst);
            return;
        }
        let mut turns = self.turns.load(Ordering::SeqCst);
        let mut patience = limits::LOAN;
        loop {
            thread::park_timeout(patience);
            if !self.out.load(Ordering::SeqCst) {
                break;
            }
            let now = self.turns.load(Ordering::SeqCst);
            if now == turns && borrower.return_shard(shard) {
                self.out.store(false, Ordering::SeqCst);
                break;
            }
            turns = now;
            patience = limits::LOAN_MOST.min(patience * 2);
        }
        let pause = self.unfit.load(Ordering::Relaxed).then(|| Instant::now() + limits::LOAN_PAUSE);
        NOT_BEFORE.set(pause);
    }

    /// By the borrower. False: it is to be given back.
    pub fn is_fit(&self) -> bool {
        !self.unfit.load(Ordering::Relaxed)
    }

    pub fn is_out(&self) -> bool {
        self.out.load(Ordering::Relaxed)
    }
}

impl Shard {
    /// By a borrower, on its thread: looks what has become ready, and runs it.
    pub fn turn(&'static self) {
        self.loan().turns.fetch_add(1, Ordering::SeqCst);
        BORROWED.set(Some(self));
        self.on_this_thread(|runtime| {
            // One round of the tasks, one look at the sockets, and a round of those that it woke.
            runtime.block_on(async {
                yield_now().await;
                yield_now().await;
            });
        });
        BORROWED.set(None);
    }

    /// By a borrower: whether it may go on.
    pub fn is_fit(&self) -> bool {
        self.loan().is_fit()
    }

    /// By a borrower: the shard's own thread goes on.
    pub fn give_back(&self) {
        let loan = self.loan();
        loan.out.store(false, Ordering::SeqCst);
        if let Some(thread) = loan.thread.get() {
            thread.unpark();
        }
    }
}
