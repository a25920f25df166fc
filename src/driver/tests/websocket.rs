//! WebSockets over real sockets; the client's side is the same protocol in the client's role.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::sink::{Seen, Sink};
use super::*;
use crate::driver::{broadcast, Part, Taken, WebSocketOptions};
use crate::framing::websocket::{Agreed, Config, DeflateOptions, Direction, Event as Heard, Kind, Limits, Session};
use crate::framing::websocket::{EncodeError, Role as Side};
use crate::policy::limits::{ANSWER_BACKLOG, CONNECTION_INBOUND, MESSAGE_COST, READ_CHUNK};

const REQUEST: &str = "GET /chat?x=1 HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
const SECURE: Seen = Seen::Other("secure");
const CLOSED: Seen = Seen::Other("closed");
/// Text, first, last.
const TEXT: [bool; 3] = [true, true, true];

/// Compression without takeover, both ways.
const AGREED: Agreed = {
    let direction = Direction { takeover: false, window_bits: 15 };
    Agreed { server: direction, client: direction }
};

fn whole() -> Config {
    Config { whole: true, ..Config::new(Side::Server) }
}

fn options(config: Config) -> WebSocketOptions {
    WebSocketOptions { config, handshake_timeout: None }
}

fn plain(sink: &Arc<Sink>, options: WebSocketOptions) -> (Arc<Server>, SocketAddr) {
    listen(sink, |config| {
        config.start = StartOptions::clear();
        config.websocket = Some(Arc::new(options));
    })
}

/// What a client has heard.
#[derive(Debug, Clone, PartialEq)]
enum Told {
    Message(Kind, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    End,
}

struct Client<S> {
    stream: S,
    session: Session,
    told: Vec<Told>,
}

impl<S: Read + Write> Client<S> {
    /// Sends the request and reads the whole response.
    fn open(mut stream: S, lines: &str) -> Self {
        stream.write_all(format!("{REQUEST}{lines}\r\n").as_bytes()).unwrap();
        let head = read_head(&mut stream);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let agreed = head.contains("permessage-deflate").then_some(AGREED);
        let config = Config { max_frame: 1 << 20, whole: true, ..Config::new(Side::Client) };
        Client { stream, session: Session::new(&config, agreed), told: Vec::new() }
    }

