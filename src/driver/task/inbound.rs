//! What comes in: ciphertext is read, the engine works on it, and JavaScript hears of it.

use std::cell::RefCell;
use std::future::Future;
use std::io::ErrorKind;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use super::websocket::Listener;
use super::{Step, Task};
use crate::driver::connection::{control, Connection};
use crate::driver::core::{Core, Io, Phase};
use crate::driver::duplex::Received;
use crate::driver::{lock, shard, Event};
use crate::engine::{Handshake, Read, Role, SessionEvent};
use crate::error::Error;
use crate::framing::{Framer, Message};
use crate::policy::limits;

/// Per thread, not per connection: an idle connection holds no buffer.
pub(in crate::driver) struct Scratch {
    pub cipher: Box<[u8]>,
    pub clear: Box<[u8]>,
}

thread_local! {
    pub(in crate::driver) static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch {
        cipher: vec![0; limits::READ_CHUNK].into_boxed_slice(),
        clear: vec![0; limits::READ_CHUNK].into_boxed_slice(),
    });
}

/// Where clear bytes go.
pub(super) enum Outlet {
    Data,
    Messages(Framer),
    WebSocket(Box<Listener>),
    /// The owner wants no more.
    Nothing,
}

impl Outlet {
    fn give(&mut self, conn: &Arc<Connection>, clear: &mut [u8]) -> Result<(), Error> {
        if clear.is_empty() {
            return Ok(());
        }
        match self {
            Outlet::Data => {
                conn.inbound.fetch_add(clear.len(), Ordering::AcqRel);
                conn.sink.data(conn, clear);
                Ok(())
            }
            Outlet::Messages(framer) => {
                let pushed = framer.push(clear, &mut |message| deliver(conn, message));
                conn.partial.store(framer.is_waiting(), Ordering::Release);
                pushed
            }
            Outlet::WebSocket(listener) => {
                listener.take(conn, clear);
                Ok(())
            }
            Outlet::Nothing => Ok(()),
        }
    }
}

pub(super) fn deliver(conn: &Arc<Connection>, message: Message<'_>) {
    // Whoever hears of this one must not take it for a part: what is behind it was not looked at yet.
    conn.partial.store(false, Ordering::Release);
    conn.inbound.fetch_add(message.bytes.len() + limits::MESSAGE_COST, Ordering::AcqRel);
    conn.sink.message(conn, message);
}

enum Fed {
    Nothing,
    /// Clear bytes, which are with their owner.
    Told,
    Some,
    Eof,
    Failed(Error),
}

impl Task {
    /// Reads when somebody wants it, and lets the engine work on what is there.
    pub(super) fn inbound(&mut self, core: &mut Core, cx: &mut Context<'_>) -> Step {
        if core.phase == Phase::Handshake {
            if let Some(timer) = &mut self.timer {
                if timer.as_mut().poll(cx).is_ready() {
                    return self.fail(core, Error::new("ERR_TLS_HANDSHAKE_TIMEOUT", "TLS handshake timeout"));
                }
            }
        }
        let mut moved = self.resume(core);
        if core.stir {
            match self.work(core) {
                Step::Idle => {}
                // It failed: what comes now is for the lingering.
                Step::Moved if core.phase == Phase::Lingering => return Step::Moved,
                Step::Moved => moved = true,
                step => return step,
            }
        }
        let idle = if moved { Step::Moved } else { Step::Idle };
        // What is here already comes first: behind it may be the end.
        let undone = core.stir && core.phase == Phase::Open;
        if core.eof || undone || !self.wants_bytes(core) {
            return idle;
        }
        let fed = match &core.io {
            Some(Io::Socket(_)) if core.is_clear() => self.read_clear(cx),
            Some(Io::Socket(_)) => self.read_cipher(core, cx),
            Some(Io::Duplex) => self.take_from_duplex(core),
            None => Fed::Nothing,
        };
        match fed {
            Fed::Nothing => idle,
            Fed::Told => Step::Moved,
            Fed::Some => {
                core.stir = true;
                match self.work(core) {
                    Step::Idle => Step::Moved,
                    step => step,
                }
            }
            Fed::Eof => self.end_of_stream(core),
            Fed::Failed(error) if error.syscall.is_some() => self.broken(core, error),
            Fed::Failed(error) => self.fail(core, error),
        }
    }

