//! Every bound on what the core holds, with its reason. ARCHITECTURE.md ("Limits") has them in one table with those of the
//! JavaScript side, of OpenSSL and of the kernel.

use std::time::Duration;

use once_cell::sync::Lazy;

/// Clear bytes of one connection that may wait for JavaScript, in bytes. Above it the socket is not read; the read under
/// way may go beyond it by one `READ_CHUNK`. Large enough that a download fills a batch while JavaScript works on the one
/// before; small enough that one upload leaves room for 60 others in `ENVIRONMENT_INBOUND`.
pub const CONNECTION_INBOUND: usize = 256 * 1024;

/// What a message counts beyond its bytes, in bytes: the words that describe it on its way to JavaScript. A flood of empty
/// lines is bounded by it: one read of them, the largest there is, makes 1 MiB of descriptors.
pub const MESSAGE_COST: usize = 16;

/// The longest unfinished message of a framing that names no limit, in bytes. Far above any line protocol's; small enough
/// that a thousand peers that never end theirs hold a gigabyte, and no more.
pub const MESSAGE_LIMIT: usize = 1024 * 1024;

/// The longest delimiter, in bytes. What may be the beginning of one is held on top of the message's limit; delimiters of
/// real protocols have a few bytes, multipart boundaries up to 74.
pub const DELIMITER_LENGTH: usize = 64 * 1024;

/// Events of all connections that may wait for one JavaScript thread, in bytes: payloads and descriptors. Above it no
/// connection of that thread reads, whatever its own share: a thousand uploads into a blocked event loop hold no more than
/// sixty do. The batch that JavaScript has taken and works on may be as large again.
pub const ENVIRONMENT_INBOUND: usize = 16 * 1024 * 1024;

/// A write of at most this many bytes may be encrypted and sent by the JavaScript thread itself: one TLS record, some
/// microseconds of encryption. Larger writes are the threads' work, and they encrypt in steps of this size.
pub const DIRECT_WRITE: usize = 16 * 1024;

/// A batch of at most this many events counts as light load: writes then go straight through. Measured with 64
/// connections that echo 1 KiB: 11.7 µs CPU a message, against 15.1 when every write is handed to the threads.
pub const DIRECT_WRITE_BATCH: usize = 64;

/// Ciphertext of one connection that may wait for its socket, in bytes. Above it nothing more is encrypted, and the write
/// is not acknowledged: four full records, enough for one system call. The record under way may go beyond it. Clear bytes
/// in front of it are at most one slice of `lib/tls/outbox.js`.
pub const CIPHERTEXT_BACKLOG: usize = 64 * 1024;

/// A file is read in blocks of this many bytes, and two of a connection are under way at a time: one is sent while the next
/// is read. As much as `CIPHERTEXT_BACKLOG`, which takes it at once.
pub const FILE_BLOCK: usize = 64 * 1024;

/// Bytes of a file from one report of progress to the next. A fast one is reported some thousand times a second.
pub const FILE_PROGRESS: u64 = 256 * 1024;

/// Threads of each shard that read files, for one block at a time. As many as libuv has: disks gain little from more, and
/// a file system that hangs keeps no more.
pub const FILE_THREADS: usize = 4;

/// Ciphertext of one connection above which its peer is not read, in bytes. What the program writes never comes so far, so
/// two sides that write and do not read hold each other up no sooner than without TLS. Above it are answers that the peer
/// asks for and does not take: TLS 1.3 answers each request for new keys, a WebSocket each ping. Pings and pongs of the
/// program count too, and are refused then.
pub const ANSWER_BACKLOG: usize = 2 * CIPHERTEXT_BACKLOG;

/// Bytes taken from a socket in one read: four full records, so that a fast peer costs few system calls. A session
/// reads into a buffer of its thread's, which it gives back when it has used what came; clear text has another. Connections
/// that wait have none.
pub const READ_CHUNK: usize = 64 * 1024;

/// Clear bytes in a record whose sender may have limited its records (RFC 6066, `setMaxSendFragment`). Where the owner
/// minds records such a one is an event of its own; shorter ones are joined, so that a byte a record costs no more events.
pub const LEAST_FRAGMENT: usize = 512;

/// Ciphertext kept while a handshake waits for an answer of JavaScript, in bytes. The read under way may go beyond it by
/// one `READ_CHUNK`. A ClientHello may have 128 KiB, but nothing of sense follows it before our answer.
pub const PARKED_INPUT: usize = 128 * 1024;

/// What a JavaScript stream hands us and we have not used yet may be this many bytes before the stream is told to pause;
/// the chunk that reaches it is still taken. Two chunks of a `net.Socket`, so that it need not pause for each. The other
/// way, one piece of at most `CIPHERTEXT_BACKLOG` and a record is with the stream at a time.
pub const DUPLEX_INBOX: usize = 128 * 1024;

