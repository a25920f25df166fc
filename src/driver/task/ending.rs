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
use crate::policy::Linger;

impl Task {
    /// A fatal error: tell JavaScript, send the alert, then close, but not before the peer could read it.
    pub(super) fn fail(&mut self, core: &mut Core, error: Error) -> Step {
        // Known now, asked for later.
        self.conn.keep_addresses(core);
        self.make_seen(core);
        self.emit(Event::Error(&error));
        core.awaiting_store = false;
        core.tickets_held = false;
        core.phase = Phase::Lingering;
        // JavaScript may let the session go before this is sent.
        core.farewell = core.session.as_mut().map(|s| std::mem::take(s.output())).unwrap_or_default();
        core.shutdown = Shutdown::Notified;
        let linger = Linger::begin(Instant::now());
        self.timer = Some(Box::pin(tokio::time::sleep_until(linger.fin().into())));
        self.linger = Some(linger);
        Step::Moved
    }

    pub(super) fn drain(&mut self, core: &mut Core, cx: &mut Context<'_>) -> Step {
        let (Some(mut linger), Some(timer)) = (self.linger, &mut self.timer) else { return Step::End };
        let now = Instant::now();
        let over = timer.as_mut().poll(cx).is_ready();
        if over && now >= linger.until() {
            return Step::End;
        }
        match self.flush(core, cx) {
            Ok(Flush::Nothing | Flush::Sent) => {}
            Ok(Flush::Blocked) if over => {
                self.wait_until(linger.until());
                return Step::Moved;
            }
            Ok(Flush::Blocked) => return Step::Idle,
            Err(_) => return Step::End,
        }
        let Some(Io::Socket(write)) = &core.io else {
            self.emit(Event::CipherEnd);
            return Step::End;
        };
        if self.flooded {
            // The rest stays with the kernel, and the reset comes when the peer has had time for the alert: right behind
            // it, it would hide it.
            return Step::Idle;
        }
        let dropped = SCRATCH.with_borrow_mut(|scratch| match &mut self.read {
            Some(read) => read.poll_read(cx, &mut scratch.cipher),
            None => Poll::Ready(Ok(0)),
        });
        match dropped {
            Poll::Pending if over => {
                core.shutdown = Shutdown::Done;
                // One that has reset shows in the next read.
                drop(write.shutdown());
                self.wait_until(linger.until());
                Step::Moved
            }
            Poll::Pending => Step::Idle,
            Poll::Ready(Ok(n)) if n > 0 => {
                self.flooded = !linger.drained(n, now);
                self.linger = Some(linger);
                let waits = !self.flooded && core.shutdown != Shutdown::Done;
                self.wait_until(if waits { linger.fin() } else { linger.until() });
                Step::Moved
            }
            Poll::Ready(_) => Step::End,
        }
    }

    fn wait_until(&mut self, moment: Instant) {
        if let Some(timer) = &mut self.timer {
            timer.as_mut().reset(moment.into());
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
        self.emit(Event::Closed);
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

    pub(super) fn close(&mut self, core: &mut Core) {
        let reset = self.conn.control.load(Ordering::Acquire) & control::RESET != 0 || self.flooded;
        if !reset && !self.ended {
            self.send_last(core);
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
        self.end(core);
    }
}
