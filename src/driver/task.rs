//! The task of one connection: it alone reads, and it moves whatever waits.
//!
//! The core's lock is held while the engine works and never while the task sleeps. Events go out under that lock, so
//! their order is the order in which things happened.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::time::Sleep;

use super::connection::{control, Connection};
use super::core::{send, Core, Io, Phase, Shutdown};
use super::duplex::Received;
use super::server::Server;
use super::shard::{self, Shard};
use super::{lock, Event};
use crate::engine::{Handshake, Read, Role, SessionEvent};
use crate::error::Error;
use crate::policy::{limits, Linger};
use crate::transport::{ConnectError, ReadHalf, Stream};

/// How a connection comes to its socket.
pub(super) enum Opening {
    Connecting(Pin<Box<dyn Future<Output = Result<Stream, Vec<ConnectError>>> + Send>>),
    Open(ReadHalf),
    Duplex,
}

pub(super) struct Task {
    conn: Arc<Connection>,
    shard: &'static Shard,
    /// The shard counts our handshake.
    shaking: bool,
    /// The session has not been asked to settle yet.
    unsettled: bool,
    opening: Option<Opening>,
    read: Option<ReadHalf>,
    /// The handshake's, then the first moment's, then the lingering's.
    timer: Option<Pin<Box<Sleep>>>,
    linger: Option<Linger>,
    /// Whose count of connections this one is in.
    server: Option<Arc<Server>>,
    /// [`Event::Closed`] is out.
    ended: bool,
    /// The peer sent on and on behind a failure.
    flooded: bool,
}

/// What a step came to.
enum Step {
    Moved,
    Idle,
    End,
    /// The task goes to another shard.
    Move(&'static Shard),
}

/// Per thread, not per connection: an idle connection holds no buffer.
struct Scratch {
    cipher: Box<[u8]>,
    clear: Box<[u8]>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch {
        cipher: vec![0; limits::READ_CHUNK].into_boxed_slice(),
        clear: vec![0; limits::READ_CHUNK].into_boxed_slice(),
    });
}

impl Task {
    pub fn new(
        conn: &Arc<Connection>,
        shard: &'static Shard,
        opening: Opening,
        server: Option<Arc<Server>>,
    ) -> Box<Self> {
        let (opening, read) = match opening {
            Opening::Connecting(_) => (Some(opening), None),
            Opening::Open(read) => (None, Some(read)),
            Opening::Duplex => (None, None),
        };
        shard.task_entered();
        shard.handshake_begun();
        Box::new(Task {
            conn: conn.clone(),
            shard,
            shaking: true,
            unsettled: true,
            opening,
            read,
            timer: None,
            linger: None,
            server,
            ended: false,
            flooded: false,
        })
    }

    fn handshake_over(&mut self) {
        if std::mem::take(&mut self.shaking) {
            self.shard.handshake_over();
        }
    }

    /// The handshake is done, and the connection stays: it takes its lighter form, and goes where data is at home.
    fn settle(&mut self, core: &mut Core) -> Step {
        if !std::mem::take(&mut self.unsettled) {
            return Step::Idle;
        }
        core.settle();
        match (&core.io, self.shard.home()) {
            (Some(Io::Socket(_)), Some(home)) => Step::Move(home),
            _ => Step::Idle,
        }
    }

    /// Attaches the socket to another shard's runtime.
    fn move_to(&mut self, core: &mut Core, home: &'static Shard) -> Result<(), Error> {
        let (Some(read), Some(Io::Socket(write))) = (self.read.take(), core.io.take()) else { return Ok(()) };
        let stream = Stream::join(read, write)
            .and_then(|stream| stream.attach_to(home.handle()))
            .map_err(|e| Error::system(&e, "epoll_ctl"))?;
        let (read, write) = stream.split();
        self.read = Some(read);
        core.io = Some(Io::Socket(write));
        core.stir = true;
        self.timer = None;
        home.task_entered();
        self.shard.task_left();
        self.shard = home;
        self.conn.moves_to(home);
        Ok(())
    }

    fn step(&mut self, core: &mut Core, cx: &mut Context<'_>) -> Step {
        if self.conn.control.load(Ordering::Acquire) & control::CLOSE != 0 {
            if core.phase != Phase::Lingering {
                return Step::End;
            }
            self.end(core);
        }
        if let Some(error) = core.failure.take() {
            return self.fail(core, error);
        }
        match core.phase {
            Phase::Connecting => self.connect(core, cx),
            Phase::Idle => self.begin(core),
            Phase::Handshake | Phase::Open => {
                let sent = self.outbound(core, cx);
                if matches!(sent, Step::End | Step::Move(_)) {
                    return sent;
                }
                match self.inbound(core, cx) {
                    // Nothing can come and nothing can go: no need to wait until JavaScript says so.
                    Step::Idle if self.is_over(core) => {
                        self.conn.keep_addresses(core);
                        Step::End
                    }
                    Step::Idle => sent,
                    step => step,
                }
            }
            Phase::Lingering => self.drain(core, cx),
        }
    }

