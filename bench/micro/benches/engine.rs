//! The engine without sockets: handshakes, each side's share apart, and a server's encryption and decryption.
//!
//! TLS 1.3 with TLS_AES_128_GCM_SHA256, and X25519 but where the name says otherwise: what `bench/load` negotiates.

use std::hint::black_box;
use std::time::{Duration, Instant};

use c4tls_micro::credentials::{generate_certificate, KeyType};
use c4tls_micro::engine::{
    Context, Forgive, Handshake, Hooks, Read, Renegotiation, Role, SessionConfig, SessionEvent, TlsSession, Verify,
};
use c4tls_micro::policy::limits;
use criterion::{criterion_group, criterion_main, BatchSize, BenchmarkId, Criterion, Throughput};

const TLS1_3: u16 = 0x0304;
const MIB: usize = 1 << 20;
/// Clear bytes of a measurement, which come to the engine in pieces of [`limits::DIRECT_WRITE`].
const SIZES: [(&str, usize); 4] = [("64 B", 64), ("1 KiB", 1024), ("16 KiB", 16 * 1024), ("1 MiB", MIB)];

/// A server's context and a client's that trusts it.
struct Contexts {
    server: Context,
    client: Context,
}

impl Contexts {
    fn new(key: KeyType, groups: &str) -> Self {
        let id = generate_certificate(&["localhost".to_owned()], 1, key).expect("a certificate");
        let server = Context::new(None, TLS1_3, TLS1_3).expect("a context");
        server.set_cert(id.cert.as_bytes()).expect("the certificate");
        server.set_key(id.key.as_bytes(), None).expect("its key");
        server.set_session_id_context("bench").expect("a name");
        let client = Context::new(None, TLS1_3, TLS1_3).expect("a context");
        client.add_ca_cert(id.cert.as_bytes()).expect("the certificate");
        client.set_cipher_suites("TLS_AES_128_GCM_SHA256").expect("a suite");
        client.set_ecdh_curve(groups).expect("a group");
        Contexts { server, client }
    }

    /// A handshake to its end, tickets included.
    fn connect(&self, ticket: Option<&[u8]>) -> Pair {
        let mut client = Peer::open(&self.client, Role::Client, ticket);
        let mut server = Peer::open(&self.server, Role::Server, None);
        let mut flight = client.step(&[]);
        while !flight.is_empty() {
            let answer = server.step(&flight);
            flight = client.step(&answer);
        }
        assert!(client.done && server.done);
        Pair { client, server }
    }

    /// A session to resume.
    fn ticket(&self) -> Vec<u8> {
        self.connect(None).client.ticket.expect("a ticket")
    }
}

struct Pair {
    client: Peer,
    server: Peer,
}

/// A session and the time that it has taken.
struct Peer {
    session: Box<dyn TlsSession>,
    done: bool,
    ticket: Option<Vec<u8>>,
    spent: Duration,
}

impl Peer {
    fn open(context: &Context, role: Role, ticket: Option<&[u8]>) -> Self {
        let config = SessionConfig {
            role,
            verify: Verify::default(),
            forgive: Forgive::default(),
            alpn: Vec::new(),
            servername: None,
            session: ticket.map(<[u8]>::to_vec),
            request_ocsp: false,
            hooks: Hooks { sessions: role == Role::Client, ..Hooks::default() },
            psk_identity_hint: None,
            sni: None,
            renegotiation: Renegotiation { limit: 3, window: Duration::from_secs(600), disabled: false, ask: false },
        };
        let begin = Instant::now();
        let session = context.session(config).expect("a session");
        Peer { session, done: false, ticket: None, spent: begin.elapsed() }
    }

    /// Does what a connection's task does with bytes from its socket; gives the answer.
    fn step(&mut self, input: &[u8]) -> Vec<u8> {
        let begin = Instant::now();
        self.session.feed(input);
        if !self.done {
            self.done = self.session.handshake(begin).expect("a handshake") == Handshake::Done;
        }
        if self.done {
            // A client's tickets come behind the handshake.
            let read = self.session.read(&mut [0; 64], &|| begin).expect("a handshake");
            assert_eq!(read, Read::Pending);
        }
        while let Some(event) = self.session.poll_event() {
            if let SessionEvent::NewSession { session, .. } = event {
                self.ticket = Some(session);
            }
        }
        let output = std::mem::take(self.session.output());
        self.spent += begin.elapsed();
        output
    }

