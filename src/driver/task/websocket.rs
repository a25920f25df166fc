//! The receiving half of a WebSocket: its upgrade, its frames, its end.

use std::future::Future;
use std::mem;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;

use tokio::time::{Instant, Sleep};

use super::inbound::Outlet;
use super::{Step, Task};
use crate::driver::connection::Connection;
use crate::driver::core::{Core, Phase};
use crate::driver::websocket::{Changes, WebSocketOptions};
use crate::driver::{lock, Event, Frame};
use crate::error::Error;
use crate::framing::websocket::{Decoder, Event as Heard, Failure, Refusal, Upgrade, NO_STATUS};
use crate::policy::limits;

enum Stage {
    /// The request has not come, or not to its end.
    Upgrade(Upgrade),
    /// It waits for an answer.
    Asked,
    Open(Box<Decoder>),
    /// Nothing that comes is looked at any more; the connection finishes.
    Over,
}

pub(super) struct Listener {
    options: Arc<WebSocketOptions>,
    stage: Stage,
    /// Came behind the request, or there was no room for what it holds.
    held: Vec<u8>,
    /// How many of these have been used.
    used: usize,
    whole: bool,
    /// Until when the upgrade must be answered, or the peer's Close frame be here.
    end: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    /// The peer sends no more, behind what is held: whether that was cut off.
    eof: Option<bool>,
}

impl Listener {
    pub fn new(options: Arc<WebSocketOptions>) -> Self {
        Listener {
            stage: Stage::Upgrade(Upgrade::new(&options.config.limits)),
            held: Vec::new(),
            used: 0,
            whole: options.config.whole,
            end: options.handshake_timeout.map(|limit| Instant::now() + limit),
            timer: None,
            eof: None,
            options,
        }
    }

    /// Messages may be compressed.
    pub fn compresses(&self) -> bool {
        matches!(&self.stage, Stage::Open(decoder) if decoder.inflates())
    }

    /// Bytes that wait, for an answer or for room.
    fn held(&self) -> usize {
        self.held.len() - self.used
    }

    /// Takes what the peer sends.
    pub fn take(&mut self, conn: &Arc<Connection>, bytes: &mut [u8]) {
        match &mut self.stage {
            Stage::Upgrade(upgrade) => match upgrade.push(bytes) {
                Ok(None) => {}
                Ok(Some((request, used))) => {
                    // Under the lock: an answer comes behind the question.
                    let mut outbox = lock(&conn.outbox);
                    conn.sink.emit(conn.id(), Event::Upgrade(&request));
                    if let Some(speaker) = &mut outbox.speaker {
                        speaker.ask(request);
                    }
                    drop(outbox);
                    self.stage = Stage::Asked;
                    self.held.extend_from_slice(&bytes[used..]);
                }
                Err(refusal) => self.refuse(conn, &refusal),
            },
            Stage::Asked => self.held.extend_from_slice(bytes),
            Stage::Open(_) => {
                let used = match self.held() {
                    0 => self.decode(conn, bytes),
                    _ => 0,
                };
                self.held.extend_from_slice(&bytes[used..]);
            }
            Stage::Over => {}
        }
    }

    /// Goes on with what is held.
    fn resume(&mut self, conn: &Arc<Connection>) {
        let (mut held, from) = (mem::take(&mut self.held), mem::take(&mut self.used));
        let used = from + self.decode(conn, &mut held[from..]);
        if used < held.len() {
            self.held = held;
            self.used = used;
        }
    }