    fn say(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    fn frames(&mut self, make: impl FnOnce(&mut Session, &mut Vec<u8>) -> Result<(), EncodeError>) {
        let mut frames = Vec::new();
        make(&mut self.session, &mut frames).unwrap();
        self.say(&frames);
    }

    fn text(&mut self, text: &str) {
        self.frames(|session, out| session.message(Kind::Text, text.as_bytes(), out));
    }

    /// Be it the answer.
    fn close(&mut self, code: u16, reason: &str) {
        let mut frame = Vec::new();
        Session::new(&Config::new(Side::Client), None).close(Some(code), reason, &mut frame).unwrap();
        self.say(&frame);
    }

    /// The next thing that it hears.
    fn hear(&mut self) -> Told {
        while self.told.is_empty() {
            let mut bytes = vec![0; 16 * 1024];
            let count = self.stream.read(&mut bytes).unwrap();
            if count == 0 {
                return Told::End;
            }
            let told = &mut self.told;
            // Nothing is answered.
            let used = self.session.receive(&mut bytes[..count], &Instant::now, &mut Vec::new(), &mut |heard| {
                told.push(match heard {
                    Heard::Data(data) => Told::Message(data.kind, data.bytes.to_vec()),
                    Heard::Ping(payload) => Told::Ping(payload.to_vec()),
                    Heard::Pong { payload, .. } => Told::Pong(payload.to_vec()),
                    Heard::Close { code, reason } => Told::Close(code, reason.to_owned()),
                });
                ControlFlow::Continue(())
            });
            assert_eq!(used, Ok(count));
        }
        self.told.remove(0)
    }
}

fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn asked(sink: &Sink, conn: &Connection) {
    sink.wait_for(conn.id(), |seen| matches!(seen, Seen::Upgrade(_)).then_some(()));
}

/// A server and both ends of an open WebSocket.
fn pair(sink: &Arc<Sink>, options: WebSocketOptions, lines: &str) -> (Arc<Server>, Client<TcpStream>, Arc<Connection>) {
    let (server, address) = plain(sink, options);
    let (client, conn) = another(sink, &server, address, lines);
    (server, client, conn)
}

fn another(
    sink: &Arc<Sink>,
    server: &Server,
    address: SocketAddr,
    lines: &str,
) -> (Client<TcpStream>, Arc<Connection>) {
    sink.forget(server.id());
    let tcp = connect(address);
    let lines = lines.to_owned();
    let opening = std::thread::spawn(move || Client::open(tcp, &lines));
    let conn = adopted(sink, server);
    asked(sink, &conn);
    conn.accept_upgrade(None, "").unwrap();
    (opening.join().unwrap(), conn)
}

fn send(conn: &Arc<Connection>, text: &str) -> Taken {
    conn.send_message(part(text.as_bytes()), usize::MAX, true).unwrap()
}

fn part(bytes: &[u8]) -> Part<'_> {
    Part { kind: Kind::Text, bytes, last: true, compress: true }
}

fn text(text: &str) -> Seen {
    Seen::Part(text.as_bytes().to_vec(), TEXT)
}

#[track_caller]
fn expect(sink: &Sink, conn: &Connection, wanted: Seen) {
    sink.wait_for(conn.id(), |seen| (*seen == wanted).then_some(()));
}

fn close_frame(sink: &Sink, conn: &Connection) -> (u16, String) {
    sink.wait_for(conn.id(), |seen| match seen {
        Seen::CloseFrame(code, reason) => Some((*code, reason.clone())),
        _ => None,
    })
}

/// A client that sends one byte at a time, and gets an answer to each message.
fn talks(sink: &Arc<Sink>, server: &Server, stream: impl Read + Write + Send + 'static) {
    let client = std::thread::spawn(move || {
        let mut client = Client::open(stream, "Sec-WebSocket-Protocol: a, b\r\n");
        client.text("one");
        client.frames(|session, out| session.ping_with(b"are you there?", out));
        client.frames(|session, out| session.part(Kind::Binary, b"t", false, out));
        client.frames(|session, out| session.part(Kind::Binary, b"wo", true, out));
        client.close(3000, "enough");
        std::iter::from_fn(|| Some(client.hear()).filter(|told| *told != Told::End)).collect::<Vec<_>>()
    });
    let conn = adopted(sink, server);
    asked(sink, &conn);
    conn.accept_upgrade(Some("b"), "X-More: yes\r\n").unwrap();
    assert_eq!(close_frame(sink, &conn), (3000, "enough".to_owned()));
    // In answer to what came before.
    assert_eq!(send(&conn, "one, two"), Taken::Whole);
    assert!(conn.answer_close());
    assert_eq!(send(&conn, "late"), Taken::Gone);
    expect(sink, &conn, CLOSED);
    let order = [
        SECURE,
        Seen::Upgrade("/chat?x=1".into()),
        Seen::Opened(String::new()),
        text("one"),
        Seen::Ping(b"are you there?".to_vec()),
        Seen::Part(b"two".to_vec(), [false, true, true]),
        Seen::CloseFrame(3000, "enough".into()),
        Seen::Other("shutdown"),
    ];
    assert_eq!(sink.events(conn.id())[..order.len()], order);
    let heard = [
        Told::Pong(b"are you there?".to_vec()),
        Told::Message(Kind::Text, b"one, two".to_vec()),
        Told::Close(Some(3000), String::new()),
    ];
    assert_eq!(client.join().unwrap(), heard);
}

#[test]
fn messages_go_both_ways_a_byte_at_a_time() {
    let sink = Sink::new();
    let (server, address) = plain(&sink, options(whole()));
    talks(&sink, &server, Dribble(connect(address)));
    let (server, address) = listen(&sink, |config| config.websocket = Some(Arc::new(options(whole()))));
    talks(&sink, &server, handshake(Dribble(connect(address))));
}

#[test]
fn parts_come_as_they_arrive() {
    let sink = Sink::new();
    let (_server, mut client, conn) = pair(&sink, options(Config::new(Side::Server)), "");
    client.frames(|session, out| session.part(Kind::Text, b"be", false, out));
    expect(&sink, &conn, Seen::Part(b"be".to_vec(), [true, true, false]));
    client.frames(|session, out| session.part(Kind::Text, b"gin", true, out));
    expect(&sink, &conn, Seen::Part(b"gin".to_vec(), [true, false, true]));
    // Together from the next on.
    conn.set_whole(true);
    client.frames(|session, out| session.part(Kind::Text, b"be", false, out));
    client.frames(|session, out| session.part(Kind::Text, b"fore", true, out));
    expect(&sink, &conn, text("before"));
}

#[test]
fn parts_go_as_they_are_sent() {
    let sink = Sink::new();
    let (_server, mut client, conn) = pair(&sink, options(whole()), "");
    let say = |bytes, last| conn.send_message(Part { last, ..part(bytes) }, usize::MAX, true);
    assert_eq!(say(b"be", false), Ok(Taken::Whole));
    let binary = Part { kind: Kind::Binary, ..part(b"x") };
    assert_eq!(conn.send_message(binary, usize::MAX, true), Err(EncodeError::MessageOpen));
    conn.pong(b"in between").unwrap();
    assert_eq!(say(b"", false), Ok(Taken::Whole));
    assert_eq!(say(b"gin", true), Ok(Taken::Whole));
    assert_eq!(client.hear(), Told::Pong(b"in between".to_vec()));
    assert_eq!(client.hear(), Told::Message(Kind::Text, b"begin".to_vec()));
    conn.set_max_frame(2);
    send(&conn, "abcde");
    let mut frames = [0; 11];
    client.stream.read_exact(&mut frames).unwrap();
    assert_eq!(frames, *b"\x01\x02ab\x00\x02cd\x80\x01e");
}

#[test]
fn requests_are_refused() {
    for (request, status) in [
        (format!("POST{}\r\n", &REQUEST[3..]), 405),
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 426),
        (format!("{}{}\r\n", REQUEST, "Sec-WebSocket-Protocol: a,,a\r\n"), 400),
        (format!("{REQUEST}X: {}\r\n\r\n", "x".repeat(300)), 431),
        ("\x16\x03\x01".to_owned(), 400),
    ] {
        let sink = Sink::new();
        let config = Config { limits: Limits { head_bytes: 300, ..Limits::default() }, ..whole() };
        let (server, address) = plain(&sink, options(config));
        let mut tcp = connect(address);
        tcp.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let conn = adopted(&sink, &server);
        drop(tcp);
        expect(&sink, &conn, CLOSED);
        assert_eq!(sink.events(conn.id())[..2], [SECURE, Seen::Error(format!("ERR_C4TLS_UPGRADE_{status}"))]);
    }
}

