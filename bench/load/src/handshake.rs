//! Handshakes: every operation is a TCP connection, a TLS handshake, the client's close_notify right behind it and the
//! server's answer to that. A server's socket is ended by its program, so its whole work for a connection is in the
//! measure, the session tickets included.
//!
//! To resume, the warm-up collects tickets with full handshakes; the measured part ends early when they are spent.

use crate::args::{Args, Mode};
use crate::control::{self, Report};
use crate::failure::{Failure, Result};
use crate::histogram::Histogram;
use crate::socket::{Socket, SCRATCH};
use crate::tls::{self, Standing, Tickets};
use mio::{Events, Poll, Token};
use rustls::client::UnbufferedClientConnection;
use rustls::{ClientConfig, HandshakeKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long connections may take to end after the last one was begun.
const GRACE: Duration = Duration::from_secs(10);

/// With so many failures and not one success, the run gives up.
const HOPELESS: u64 = 100;

pub fn run(args: &Args) -> Result<()> {
    let Mode::Handshake { resume, rate } = args.mode else {
        return Err(Failure::new("not a handshake mode"));
    };
    let tickets = resume.then(|| Arc::new(Tickets::default()));
    let mut load = Load {
        addr: args.addr,
        config: tls::config(tickets.clone())?,
        tickets,
        interval: rate.map(|rate| Duration::from_secs_f64(1.0 / rate)),
        poll: Poll::new()?,
        connections: (0..args.connections).map(|_| None).collect(),
        free: (0..args.connections).rev().collect(),
        scratch: vec![0; SCRATCH],
        tally: Tally::new(),
    };
    load.drive(args.warmup)?;
    control::ready()?;
    if args.wait {
        control::wait_for_go()?;
    }
    load.tally = Tally::new();
    if let Some(tickets) = &load.tickets {
        tickets.spend();
    }
    let cpu = control::cpu_time()?;
    let begun = Instant::now();
    load.drive(args.duration)?;
    let elapsed = begun.elapsed();
    control::result(&Report {
        mode: &args.name,
        operations: load.tally.operations,
        failures: load.tally.failures,
        first_failure: load.tally.first_failure.as_ref(),
        resumed: load.tally.resumed,
        bytes: 0,
        elapsed,
        client_cpu: control::cpu_time()?.saturating_sub(cpu),
        latency: &load.tally.latency,
    })
}

struct Load {
    addr: SocketAddr,
    config: Arc<ClientConfig>,
    tickets: Option<Arc<Tickets>>,
    /// Time between two beginnings; `None`: no pause.
    interval: Option<Duration>,
    poll: Poll,
    /// The index is the token.
    connections: Vec<Option<Connection>>,
    /// Indices of `connections` that are `None`.
    free: Vec<usize>,
    scratch: Vec<u8>,
    tally: Tally,
}

struct Connection {
    socket: Socket,
    tls: UnbufferedClientConnection,
    /// Our close_notify has been queued.
    closing: bool,
    begun: Instant,
}

struct Tally {
    operations: u64,
    failures: u64,
    first_failure: Option<Failure>,
    resumed: u64,
    latency: Histogram,
}

impl Tally {
    fn new() -> Self {
        Self { operations: 0, failures: 0, first_failure: None, resumed: 0, latency: Histogram::new() }
    }
}

impl Load {
    /// Begins connections for `duration`, then lets all of them end.
    fn drive(&mut self, duration: Duration) -> Result<()> {
        let begin = Instant::now();
        let mut deadline = begin + duration;
        let mut next = begin;
        let mut events = Events::with_capacity(1024);
        loop {
            let now = Instant::now();
            while now < deadline && next <= now && !self.free.is_empty() {
                if self.tickets.as_ref().is_some_and(|tickets| tickets.spent()) {
                    deadline = now;
                    break;
                }
                self.open();
                next += self.interval.unwrap_or_default();
            }
            let active = self.connections.len() - self.free.len();
            if now >= deadline && active == 0 {
                return Ok(());
            }
            if now >= deadline + GRACE {
                return Err(Failure::new(format!("{active} connections do not end")));
            }
            let wake = match now < deadline {
                true if next > now => next.min(deadline),
                true => deadline,
                false => deadline + GRACE,
            };
            if let Err(error) = self.poll.poll(&mut events, Some(wake - now)) {
                if error.kind() != std::io::ErrorKind::Interrupted {
                    return Err(error.into());
                }
            }
            for event in &events {
                self.handle(event.token().0, event.is_read_closed());
            }
            if let (0, HOPELESS.., Some(failure)) =
                (self.tally.operations, self.tally.failures, &self.tally.first_failure)
            {
                return Err(failure.clone());
            }
        }
    }

    fn open(&mut self) {
        let Some(index) = self.free.pop() else { return };
        match self.connect(index) {
            Ok(connection) => self.connections[index] = Some(connection),
            Err(failure) => {
                self.free.push(index);
                self.fail(failure);
            }
        }
    }

    fn connect(&self, index: usize) -> Result<Connection> {
        let begun = Instant::now();
        let mut socket = Socket::connect(self.addr, self.poll.registry(), Token(index))?;
        let mut tls = tls::connection(&self.config)?;
        tls::advance(&mut tls, &mut [], &mut socket.out)?;
        socket.flush()?;
        Ok(Connection { socket, tls, closing: false, begun })
    }

    fn handle(&mut self, index: usize, hangup: bool) {
        // An event of a connection that has just ended may come in the same batch.
        let Some(connection) = &mut self.connections[index] else { return };
        match connection.advance(&mut self.scratch, hangup) {
            Ok(false) => return,
            Ok(true) => {
                self.tally.operations += 1;
                self.tally.latency.record(connection.begun.elapsed().as_micros() as u64);
                if connection.tls.handshake_kind() == Some(HandshakeKind::Resumed) {
                    self.tally.resumed += 1;
                }
            }
            Err(failure) => self.fail(failure),
        }
        self.connections[index] = None;
        self.free.push(index);
    }

    fn fail(&mut self, failure: Failure) {
        self.tally.failures += 1;
        self.tally.first_failure.get_or_insert(failure);
    }
}

impl Connection {
    /// Does what can be done now; `true` when the server has answered the close_notify.
    fn advance(&mut self, scratch: &mut [u8], hangup: bool) -> Result<bool> {
        let mut closed = false;
        let ended = self.socket.receive(scratch, hangup, |input, out| {
            let advance = tls::advance(&mut self.tls, input, out)?;
            if advance.standing == Standing::Established && !self.closing {
                self.closing = true;
                tls::close(&mut self.tls, out)?;
            }
            closed |= advance.standing == Standing::PeerClosed;
            Ok(advance.used)
        })?;
        if ended && !closed {
            return Err(Failure::new("closed without close_notify"));
        }
        if !closed {
            self.socket.flush()?;
        }
        Ok(closed)
    }
}
