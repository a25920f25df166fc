//! How long nothing may happen: while a handshake waits for the peer, on a connection with an idle timeout, on one that
//! finishes, and while the kernel takes nothing of what waits.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use super::{Step, Task};
use crate::driver::connection::control;
use crate::driver::core::{Core, Phase, Shutdown};
use crate::driver::{lock, Event};
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
    /// A handshake: any byte counts.
    Handshake,
    /// Not finishing: any byte counts.
    All,
    /// Bytes that the kernel has not taken.
    Bytes(usize),
    /// The peer's FIN.
    Fin,
}

/// What a step came to, for the watches.
struct Look {
    now: Instant,
    /// There is no more to do: the task will sleep.
    sleeps: bool,
}

impl Watch {
    /// Whether nothing has happened for `limit`; zero: for ever, and without a watch. `moved`: something happened.
    fn is_over(
        watch: &mut Option<Box<Watch>>,
        (left, limit): (Left, Duration),
        moved: bool,
        look: &Look,
        cx: &mut Context<'_>,
    ) -> bool {
        if limit.is_zero() {
            *watch = None;
            return false;
        }
        let now = look.now;
        let watch = watch.get_or_insert_with(|| {
            let timer = Box::pin(tokio::time::sleep_until((now + limit).into()));
            Box::new(Watch { timer, since: now, left })
        });
        if moved || left != watch.left {
            watch.since = now;
            watch.left = left;
        }
        // What has moved may move on.
        if !look.sleeps {
            return false;
        }
        let end = watch.since + limit;
        loop {
            if watch.timer.deadline() > end.into() {
                watch.timer.as_mut().reset(end.into());
            }
            match watch.timer.as_mut().poll(cx) {
                Poll::Pending => return false,
                Poll::Ready(()) if now < end => watch.timer.as_mut().reset(end.into()),
                Poll::Ready(()) => return true,
            }
        }
    }
}

impl Task {
    /// Behind a `step`: ends the connection when nothing has happened for too long, and tells of a kernel that takes
    /// nothing.
    pub(super) fn watch(&mut self, core: &mut Core, cx: &mut Context<'_>, step: Step) -> Step {
        if !matches!(core.phase, Phase::Handshake | Phase::Open) || matches!(step, Step::End | Step::Move(_)) {
            return step;
        }
        let sleeps = !matches!(step, Step::Moved);
        let look = Look { now: Instant::now(), sleeps };
        let (left, limit) = self.left(core);
        let touched = std::mem::take(&mut core.touched);
        let moved = matches!(left, Left::All | Left::Handshake) && (touched || !sleeps);
        if Watch::is_over(&mut self.watch, (left, limit), moved, &look, cx) {
            return self.give_up(core, left);
        }
        if self.is_stalled(core, &look, cx) {
            self.stalled = true;
            self.emit(Event::Stalled);
        }
        step
    }

    fn give_up(&mut self, core: &mut Core, left: Left) -> Step {
        match left {
            Left::Handshake => self.fail(core, Error::new("ERR_TLS_HANDSHAKE_TIMEOUT", "TLS handshake timeout")),
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
        let mut orders = lock(&self.conn.orders);
        if core.phase == Phase::Handshake {
            let waits_for_peer = !core.parked;
            return (Left::Handshake, if waits_for_peer { orders.silence } else { Duration::ZERO });
        }
        orders.silence = Duration::ZERO;
        if !orders.limited() {
            self.conn.control.fetch_and(!control::LIMITED, Ordering::AcqRel);
        }
        if !self.is_finishing() {
            return (Left::All, orders.idle);
        }
        if core.shutdown == Shutdown::Done {
            return (Left::Fin, limits::FINISH_TIME);
        }
        let left = core.encrypted() + lock(&self.conn.outbox).bytes.len();
        // A file that is being read is not the peer's fault.
        (Left::Bytes(left), if left > 0 { orders.finish } else { Duration::ZERO })
    }

    /// The kernel has taken nothing of what waits for too long, and nobody knows yet.
    fn is_stalled(&mut self, core: &mut Core, look: &Look, cx: &mut Context<'_>) -> bool {
        let (limit, anew) = {
            let mut orders = lock(&self.conn.orders);
            (orders.stall, std::mem::take(&mut orders.stall_anew))
        };
        let moved = std::mem::take(&mut self.relieved) || anew;
        self.stalled &= !moved;
        let waits = core.encrypted() > 0 && !core.awaiting_store;
        let limit = if waits && !self.stalled { limit } else { Duration::ZERO };
        Watch::is_over(&mut self.stall, (Left::All, limit), moved, look, cx)
    }
}