#[test]
fn the_owner_may_refuse() {
    let sink = Sink::new();
    let (server, address) = plain(&sink, options(whole()));
    let mut tcp = connect(address);
    tcp.write_all(format!("{REQUEST}\r\n").as_bytes()).unwrap();
    let conn = adopted(&sink, &server);
    asked(&sink, &conn);
    // Nothing of these leaves.
    for headers in ["X: a\r\n\r\nHTTP/1.1 200 OK\r\n", "X: a\nY: b", "X y: z", "Upgrade: x"] {
        assert_eq!(conn.accept_upgrade(None, headers).unwrap_err().code, "ERR_C4TLS_UPGRADE_RESPONSE");
    }
    assert_eq!(conn.accept_upgrade(Some("chat"), "").unwrap_err().code, "ERR_C4TLS_UPGRADE_RESPONSE");
    assert_eq!(conn.reject_upgrade(401, Some("a\r\nb"), "", b"").unwrap_err().code, "ERR_C4TLS_UPGRADE_RESPONSE");
    assert_eq!(send(&conn, "early"), Taken::Gone);
    conn.reject_upgrade(401, Some("Who are you?"), "WWW-Authenticate: Basic\r\n", b"no").unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).unwrap();
    let head = "HTTP/1.1 401 Who are you?\r\nWWW-Authenticate: Basic\r\nConnection: close\r\nContent-Length: 2";
    assert_eq!(answer, format!("{head}\r\n\r\nno"));
    assert_eq!(conn.accept_upgrade(None, ""), Ok(()));
    drop(tcp);
    expect(&sink, &conn, CLOSED);
    assert!(!sink.has(conn.id(), &Seen::Opened(String::new())));
}

