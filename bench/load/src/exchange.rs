//! Requests and responses on connections that stay: echo, download and upload differ only in the two sizes, and in
//! what tells one message from the next. And `hold`: one echo on each connection, then silence.

use crate::answers::Answers;
use crate::args::{Args, Framing, Mode};
use crate::control::{self, Report};
use crate::failure::{Failure, Result};
use crate::histogram::Histogram;
use crate::record::{Records, MAX_PLAIN};
use crate::socket::{Socket, SCRATCH};
use crate::tls::{self, Standing};
use crate::websocket;
use mio::{Events, Poll, Token};
use rustls::client::UnbufferedClientConnection;
use rustls::ClientConfig;
use std::borrow::Cow;
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
        Mode::Exchange { request, response, window, framing } => Shape::new(request, response, window, framing)?,
        Mode::Hold { size, framing } => Shape::new(size, size, 1, framing)?,
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
        bytes: load.answered * load.shape.payload as u64,
        elapsed,
        client_cpu,
        latency: &load.latency,
    })
}

struct Shape {
    /// Bytes of a request as TLS carries it.
    request: usize,
    /// The end of a request, or all of it: what a record has, which begins where the request does not.
    content: Cow<'static, [u8]>,
    response: usize,
    /// Bytes of a request and its response as the program on the other side sees them.
    payload: usize,
    window: usize,
    framing: Framing,
}

impl Shape {
    fn new(request: usize, response: usize, window: usize, framing: Framing) -> Result<Self> {
        let payload = request + response;
        let content = match framing {
            Framing::Bytes => Cow::Borrowed(&PLAIN[..]),
            Framing::Lines => Cow::Borrowed(&LINE[..]),
            Framing::WebSocket { deflate } => Cow::Owned(websocket::message(request, deflate)?),
        };
        let request = if matches!(framing, Framing::WebSocket { .. }) { content.len() } else { request };
        Ok(Self { request, content, response, payload, window, framing })
    }
}

struct Load {
    config: Arc<ClientConfig>,
    shape: Shape,
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
    /// The index is the token.
    links: Vec<Link>,
    /// Links whose handshake is done, WebSocket's too.
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
    answers: Answers,
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
            let answers = Answers::new(self.shape.response, self.shape.framing);
            self.links.push(Link { socket, state, unsent: 0, answers, in_flight: VecDeque::new() });
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
        link.pump(&self.shape)
    }

    fn handle(&mut self, index: usize, hangup: bool) -> Result<()> {
        let link = &mut self.links[index];
        if matches!(link.state, State::Closed) {
            return Ok(());
        }
        let was_open = link.is_open();
        let Link { socket, state, unsent, answers, in_flight } = link;
        let (shape, running) = (&self.shape, self.running);
        let (mut closed, mut answered) = (false, 0);
        let (latency, mut now) = (&mut self.latency, None);
        let ended = socket.receive(&mut self.scratch, hangup, |input, out| {
            let mut used = 0;
            if let State::Handshake(tls) = state {
                let advance = tls::advance(tls, input, out)?;
                used = advance.used;
                closed |= advance.standing == Standing::PeerClosed;
                if advance.standing == Standing::Established {
                    let records = state.open()?;
                    if let Framing::WebSocket { deflate } = shape.framing {
                        records.seal(&websocket::opening(deflate), out)?;
                    }
                }
            }
            if let State::Open(records) = state {
                let opened = records.open(&mut input[used..], |data| {
                    for _ in 0..answers.take(data)? {
                        let begun = in_flight.pop_front().ok_or_else(|| Failure::new("more than was asked for"))?;
                        // One reading of the clock serves all answers of one wake.
                        let now = *now.get_or_insert_with(Instant::now);
                        latency.record(now.saturating_duration_since(begun).as_micros() as u64);
                        answered += 1;
                    }
                    Ok(())
                })?;
                used += opened.used;
                closed |= opened.closed;
            }
            Ok(used)
        })?;
        self.answered += answered as u64;
        self.outstanding -= answered;
        if running {
            *unsent += answered * shape.request;
            self.outstanding += answered;
        }
        let is_open = link.is_open();
        if is_open && !was_open {
            self.established += 1;
            self.open += 1;
        }
        if ended || closed {
            if !is_open {
                return Err(Failure::new("the server closed before the handshake was done"));
            }
            if !link.in_flight.is_empty() || link.unsent > 0 {
                return Err(Failure::new("the server closed a connection with requests in flight"));
            }
            link.state = State::Closed;
            self.open -= 1;
            return Ok(());
        }
        link.pump(shape)
    }

    /// Says goodbye on every connection; the process's end closes the sockets.
    fn close_all(&mut self) -> Result<()> {
        for link in &mut self.links {
            if let State::Open(records) = &mut link.state {
                if matches!(self.shape.framing, Framing::WebSocket { .. }) {
                    records.seal(&websocket::close(), &mut link.socket.out)?;
                }
                records.close(&mut link.socket.out)?;
                link.socket.flush()?;
            }
        }
        Ok(())
    }
}

impl State {
    /// From the handshake's rustls to the lean record layer.
    fn open(&mut self) -> Result<&mut Records> {
        if let Self::Handshake(tls) = std::mem::replace(self, Self::Closed) {
            *self = Self::Open(Box::new(Records::take_over(*tls)?));
        }
        match self {
            Self::Open(records) => Ok(records),
            _ => Err(Failure::new("a connection that is closed")),
        }
    }
}

impl Link {
    /// Requests may be sent.
    fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_)) && self.answers.is_open()
    }

    /// Encrypts and sends until nothing waits or the socket takes no more. No record holds parts of two requests.
    fn pump(&mut self, Shape { request, content, .. }: &Shape) -> Result<()> {
        while self.socket.flush()? && self.unsent > 0 {
            let State::Open(records) = &mut self.state else { return Ok(()) };
            while self.unsent > 0 && self.socket.out.len() < BATCH {
                let left = match self.unsent % *request {
                    0 => {
                        self.in_flight.push_back(Instant::now());
                        *request
                    }
                    left => left,
                };
                let piece = left.min(MAX_PLAIN);
                records.seal(&content[content.len() - piece..], &mut self.socket.out)?;
                self.unsent -= piece;
            }
        }
        Ok(())
    }
}