    fn emit(&self, event: Event<'_>) {
        self.conn.sink.emit(self.conn.id(), event);
    }

    /// JavaScript hears of a connection before it hears from it.
    fn make_seen(&self, core: &mut Core) {
        if let Some(server) = core.unseen.take() {
            server.seen(&self.conn, false);
        }
    }

    fn connect(&mut self, core: &mut Core, cx: &mut Context<'_>) -> Step {
        let Some(Opening::Connecting(future)) = &mut self.opening else { return Step::End };
        match future.as_mut().poll(cx) {
            Poll::Pending => Step::Idle,
            Poll::Ready(Ok(stream)) => {
                self.opening = None;
                let (read, write) = stream.split();
                self.read = Some(read);
                core.io = Some(Io::Socket(write));
                core.phase = Phase::Idle;
                self.emit(Event::Connected);
                Step::Moved
            }
            Poll::Ready(Err(errors)) => {
                self.opening = None;
                self.emit(Event::ConnectFailed(&errors));
                Step::End
            }
        }
    }

    fn begin(&mut self, core: &mut Core) -> Step {
        let Some(start) = core.start.take() else {
            return if self.conn.control.load(Ordering::Acquire) & control::SHUTDOWN != 0 {
                self.finish_sending(core)
            } else {
                Step::Idle
            };
        };
        core.strict_eof = start.strict_eof;
        self.timer = start.handshake_timeout.map(|limit| Box::pin(tokio::time::sleep(limit)));
        match start.context.session(start.session) {
            Ok(session) => {
                core.session = Some(session);
                core.phase = Phase::Handshake;
                core.stir = true;
                Step::Moved
            }
            Err(error) => self.fail(core, error),
        }
    }

    /// Encrypts what JavaScript wrote and sends what is encrypted.
    fn outbound(&mut self, core: &mut Core, cx: &mut Context<'_>) -> Step {
        let mut moved = false;
        loop {
            if core.phase == Phase::Open {
                if self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready()) {
                    self.timer = None;
                    core.tickets_held = false;
                    if let Step::Move(home) = self.settle(core) {
                        return Step::Move(home);
                    }
                }
                match self.encrypt(core) {
                    Ok(encrypted) => moved |= encrypted,
                    Err(error) => return self.fail(core, error),
                }
            }
            match self.flush(core, cx) {
                Ok(Flush::Sent) => moved = true,
                Ok(Flush::Nothing) => break,
                Ok(Flush::Blocked) => return if moved { Step::Moved } else { Step::Idle },
                Err(error) => {
                    self.make_seen(core);
                    self.emit(Event::Error(&error));
                    return Step::End;
                }
            }
        }
        // Everything given so far is on its way.
        let mut outbox = lock(&self.conn.outbox);
        let settled = outbox.is_empty();
        if settled && outbox.waiting {
            outbox.waiting = false;
            drop(outbox);
            self.emit(Event::Drain);
        } else {
            drop(outbox);
        }
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