#[test]
fn the_opening_handshake_takes_no_longer_than_it_may() {
    let sink = Sink::new();
    let timeout = Duration::from_millis(100);
    let (server, address) = plain(&sink, WebSocketOptions { handshake_timeout: Some(timeout), ..options(whole()) });
    for (request, status) in [(REQUEST.to_owned(), 408), (format!("{REQUEST}\r\n"), 503)] {
        sink.forget(server.id());
        let mut tcp = connect(address);
        tcp.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let conn = adopted(&sink, &server);
        expect(&sink, &conn, Seen::Error(format!("ERR_C4TLS_UPGRADE_{status}")));
        drop(tcp);
        expect(&sink, &conn, CLOSED);
    }
    // One that does not even begin with TLS.
    let (_server, tls) = listen(&sink, |config| {
        config.websocket = Some(Arc::new(WebSocketOptions { handshake_timeout: Some(timeout), ..options(whole()) }));
    });
    assert_eq!(connect(tls).read(&mut [0; 1]).unwrap(), 0);
    // One that is open may be silent.
    let (mut client, conn) = another(&sink, &server, address, "");
    std::thread::sleep(timeout * 2);
    client.text("still here");
    expect(&sink, &conn, text("still here"));
}

#[test]
fn what_a_client_sends_before_the_answer_waits() {
    let sink = Sink::new();
    let (server, address) = plain(&sink, options(whole()));
    let mut tcp = connect(address);
    let mut early = format!("{REQUEST}\r\n").into_bytes();
    let mut session = Session::new(&Config::new(Side::Client), None);
    session.message(Kind::Text, b"early", &mut early).unwrap();
    tcp.write_all(&early).unwrap();
    let conn = adopted(&sink, &server);
    asked(&sink, &conn);
    early.clear();
    session.message(Kind::Text, b"later", &mut early).unwrap();
    tcp.write_all(&early).unwrap();
    conn.accept_upgrade(None, "").unwrap();
    expect(&sink, &conn, text("later"));
    let order = [Seen::Opened(String::new()), text("early"), text("later")];
    assert_eq!(sink.events(conn.id())[2..], order);
}

#[test]
fn a_failure_is_told_behind_the_answers_to_what_came_before() {
    let sink = Sink::new();
    let (_server, mut client, conn) = pair(&sink, options(whole()), "");
    let mut both = Vec::new();
    client.session.message(Kind::Text, b"fine", &mut both).unwrap();
    // Without a mask.
    both.extend_from_slice(b"\x81\x01x");
    client.say(&both);
    assert_eq!(close_frame(&sink, &conn).0, 1002);
    assert_eq!(sink.events(conn.id())[3..5], [text("fine"), Seen::Error("ERR_C4TLS_WEBSOCKET".into())]);
    send(&conn, "to fine");
    conn.answer_close();
    assert_eq!(client.hear(), Told::Message(Kind::Text, b"to fine".to_vec()));
    assert!(matches!(client.hear(), Told::Close(Some(1002), reason) if !reason.is_empty()));
    // The server ends TCP, although the client has not.
    assert_eq!(client.hear(), Told::End);
    expect(&sink, &conn, CLOSED);
}

