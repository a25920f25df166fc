use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use super::sink::{Seen, Sink};
use super::*;
use crate::driver::WriteStatus;
use crate::engine::{Answer, Question};

/// Sends everything back until the peer ends, then ends too.
fn echo(sink: &Arc<Sink>, conn: &Arc<Connection>, length: usize) {
    conn.read_start();
    until("all that was sent", || sink.data(conn.id()).len() >= length, || sink.wait_change());
    assert_ne!(conn.write(&sink.data(conn.id()), true), WriteStatus::Gone);
}

#[test]
fn a_peer_that_sends_and_reads_a_byte_at_a_time_is_served() {
    let sink = Sink::new();
    let (server, address) = listen(&sink, |_| {});
    let client = std::thread::spawn(move || {
        let mut tls = handshake(Dribble(connect(address)));
        tls.write_all(b"one byte at a time").unwrap();
        let mut back = [0; 18];
        tls.read_exact(&mut back).unwrap();
        tls.shutdown().unwrap();
        back
    });
    let conn = adopted(&sink, &server);
    sink.wait_other(conn.id(), "secure");
    echo(&sink, &conn, 18);
    assert_eq!(&client.join().unwrap(), b"one byte at a time");
    sink.wait_for(conn.id(), |e| (*e == Seen::Eof { truncated: false }).then_some(()));
    conn.shutdown();
    sink.wait_other(conn.id(), "shutdown");
    conn.close(false);
    sink.wait_other(conn.id(), "closed");
    server.close();
    sink.wait_other(server.id(), "pending zero");
    assert_eq!(sink.names(server.id()), ["listener closed", "pending zero"]);
}

#[test]
fn a_client_of_the_platforms_stack_is_served() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let sink = Sink::new();
    let (server, address) = listen(&sink, |_| {});
    let talk = async move {
        let connector = native_tls::TlsConnector::builder().danger_accept_invalid_certs(true).build().unwrap();
        let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
        let mut tls = tokio_native_tls::TlsConnector::from(connector).connect("localhost", tcp).await.unwrap();
        tls.write_all(b"hello").await.unwrap();
        let mut back = [0; 5];
        tls.read_exact(&mut back).await.unwrap();
        back
    };
    let client = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(talk)
    });
    let conn = adopted(&sink, &server);
    sink.wait_other(conn.id(), "secure");
    echo(&sink, &conn, 5);
    assert_eq!(&client.join().unwrap(), b"hello");
}

#[test]
fn a_parked_question_holds_one_handshake_and_no_other() {
    let sink = Sink::new();
    let (server, address) = listen(&sink, |config| {
        config.start.session.hooks = Hooks { client_hello: true, certificate: true, ..Hooks::default() };
    });
    let mut clients = Vec::new();
    let mut conns = Vec::new();
    for _ in 0..2 {
        clients.push(std::thread::spawn(move || drop(handshake(connect(address)))));
        let conn = adopted(&sink, &server);
        sink.wait_for(conn.id(), |e| matches!(e, Seen::Question(Question::ClientHello { .. })).then_some(()));
        conns.push(conn);
        // Claimed: the next wait must find the next one.
        sink.forget(server.id());
    }
    let answer_all = |conn: &Arc<Connection>| {
        conn.answer(Answer::ClientHello { session: None, alpn: None }).unwrap();
        sink.wait_for(conn.id(), |e| matches!(e, Seen::Question(Question::Certificate { .. })).then_some(()));
        conn.answer(Answer::Certificate { context: None, ocsp: None }).unwrap();
        sink.wait_other(conn.id(), "secure");
    };
    // The second goes first: the first one's question holds nobody else.
    answer_all(&conns[1]);
    clients.pop().unwrap().join().unwrap();
    assert!(!sink.names(conns[0].id()).contains(&"secure"));
    answer_all(&conns[0]);
    clients.pop().unwrap().join().unwrap();
}

#[test]
fn a_silent_peer_runs_into_the_handshake_timeout() {
    let sink = Sink::new();
    let (server, address) = listen(&sink, |config| config.start.handshake_timeout = Some(Duration::from_millis(50)));
    let mut tcp = connect(address);
    let conn = adopted(&sink, &server);
    let code = sink.wait_for(conn.id(), |e| if let Seen::Error(code) = e { Some(code.clone()) } else { None });
    assert_eq!(code, "ERR_TLS_HANDSHAKE_TIMEOUT");
    assert_eq!(tcp.read(&mut [0; 16]).unwrap(), 0);
}

#[test]
fn a_flood_of_junk_gets_the_alert_and_then_a_reset() {
    let sink = Sink::new();
    let (_server, address) = listen(&sink, |_| {});
    let mut tcp = connect(address);
    // Of this much the kernel holds a part at most, so the last of it fails with the reset; so does reading on.
    let flood = tcp.write_all(&vec![42; 64 << 20]).unwrap_err();
    assert!(matches!(flood.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe), "{flood}");
    let mut alert = [0; 7];
    tcp.read_exact(&mut alert).unwrap();
    assert_eq!((alert[0], alert[5]), (21, 2));
}

#[test]
fn junk_gets_an_alert_and_a_fin_and_no_reset() {
    let sink = Sink::new();
    let (server, address) = listen(&sink, |_| {});
    let mut tcp = connect(address);
    // More than the server reads before it fails: what stays unread must not turn the close into a reset.
    tcp.write_all(&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(4000)).unwrap();
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).unwrap();
    // Alert record, fatal.
    assert_eq!((answer.len(), answer[0], answer[5]), (7, 21, 2), "{answer:02x?}");
    let conn = adopted(&sink, &server);
    let code = sink.wait_for(conn.id(), |e| if let Seen::Error(code) = e { Some(code.clone()) } else { None });
    assert_eq!(code, "ERR_SSL_HTTP_REQUEST");
    tcp.shutdown(Shutdown::Write).unwrap();
    sink.wait_other(conn.id(), "closed");
    assert_eq!(server.pending(), 0);
}

