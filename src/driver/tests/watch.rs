use std::io::{Read, Write};

use super::sink::{Seen, Sink};
use super::*;
use crate::engine::{Answer, Question};
use crate::framing::Framing;

const SHORT: Duration = Duration::from_millis(50);

fn failed(sink: &Sink, conn: &Connection) -> Option<String> {
    sink.events(conn.id()).into_iter().find_map(|event| if let Seen::Error(code) = event { Some(code) } else { None })
}

fn wait_for_failure(sink: &Sink, conn: &Connection) -> String {
    sink.wait_for(conn.id(), |event| if let Seen::Error(code) = event { Some(code.clone()) } else { None })
}

/// A client that says nothing, and how its handshake ends: until then a `limit` has passed.
fn silent_client(sink: &Arc<Sink>, limit: Duration) {
    let (server, address) = listen(sink, |config| config.start.handshake_inactivity = Some(limit));
    let mut tcp = connect(address);
    let conn = adopted(sink, &server);
    assert_eq!(wait_for_failure(sink, &conn), "ERR_TLS_HANDSHAKE_TIMEOUT");
    assert_eq!(tcp.read(&mut [0; 16]).unwrap(), 0);
}

#[test]
fn a_silent_peer_is_not_waited_for_in_the_handshake() {
    silent_client(&Sink::new(), SHORT);
}

#[test]
fn a_handshake_that_waits_for_its_owner_is_not_the_peers_silence() {
    let sink = Sink::new();
    let (server, address) = listen(&sink, |config| {
        config.start.handshake_inactivity = Some(SHORT);
        config.start.session.hooks.certificate = true;
    });
    let client = std::thread::spawn(move || {
        let mut tls = handshake(connect(address));
        let end = tls.read(&mut [0; 1]);
        end.unwrap_or(0)
    });
    let conn = adopted(&sink, &server);
    sink.wait_for(conn.id(), |e| matches!(e, Seen::Question(Question::Certificate { .. })).then_some(()));
    // So that the limit has passed more than once.
    silent_client(&sink, 3 * SHORT);
    assert_eq!(failed(&sink, &conn), None);
    conn.answer(Answer::Certificate { context: None, ocsp: None }).unwrap();
    sink.wait_other(conn.id(), "secure");
    // Nor does it count afterwards.
    silent_client(&sink, 3 * SHORT);
    assert_eq!(failed(&sink, &conn), None);
    conn.close(false);
    assert_eq!(client.join().unwrap(), 0);
}

#[test]
fn a_peer_that_is_slow_and_not_silent_is_waited_for() {
    const LIMIT: Duration = Duration::from_millis(400);
    let sink = Sink::new();
    let (server, address) = listen(&sink, |config| config.start.handshake_inactivity = Some(LIMIT));
    let mut tcp = connect(address);
    // A handshake record of many bytes.
    tcp.write_all(&[22, 3, 1, 0x20, 0, 1, 0, 0x1f, 0xfc]).unwrap();
    let other = std::thread::spawn({
        let sink = sink.clone();
        move || silent_client(&sink, LIMIT)
    });
    while !other.is_finished() {
        tcp.write_all(&[3]).unwrap();
        sink.wait_change();
    }
    other.join().unwrap();
    // Nobody has heard of it before it fails.
    assert!(sink.events(server.id()).is_empty());
    let conn = adopted(&sink, &server);
    assert_eq!(wait_for_failure(&sink, &conn), "ERR_TLS_HANDSHAKE_TIMEOUT");
}

#[test]
fn connections_come_with_an_idle_timeout() {
    for with_tls in [false, true] {
        let sink = Sink::new();
        let (server, address) = listen(&sink, |config| {
            config.framing = Some(Framing::Chunks);
            config.idle_timeout = SHORT;
            if !with_tls {
                config.start = StartOptions::clear();
            }
        });
        let tcp = connect(address);
        let _tls = with_tls.then(|| handshake(tcp.try_clone().unwrap()));
        let conn = adopted(&sink, &server);
        assert_eq!(wait_for_failure(&sink, &conn), "ERR_C4TLS_IDLE_TIMEOUT");
        sink.wait_other(conn.id(), "closed");
    }
}

fn plain(sink: &Arc<Sink>) -> (Arc<Server>, TcpStream, Arc<Connection>) {
    let (server, address) = listen(sink, |config| {
        config.start = StartOptions::clear();
        config.framing = Some(Framing::Chunks);
    });
    let tcp = connect(address);
    let conn = adopted(sink, &server);
    (server, tcp, conn)
}

#[test]
fn an_idle_timeout_that_comes_back_begins_anew() {
    const LIMIT: Duration = Duration::from_millis(400);
    let sink = Sink::new();
    let (_server, mut tcp, conn) = plain(&sink);
    conn.set_idle_timeout(LIMIT);
    tcp.write_all(b"x").unwrap();
    sink.wait_for(conn.id(), |event| matches!(event, Seen::Message(..)).then_some(()));
    conn.set_idle_timeout(Duration::ZERO);
    silent_client(&sink, LIMIT);
    conn.set_idle_timeout(LIMIT);
    conn.await_drain();
    sink.wait_other(conn.id(), "drain");
    assert_eq!(failed(&sink, &conn), None);
}

#[test]
fn a_kernel_that_takes_nothing_is_told_once() {
    const STALLED: Seen = Seen::Other("stalled");
    let sink = Sink::new();
    let (_server, mut tcp, conn) = plain(&sink);
    conn.set_stall_timeout(SHORT);
    // Nothing waits.
    silent_client(&sink, 3 * SHORT);
    assert!(!sink.has(conn.id(), &STALLED));
    let large = vec![7; 64 << 20];
    assert_eq!(conn.send(&large, usize::MAX, true, false), Some(large.len()));
    sink.wait_for(conn.id(), |event| (*event == STALLED).then_some(()));
    sink.forget(conn.id());
    silent_client(&sink, 3 * SHORT);
    assert!(sink.events(conn.id()).is_empty(), "told again");
    // Something leaves, and then nothing again.
    let mut back = vec![0; 32 << 20];
    tcp.read_exact(&mut back).unwrap();
    sink.wait_for(conn.id(), |event| (*event == STALLED).then_some(()));
    sink.forget(conn.id());
    // Asked for anew.
    conn.set_stall_timeout(SHORT);
    sink.wait_for(conn.id(), |event| (*event == STALLED).then_some(()));
    sink.forget(conn.id());
    conn.set_stall_timeout(Duration::ZERO);
    conn.await_drain();
    tcp.read_exact(&mut back).unwrap();
    sink.wait_other(conn.id(), "drain");
    assert_eq!(sink.events(conn.id()), [Seen::Other("drain")]);
}