#[test]
fn an_owner_that_does_not_answer_is_not_waited_for() {
    let sink = Sink::new();
    let (_server, mut client, conn) = pair(&sink, options(whole()), "");
    client.close(1000, "");
    assert_eq!(client.hear(), Told::Close(Some(1000), String::new()));
    assert_eq!(client.hear(), Told::End);
    expect(&sink, &conn, CLOSED);
}

#[test]
fn a_client_that_never_closes_is_closed() {
    let sink = Sink::new();
    let (_server, mut client, conn) = pair(&sink, options(whole()), "");
    assert!(conn.close_websocket(Some(1005), "", PATIENCE).is_err());
    conn.close_websocket(Some(1001), "going", Duration::from_millis(100)).unwrap();
    assert_eq!(send(&conn, "behind it"), Taken::Gone);
    client.text("still heard");
    expect(&sink, &conn, text("still heard"));
    assert_eq!(client.hear(), Told::Close(Some(1001), "going".into()));
    assert_eq!(client.hear(), Told::End);
    expect(&sink, &conn, CLOSED);
    // One that does.
    let (_server, mut client, conn) = pair(&sink, options(whole()), "");
    conn.close_websocket(None, "", PATIENCE).unwrap();
    assert_eq!(client.hear(), Told::Close(None, String::new()));
    client.close(1000, "as you like");
    assert_eq!(close_frame(&sink, &conn), (1000, "as you like".into()));
    assert_eq!(client.hear(), Told::End);
    expect(&sink, &conn, CLOSED);
    // One that is not waited for.
    let (_server, mut client, conn) = pair(&sink, options(whole()), "");
    conn.close_websocket(Some(4999), "", Duration::ZERO).unwrap();
    assert_eq!(client.hear(), Told::Close(Some(4999), String::new()));
    assert_eq!(client.hear(), Told::End);
    expect(&sink, &conn, CLOSED);
}

#[test]
fn endless_messages_end() {
    let limits = Limits { message: 10_000, frame: 1_000, fragments: 20, ..Limits::default() };
    for whole in [false, true] {
        for (length, code) in [(1_001, 1009), (1_000, 1009), (100, 1008)] {
            let sink = Sink::new();
            let config = Config { whole, limits, ..self::whole() };
            let (_server, mut client, conn) = pair(&sink, options(config), "");
            for _ in 0..21 {
                let mut frames = Vec::new();
                client.session.part(Kind::Binary, &vec![0; length], false, &mut frames).unwrap();
                // It may be closed already.
                let _ = client.stream.write_all(&frames);
            }
            assert_eq!(close_frame(&sink, &conn).0, code, "{length}");
            assert!(conn.answer_close());
            expect(&sink, &conn, CLOSED);
        }
    }
}

#[test]
fn a_flood_of_pings_that_takes_no_pongs_is_held_up() {
    let sink = Sink::new();
    let limits = Limits { control_frames: u32::MAX, ..Limits::default() };
    let (_server, mut client, conn) = pair(&sink, options(Config { limits, ..whole() }), "");
    client.stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut ping = Vec::new();
    client.session.ping_with(&[7; 125], &mut ping).unwrap();
    let mut flood = ping.repeat(512);
    let (mut sent, mut at) = (0, 0);
    // Of this much the kernel holds a part at most.
    while let Ok(n) = client.stream.write(&flood[at..]) {
        sent += n;
        at = (at + n) % flood.len();
        assert!(sent < 256 << 20, "nothing holds the sender back");
    }
    assert!(conn.pending() <= 2 * ANSWER_BACKLOG + READ_CHUNK, "{}", conn.pending());
    // Who reads gets all of them.
    let rest = ping.len() - sent % ping.len();
    let mut reader = client.stream.try_clone().unwrap();
    let pongs = sent.div_ceil(ping.len());
    let reading = std::thread::spawn(move || {
        let mut bytes = vec![0; pongs * 127];
        reader.read_exact(&mut bytes).map(|()| bytes.chunks(127).all(|pong| pong[..3] == [0x8a, 125, 7]))
    });
    client.stream.set_write_timeout(Some(PATIENCE)).unwrap();
    if rest < ping.len() {
        client.say(&ping[ping.len() - rest..]);
    }
    assert!(reading.join().unwrap().unwrap());
    // Too many a second are too many.
    flood.truncate(ping.len() * 11);
    let limits = Limits { control_frames: 10, ..Limits::default() };
    let (_server, mut client, conn) = pair(&sink, options(Config { limits, ..whole() }), "");
    client.say(&flood);
    assert_eq!(close_frame(&sink, &conn).0, 1008);
}