#[test]
fn closing_with_a_reset_reaches_the_peer_as_one() {
    let sink = Sink::new();
    let (server, address) = listen(&sink, |_| {});
    let mut tls = handshake(connect(address));
    let conn = adopted(&sink, &server);
    sink.wait_other(conn.id(), "secure");
    conn.close(true);
    sink.wait_other(conn.id(), "closed");
    let error = loop {
        match tls.get_mut().read(&mut [0; 4096]) {
            Ok(0) => panic!("a FIN, not a reset"),
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(conn.write(b"late", true), WriteStatus::Gone);
}

#[test]
fn what_was_written_before_a_close_arrives() {
    for light in [true, false] {
        let sink = Sink::new();
        let (server, address) = listen(&sink, |_| {});
        let mut tls = handshake(connect(address));
        let conn = adopted(&sink, &server);
        sink.wait_other(conn.id(), "secure");
        conn.write(b"last words", light);
        conn.close(false);
        let mut words = [0; 10];
        tls.read_exact(&mut words).unwrap();
        assert_eq!(&words, b"last words");
    }
}

#[test]
fn an_aborted_server_leaves_no_connection_behind() {
    for _ in 0..20 {
        let sink = Sink::new();
        let (server, address) = listen(&sink, |_| {});
        let mut peers: Vec<_> = (0..8).map(|_| connect(address)).collect();
        // Some of them are accepted by now, some are not.
        server.abort();
        for tcp in &mut peers {
            // FIN or reset, but no silence.
            assert_eq!(tcp.read(&mut [0; 1]).unwrap_or(0), 0);
        }
    }
}

#[test]
fn connections_above_the_limit_are_dropped() {
    let sink = Sink::new();
    let (server, address) = listen(&sink, |config| config.max_connections = 1);
    let first = handshake(connect(address));
    let conn = adopted(&sink, &server);
    let mut second = connect(address);
    sink.wait_for(server.id(), |e| (*e == Seen::Drop).then_some(()));
    assert_eq!(second.read(&mut [0; 1]).unwrap_or(0), 0);
    drop(first);
    conn.close(false);
    sink.wait_other(conn.id(), "closed");
}

#[test]
fn an_eager_server_waits_to_be_told() {
    let sink = Sink::new();
    let (server, address) = listen(&sink, |config| config.eager = true);
    let client = std::thread::spawn(move || drop(handshake(connect(address))));
    let conn = adopted(&sink, &server);
    assert!(sink.names(conn.id()).is_empty());
    conn.start(options(context(), Role::Server, Hooks::default()));
    sink.wait_other(conn.id(), "secure");
    client.join().unwrap();
}

#[test]
fn a_fin_without_close_notify_is_told_or_refused() {
    for strict in [false, true] {
        let sink = Sink::new();
        let (server, address) = listen(&sink, |config| config.start.strict_eof = strict);
        let tls = handshake(connect(address));
        let conn = adopted(&sink, &server);
        sink.wait_other(conn.id(), "secure");
        conn.read_start();
        tls.get_ref().shutdown(Shutdown::Write).unwrap();
        let end = sink.wait_for(conn.id(), |e| match e {
            Seen::Eof { .. } | Seen::Error(_) => Some(e.clone()),
            _ => None,
        });
        match strict {
            false => assert_eq!(end, Seen::Eof { truncated: true }),
            true => assert_eq!(end, Seen::Error("ERR_SSL_UNEXPECTED_EOF_WHILE_READING".to_owned())),
        }
    }
}

#[test]
fn a_shard_rests_while_its_owner_is_behind_and_only_then() {
    use std::sync::atomic::Ordering;

    let sink = Sink::new();
    let (_server, mut client, conn) = reading(&sink);
    let mut sent = 0;
    let mut say = || {
        client.write_all(b"x").unwrap();
        sent += 1;
        while sink.data(conn.id()).len() < sent {
            sink.wait_change();
        }
    };
    // The sink refuses a rest that nobody has reason for.
    (0..20).for_each(|_| say());
    assert_eq!(sink.rests.load(Ordering::Acquire), 0);

    sink.behind.store(true, Ordering::Release);
    until("the shard rests", || sink.rests.load(Ordering::Acquire) > 0, say);
    conn.close(false);
    sink.wait_other(conn.id(), "closed");
}

#[cfg(unix)]
#[test]
fn connections_that_somebody_else_accepted_are_served() {
    use std::os::fd::AsRawFd;

    for eager in [false, true] {
        let sink = Sink::new();
        let outer = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = outer.local_addr().unwrap();
        let mut config = config();
        config.eager = eager;
        let server = Server::start(sink.clone(), Listener::Handed, config).unwrap();
        assert!(server.address().is_none());
        let client = std::thread::spawn(move || drop(handshake(connect(address))));
        let accepted = outer.accept().unwrap().0;
        server.hand_over(accepted.as_raw_fd()).unwrap();
        // The caller's descriptor is its own, and so is the end of it; what is on its way counts.
        drop(accepted);
        server.close();
        let conn = adopted(&sink, &server);
        assert_eq!(conn.local_address().unwrap().port, address.port());
        if eager {
            conn.start(options(context(), Role::Server, Hooks::default()));
        }
        sink.wait_other(conn.id(), "secure");
        client.join().unwrap();
        sink.wait_other(server.id(), "pending zero");
        assert!(server.hand_over(-1).is_err() && server.hand_over(i32::MAX).is_err());
    }
}
