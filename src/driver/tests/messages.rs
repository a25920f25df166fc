use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::sink::{Seen, Sink};
use super::*;
use crate::framing::{Framing, Overflow};
use crate::policy::limits::{CONNECTION_INBOUND, MESSAGE_COST, READ_CHUNK};

fn lines(limit: usize) -> Framing {
    Framing::delimiter(b"\r\n", true, limit, Overflow::Fail).unwrap()
}

fn plain(sink: &Arc<Sink>, framing: Framing) -> (Arc<Server>, SocketAddr) {
    listen(sink, |config| {
        config.start = StartOptions::clear();
        config.framing = Some(framing);
    })
}

/// A server in message mode, and a client and the server's end of one connection without TLS.
fn pair(sink: &Arc<Sink>, framing: Framing) -> (Arc<Server>, TcpStream, Arc<Connection>) {
    let (server, address) = plain(sink, framing);
    let tcp = connect(address);
    let conn = adopted(sink, &server);
    (server, tcp, conn)
}

fn message(text: &str, ended: bool) -> Seen {
    Seen::Message(text.as_bytes().to_vec(), ended)
}

/// Waits until a part of a message waits.
#[track_caller]
fn until_partial(conn: &Connection) {
    until("a part of a message", || conn.has_partial(), std::thread::yield_now);
}

/// Waits for it.
#[track_caller]
fn expect(sink: &Sink, conn: &Connection, wanted: Seen) {
    sink.wait_for(conn.id(), |seen| (*seen == wanted).then_some(()));
}

const SECURE: Seen = Seen::Other("secure");
const CLOSED: Seen = Seen::Other("closed");

#[test]
fn a_message_is_told_behind_the_part_that_it_ends() {
    let sink = Sink::new();
    let (_server, mut tcp, conn) = pair(&sink, lines(100));
    tcp.write_all(b"be").unwrap();
    until_partial(&conn);
    tcp.write_all(b"gun\r\nan").unwrap();
    expect(&sink, &conn, message("begun\r\n", true));
    until_partial(&conn);
    tcp.write_all(b"d done\r\n").unwrap();
    expect(&sink, &conn, message("and done\r\n", true));
    assert!(!sink.told_with_part.load(Ordering::SeqCst) && !conn.has_partial());
}

#[test]
fn plain_tcp_gives_messages_and_the_rest_before_the_end() {
    let sink = Sink::new();
    let (_server, mut tcp, conn) = pair(&sink, lines(100));
    tcp.write_all(b"one\r\ntwo\r\n\r\nre").unwrap();
    expect(&sink, &conn, message("two\r\n", true));
    tcp.write_all(b"st\r").unwrap();
    tcp.shutdown(Shutdown::Write).unwrap();
    expect(&sink, &conn, Seen::Eof { truncated: false });
    let order = [
        SECURE,
        message("one\r\n", true),
        message("two\r\n", true),
        message("\r\n", true),
        message("rest\r", false),
        Seen::Eof { truncated: false },
    ];
    assert_eq!(sink.events(conn.id()), order);
    // The other direction is still open.
    assert_eq!(conn.send(b"answer", 100, true, true), Some(6));
    conn.finish(PATIENCE);
    let mut back = Vec::new();
    tcp.read_to_end(&mut back).unwrap();
    assert_eq!(back, b"answer");
    expect(&sink, &conn, CLOSED);
    assert_eq!(conn.send(b"more", 100, true, true), None);
}

#[test]
fn tls_gives_the_same() {
    let sink = Sink::new();
    let (server, address) = listen(&sink, |config| config.framing = Some(lines(100)));
    let client = std::thread::spawn(move || {
        let mut tls = handshake(Dribble(connect(address)));
        tls.write_all(b"one\r\ntwo\r").unwrap();
        tls.write_all(b"\nrest").unwrap();
        tls.shutdown().unwrap();
        let mut back = Vec::new();
        tls.read_to_end(&mut back).unwrap();
        back
    });
    let conn = adopted(&sink, &server);
    expect(&sink, &conn, Seen::Eof { truncated: false });
    let order = [
        SECURE,
        message("one\r\n", true),
        message("two\r\n", true),
        message("rest", false),
        Seen::Eof { truncated: false },
    ];
    assert_eq!(sink.events(conn.id()), order);
    for _ in 0..10 {
        assert_eq!(conn.send(&[7; 1000], usize::MAX, true, false), Some(1000));
    }
    conn.finish(PATIENCE);
    // To its close_notify.
    assert_eq!(client.join().unwrap(), [7; 10_000]);
    expect(&sink, &conn, CLOSED);
}

