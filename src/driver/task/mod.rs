//! The task of one connection: it alone reads, and it moves whatever waits.
//!
//! The core's lock is held while the engine works and never while the task sleeps. Events go out under that lock, so
//! their order is the order in which things happened.

mod ending;
mod inbound;
mod outbound;
mod quiet;
mod watch;
mod websocket;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;

use super::connection::{control, Connection};
use super::core::{Core, Io, Phase};
use super::loan;
use super::server::Server;
use super::shard::{self, Shard};
use super::websocket::WebSocketOptions;
use super::{lock, Event};
use crate::engine::clear_session;
use crate::error::Error;
use crate::framing::{Framer, Framing};
use crate::policy::{limits, Linger};
use crate::transport::{ConnectError, ReadHalf, Stream};

use inbound::Outlet;
pub(super) use inbound::SCRATCH;
use quiet::Quiet;
use watch::Watch;
use websocket::Listener;

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
    outlet: Outlet,
    outbox: Glance,
    /// The handshake's, then the first moment's, then the lingering's.
    timer: Option<Pin<Box<Sleep>>>,
    linger: Option<Linger>,
    /// While there is a limit on how long nothing may happen.
    watch: Option<Box<Watch>>,
    /// Where parts of messages do not wait for ever.
    quiet: Option<Box<Quiet>>,
    /// While there is one on how long the kernel may take nothing of what waits.
    stall: Option<Box<Watch>>,
    /// [`Event::Stalled`] is out, and nothing has left since.
    stalled: bool,
    /// The kernel took something, which the watch has not seen yet.
    relieved: bool,
    /// Whose count of connections this one is in.
    server: Option<Arc<Server>>,
    /// [`Event::Closed`] is out.
    ended: bool,
    /// The peer gets a reset: it sent on and on behind a failure, or takes nothing of what was to be the last.
    resets: bool,
}

/// The outbox as it was when the step began. What is put there later wakes the task again.
#[derive(Default)]
struct Glance {
    /// Nothing waits, and nobody for it to leave.
    quiet: bool,
    /// See [`super::outbox::Outbox::owes_answers`].
    owes_answers: bool,
}

/// What a step came to.
enum Step {
    Moved,
    Idle,
    End,
    /// The task goes to another shard.
    Move(&'static Shard),
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
            outlet: Outlet::Data,
            outbox: Glance::default(),
            linger: None,
            watch: None,
            quiet: None,
            stall: None,
            stalled: false,
            relieved: false,
            server,
            ended: false,
            resets: false,
        })
    }

    /// With a framing it gives messages, and a part of one when nothing has come for so long.
    pub fn framed(mut self: Box<Self>, framing: Option<(Framing, Option<Duration>)>) -> Box<Self> {
        if let Some((framing, quiet)) = framing {
            self.outlet = Outlet::Messages(Framer::new(framing));
            self.quiet = quiet.map(|limit| Box::new(Quiet::new(limit)));
        }
        self
    }

    /// With options it takes an upgrade, and gives what the peer of a WebSocket sends.
    pub fn upgrading(mut self: Box<Self>, options: Option<Arc<WebSocketOptions>>) -> Box<Self> {
        if let Some(options) = options {
            self.outlet = Outlet::WebSocket(Box::new(Listener::new(options)));
        }
        self
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
        self.watch = None;
        if let Some(quiet) = &mut self.quiet {
            quiet.leave_runtime();
        }
        self.stall = None;
        if let Outlet::WebSocket(listener) = &mut self.outlet {
            listener.leave_runtime();
        }
        home.task_entered();
        self.shard.task_left();
        self.shard = home;
        self.conn.moves_to(home);
        Ok(())
    }

    fn step(&mut self, core: &mut Core, cx: &mut Context<'_>) -> Step {
        let asked = self.conn.control.load(Ordering::Acquire);
        if asked & control::CLOSE != 0 {
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
            Phase::Handshake | Phase::Open if asked & (control::REFRAME | control::FINISH | control::LIMITED) != 0 => {
                if let Err(error) = self.obey(core, asked) {
                    return self.fail(core, error);
                }
                let step = self.exchange(core, cx);
                self.tell_quiet(cx);
                self.watch(core, cx, step)
            }
            Phase::Handshake | Phase::Open => {
                let step = self.exchange(core, cx);
                self.tell_quiet(cx);
                step
            }
            Phase::Lingering => self.drain(core, cx),
        }
    }

    fn exchange(&mut self, core: &mut Core, cx: &mut Context<'_>) -> Step {
        if let Some(step) = self.expire(core, cx) {
            return step;
        }
        let outbox = lock(&self.conn.outbox);
        self.outbox = Glance { quiet: outbox.is_quiet(), owes_answers: outbox.owes_answers() };
        drop(outbox);
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

    /// Does what JavaScript has asked for by bits of [`control`].
    fn obey(&mut self, core: &mut Core, asked: u8) -> Result<(), Error> {
        if asked & control::FINISH != 0 {
            self.outlet = Outlet::Nothing;
        }
        if asked & control::REFRAME != 0 {
            self.conn.control.fetch_and(!control::REFRAME, Ordering::AcqRel);
            self.reframe(core)?;
        }
        Ok(())
    }

    fn is_finishing(&self) -> bool {
        self.conn.control.load(Ordering::Acquire) & control::FINISH != 0
    }

    fn emit(&self, event: Event<'_>) {
        self.conn.sink.emit(self.conn.id(), event);
    }

    /// JavaScript hears of a connection before it hears from it.
    fn make_seen(&self, core: &mut Core) {
        if let Some(server) = core.unseen.take() {
            server.seen(&self.conn, Event::Adopt(self.conn.id()));
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
        if let Some(limit) = start.handshake_inactivity {
            self.conn.limit(|orders| orders.silence = limit);
        }
        self.timer = start.handshake_timeout.map(|limit| Box::pin(tokio::time::sleep(limit)));
        let session = match start.provider {
            Some(provider) => provider.session(start.session),
            None => Ok(clear_session(start.session.role)),
        };
        match session {
            Ok(session) => {
                core.session = Some(session);
                core.phase = Phase::Handshake;
                core.stir = true;
                Step::Moved
            }
            Err(error) => self.fail(core, error),
        }
    }
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
        if loan::is_borrowed() && task.is_slow() {
            return loan::postpone(cx);
        }
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
    /// What it has to do may take long.
    fn is_slow(&self) -> bool {
        if self.shaking || matches!(&self.outlet, Outlet::WebSocket(listener) if listener.compresses()) {
            return true;
        }
        let outbox = lock(&self.conn.outbox);
        outbox.has_file() || outbox.len() > limits::DIRECT_WRITE
    }

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
                    match &mut self.outlet {
                        Outlet::Messages(framer) => framer.release_buffers(),
                        Outlet::WebSocket(listener) => listener.release_buffers(),
                        Outlet::Data | Outlet::Nothing => {}
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
                        self.broken(&mut core, error);
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