/// A payload of at least this many bytes gets a buffer of its own, so that a slice that JavaScript keeps pins little.
/// Smaller ones share one: a buffer for each would cost more than its content.
pub const OWN_BUFFER: usize = 8 * 1024;

/// After a fatal alert: how long the peer's data is still read and dropped, so that the kernel does not answer it with a
/// reset that destroys the alert on its way. Long enough for a peer on the other side of the world, short enough that
/// failing on purpose holds no sockets.
pub const LINGER_TIME: Duration = Duration::from_secs(1);

/// After `finish`: how long the peer's FIN is waited for behind ours. The same second, for the same reasons.
pub const FINISH_TIME: Duration = LINGER_TIME;

/// A WebSocket whose closing handshake is over, or that has failed: its peer may take nothing of what waits for this long,
/// our Close frame last, before it gets a reset. A slow phone's network needs a second or two.
pub const CLOSE_STALL: Duration = Duration::from_secs(5);

/// A WebSocket's opening handshake, TLS included, unless the listener says otherwise: what TLS alone may take in Node.
pub const UPGRADE_TIME: Duration = Duration::from_secs(120);

/// A peer that was quiet for this long after its last byte has had its alert.
pub const LINGER_QUIET: Duration = Duration::from_millis(200);

/// A peer that was quiet for this long behind the alert gets the FIN: whoever waits for the end need not wait for the
/// close. Not at once: a peer that reads the FIN while it floods us does not see the reset any more.
pub const LINGER_FIN: Duration = Duration::from_millis(20);

/// Bytes that are dropped in that time. An upload that was on its way when the handshake failed has about this much in
/// flight; who sends more is not read any more, and gets a reset when the alert has had its time.
pub const LINGER_BYTES: usize = 256 * 1024;

/// Session tickets of TLS 1.3 wait this long for the server's first write, to leave in one segment with it. A connection
/// that is still there then goes over to a session that takes less memory.
pub const FIRST_MOMENT: Duration = Duration::from_millis(3);

/// Events that wait for one JavaScript thread are passed on when their thread runs out of work; before a step that is
/// slow (a handshake's), also when they have waited this long.
pub const FLUSH_DELAY: Duration = Duration::from_micros(250);

/// So many events are passed on at once, whatever comes behind them: the JavaScript thread has enough to begin with.
pub const FLUSH_EVENTS: usize = 64;

/// A shard whose JavaScript thread is behind rests until that thread takes the next batch, but no longer than this: other
/// connections and timers of the shard wait too. Measured with 64 connections that echo 1 KiB: 0.07 waits of the kernel a
/// message instead of 0.5, 8% less CPU, a fifth more messages.
pub const SHARD_REST: Duration = Duration::from_micros(250);

/// A JavaScript thread that has borrowed a shard and does not come back to it for so long loses it again: other connections
/// and timers wait meanwhile. Each look of the thread that sleeps costs some 20 µs: from one to the next it waits twice as long, up to
/// `LOAN_MOST`.
pub const LOAN: Duration = Duration::from_millis(1);
pub const LOAN_MOST: Duration = Duration::from_millis(4);

/// So long a shard is not lent again after a task that was too slow for it.
pub const LOAN_PAUSE: Duration = Duration::from_millis(100);

/// Most threads of a process that lends its shards to the JavaScript thread. With more there is a core to spare: two
/// threads then do more than one, for more CPU time a message.
const LENDING_THREADS: usize = 2;

/// Whether shards are lent.
pub fn lends() -> bool {
    // Tests have it on every machine.
    static LENDS: Lazy<bool> = Lazy::new(|| cfg!(test) || threads() <= LENDING_THREADS);
    *LENDS
}

/// Threads that connections live on: one per core, unless the environment variable `C4TLS_THREADS` says otherwise
/// (1 to 256).
pub fn threads() -> usize {
    let wanted = std::env::var("C4TLS_THREADS").ok().and_then(|text| text.parse().ok());
    let cores = || std::thread::available_parallelism().map_or(1, |n| n.get());
    wanted.unwrap_or_else(cores).clamp(1, 256)
}

/// How long accepting rests when the process is out of file descriptors: the connection that cannot be accepted stays
/// ready, and without a rest the thread would spin on it. Short against a client's patience.
pub const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Peers that a UDP socket knows at a time. Whoever was quiet longest is forgotten for a new one: more than the devices
/// of a large house or a floor, and a flood of false sender addresses costs some 200 KiB.
pub const PEERS: usize = 1_000;

/// A UDP peer that has neither sent nor been sent a datagram for this long is forgotten. What RFC 4787 (REQ-5) recommends
/// to routers for their own tables: behind one, an answer finds no way any more after it.
pub const PEER_IDLE: Duration = Duration::from_secs(300);

/// Datagrams that a UDP socket takes before the others of its shard have their turn; fewer when they come to
/// `CONNECTION_INBOUND` bytes. Enough for one wake-up to carry many, some 0.1 ms of work.
pub const DATAGRAM_TURN: usize = 64;