    /// Frees the session and gives the time of its whole life.
    fn close(self) -> Duration {
        let begin = Instant::now();
        drop(self.session);
        self.spent + begin.elapsed()
    }
}

fn handshakes(c: &mut Criterion) {
    let mut group = c.benchmark_group("handshake");
    for (name, key, groups, resumed) in [
        ("P-256", KeyType::Ec, "X25519", false),
        ("P-256, X25519MLKEM768", KeyType::Ec, "X25519MLKEM768", false),
        ("RSA-2048", KeyType::Rsa, "X25519", false),
        ("resumed", KeyType::Ec, "X25519", true),
    ] {
        let contexts = Contexts::new(key, groups);
        let ticket = resumed.then(|| contexts.ticket());
        let Pair { client, server } = contexts.connect(ticket.as_deref());
        assert_eq!((client.session.session_reused(), server.session.session_reused()), (resumed, resumed));
        for (side, role) in [("server", Role::Server), ("client", Role::Client)] {
            group.bench_function(BenchmarkId::new(name, side), |b| {
                b.iter_custom(|times| {
                    let life = |_| {
                        let Pair { client, server } = contexts.connect(ticket.as_deref());
                        match role {
                            Role::Server => server.close(),
                            Role::Client => client.close(),
                        }
                    };
                    (0..times).map(life).sum()
                })
            });
        }
    }
    group.finish();
}

/// Encrypts `data` as a task does, up to its backlog at a time; `send` takes the ciphertext.
fn encrypt(session: &mut dyn TlsSession, data: &[u8], mut send: impl FnMut(&[u8])) {
    for piece in data.chunks(limits::DIRECT_WRITE) {
        assert_eq!(session.write(piece).expect("encryption"), piece.len());
        if session.output().len() >= limits::CIPHERTEXT_BACKLOG {
            send(session.output());
            session.output().clear();
        }
    }
    send(session.output());
    session.output().clear();
}

/// Decrypts as a task does, as much at a time as it reads from its socket; gives the number of clear bytes.
fn decrypt(session: &mut dyn TlsSession, ciphertext: &[u8], clear: &mut [u8], clock: &dyn Fn() -> Instant) -> usize {
    let mut total = 0;
    for chunk in ciphertext.chunks(limits::READ_CHUNK) {
        session.feed(chunk);
        let mut filled = 0;
        while let Read::Data(n) = session.read(&mut clear[filled..], clock).expect("decryption") {
            total += n;
            filled = (filled + n) % clear.len();
        }
    }
    total
}

fn records(c: &mut Criterion) {
    let contexts = Contexts::new(KeyType::Ec, "X25519");
    let mut group = c.benchmark_group("encrypt");
    for (name, size) in SIZES {
        let mut server = contexts.connect(None).server.session;
        let data = vec![b'x'; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                encrypt(&mut *server, &data, |bytes| {
                    black_box(bytes);
                })
            })
        });
    }
    group.finish();

    let mut group = c.benchmark_group("decrypt");
    for (name, size) in SIZES {
        let Pair { client, server } = contexts.connect(None);
        let (mut client, mut server) = (client.session, server.session);
        let data = vec![b'x'; size];
        let mut clear = vec![0; limits::READ_CHUNK];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(name, |b| {
            let prepare = || {
                let mut ciphertext = Vec::new();
                encrypt(&mut *client, &data, |bytes| ciphertext.extend_from_slice(bytes));
                ciphertext
            };
            b.iter_batched_ref(
                prepare,
                |ciphertext| assert_eq!(decrypt(&mut *server, ciphertext, &mut clear, &Instant::now), size),
                BatchSize::NumIterations((MIB / size) as u64),
            )
        });
    }
    group.finish();
}

criterion_group!(benches, handshakes, records);
criterion_main!(benches);
