//! What leaves: clear bytes of JavaScript's are encrypted, ciphertext is sent, and the end is said.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use super::{Step, Task};
use crate::driver::connection::control;
use crate::driver::core::{send, Core, Io, Phase, Shutdown};
use crate::driver::outbox::FileEnd;
use crate::driver::{lock, Event};
use crate::error::Error;
use crate::policy::limits;

pub(super) enum Flush {
    Nothing,
    Sent,
    Blocked,
}

impl Task {
    /// Encrypts what JavaScript wrote and sends what is encrypted.
    pub(super) fn outbound(&mut self, core: &mut Core, cx: &mut Context<'_>) -> Step {
        let mut moved = false;
        let quiet = self.outbox.quiet;
        loop {
            if core.phase == Phase::Open {
                if self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready()) {
                    self.timer = None;
                    core.tickets_held = false;
                    if let Step::Move(home) = self.settle(core) {
                        return Step::Move(home);
                    }
                }
                if !quiet {
                    moved |= self.read_file(cx, false);
                    match self.encrypt(core) {
                        Ok(encrypted) => moved |= encrypted,
                        Err(error) => return self.fail(core, error),
                    }
                }
            }
            match self.flush(core, cx) {
                Ok(Flush::Sent) => moved = true,
                Ok(Flush::Nothing) => break,
                Ok(Flush::Blocked) => return if moved { Step::Moved } else { Step::Idle },
                Err(error) => return self.broken(core, error),
            }
        }
        if !quiet && core.phase == Phase::Open && self.read_file(cx, true) {
            return Step::Moved;
        }
        let settled = quiet || self.tell_drained();
        let asked = self.conn.control.load(Ordering::Acquire) & control::SHUTDOWN != 0;
        if settled && asked && core.shutdown != Shutdown::Done && !core.awaiting_store {
            return self.shut_down(core);
        }
        if moved {
            Step::Moved
        } else {
            Step::Idle
        }
    }

    /// Whether everything given so far is on its way; whoever waits for it is told.
    fn tell_drained(&self) -> bool {
        let mut outbox = lock(&self.conn.outbox);
        let settled = outbox.is_empty();
        let told = settled && std::mem::take(&mut outbox.waiting);
        drop(outbox);
        if told {
            self.emit(Event::Drain);
        }
        settled
    }

    /// Goes on with a file that is being sent, and tells of it. `flushed`: all that was encrypted is with the kernel.
    /// True when it is over, so that what is behind it may go.
    fn read_file(&self, cx: &mut Context<'_>, flushed: bool) -> bool {
        let mut outbox = lock(&self.conn.outbox);
        if !outbox.has_file() {
            return false;
        }
        outbox.read_file(self.shard.handle(), cx);
        let over = outbox.file_ends(flushed);
        // A program that does not listen must not be told without end.
        let progress = if over || self.conn.sink.has_room() { outbox.file_progress(over) } else { None };
        let end = if over { outbox.end_file() } else { None };
        drop(outbox);
        if let Some((sent, total)) = progress {
            self.emit(Event::FileProgress { sent, total });
        }
        match end {
            None => return false,
            Some(FileEnd::Interrupted) => self.emit(Event::FileDone { interrupted: true, error: None }),
            Some(FileEnd::Over(outcome)) => {
                self.emit(Event::FileDone { interrupted: false, error: outcome.as_ref().err() });
            }
        }
        true
    }

    pub(super) fn is_over(&self, core: &Core) -> bool {
        core.eof && core.shutdown == Shutdown::Done && matches!(core.io, Some(Io::Socket(_)))
    }

    fn shut_down(&mut self, core: &mut Core) -> Step {
        match (core.phase, core.shutdown) {
            // The handshake may still come to its end, unless the peer is gone.
            (Phase::Handshake, _) if !core.eof => Step::Idle,
            (Phase::Open, Shutdown::No) => {
                if let Some(session) = core.session.as_mut() {
                    session.close_notify();
                }
                core.tickets_held = false;
                core.shutdown = Shutdown::Notified;
                Step::Moved
            }
            _ => self.finish_sending(core),
        }
    }

    pub(super) fn finish_sending(&mut self, core: &mut Core) -> Step {
        if core.shutdown == Shutdown::Done {
            return Step::Idle;
        }
        core.shutdown = Shutdown::Done;
        match &core.io {
            // The closing that follows sends the FIN.
            Some(Io::Socket(_)) if core.eof => {}
            // A peer that has reset already shows in the next read.
            Some(Io::Socket(write)) => drop(write.shutdown()),
            Some(Io::Duplex) => self.emit(Event::CipherEnd),
            None => {}
        }
        self.emit(Event::ShutdownDone);
        Step::Moved
    }

    pub(super) fn encrypt(&self, core: &mut Core) -> Result<bool, Error> {
        let Some(session) = core.session.as_mut() else { return Ok(false) };
        let mut outbox = lock(&self.conn.outbox);
        let mut moved = false;
        while session.output().len() < limits::CIPHERTEXT_BACKLOG {
            if outbox.bytes.len() == 0 {
                let Some(mut encoding) = outbox.next_encoding() else { break };
                drop(outbox);
                let frames = encoding.run();
                outbox = lock(&self.conn.outbox);
                encoding.put_back(&mut outbox, &frames);
                continue;
            }
            let taken = session.write(outbox.bytes.next())?;
            if taken == 0 {
                break;
            }
            outbox.bytes.take(taken);
            core.tickets_held = false;
            moved = true;
        }
        if moved && !outbox.has_file() {
            outbox.bytes.release();
        }
        Ok(moved)
    }

    pub(super) fn flush(&mut self, core: &mut Core, cx: &mut Context<'_>) -> Result<Flush, Error> {
        if core.awaiting_store {
            return Ok(Flush::Blocked);
        }
        if core.tickets_held {
            return Ok(Flush::Nothing);
        }
        let output = match (core.phase, core.session.as_mut()) {
            (Phase::Lingering, _) => &mut core.farewell,
            (_, Some(session)) => session.output(),
            (_, None) => return Ok(Flush::Nothing),
        };
        match &core.io {
            Some(Io::Socket(write)) => {
                if output.is_empty() {
                    return Ok(Flush::Nothing);
                }
                let broken = |e: std::io::Error| Error::system(&e, "write");
                loop {
                    let before = output.len();
                    let sent = send(write, output).map_err(broken)?;
                    self.relieved |= output.len() < before;
                    if sent {
                        return Ok(Flush::Sent);
                    }
                    match write.poll_writable(cx) {
                        Poll::Pending => return Ok(Flush::Blocked),
                        Poll::Ready(ready) => ready.map_err(broken)?,
                    }
                }
            }
            Some(Io::Duplex) => {
                let Some(duplex) = &self.conn.duplex else { return Ok(Flush::Nothing) };
                let mut duplex = lock(duplex);
                if duplex.in_flight {
                    return Ok(Flush::Blocked);
                }
                if output.is_empty() {
                    return Ok(Flush::Nothing);
                }
                duplex.in_flight = true;
                drop(duplex);
                self.emit(Event::CipherOut(std::mem::take(output)));
                Ok(Flush::Blocked)
            }
            None => Ok(Flush::Nothing),
        }
    }
}
