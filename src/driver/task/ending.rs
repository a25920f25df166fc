//! The end: a failure's alert and the lingering behind it, the last bytes, the closing.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Instant;

use super::inbound::SCRATCH;
use super::outbound::Flush;
use super::{Step, Task};
use crate::driver::connection::control;
use crate::driver::core::{send, Core, Io, Phase, Shutdown};
use crate::driver::{lock, Event};
use crate::error::Error;
use crate::policy::{Due, Linger};

impl Task {
    /// A fatal error: tell JavaScript, send the alert, then close, but not before the peer could read it.
    pub(super) fn fail(&mut self, core: &mut Core, error: Error) -> Step {
        // Known now, asked for later.
        self.conn.keep_addresses(core);
        self.make_seen(core);
        self.tell_rest();
        self.emit(Event::Error(&error));
        core.awaiting_store = false;
        core.tickets_held = false;
        core.phase = Phase::Lingering;
        // JavaScript may let the session go before this is sent.
        core.farewell = core.session.as_mut().map(|s| std::mem::take(s.output())).unwrap_or_default();
        core.shutdown = Shutdown::Notified;
        self.linger_until(Linger::begin(Instant::now()));
        Step::Moved
    }

    /// The socket fails: nothing can be said to the peer any more.
    pub(super) fn broken(&mut self, core: &mut Core, error: Error) -> Step {
        self.make_seen(core);
        self.tell_rest();
        // A peer that resets behind our FIN only says that it wants no more.
        if !(self.is_finishing() && core.shutdown == Shutdown::Done) {
            self.emit(Event::Error(&error));
        }
        Step::End
    }

    fn linger_until(&mut self, linger: Linger) {
        let until = linger.until().into();
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(until),
            None => self.timer = Some(Box::pin(tokio::time::sleep_until(until))),
        }
        self.linger = Some(linger);
    }

    pub(super) fn drain(&mut self, core: &mut Core, cx: &mut Context<'_>) -> Step {
        let Some(mut linger) = self.linger else { return Step::End };
        let mut fin = false;
        if self.timer.as_mut().is_none_or(|timer| timer.as_mut().poll(cx).is_ready()) {
            match linger.due() {
                Due::Fin => fin = true,
                Due::Close => return Step::End,
                Due::Reset => {
                    self.resets = true;
                    return Step::End;
                }
            }
            self.linger_until(linger);
        }
        match self.flush(core, cx) {
            Ok(Flush::Nothing | Flush::Sent) => {}
            // A new time of the timer must be polled once.
            Ok(Flush::Blocked) => return if fin { Step::Moved } else { Step::Idle },
            Err(_) => return Step::End,
        }
        let Some(Io::Socket(write)) = &core.io else {
            self.emit(Event::CipherEnd);
            return Step::End;
        };
        if fin {
            core.shutdown = Shutdown::Done;
            // A peer that has reset already shows in the next read.
            drop(write.shutdown());
            return Step::Moved;
        }
        if linger.flooded() {
            return Step::Idle;
        }
        let dropped = SCRATCH.with_borrow_mut(|scratch| match &mut self.read {
            Some(read) => read.poll_read(cx, &mut scratch.cipher),
            None => Poll::Ready(Ok(0)),
        });
        match dropped {
            Poll::Pending => Step::Idle,
            Poll::Ready(Ok(n)) if n > 0 => {
                linger.drained(n, Instant::now());
                self.linger_until(linger);
                Step::Moved
            }
            Poll::Ready(_) => Step::End,
        }
    }

    /// The last thing JavaScript hears.
    pub(super) fn end(&mut self, core: &mut Core) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.conn.control.fetch_or(control::ENDED, Ordering::AcqRel);
        if let Some(server) = core.unseen.take() {
            server.forget(self.conn.id());
        }
        self.emit(Event::Closed { gave_up: self.resets });
    }

    /// What was written before the close and the kernel takes at once still goes out, as it would have in Node, where
    /// each write tries the kernel first.
    fn send_last(&self, core: &mut Core) {
        while core.phase == Phase::Open && core.failure.is_none() {
            let encrypted = self.encrypt(core);
            match (&core.io, &mut core.session) {
                (Some(Io::Socket(write)), Some(session)) => {
                    let sent = send(write, session.output());
                    if !matches!((encrypted, sent), (Ok(true), Ok(true))) {
                        return;
                    }
                }
                (Some(Io::Duplex), Some(session)) => {
                    let output = std::mem::take(session.output());
                    if output.is_empty() {
                        return;
                    }
                    self.emit(Event::CipherOut(output));
                }
                _ => return,
            }
        }
    }

    /// The close overtook a shutdown: the peer is told all the same that it has everything.
    fn notify_late(&self, core: &mut Core) {
        let asked = self.conn.control.load(Ordering::Acquire) & control::SHUTDOWN != 0;
        let complete = lock(&self.conn.outbox).is_empty();
        if !asked || !complete || core.phase != Phase::Open || core.shutdown != Shutdown::No {
            return;
        }
        if let Some(session) = core.session.as_mut() {
            session.close_notify();
        }
        core.shutdown = Shutdown::Notified;
        self.send_last(core);
    }

    pub(super) fn close(&mut self, core: &mut Core) {
        let reset = self.conn.control.load(Ordering::Acquire) & control::RESET != 0 || self.resets;
        if !reset && !self.ended {
            self.send_last(core);
            self.notify_late(core);
        }
        // The socket is closed before JavaScript hears that it is.
        match core.io.take() {
            Some(Io::Socket(write)) if reset => write.reset(),
            Some(Io::Socket(write)) if core.shutdown == Shutdown::Done => write.release(),
            _ => {}
        }
        self.read = None;
        self.opening = None;
        core.start = None;
        *lock(&self.conn.outbox) = Default::default();
        // The session stays for who asks it.
        if let Some(session) = core.session.as_mut() {
            *session.output() = Vec::new();
        }
        self.end(core);
    }
}
