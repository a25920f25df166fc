//! How long nothing may happen: on a connection that finishes, and on one with an idle timeout.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use super::{Step, Task};
use crate::driver::core::{Core, Phase, Shutdown};
use crate::driver::lock;
use crate::error::Error;
use crate::policy::limits;

/// One timer, armed again only when it fires.
pub(super) struct Watch {
    timer: Pin<Box<Sleep>>,
    /// Something happened last.
    since: Instant,
    /// What was left to do then.
    left: Left,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// Bytes that the kernel has not taken.
    Bytes(usize),
    /// The peer's FIN.
    Fin,
    /// Not finishing: any byte counts.
    All,
}

impl Task {
    /// Behind a `step`: ends the connection when nothing has happened for too long.
    pub(super) fn watch(&mut self, core: &mut Core, cx: &mut Context<'_>, step: Step) -> Step {
        if core.phase != Phase::Open || matches!(step, Step::End | Step::Move(_)) {
            return step;
        }
        let (left, limit) = self.left(core);
        let touched = std::mem::take(&mut core.touched);
        if limit.is_zero() {
            self.watch = None;
            return step;
        }
        let now = Instant::now();
        let watch = self.watch.get_or_insert_with(|| {
            let timer = Box::pin(tokio::time::sleep_until((now + limit).into()));
            Box::new(Watch { timer, since: now, left })
        });
        let moved = left == Left::All && (touched || matches!(step, Step::Moved));
        if moved || left != watch.left {
            watch.since = now;
            watch.left = left;
        }
        // What has moved may move on.
        if let Step::Moved = step {
            return step;
        }
        let end = watch.since + limit;
        loop {
            if watch.timer.deadline() > end.into() {
                watch.timer.as_mut().reset(end.into());
            }
            match watch.timer.as_mut().poll(cx) {
                Poll::Pending => return step,
                Poll::Ready(()) if now < end => watch.timer.as_mut().reset(end.into()),
                Poll::Ready(()) => break,
            }
        }
        match left {
            Left::All => {
                self.fail(core, Error::new("ERR_C4TLS_IDLE_TIMEOUT", "Nothing was sent or received for too long"))
            }
            Left::Fin => Step::End,
            Left::Bytes(_) => {
                self.resets = true;
                Step::End
            }
        }
    }

    /// What is left to do, and how long nothing of it may happen; zero: for ever.
    fn left(&self, core: &mut Core) -> (Left, Duration) {
        let orders = lock(&self.conn.orders);
        if !self.is_finishing() {
            return (Left::All, orders.idle);
        }
        if core.shutdown == Shutdown::Done {
            return (Left::Fin, limits::FINISH_TIME);
        }
        let encrypted = core.session.as_mut().map_or(0, |s| s.output().len());
        (Left::Bytes(encrypted + lock(&self.conn.outbox).len()), orders.finish)
    }
}