#[test]
fn a_flood_of_empty_messages_is_bounded() {
    let sink = Sink::new();
    let (_server, mut client, conn) = pair(&sink, options(whole()), "");
    sink.withhold();
    client.stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut empty = Vec::new();
    client.session.message(Kind::Binary, b"", &mut empty).unwrap();
    let flood = empty.repeat(10_000);
    let mut sent = 0;
    while let Ok(n) = client.stream.write(&flood[sent % flood.len()..]) {
        sent += n;
        assert!(sent < 256 << 20, "nothing holds the sender back");
    }
    assert!(conn.inbound() <= CONNECTION_INBOUND + MESSAGE_COST, "{}", conn.inbound());
    let before = sink.events(conn.id()).len();
    sink.release(&conn);
    while sink.events(conn.id()).len() == before {
        sink.wait_change();
    }
    assert_eq!(sink.events(conn.id())[before], Seen::Part(Vec::new(), [false, true, true]));
}

#[test]
fn what_inflates_waits_for_room_and_the_end_behind_it() {
    const SIZE: usize = 8 << 20;
    let sink = Sink::new();
    let limits = Limits { message: SIZE as u64, ..Limits::default() };
    let (_server, mut client, conn) = pair(&sink, options(Config { limits, ..Config::new(Side::Server) }), OFFER);
    expect(
        &sink,
        &conn,
        Seen::Opened("permessage-deflate; server_no_context_takeover; client_no_context_takeover".into()),
    );
    sink.withhold();
    client.frames(|session, out| session.message(Kind::Binary, &vec![7; SIZE], out));
    client.stream.shutdown(Shutdown::Write).unwrap();
    while conn.inbound() < CONNECTION_INBOUND {
        sink.wait_change();
    }
    assert!(conn.inbound() <= CONNECTION_INBOUND + READ_CHUNK, "{}", conn.inbound());
    assert!(!sink.has(conn.id(), &Seen::Eof { truncated: false }));
    sink.release(&conn);
    expect(&sink, &conn, CLOSED);
    let events = sink.events(conn.id());
    let size: usize = events.iter().map(|seen| if let Seen::Part(bytes, _) = seen { bytes.len() } else { 0 }).sum();
    assert_eq!(size, SIZE);
    let end = events.iter().position(|seen| *seen == Seen::Eof { truncated: false }).unwrap();
    assert!(matches!(&events[end - 1], Seen::Part(_, [false, false, true])));
    // A bomb.
    let limits = Limits { message: 100_000, ..Limits::default() };
    let (_server, mut client, conn) = pair(&sink, options(Config { limits, ..whole() }), OFFER);
    client.frames(|session, out| session.message(Kind::Binary, &vec![7; SIZE], out));
    assert_eq!(close_frame(&sink, &conn).0, 1009);
}