#[test]
fn a_message_above_the_limit_ends_the_connection() {
    for with_tls in [false, true] {
        let sink = Sink::new();
        let (server, address) = listen(&sink, |config| {
            config.framing = Some(lines(10));
            if !with_tls {
                config.start = StartOptions::clear();
            }
        });
        let say = |stream: &mut dyn Write| stream.write_all(b"short\r\nmuch too long\r\nshort\r\n").unwrap();
        let mut tcp = connect(address);
        if with_tls {
            say(&mut handshake(tcp));
        } else {
            say(&mut tcp);
            assert_eq!(tcp.read(&mut [0; 1]).unwrap(), 0);
        }
        let conn = adopted(&sink, &server);
        expect(&sink, &conn, CLOSED);
        let order = [SECURE, message("short\r\n", true), Seen::Error("ERR_C4TLS_MESSAGE_TOO_LARGE".into()), CLOSED];
        assert_eq!(sink.events(conn.id()), order);
    }
}

#[test]
fn the_rest_comes_before_a_reset_too() {
    let sink = Sink::new();
    let (_server, mut tcp, conn) = pair(&sink, lines(100));
    tcp.write_all(b"one\r\nre").unwrap();
    expect(&sink, &conn, message("one\r\n", true));
    socket2::SockRef::from(&tcp).set_linger(Some(Duration::ZERO)).unwrap();
    drop(tcp);
    expect(&sink, &conn, CLOSED);
    let order = [SECURE, message("one\r\n", true), message("re", false), Seen::Error("ECONNRESET".into()), CLOSED];
    assert_eq!(sink.events(conn.id()), order);
}

#[test]
fn finish_delivers_everything_to_a_slow_reader() {
    const PIECES: usize = 512;
    let sink = Sink::new();
    let (_server, mut tcp, conn) = pair(&sink, lines(100));
    let mut piece = vec![0; 16 * 1024];
    for number in 0..PIECES {
        piece.fill(number as u8);
        assert_eq!(conn.send(&piece, usize::MAX, true, number == 0), Some(piece.len()));
    }
    assert!(conn.pending() > 0);
    conn.finish(PATIENCE);
    // Read and dropped.
    tcp.write_all(b"late\r\n").unwrap();
    let mut back = vec![0; piece.len()];
    for number in 0..PIECES {
        tcp.read_exact(&mut back).unwrap();
        assert!(back.iter().all(|byte| *byte == number as u8));
        if number % 128 == 0 {
            std::thread::yield_now();
        }
    }
    assert_eq!(tcp.read(&mut back).unwrap(), 0);
    assert!(!sink.has(conn.id(), &CLOSED));
    drop(tcp);
    expect(&sink, &conn, CLOSED);
    assert_eq!(conn.pending(), 0);
    assert!(!sink.has(conn.id(), &message("late\r\n", true)));
}

