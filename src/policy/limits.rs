//! Every bound on what the core holds, with its reason.

use std::time::Duration;

/// Clear bytes of one connection that may wait for JavaScript, in bytes. Above it the socket is not read. Large enough
/// that a download fills a batch while JavaScript works on the one before; small enough that 1,000 uploads stay under
/// 256 MiB.
pub const CONNECTION_INBOUND: usize = 256 * 1024;

/// Clear bytes of all connections that may wait for one JavaScript thread, in bytes. Above it no connection of that
/// thread reads, whatever its own share.
pub const ENVIRONMENT_INBOUND: usize = 16 * 1024 * 1024;

/// A write of at most this many bytes may be encrypted and sent by the JavaScript thread itself: one TLS record.
pub const DIRECT_WRITE: usize = 16 * 1024;

/// A batch of at most this many events counts as light load: writes then go straight through. Measured with 64
/// connections that echo 1 KiB: 11.7 µs CPU a message, against 15.1 when every write is handed to the threads.
pub const DIRECT_WRITE_BATCH: usize = 64;

/// Ciphertext of one connection that may wait for its socket, in bytes. Above it nothing more is encrypted: four full
/// records, enough for one system call.
pub const CIPHERTEXT_BACKLOG: usize = 64 * 1024;

/// Bytes taken from a socket in one read.
pub const READ_CHUNK: usize = 64 * 1024;

/// Ciphertext kept while a handshake waits for an answer of JavaScript, in bytes. A ClientHello may have 128 KiB, but
/// nothing of sense follows it before our answer.
pub const PARKED_INPUT: usize = 128 * 1024;

/// Ciphertext handed to a JavaScript stream and not yet written by it is one piece of `CIPHERTEXT_BACKLOG`; what such a
/// stream hands us and we have not used yet may be this many bytes before it is told to pause.
pub const DUPLEX_INBOX: usize = 128 * 1024;

/// A payload of at least this many bytes gets a buffer of its own, so that a slice that JavaScript keeps pins little.
pub const OWN_BUFFER: usize = 8 * 1024;

/// After a fatal alert: how long and for how many bytes the peer's data is still read and dropped, so that the kernel
/// does not answer it with a reset that destroys the alert on its way. A peer that was quiet for `LINGER_QUIET` has had
/// its alert.
pub const LINGER_TIME: Duration = Duration::from_secs(1);
pub const LINGER_QUIET: Duration = Duration::from_millis(200);
pub const LINGER_BYTES: usize = 256 * 1024;

/// Session tickets of TLS 1.3 wait this long for the server's first write, to leave in one segment with it. A connection
/// that is still there then goes over to a session that takes less memory.
pub const FIRST_MOMENT: Duration = Duration::from_millis(3);

/// Events that wait for one JavaScript thread are passed on when their thread runs out of work; before a step that is
/// slow (a handshake's), also when they have waited this long.
pub const FLUSH_DELAY: Duration = Duration::from_micros(250);

/// With so many events waiting for a JavaScript thread that has not taken the last ones, a shard without work rests for
/// `REST` instead of waking for every byte that comes in.
pub const BEHIND_EVENTS: usize = 8;
pub const REST: Duration = Duration::from_micros(50);

/// So many events are passed on at once, whatever comes behind them.
pub const FLUSH_EVENTS: usize = 64;

/// Threads that connections live on: one per core, unless the environment variable `C4TLS_THREADS` says otherwise
/// (1 to 256).
pub fn threads() -> usize {
    let wanted = std::env::var("C4TLS_THREADS").ok().and_then(|text| text.parse().ok());
    let cores = || std::thread::available_parallelism().map_or(1, |n| n.get());
    wanted.unwrap_or_else(cores).clamp(1, 256)
}

/// How long accepting rests when the process is out of file descriptors.
pub const ACCEPT_REST: Duration = Duration::from_millis(100);
