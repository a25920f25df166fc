use std::ffi::c_int;
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::Ordering;

use foreign_types_shared::ForeignTypeRef;
use openssl::error::ErrorStack;

use super::sink::Sink;
use super::*;
use crate::driver::WriteStatus;
use crate::policy::limits::{ANSWER_BACKLOG, CONNECTION_INBOUND, READ_CHUNK};

/// Writes until the peer takes no more; how many bytes that were.
fn fill(tls: &mut SslStream<TcpStream>) -> usize {
    tls.get_ref().set_nonblocking(true).unwrap();
    let mut sent = 0;
    let mut blocked = 0;
    while blocked < 20 {
        match tls.write(&[7; 16 * 1024]) {
            Ok(n) => {
                sent += n;
                blocked = 0;
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                blocked += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(e) => panic!("{e}"),
        }
        assert!(sent < 256 << 20, "nothing holds the sender back");
    }
    sent
}

#[test]
fn a_reader_that_does_not_read_holds_the_sender_back() {
    let sink = Sink::new();
    let (server, address) = listen(&sink, |config| config.paused = true);
    let mut tls = handshake(connect(address));
    let conn = adopted(&sink, &server);
    sink.wait_other(conn.id(), "secure");
    fill(&mut tls);
    assert_eq!(sink.data(conn.id()).len(), 0);
}

#[test]
fn what_waits_for_javascript_is_bounded() {
    let sink = Sink::new();
    sink.withhold();
    let (server, address) = listen(&sink, |_| {});
    let mut tls = handshake(connect(address));
    let conn = adopted(&sink, &server);
    conn.read_start();
    let sent = fill(&mut tls);
    let waiting = sink.data(conn.id()).len();
    assert!(waiting <= CONNECTION_INBOUND + READ_CHUNK, "{waiting} of {sent}");
    assert_eq!(conn.inbound(), waiting);
    // Taken at last: reading goes on.
    conn.consumed();
    until("more data", || sink.data(conn.id()).len() > waiting, || sink.wait_change());
}

#[test]
fn records_are_joined_unless_the_owner_minds_them() {
    for (minds, chunks) in [(false, vec![1_830]), (true, vec![600, 700, 512, 18])] {
        let sink = Sink::new();
        sink.minds_records.store(minds, Ordering::Relaxed);
        let (server, address) = listen(&sink, |config| config.paused = true);
        let mut tls = handshake(connect(address));
        for length in [600, 700, 512, 9, 9] {
            tls.write_all(&vec![b'x'; length]).unwrap();
        }
        let conn = adopted(&sink, &server);
        conn.read_start();
        let whole: usize = chunks.iter().sum();
        while sink.data(conn.id()).len() < whole {
            sink.wait_change();
        }
        assert_eq!(sink.chunks(conn.id()), chunks);
    }
}

#[test]
fn a_write_is_done_when_the_kernel_has_it() {
    let sink = Sink::new();
    let (server, address) = listen(&sink, |_| {});
    let mut tls = handshake(connect(address));
    let conn = adopted(&sink, &server);
    sink.wait_other(conn.id(), "secure");
    // A shard that has the connection in its hands just now sends it instead.
    let mut small = 1;
    while conn.write(b"small", true) == WriteStatus::Pending {
        sink.wait_other(conn.id(), "drain");
        sink.forget(conn.id());
        small += 1;
        assert!(small < 1000, "never sent at once");
    }

    // More than socket buffers hold.
    let large = vec![5; 32 << 20];
    assert_eq!(conn.write(&large, true), WriteStatus::Pending);
    let mut first = vec![0; 5 * small];
    tls.read_exact(&mut first).unwrap();
    assert!(!sink.names(conn.id()).contains(&"drain"), "nobody has read it yet");
    let mut rest = vec![0; large.len()];
    tls.read_exact(&mut rest).unwrap();
    assert!(rest == large);
    sink.wait_other(conn.id(), "drain");
}

extern "C" {
    fn SSL_key_update(ssl: *mut openssl_sys::SSL, kind: c_int) -> c_int;
}

/// A peer may ask for new keys as often as it likes, and OpenSSL answers each time.
#[test]
fn answers_that_nobody_reads_hold_the_sender_back() {
    const UPDATE_REQUESTED: c_int = 1;
    let sink = Sink::new();
    // With a key log the session stays OpenSSL's; our own record layer answers once for many requests.
    let (server, address) = listen(&sink, |config| config.start.session.hooks.keylog = true);
    let tls = handshake(connect(address));
    let conn = adopted(&sink, &server);
    conn.read_start();
    sink.wait_other(conn.id(), "secure");
    tls.get_ref().set_nonblocking(true).unwrap();
    let ssl = tls.ssl().as_ptr();
    let (mut asked, mut blocked) = (0, 0);
    let mut writing = false;
    while blocked < 20 {
        // A byte between two requests, since too many in a row are an error. What is on its way goes on first.
        // SAFETY: `ssl` is live, and nobody else uses it.
        let sent = unsafe {
            writing = writing || {
                SSL_key_update(ssl, UPDATE_REQUESTED);
                openssl_sys::SSL_do_handshake(ssl) == 1
            };
            writing && openssl_sys::SSL_write(ssl, c"x".as_ptr().cast(), 1) == 1
        };
        drop(ErrorStack::get());
        if sent {
            asked += 1;
            blocked = 0;
            writing = false;
        } else {
            blocked += 1;
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(asked < 1_000_000, "nothing holds the sender back");
    }
    let waiting = conn.with_session(|s| s.output().len()).unwrap();
    assert!(waiting < 2 * ANSWER_BACKLOG, "{waiting} of {asked} answers");
}