#[test]
fn finish_does_not_wait_for_ever() {
    // For a peer that takes nothing.
    let sink = Sink::new();
    let (_server, mut tcp, conn) = pair(&sink, lines(100));
    conn.send(&vec![7; 64 << 20], usize::MAX, true, false);
    conn.finish(Duration::from_millis(100));
    expect(&sink, &conn, Seen::Other("closed, with a loss"));
    let error = std::io::copy(&mut tcp, &mut std::io::sink()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    // For a peer that has it all and stays.
    let (_server, mut tcp, conn) = pair(&sink, lines(100));
    conn.send(b"all", usize::MAX, true, false);
    conn.finish(PATIENCE);
    let mut back = Vec::new();
    tcp.read_to_end(&mut back).unwrap();
    expect(&sink, &conn, CLOSED);
    assert_eq!(back, b"all");
}

#[test]
fn a_flood_of_empty_lines_is_bounded() {
    let sink = Sink::new();
    sink.withhold();
    let (_server, mut tcp, conn) = pair(&sink, Framing::lines(100, false));
    tcp.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut sent = 0;
    // Of this much the kernel holds a part at most.
    while let Ok(n) = tcp.write(&[b'\n'; READ_CHUNK]) {
        sent += n;
        assert!(sent < 256 << 20, "nothing holds the sender back");
    }
    assert!(conn.inbound() <= CONNECTION_INBOUND + READ_CHUNK * MESSAGE_COST, "{}", conn.inbound());
    let before = sink.events(conn.id()).len();
    sink.release(&conn);
    while sink.events(conn.id()).len() == before {
        sink.wait_change();
    }
}

#[test]
fn a_send_waits_for_room() {
    const LIMIT: usize = 100_000;
    let sink = Sink::new();
    let (_server, mut tcp, conn) = pair(&sink, lines(100));
    let mut taken = 0;
    loop {
        match conn.send(&[7; 16 * 1024], LIMIT, true, false) {
            // The kernel takes no more either.
            Some(0) if conn.pending() > LIMIT - 16 * 1024 => break,
            n => taken += n.unwrap(),
        }
        assert!(taken < 256 << 20, "nothing holds the sender back");
    }
    // A part of it still fits, or nothing is left of the room.
    taken += conn.send(&[7; LIMIT], LIMIT, false, false).unwrap();
    assert_eq!(conn.send(&[7; 2 * LIMIT], LIMIT, true, false), Some(0));
    std::io::copy(&mut (&mut tcp).take(taken as u64), &mut std::io::sink()).unwrap();
    expect(&sink, &conn, Seen::Other("drain"));
    assert_eq!(conn.send(b"x", LIMIT, true, false), Some(1));
    // Asked for, although nothing waits.
    tcp.read_exact(&mut [0]).unwrap();
    sink.forget(conn.id());
    conn.await_drain();
    expect(&sink, &conn, Seen::Other("drain"));
}

#[test]
fn another_framing_takes_what_is_there() {
    let sink = Sink::new();
    let (_server, mut tcp, conn) = pair(&sink, lines(100));
    tcp.write_all(b"head\r\nabcdefg").unwrap();
    expect(&sink, &conn, message("head\r\n", true));
    conn.set_framing(Framing::record(3).unwrap());
    expect(&sink, &conn, message("def", true));
    tcp.write_all(b"hi").unwrap();
    expect(&sink, &conn, message("ghi", true));
}

#[test]
fn an_idle_connection_is_told_and_closed() {
    let sink = Sink::new();
    let (_server, mut tcp, conn) = pair(&sink, lines(100));
    conn.set_idle_timeout(Duration::from_millis(50));
    expect(&sink, &conn, Seen::Error("ERR_C4TLS_IDLE_TIMEOUT".into()));
    assert_eq!(tcp.read(&mut [0; 1]).unwrap(), 0);
    // Without the limit again.
    let (_server, mut tcp, conn) = pair(&sink, lines(100));
    conn.set_idle_timeout(PATIENCE);
    conn.set_idle_timeout(Duration::ZERO);
    tcp.write_all(b"x\r\n").unwrap();
    expect(&sink, &conn, message("x\r\n", true));
}

#[test]
fn a_close_does_not_wait_for_messages() {
    let sink = Sink::new();
    sink.withhold();
    let (_server, mut tcp, conn) = pair(&sink, Framing::Chunks);
    let said = std::thread::spawn(move || while tcp.write(&[7; READ_CHUNK]).is_ok() {});
    while conn.inbound() < CONNECTION_INBOUND {
        sink.wait_change();
    }
    conn.close(true);
    expect(&sink, &conn, CLOSED);
    said.join().unwrap();
}