#[test]
fn compressed_messages_keep_their_place() {
    let sink = Sink::new();
    let (_server, mut client, conn) = pair(&sink, options(whole()), OFFER);
    let long = "long ".repeat(40_000);
    for number in 0..20 {
        assert_eq!(send(&conn, &long), Taken::Whole);
        assert_eq!(send(&conn, &number.to_string()), Taken::Whole);
        let as_is = Part { compress: false, ..part(long.as_bytes()) };
        assert_eq!(conn.send_message(as_is, usize::MAX, number == 0), Ok(Taken::Whole));
    }
    conn.close_websocket(Some(1000), "done", PATIENCE).unwrap();
    let reading = std::thread::spawn(move || {
        for number in 0..20 {
            assert_eq!(client.hear(), Told::Message(Kind::Text, "long ".repeat(40_000).into_bytes()));
            assert_eq!(client.hear(), Told::Message(Kind::Text, number.to_string().into_bytes()));
            assert_eq!(client.hear(), Told::Message(Kind::Text, "long ".repeat(40_000).into_bytes()));
        }
        assert_eq!(client.hear(), Told::Close(Some(1000), "done".into()));
        client.close(1000, "");
        assert_eq!(client.hear(), Told::End);
    });
    reading.join().unwrap();
    expect(&sink, &conn, CLOSED);
}

#[test]
fn a_slow_reader_holds_up_who_sends() {
    const LIMIT: usize = 100_000;
    for lines in ["", OFFER] {
        let sink = Sink::new();
        let (_server, mut client, conn) = pair(&sink, options(whole()), lines);
        // Not compressible enough to vanish.
        let message: String = (0..20_000_u32).map(|n| char::from(b' ' + (n.wrapping_mul(n) % 89) as u8)).collect();
        let mut taken = 0;
        while conn.send_message(part(message.as_bytes()), LIMIT, true) == Ok(Taken::Whole) {
            taken += 1;
            assert!(taken < 100_000, "nothing holds the sender back");
        }
        assert!(conn.pending() <= LIMIT + ANSWER_BACKLOG, "{}", conn.pending());
        assert_eq!(conn.send_message(part(&[b'x'; 2 * LIMIT]), LIMIT, true), Ok(Taken::Full));
        for _ in 0..taken {
            assert_eq!(client.hear(), Told::Message(Kind::Text, message.clone().into_bytes()));
        }
        expect(&sink, &conn, Seen::Other("drain"));
        // Nothing waits: it may be longer than the limit.
        assert_eq!(conn.send_message(part(&[b'x'; 2 * LIMIT]), LIMIT, true), Ok(Taken::Whole));
        assert_eq!(client.hear(), Told::Message(Kind::Text, vec![b'x'; 2 * LIMIT]));
    }
}

#[test]
fn pings_are_numbered_until_they_are_answered() {
    let sink = Sink::new();
    let limits = Limits { pings: 2, ..Limits::default() };
    let (_server, mut client, conn) = pair(&sink, options(Config { limits, ..whole() }), "");
    assert_eq!((conn.ping(), conn.ping()), (Ok(1), Ok(2)));
    assert_eq!(conn.ping().unwrap_err().code, "ERR_C4TLS_TOO_MANY_PINGS");
    conn.ping_with(b"nobody waits").unwrap();
    assert!(conn.ping_with(&[0; 126]).is_err());
    let Told::Ping(payload) = client.hear() else { panic!("no ping") };
    client.frames(|session, out| session.pong(&payload, out));
    client.frames(|session, out| session.pong(&payload, out));
    expect(&sink, &conn, Seen::Pong(payload.clone(), Some(1)));
    expect(&sink, &conn, Seen::Pong(payload, None));
    assert_eq!(conn.ping(), Ok(3));
    // What the peer does not take has a bound.
    let refused = (0..1_000_000).find_map(|_| conn.pong(&[0; 125]).err());
    assert_eq!(refused.map(|error| error.code), Some("ERR_C4TLS_TOO_MANY_PINGS".into()));
}

