//! Requests and responses on connections that stay: echo, download and upload differ only in the two sizes. And `hold`:
//! one echo on each connection, then silence.

use crate::args::{Args, Mode};
use crate::control::{self, Report};
use crate::failure::{Failure, Result};
use crate::histogram::Histogram;
use crate::record::{Records, MAX_PLAIN};
use crate::socket::{Socket, SCRATCH};
use crate::tls::{self, Standing};
use mio::{Events, Poll, Token};
use rustls::client::UnbufferedClientConnection;
use rustls::ClientConfig;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Handshakes at a time while the connections are opened; below the usual listen backlogs.
const OPENING: usize = 64;

/// How long requests in flight may take to be answered after the measured part.
const GRACE: Duration = Duration::from_secs(20);

/// Ciphertext prepared before it is sent: some records, to save system calls, that stay in the cache.
const BATCH: usize = 64 * 1024;

static PLAIN: [u8; MAX_PLAIN] = [b'x'; MAX_PLAIN];

/// Its end is that of a line.
static LINE: [u8; MAX_PLAIN] = {
    let mut line = PLAIN;
    line[MAX_PLAIN - 2] = b'\r';
    line[MAX_PLAIN - 1] = b'\n';
    line
};

pub fn run(args: &Args) -> Result<()> {
    let shape = match args.mode {
        Mode::Exchange { request, response, window, lines } => Shape { request, response, window, lines },
        Mode::Hold { size } => Shape { request: size, response: size, window: 1, lines: false },
        Mode::Handshake { .. } => return Err(Failure::new("not an exchange mode")),
    };
    let mut load = Load {
        config: tls::config(None)?,
        shape,
        poll: Poll::new()?,
        events: Events::with_capacity(1024),
        scratch: vec![0; SCRATCH],
        links: Vec::with_capacity(args.connections),
        established: 0,
        open: 0,
        outstanding: 0,
        running: false,
        answered: 0,
        latency: Histogram::new(),
    };
    load.connect_all(args)?;
    if matches!(args.mode, Mode::Hold { .. }) {
        hold(args, load)
    } else {
        exchange(args, load)
    }
}

fn exchange(args: &Args, mut load: Load) -> Result<()> {
    load.drive(args.warmup)?;
    control::ready()?;
    if args.wait {
        control::wait_for_go()?;
    }
    (load.answered, load.latency) = (0, Histogram::new());
    let cpu = control::cpu_time()?;
    let begun = Instant::now();
    load.drive(args.duration)?;
    let elapsed = begun.elapsed();
    let client_cpu = control::cpu_time()?.saturating_sub(cpu);
    if load.open < args.connections {
        return Err(Failure::new("the server closed a connection"));
    }
    report(args, &load, load.answered, elapsed, client_cpu)?;
    load.close_all()
}

fn hold(args: &Args, mut load: Load) -> Result<()> {
    let cpu = control::cpu_time()?;
    let begun = Instant::now();
    // One request on each, in turns, so that the server sees no burst that its idle connections would remember.
    for index in 0..args.connections {
        load.begin(index, 1)?;
        load.run_until(|load| load.outstanding < OPENING)?;
    }
    load.run_until(|load| load.outstanding == 0)?;
    control::ready()?;
    control::wait_for_stop()?;
    load.turn(Duration::ZERO)?;
    report(args, &load, load.open as u64, begun.elapsed(), control::cpu_time()?.saturating_sub(cpu))?;
    load.close_all()
}

fn report(args: &Args, load: &Load, operations: u64, elapsed: Duration, client_cpu: Duration) -> Result<()> {
    control::result(&Report {
        mode: &args.name,
        operations,
        failures: (args.connections - load.open) as u64,
        first_failure: None,
        resumed: 0,
        bytes: load.answered * (load.shape.request + load.shape.response) as u64,
        elapsed,
        client_cpu,
        latency: &load.latency,
    })
}

#[derive(Clone, Copy)]
struct Shape {
    request: usize,
    response: usize,
    window: usize,
    /// Both ends are those of lines. They fit into a record.
    lines: bool,
}

struct Load {
    config: Arc<ClientConfig>,
    shape: Shape,
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
    /// The index is the token.
    links: Vec<Link>,
    /// Links whose handshake is done.
    established: usize,
    /// Of these, the ones that the server has not closed.
    open: usize,
    /// Requests without an answer.
    outstanding: usize,
    /// An answer brings the next request.
    running: bool,
    answered: u64,
    latency: Histogram,
}

struct Link {
    socket: Socket,
    state: State,
    /// Bytes of requests that are not yet encrypted.
    unsent: usize,
    /// Bytes of the next response.
    received: usize,
    /// When the requests without an answer were begun, the oldest first.
    in_flight: VecDeque<Instant>,
}

enum State {
    Handshake(Box<UnbufferedClientConnection>),
    Open(Box<Records>),
    Closed,
}

impl Load {
    fn connect_all(&mut self, args: &Args) -> Result<()> {
        while self.links.len() < args.connections {
            let mut socket = Socket::connect(args.addr, self.poll.registry(), Token(self.links.len()))?;
            socket.set_nodelay()?;
            let mut tls = Box::new(tls::connection(&self.config)?);
            tls::advance(&mut tls, &mut [], &mut socket.out)?;
            socket.flush()?;
            let state = State::Handshake(tls);
            self.links.push(Link { socket, state, unsent: 0, received: 0, in_flight: VecDeque::new() });
            self.run_until(|load| load.links.len() - load.established < OPENING)?;
        }
        self.run_until(|load| load.established == load.links.len())
    }