    /// Gives what is in `bytes`; how many were used: all, unless there is no room.
    fn decode(&mut self, conn: &Arc<Connection>, bytes: &mut [u8]) -> usize {
        let Stage::Open(decoder) = &mut self.stage else { return bytes.len() };
        let mut answered = None;
        let decoded = decoder.push(bytes, &std::time::Instant::now, &mut |heard| {
            match heard {
                Heard::Data(data) => deliver(conn, Frame::Data(data)),
                Heard::Close { code, reason } => {
                    answered = Some(lock(&conn.outbox).answer_with(code, ""));
                    conn.sink.emit(conn.id(), Event::CloseFrame { code: code.unwrap_or(NO_STATUS), reason });
                }
                control => match lock(&conn.outbox).answer(control) {
                    Heard::Ping(payload) => deliver(conn, Frame::Ping(payload)),
                    Heard::Pong { payload, answers } => deliver(conn, Frame::Pong { payload, answers }),
                    Heard::Data(_) | Heard::Close { .. } => {}
                },
            }
            match conn.inbound() < limits::CONNECTION_INBOUND {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        });
        match (decoded, answered) {
            (Ok(_), Some(due)) => self.close(conn, due),
            (Ok(used), None) => return used,
            (Err(failure), _) => self.fail(conn, failure),
        }
        bytes.len()
    }

    fn fail(&mut self, conn: &Arc<Connection>, failure: Failure) {
        let due = lock(&conn.outbox).answer_with(Some(failure.code), failure.reason);
        conn.sink.emit(conn.id(), Event::Error(&Error::new("ERR_C4TLS_WEBSOCKET", failure.to_string())));
        conn.sink.emit(conn.id(), Event::CloseFrame { code: failure.code, reason: failure.reason });
        self.close(conn, due);
    }

    /// What comes from now on is dropped. While the answer is `due`, the owner may still answer what came before.
    fn close(&mut self, conn: &Arc<Connection>, due: bool) {
        self.finish(conn, !due);
        if due {
            self.end = Some(Instant::now() + limits::CLOSE_STALL);
        }
    }

    fn refuse(&mut self, conn: &Arc<Connection>, refusal: &Refusal) {
        // Under the lock: the owner's own answer comes before, or not at all.
        let mut outbox = lock(&conn.outbox);
        if matches!(self.stage, Stage::Asked) && outbox.speaker.as_ref().is_none_or(|speaker| !speaker.is_asked()) {
            return;
        }
        outbox.bytes.push(&refusal.response());
        conn.finish(limits::CLOSE_STALL);
        drop(outbox);
        let code = format!("ERR_C4TLS_UPGRADE_{}", refusal.status);
        conn.sink.emit(conn.id(), Event::Error(&Error::new(code, refusal.message)));
        self.finish(conn, false);
    }

    /// Nothing is taken any more. `now`: what waits is sent, then the connection ends, the server's side first (RFC 6455,
    /// 7.1.1).
    fn finish(&mut self, conn: &Arc<Connection>, now: bool) {
        self.stage = Stage::Over;
        self.end = None;
        self.held = Vec::new();
        self.used = 0;
        if now {
            conn.finish(limits::CLOSE_STALL);
        }
    }

    /// The peer sends no more. False: what it has sent must be given first.
    pub fn ends(&mut self, conn: &Arc<Connection>, truncated: bool) -> bool {
        if matches!(self.stage, Stage::Open(_)) && self.held() > 0 {
            self.eof = Some(truncated);
            return false;
        }
        // Whoever has closed before may still wait for the answer.
        if !matches!(self.stage, Stage::Over) {
            self.finish(conn, true);
        }
        true
    }

    /// Does what the owner wants.
    pub fn change(&mut self, conn: &Arc<Connection>, changes: Changes) {
        if let Some(whole) = changes.whole {
            self.whole = whole;
            if let Stage::Open(decoder) = &mut self.stage {
                decoder.set_whole(whole);
            }
        }
        if let (Some(opened), Stage::Asked) = (changes.opened, &self.stage) {
            let config = &self.options.config;
            let mut decoder = Box::new(Decoder::new(config, opened.agreed.map(|agreed| agreed.incoming(config.role))));
            decoder.set_whole(self.whole);
            self.stage = Stage::Open(decoder);
            self.end = None;
            conn.sink.emit(conn.id(), Event::Opened { extensions: &opened.extensions });
        }
        if let (Some(limit), Stage::Open(_)) = (changes.closing, &self.stage) {
            self.end = Some(Instant::now() + limit);
        }
    }

    /// Whether the time is up. The timer is armed again only when it fires.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(end) = self.end else {
            self.timer = None;
            return false;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        if timer.deadline() != end {
            timer.as_mut().reset(end);
        }
        timer.as_mut().poll(cx).is_ready()
    }

    /// The task goes to another shard: a timer belongs to the runtime where it was made.
    pub fn leave_runtime(&mut self) {
        self.timer = None;
    }

    /// Gives memory back that is not needed for what is held.
    pub fn release_buffers(&mut self) {
        if self.held.is_empty() && self.held.capacity() > 0 {
            self.held = Vec::new();
        }
    }
}

/// Counted as a message is: a flood of empty ones is bounded too.
fn deliver(conn: &Arc<Connection>, frame: Frame<'_>) {
    conn.inbound.fetch_add(frame.bytes().len() + limits::MESSAGE_COST, std::sync::atomic::Ordering::AcqRel);
    conn.sink.frame(conn, frame);
}

impl Task {
    /// A WebSocket waits for an answer or for room: nothing more is to be read.
    pub(super) fn holds_back(&self) -> bool {
        let Outlet::WebSocket(listener) = &self.outlet else { return false };
        match listener.stage {
            Stage::Asked => listener.held() >= limits::PARKED_INPUT,
            Stage::Open(_) => listener.held() > 0 || self.outbox.owes_answers,
            _ => false,
        }
    }

    /// Goes on with what a WebSocket has held back. True: something came of it.
    pub(super) fn resume(&mut self, core: &mut Core) -> bool {
        let Outlet::WebSocket(listener) = &self.outlet else { return false };
        if !matches!(listener.stage, Stage::Open(_)) || listener.held() == 0 {
            return false;
        }
        if !self.reading() || !self.has_room() || self.outbox.owes_answers {
            return false;
        }
        let Outlet::WebSocket(listener) = &mut self.outlet else { return false };
        listener.resume(&self.conn);
        if listener.held() == 0 {
            core.stir = true;
            if let Some(truncated) = listener.eof.take() {
                self.emit(Event::Eof { truncated });
                self.conn.finish(limits::CLOSE_STALL);
            }
        }
        true
    }

    /// Ends a WebSocket whose opening handshake, or whose closing one, takes too long.
    pub(super) fn expire(&mut self, core: &mut Core, cx: &mut Context<'_>) -> Option<Step> {
        let Outlet::WebSocket(listener) = &mut self.outlet else { return None };
        if !listener.is_late(cx) {
            return None;
        }
        listener.end = None;
        if core.phase == Phase::Handshake {
            return Some(self.fail(core, Error::new("ERR_TLS_HANDSHAKE_TIMEOUT", "TLS handshake timeout")));
        }
        match listener.stage {
            Stage::Upgrade(_) => listener.refuse(&self.conn, &Refusal::REQUEST_TIMEOUT),
            Stage::Asked => listener.refuse(&self.conn, &Refusal::NO_ANSWER),
            // The answer that is due comes first.
            Stage::Over if self.conn.answer_close() => {}
            Stage::Open(_) | Stage::Over => listener.finish(&self.conn, true),
        }
        None
    }
}