#[test]
fn a_broadcast_reaches_those_that_are_open() {
    let sink = Sink::new();
    let (server, address) = plain(&sink, options(Config { deflate: DeflateOptions::default(), ..whole() }));
    let (mut one, first) = another(&sink, &server, address, "");
    let (mut two, second) = another(&sink, &server, address, OFFER);
    let (mut three, third) = another(&sink, &server, address, "");
    third.close_websocket(Some(1000), "", PATIENCE).unwrap();
    sink.forget(server.id());
    let _asking = {
        let mut tcp = connect(address);
        tcp.write_all(REQUEST.as_bytes()).unwrap();
        tcp
    };
    let fourth = adopted(&sink, &server);
    let message = "to everybody ".repeat(1_000);
    let all = [first.clone(), second, third, fourth];
    assert_eq!(broadcast(all.iter(), part(message.as_bytes()), usize::MAX), 2);
    let heard = Told::Message(Kind::Text, message.clone().into_bytes());
    assert_eq!(one.hear(), heard);
    assert_eq!(two.hear(), heard);
    assert_eq!(three.hear(), Told::Close(Some(1000), String::new()));
    // Whoever has no room gets none of it.
    let full = |_: &usize| broadcast([first.clone()].iter(), part(message.as_bytes()), 100_000) == 0;
    assert!((0..100_000).find(full).is_some());
    one.hear();
    sink.wait_for(first.id(), |_| Some(()));
    // Nor whoever is within a message, a part of which may wait for its compression.
    let (mut five, fifth) = another(&sink, &server, address, OFFER);
    let beginning = Part { last: false, ..part(message.as_bytes()) };
    assert_eq!(fifth.send_message(beginning, usize::MAX, true), Ok(Taken::Whole));
    assert_eq!(broadcast([fifth.clone()].iter(), part(message.as_bytes()), usize::MAX), 0);
    assert_eq!(send(&fifth, "the end"), Taken::Whole);
    assert_eq!(five.hear(), Told::Message(Kind::Text, format!("{message}the end").into_bytes()));
}

#[test]
fn a_file_is_one_message_in_its_place() {
    // More than the kernel takes for a client that does not read yet.
    const SIZE: usize = 12 << 20;
    let file = tempfile();
    std::fs::write(&file, vec![7; SIZE]).unwrap();
    for lines in ["", OFFER] {
        let sink = Sink::new();
        let (_server, mut client, conn) = pair(&sink, options(whole()), lines);
        let long = "long ".repeat(10_000);
        send(&conn, &long);
        assert!(conn.send_file(file.clone()));
        assert!(!conn.send_file(file.clone()));
        assert_eq!(send(&conn, &long), Taken::Whole);
        assert_eq!(send(&conn, "short"), Taken::Whole);
        conn.close_websocket(Some(1000), "", PATIENCE).unwrap();
        let text = |text: &str| Told::Message(Kind::Text, text.as_bytes().to_vec());
        let order = [text(&long), Told::Message(Kind::Binary, vec![7; SIZE]), text(&long), text("short")];
        for wanted in order {
            assert!(client.hear() == wanted);
        }
        assert_eq!(client.hear(), Told::Close(Some(1000), String::new()));
    }
    std::fs::remove_file(&file).unwrap();
    // What cannot be read is no message.
    let sink = Sink::new();
    let (_server, mut client, conn) = pair(&sink, options(whole()), "");
    assert!(conn.send_file(file));
    send(&conn, "behind");
    assert_eq!(client.hear(), Told::Message(Kind::Text, b"behind".to_vec()));
}

fn tempfile() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("c4tls-websocket-{}", std::process::id()))
}

#[test]
fn an_abrupt_end_is_no_close() {
    let sink = Sink::new();
    let (_server, mut client, conn) = pair(&sink, options(whole()), "");
    client.frames(|session, out| session.part(Kind::Text, b"unfinished", false, out));
    drop(client);
    expect(&sink, &conn, CLOSED);
    assert!(!sink.events(conn.id()).iter().any(|seen| matches!(seen, Seen::CloseFrame(..) | Seen::Part(..))));
}