    /// Keeps the window of every connection full for `duration`, then waits for the answers.
    fn drive(&mut self, duration: Duration) -> Result<()> {
        let deadline = Instant::now() + duration;
        self.running = true;
        for index in 0..self.links.len() {
            self.begin(index, self.shape.window)?;
        }
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.turn(left)?;
        }
        self.running = false;
        self.run_until(|load| load.outstanding == 0)
    }

    fn run_until(&mut self, done: impl Fn(&Self) -> bool) -> Result<()> {
        let deadline = Instant::now() + GRACE;
        while !done(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Failure::new(format!(
                    "the server stalls: {} of {} handshakes done, {} requests without an answer",
                    self.established,
                    self.links.len(),
                    self.outstanding
                )));
            }
            self.turn(left)?;
        }
        Ok(())
    }

    /// Waits for events, at most for `timeout`, and handles them.
    fn turn(&mut self, timeout: Duration) -> Result<()> {
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let polled = self.poll.poll(&mut events, Some(timeout));
        match polled {
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        for event in &events {
            self.handle(event.token().0, event.is_read_closed())?;
        }
        self.events = events;
        Ok(())
    }

    fn begin(&mut self, index: usize, requests: usize) -> Result<()> {
        self.outstanding += requests;
        let link = &mut self.links[index];
        link.unsent += requests * self.shape.request;
        link.pump(self.shape)
    }

    fn handle(&mut self, index: usize, hangup: bool) -> Result<()> {
        let link = &mut self.links[index];
        if matches!(link.state, State::Closed) {
            return Ok(());
        }
        let Link { socket, state, unsent, received, in_flight } = link;
        let was_open = matches!(state, State::Open(_));
        let (shape, running) = (self.shape, self.running);
        let (mut closed, mut answered, mut early, mut torn) = (false, 0, false, false);
        let (latency, mut now) = (&mut self.latency, None);
        let ended = socket.receive(&mut self.scratch, hangup, |input, out| {
            let mut used = 0;
            if let State::Handshake(tls) = state {
                let advance = tls::advance(tls, input, out)?;
                used = advance.used;
                closed |= advance.standing == Standing::PeerClosed;
                if advance.standing == Standing::Established {
                    state.open()?;
                }
            }
            if let State::Open(records) = state {
                let opened = records.open(&mut input[used..], |data| {
                    *received += data.len();
                    while *received >= shape.response {
                        let Some(begun) = in_flight.pop_front() else {
                            early = true;
                            return;
                        };
                        *received -= shape.response;
                        // What is left of `received` lies behind the end of this answer.
                        torn |= shape.lines && data[data.len() - *received - 1] != b'\n';
                        // One reading of the clock serves all answers of one wake.
                        let now = *now.get_or_insert_with(Instant::now);
                        latency.record(now.saturating_duration_since(begun).as_micros() as u64);
                        answered += 1;
                    }
                })?;
                used += opened.used;
                closed |= opened.closed;
            }
            Ok(used)
        })?;
        if early {
            return Err(Failure::new("more bytes than were asked for"));
        }
        if torn {
            return Err(Failure::new("an answer that is no line"));
        }
        self.answered += answered as u64;
        self.outstanding -= answered;
        if running {
            *unsent += answered * shape.request;
            self.outstanding += answered;
        }
        let is_open = matches!(state, State::Open(_));
        if is_open && !was_open {
            self.established += 1;
            self.open += 1;
        }
        if ended || closed {
            if !is_open {
                return Err(Failure::new("the server closed before the handshake was done"));
            }
            if !in_flight.is_empty() || *unsent > 0 {
                return Err(Failure::new("the server closed a connection with requests in flight"));
            }
            *state = State::Closed;
            self.open -= 1;
            return Ok(());
        }
        link.pump(shape)
    }

    /// Says goodbye on every connection; the process's end closes the sockets.
    fn close_all(&mut self) -> Result<()> {
        for link in &mut self.links {
            if let State::Open(records) = &mut link.state {
                records.close(&mut link.socket.out)?;
                link.socket.flush()?;
            }
        }
        Ok(())
    }
}

impl State {
    /// From the handshake's rustls to the lean record layer.
    fn open(&mut self) -> Result<()> {
        if let Self::Handshake(tls) = std::mem::replace(self, Self::Closed) {
            *self = Self::Open(Box::new(Records::take_over(*tls)?));
        }
        Ok(())
    }
}

impl Link {
    /// Encrypts and sends until nothing waits or the socket takes no more. No record holds parts of two requests.
    fn pump(&mut self, Shape { request, lines, .. }: Shape) -> Result<()> {
        while self.socket.flush()? && self.unsent > 0 {
            let State::Open(records) = &mut self.state else { return Ok(()) };
            while self.unsent > 0 && self.socket.out.len() < BATCH {
                let left = match self.unsent % request {
                    0 => {
                        self.in_flight.push_back(Instant::now());
                        request
                    }
                    left => left,
                };
                let piece = left.min(MAX_PLAIN);
                let content = if lines { &LINE[MAX_PLAIN - piece..] } else { &PLAIN[..piece] };
                records.seal(content, &mut self.socket.out)?;
                self.unsent -= piece;
            }
        }
        Ok(())
    }
}