    fn is_over(&self, core: &Core) -> bool {
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

    fn finish_sending(&mut self, core: &mut Core) -> Step {
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

    fn encrypt(&self, core: &mut Core) -> Result<bool, Error> {
        let Some(session) = core.session.as_mut() else { return Ok(false) };
        let mut outbox = lock(&self.conn.outbox);
        let mut moved = false;
        while !outbox.is_empty() && session.output().len() < limits::CIPHERTEXT_BACKLOG {
            let end = outbox.bytes.len().min(outbox.taken + limits::DIRECT_WRITE);
            let taken = session.write(&outbox.bytes[outbox.taken..end])?;
            if taken == 0 {
                break;
            }
            outbox.taken += taken;
            core.tickets_held = false;
            moved = true;
        }
        if outbox.is_empty() && outbox.taken > 0 {
            outbox.taken = 0;
            outbox.bytes.clear();
            if outbox.bytes.capacity() > limits::OWN_BUFFER {
                outbox.bytes = Vec::new();
            }
        }
        Ok(moved)
    }

    fn flush(&mut self, core: &mut Core, cx: &mut Context<'_>) -> Result<Flush, Error> {
        let Some(session) = core.session.as_mut() else { return Ok(Flush::Nothing) };
        if core.awaiting_store {
            return Ok(Flush::Blocked);
        }
        if core.tickets_held {
            return Ok(Flush::Nothing);
        }
        match &core.io {
            Some(Io::Socket(write)) => {
                let output = session.output();
                if output.is_empty() {
                    return Ok(Flush::Nothing);
                }
                let broken = |e: std::io::Error| Error::system(&e, "write");
                loop {
                    if send(write, output).map_err(broken)? {
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
                if session.output().is_empty() {
                    return Ok(Flush::Nothing);
                }
                duplex.in_flight = true;
                drop(duplex);
                self.emit(Event::CipherOut(std::mem::take(session.output())));
                Ok(Flush::Blocked)
            }
            None => Ok(Flush::Nothing),
        }
    }

    /// Reads when somebody wants it, and lets the engine work on what is there.
    fn inbound(&mut self, core: &mut Core, cx: &mut Context<'_>) -> Step {
        if core.phase == Phase::Handshake {
            if let Some(timer) = &mut self.timer {
                if timer.as_mut().poll(cx).is_ready() {
                    return self.fail(core, Error::new("ERR_TLS_HANDSHAKE_TIMEOUT", "TLS handshake timeout"));
                }
            }
        }
        let mut moved = false;
        if core.stir {
            match self.work(core) {
                Step::Idle => {}
                Step::Moved => moved = true,
                step => return step,
            }
        }
        let idle = if moved { Step::Moved } else { Step::Idle };
        if core.eof || !self.wants_bytes(core) {
            return idle;
        }
        let fed = match &core.io {
            Some(Io::Socket(_)) => SCRATCH.with_borrow_mut(|scratch| {
                let Some(read) = &mut self.read else { return Fed::Nothing };
                match read.poll_read(cx, &mut scratch.cipher) {
                    Poll::Pending => Fed::Nothing,
                    Poll::Ready(Ok(0)) => Fed::Eof,
                    Poll::Ready(Ok(n)) => {
                        if let Some(session) = core.session.as_mut() {
                            session.feed(&scratch.cipher[..n]);
                        }
                        Fed::Some
                    }
                    Poll::Ready(Err(e)) => Fed::Failed(Error::system(&e, "read")),
                }
            }),
            Some(Io::Duplex) => self.take_from_duplex(core),
            None => Fed::Nothing,
        };
        match fed {
            Fed::Nothing => idle,
            Fed::Some => {
                core.stir = true;
                match self.work(core) {
                    Step::Idle => Step::Moved,
                    step => step,
                }
            }
            Fed::Eof => self.end_of_stream(core),
            Fed::Failed(error) => {
                self.make_seen(core);
                self.emit(Event::Error(&error));
                Step::End
            }
        }
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

    fn wants_bytes(&self, core: &Core) -> bool {
        match core.phase {
            Phase::Handshake => core.session.as_ref().is_some_and(|s| s.unread() < limits::PARKED_INPUT),
            _ => self.reading() && self.has_room(),
        }
    }

    fn reading(&self) -> bool {
        self.conn.control.load(Ordering::Acquire) & control::READ != 0
    }

    /// Room in the sink; without it [`Connection::consumed`] wakes the task.
    fn has_room(&self) -> bool {
        let full = |conn: &Connection| conn.inbound.load(Ordering::Acquire) >= limits::CONNECTION_INBOUND;
        if full(&self.conn) {
            self.conn.stalled.store(true, Ordering::Release);
            // The sink may have passed everything on in between.
            return !full(&self.conn);
        }
        if !self.conn.sink.has_room() {
            self.conn.stalled.store(true, Ordering::Release);
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
        match session.handshake(now)? {
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
        if core.eof || !self.reading() || !self.has_room() {
            return Ok(Step::Idle);
        }
        // Not before: a connection that only comes and goes would have the work for nothing.
        if core.session.as_ref().is_some_and(|s| s.unread() > 0) {
            if let Step::Move(home) = self.settle(core) {
                return Ok(Step::Move(home));
            }
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let clear = &mut scratch.clear;
            let (mut told, mut filled) = (0, 0);
            let outcome = loop {
                if filled == clear.len() {
                    break Ok(Step::Moved);
                }
                let Some(session) = core.session.as_mut() else { break Ok(Step::End) };
                let read = session.read(&mut clear[filled..], Instant::now());
                if session.has_event() {
                    // It came behind what was read so far, and before what was read just now.
                    self.tell(&clear[told..filled]);
                    told = filled;
                    self.notices(core);
                }
                match read {
                    Ok(Read::Data(n)) => filled += n,
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
            self.tell(&clear[told..filled]);
            if core.eof {
                self.emit(Event::Eof { truncated: false });
            }
            outcome
        })
    }

    fn tell(&self, clear: &[u8]) {
        if !clear.is_empty() {
            self.conn.inbound.fetch_add(clear.len(), Ordering::AcqRel);
            self.conn.sink.data(&self.conn, clear);
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
        self.emit(Event::Eof { truncated: true });
        Step::Moved
    }

    /// A fatal error: tell JavaScript, send the alert, then close, but not before the peer could read it.
    fn fail(&mut self, core: &mut Core, error: Error) -> Step {
        // Known now, asked for later.
        self.conn.keep_addresses(core);
        self.make_seen(core);
        self.emit(Event::Error(&error));
        core.awaiting_store = false;
        core.tickets_held = false;
        core.phase = Phase::Lingering;
        core.shutdown = Shutdown::Notified;
        let linger = Linger::begin(Instant::now());
        self.timer = Some(Box::pin(tokio::time::sleep_until(linger.until().into())));
        self.linger = Some(linger);
        Step::Moved
    }

    fn drain(&mut self, core: &mut Core, cx: &mut Context<'_>) -> Step {
        let Some(linger) = &mut self.linger else { return Step::End };
        if self.timer.as_mut().is_none_or(|timer| timer.as_mut().poll(cx).is_ready()) {
            return Step::End;
        }
        let mut linger = *linger;
        match self.flush(core, cx) {
            Ok(Flush::Nothing | Flush::Sent) => {}
            Ok(Flush::Blocked) => return Step::Idle,
            Err(_) => return Step::End,
        }
        let Some(Io::Socket(write)) = &core.io else {
            self.emit(Event::CipherEnd);
            return Step::End;
        };
        if core.shutdown != Shutdown::Done {
            core.shutdown = Shutdown::Done;
            // FIN follows the alert at once: a peer that waits for the end need not wait for ours. One that has reset
            // shows in the next read.
            drop(write.shutdown());
        }
        let dropped = SCRATCH.with_borrow_mut(|scratch| match &mut self.read {
            Some(read) => read.poll_read(cx, &mut scratch.cipher),
            None => Poll::Ready(Ok(0)),
        });
        match (dropped, &mut self.timer) {
            (Poll::Pending, _) => Step::Idle,
            (Poll::Ready(Ok(n)), Some(timer)) if n > 0 && linger.drained(n, Instant::now()) => {
                timer.as_mut().reset(linger.until().into());
                self.linger = Some(linger);
                Step::Moved
            }
            (Poll::Ready(Ok(n)), _) => {
                self.flooded = n > 0;
                Step::End
            }
            _ => Step::End,
        }
    }

    /// The last thing JavaScript hears.
    fn end(&mut self, core: &mut Core) {
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

    fn close(&mut self, core: &mut Core) {
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

enum Flush {
    Nothing,
    Sent,
    Blocked,
}

enum Fed {
    Nothing,
    Some,
    Eof,
    Failed(Error),
}

/// A task where it runs now.
pub(super) struct Running(Option<Box<Task>>);

impl Running {
    pub fn of(task: Box<Task>) -> Self {
        Running(Some(task))
    }
}

impl Future for Running {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(task) = &mut self.0 else { return Poll::Ready(()) };
        let polled = task.turn(cx);
        shard::end_turn(&task.conn.sink);
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(home)) => {
                if let Some(task) = self.0.take() {
                    home.run_task(task);
                }
                Poll::Ready(())
            }
            Poll::Ready(None) => Poll::Ready(()),
        }
    }
}

impl Task {
    /// Goes as far as it can. Ready: the end, or the shard where it goes on.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<Option<&'static Shard>> {
        let conn = self.conn.clone();
        conn.waker.register(cx.waker());
        let mut core = lock(&conn.core);
        loop {
            match self.step(&mut core, cx) {
                Step::Moved => {}
                Step::Idle => {
                    if let Some(session) = core.session.as_mut() {
                        session.release_buffers();
                    }
                    return Poll::Pending;
                }
                Step::End => {
                    self.close(&mut core);
                    return Poll::Ready(None);
                }
                Step::Move(home) => match self.move_to(&mut core, home) {
                    Ok(()) => return Poll::Ready(Some(home)),
                    Err(error) => {
                        self.emit(Event::Error(&error));
                        self.close(&mut core);
                        return Poll::Ready(None);
                    }
                },
            }
        }
    }
}

impl Drop for Task {
    /// Whatever ended the task, a panic included: JavaScript hears of the end, and the server's count goes down.
    fn drop(&mut self) {
        let conn = self.conn.clone();
        let mut core = lock(&conn.core);
        self.close(&mut core);
        drop(core);
        self.handshake_over();
        self.shard.task_left();
        if let Some(server) = self.server.take() {
            server.left();
        }
        shard::end_turn(&conn.sink);
    }
}