    fn read_cipher(&mut self, core: &mut Core, cx: &mut Context<'_>) -> Fed {
        let (Some(read), Some(session)) = (&mut self.read, &mut core.session) else { return Fed::Nothing };
        loop {
            // Before there is anything a session needs no buffer.
            match read.poll_readable(cx) {
                Poll::Pending => return Fed::Nothing,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(e)) => return Fed::Failed(Error::system(&e, "read")),
            }
            let received = match session.input() {
                Some(input) => read.try_append(input, limits::READ_CHUNK),
                None => SCRATCH.with_borrow_mut(|scratch| match read.poll_read(cx, &mut scratch.cipher) {
                    Poll::Pending => Err(ErrorKind::WouldBlock.into()),
                    Poll::Ready(received) => received.inspect(|&n| session.feed(&scratch.cipher[..n])),
                }),
            };
            match received {
                Ok(0) => return Fed::Eof,
                Ok(_) => return Fed::Some,
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Fed::Failed(Error::system(&e, "read")),
            }
        }
    }

    /// Without TLS: what is read needs no engine.
    fn read_clear(&mut self, cx: &mut Context<'_>) -> Fed {
        SCRATCH.with_borrow_mut(|scratch| {
            let Some(read) = &mut self.read else { return Fed::Nothing };
            match read.poll_read(cx, &mut scratch.clear) {
                Poll::Pending => Fed::Nothing,
                Poll::Ready(Ok(0)) => Fed::Eof,
                Poll::Ready(Ok(n)) => match self.outlet.give(&self.conn, &mut scratch.clear[..n]) {
                    Ok(()) => Fed::Told,
                    Err(error) => Fed::Failed(error),
                },
                Poll::Ready(Err(e)) => Fed::Failed(Error::system(&e, "read")),
            }
        })
    }

    fn take_from_duplex(&self, core: &mut Core) -> Fed {
        let Some(duplex) = &self.conn.duplex else { return Fed::Nothing };
        let received = lock(duplex).take();
        match received {
            Received::Nothing => Fed::Nothing,
            Received::Eof => Fed::Eof,
            Received::Bytes { bytes, resume } => {
                if let Some(session) = core.session.as_mut() {
                    session.feed(&bytes);
                }
                if resume {
                    self.emit(Event::CipherResume);
                }
                Fed::Some
            }
        }
    }

    fn wants_bytes(&self, core: &mut Core) -> bool {
        let Some(session) = core.session.as_mut() else { return false };
        // A handshake may be parked, a later one too.
        session.unread() < limits::PARKED_INPUT
            && !self.holds_back()
            && match core.phase {
                Phase::Handshake => true,
                _ => session.output().len() < limits::ANSWER_BACKLOG && self.reading() && self.has_room(),
            }
    }

    pub(super) fn reading(&self) -> bool {
        self.conn.control.load(Ordering::Acquire) & control::READ != 0 || matches!(self.outlet, Outlet::Nothing)
    }

    /// Room in the sink; without it [`Connection::consumed`] wakes the task.
    pub(super) fn has_room(&self) -> bool {
        if matches!(self.outlet, Outlet::Nothing) {
            return true;
        }
        let full = |conn: &Connection| conn.inbound.load(Ordering::SeqCst) >= limits::CONNECTION_INBOUND;
        if full(&self.conn) {
            self.conn.stalled.store(true, Ordering::SeqCst);
            // The sink may have passed everything on in between.
            return !full(&self.conn);
        }
        if !self.conn.sink.has_room() {
            self.conn.stalled.store(true, Ordering::SeqCst);
            self.conn.sink.wait_for_room(&self.conn);
            return self.conn.sink.has_room();
        }
        true
    }

    /// Lets the session do what it can with the bytes it has.
    fn work(&mut self, core: &mut Core) -> Step {
        let worked = match core.phase {
            Phase::Handshake => self.shake(core),
            _ => self.decrypt(core),
        };
        self.notices(core);
        match worked {
            Ok(step) => step,
            Err(error) => self.fail(core, error),
        }
    }

    fn shake(&mut self, core: &mut Core) -> Result<Step, Error> {
        let Some(session) = core.session.as_mut() else { return Ok(Step::End) };
        core.stir = false;
        let now = Instant::now();
        shard::before_slow(now);
        let clean = session.output().is_empty();
        let shaken = session.handshake(now)?;
        core.parked = shaken == Handshake::Parked;
        match shaken {
            Handshake::Done => {
                self.handshake_over();
                core.phase = Phase::Open;
                // Behind the client's last flight of TLS 1.3 come only tickets, for which nobody waits: they leave with
                // the first write.
                core.tickets_held = clean && session.role() == Role::Server && session.protocol() == "TLSv1.3";
                self.timer = core.tickets_held.then(|| Box::pin(tokio::time::sleep(limits::FIRST_MOMENT)));
                // Application data may have come along with the last flight.
                core.stir = true;
                Ok(Step::Moved)
            }
            // Moved all the same: there may be output now.
            Handshake::Pending | Handshake::Parked => Ok(Step::Moved),
        }
    }

    fn decrypt(&mut self, core: &mut Core) -> Result<Step, Error> {
        if core.eof || self.holds_back() || !self.reading() || !self.has_room() {
            return Ok(Step::Idle);
        }
        // Not before: a connection that only comes and goes would have the work for nothing.
        if core.session.as_ref().is_some_and(|s| s.unread() > 0 && !s.may_be_alert()) {
            if let Step::Move(home) = self.settle(core) {
                return Ok(Step::Move(home));
            }
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let clear = &mut scratch.clear;
            let (mut told, mut filled) = (0, 0);
            let minds_records = self.conn.sink.minds_records();
            let outcome = loop {
                if filled == clear.len() {
                    break Ok(Step::Moved);
                }
                let Some(session) = core.session.as_mut() else { break Ok(Step::End) };
                let read = session.read(&mut clear[filled..], &Instant::now);
                if session.has_event() {
                    // It came behind what was read so far, and before what was read just now.
                    if let Err(error) = self.outlet.give(&self.conn, &mut clear[told..filled]) {
                        break Err(error);
                    }
                    told = filled;
                    self.notices(core);
                }
                match read {
                    Ok(Read::Data(n)) => {
                        if minds_records && n >= limits::LEAST_FRAGMENT {
                            let (before, own) = clear[told..filled + n].split_at_mut(filled - told);
                            let given = self.outlet.give(&self.conn, before);
                            if let Err(error) = given.and_then(|()| self.outlet.give(&self.conn, own)) {
                                break Err(error);
                            }
                            told = filled + n;
                        }
                        filled += n;
                    }
                    Ok(Read::Pending) => {
                        core.stir = false;
                        break Ok(Step::Moved);
                    }
                    Ok(Read::Closed) => {
                        core.stir = false;
                        core.eof = true;
                        break Ok(Step::Moved);
                    }
                    Err(error) => break Err(error),
                }
            };
            self.outlet.give(&self.conn, &mut clear[told..filled])?;
            if core.eof {
                self.tell_end(false);
            }
            outcome
        })
    }

    /// No more comes: what is there of an unfinished message.
    pub(super) fn tell_rest(&mut self) {
        match &mut self.outlet {
            Outlet::Messages(framer) => framer.finish(&mut |message| deliver(&self.conn, message)),
            Outlet::Data | Outlet::WebSocket(_) | Outlet::Nothing => {}
        }
    }

    /// Behind everything that was given: the peer sends no more.
    fn tell_end(&mut self, truncated: bool) {
        if let Outlet::WebSocket(listener) = &mut self.outlet {
            if !listener.ends(&self.conn, truncated) {
                return;
            }
        }
        self.tell_rest();
        self.emit(Event::Eof { truncated });
    }

    /// Cuts what comes in another way, and what is there already.
    pub(super) fn reframe(&mut self, core: &mut Core) -> Result<(), Error> {
        let mut orders = lock(&self.conn.orders);
        let (framing, changes) = (orders.framing.take(), orders.websocket.take());
        drop(orders);
        if let (Some(changes), Outlet::WebSocket(listener)) = (changes, &mut self.outlet) {
            listener.change(&self.conn, *changes);
            core.stir = true;
        }
        match (framing, &mut self.outlet) {
            (Some(framing), Outlet::Messages(framer)) => {
                let changed = framer.reconfigure(framing, &mut |message| deliver(&self.conn, message));
                self.conn.partial.store(framer.is_waiting(), Ordering::Release);
                changed
            }
            (Some(framing), Outlet::Data) => {
                self.outlet = Outlet::Messages(Framer::new(framing));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn notices(&self, core: &mut Core) {
        while let Some(event) = core.session.as_mut().and_then(|s| s.poll_event()) {
            self.make_seen(core);
            match &event {
                SessionEvent::Question(question) => self.emit(Event::Question(question)),
                SessionEvent::HandshakeDone => self.emit(Event::Secure),
                SessionEvent::Keylog(line) => self.emit(Event::Keylog(line)),
                SessionEvent::NewSession { id, session } => {
                    core.awaiting_store |= core.session.as_ref().is_some_and(|s| s.role() == Role::Server);
                    self.emit(Event::NewSession { id, session });
                }
                SessionEvent::OcspResponse(response) => self.emit(Event::OcspResponse(response.as_deref())),
                SessionEvent::Trace(text) => self.emit(Event::Trace(text)),
            }
        }
    }

    fn end_of_stream(&mut self, core: &mut Core) -> Step {
        core.eof = true;
        if core.strict_eof && core.phase == Phase::Open {
            let error = Error::new(
                "ERR_SSL_UNEXPECTED_EOF_WHILE_READING",
                "the peer closed the connection without close_notify: the data may be truncated",
            );
            return self.fail(core, error);
        }
        self.make_seen(core);
        self.tell_end(!core.is_clear());
        Step::Moved
    }
}
