//! The opening handshake.

use super::*;
use crate::framing::websocket::negotiate::negotiate;

const LINES: [&str; 6] = [
    "GET /chat?x=1 HTTP/1.1",
    "Host: server.example.com",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
];

/// The usual request with other lines: each replaces the one of its name, or removes it when it has no value. What has no
/// such line, or begins with a plus, is added.
fn with(lines: &[&str]) -> Vec<u8> {
    let name = |line: &str| line.split([':', ' ']).next().unwrap().to_ascii_lowercase();
    let mut all: Vec<String> = LINES.map(str::to_owned).to_vec();
    for line in lines {
        let at = all.iter().position(|other| name(other) == name(line));
        match at {
            Some(at) if line.ends_with(':') => _ = all.remove(at),
            Some(at) => all[at] = (*line).to_owned(),
            _ => all.push(line.trim_start_matches('+').to_owned()),
        }
    }
    (all.join("\r\n") + "\r\n\r\n").into_bytes()
}

/// Whole, a byte at a time and cut at each place: the same.
fn read(bytes: &[u8]) -> Result<Request, Refusal> {
    let expected = Upgrade::default().push(bytes);
    for cut in 0..bytes.len() {
        let mut upgrade = Upgrade::default();
        let (one, two) = bytes.split_at(cut);
        let result = match upgrade.push(one) {
            Ok(None) => upgrade.push(two).map(|found| found.map(|(request, used)| (request, used + cut))),
            other => other,
        };
        assert_eq!(result, expected);
    }
    let mut upgrade = Upgrade::default();
    let single = bytes.chunks(1).find_map(|byte| upgrade.push(byte).transpose());
    assert_eq!(single.clone().unwrap().map(|(request, _)| request), expected.clone().map(|found| found.unwrap().0));
    expected.map(|found| found.unwrap().0)
}

fn status(bytes: &[u8]) -> u16 {
    let refusal = read(bytes).expect_err("a refusal");
    let response = String::from_utf8(refusal.response()).unwrap();
    assert!(response.starts_with(&format!("HTTP/1.1 {} ", refusal.status)), "{response}");
    assert!(response.contains("\r\nConnection: close"));
    let body = if refusal.bodiless { "" } else { refusal.message };
    assert!(response.ends_with(&format!("\r\nContent-Length: {}\r\n\r\n{body}", body.len())));
    refusal.status
}

fn response(bytes: &[u8]) -> String {
    String::from_utf8(read(bytes).expect_err("a refusal").response()).unwrap()
}

#[test]
fn the_example_of_the_rfc() {
    let request = read(&with(&[
        "Origin: http://example.com",
        "Sec-WebSocket-Protocol: chat, superchat",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-other;a=\"b\"",
        "Cookie: a=\u{e9}",
    ]))
    .unwrap();
    assert_eq!((&*request.uri, &*request.host), ("/chat?x=1", "server.example.com"));
    assert_eq!(request.origin.as_deref(), Some("http://example.com"));
    assert_eq!(request.protocols, ["chat", "superchat"]);
    assert_eq!(request.extensions, "permessage-deflate; client_max_window_bits, x-other;a=\"b\"");
    assert_eq!(request.headers.len(), 9);
    assert_eq!(request.headers[8], ("Cookie".into(), "a=\u{c3}\u{a9}".into()));
    let options = DeflateOptions { enabled: false, ..Default::default() };
    let Acceptance { response: head, agreed, .. } =
        request.accept(Some("chat"), &options, &[("X-Server", "one\ttwo")]).unwrap();
    assert_eq!(
        String::from_utf8(head).unwrap(),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\nX-Server: one\ttwo\r\n\r\n"
    );
    assert_eq!(agreed, None);
    let Acceptance { response: head, agreed, .. } = request.accept(None, &DeflateOptions::default(), &[]).unwrap();
    assert!(String::from_utf8(head).unwrap().contains("\r\nSec-WebSocket-Extensions: permessage-deflate; server_no"));
    assert!(agreed.is_some());
}

#[test]
fn what_else_is_a_good_request() {
    for lines in [
        &["Connection: keep-alive, Upgrade"][..],
        &["Upgrade: h2c, WebSocket"],
        &["upgrade: WEBSOCKET", "connection: upgrade"],
        &["GET http://server.example.com/chat HTTP/1.1"],
        &["GET wss://server.example.com/chat HTTP/1.1"],
        &["Content-Length: 0"],
        &["Sec-WebSocket-Protocol: a", "+Sec-WebSocket-Protocol: b,,"],
        &["Host:\t x "],
        // Base64 whose unused bits are set: decoders differ, its 16 bytes are there.
        &["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAB=="],
    ] {
        assert!(read(&with(lines)).is_ok(), "{lines:?}");
    }
    let plain = String::from_utf8(with(&[])).unwrap();
    assert!(read(("\r\n".to_owned() + &plain).as_bytes()).is_ok());
    assert!(read(plain.replace("\r\n", "\n").as_bytes()).is_ok());
}

#[test]
fn bytes_behind_the_head_are_the_websockets() {
    let head = with(&[]);
    let bytes = [&head[..], b"\x81\x80"].concat();
    assert_eq!(Upgrade::default().push(&bytes).unwrap().unwrap().1, head.len());
    let mut upgrade = Upgrade::default();
    assert_eq!(upgrade.push(&bytes[..50]), Ok(None));
    assert_eq!(upgrade.buffered(), 50);
    assert_eq!(upgrade.push(&bytes[50..]).unwrap().unwrap().1, head.len() - 50);
}

#[test]
fn refusals() {
    for (expected, lines) in [
        (426, &["Upgrade:"][..]),
        (426, &["Connection:"]),
        (426, &["Connection: keep-alive"]),
        (426, &["Upgrade: h2c"]),
        (426, &["Upgrade:", "Connection:", "Sec-WebSocket-Key:", "Sec-WebSocket-Version:"]),
        (426, &["Sec-WebSocket-Version: 8"]),
        (426, &["Sec-WebSocket-Version: 13, 8"]),
        (400, &["Sec-WebSocket-Version:"]),
        (400, &["+Sec-WebSocket-Version: 13"]),
        (400, &["Sec-WebSocket-Key:"]),
        (400, &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"]),
        (400, &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=a"]),
        (400, &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSBhbmQ="]),
        (400, &["+Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]),
        (400, &["Host:"]),
        (400, &["+Host: other"]),
        (400, &["Origin: a", "+Origin: b"]),
        (400, &["Content-Length: 5"]),
        (400, &["Content-Length: 0", "+Content-Length: 0"]),
        (400, &["Transfer-Encoding: chunked"]),
        (400, &["Sec-WebSocket-Protocol: a b"]),
        (400, &["Sec-WebSocket-Protocol: a, a"]),
        (400, &["Sec-WebSocket-Extensions: a; b=c=d"]),
        (400, &["Sec-WebSocket-Extensions: a b"]),
        (400, &["Sec-WebSocket-Extensions: a; b=\"c"]),
        (400, &["GET * HTTP/1.1"]),
        (400, &["GET /#fragment HTTP/1.1"]),
        (400, &["GET chat HTTP/1.1"]),
        (400, &["X-Folded: a\r\n b"]),
        (400, &["X-Space : a"]),
        (400, &["X-Bare: a\rb"]),
        (505, &["GET / HTTP/1.0"]),
        (505, &["GET / HTTP/2.0"]),
        (505, &["GET / FTP/1.1"]),
        (400, &["GET /"]),
    ] {
        assert_eq!(status(&with(lines)), expected, "{lines:?}");
    }
    for method in ["POST", "HEAD", "OPTIONS", "CONNECT", "BREW"] {
        let request = String::from_utf8(with(&[])).unwrap().replacen("GET", method, 1);
        assert_eq!(status(request.as_bytes()), 405);
        let answer = response(request.as_bytes());
        assert!(answer.contains("\r\nAllow: GET\r\n"));
        assert_eq!(answer.ends_with("\r\nContent-Length: 0\r\n\r\n"), method == "HEAD");
    }
    let wrong = response(&with(&["Sec-WebSocket-Version: 8"]));
    assert!(wrong.contains("\r\nSec-WebSocket-Version: 13\r\n") && wrong.contains("\r\nUpgrade: websocket\r\n"));
    assert!(response(&with(&["Upgrade:"])).contains("\r\nConnection: close, Upgrade\r\n"));
}

#[test]
fn other_protocols_are_not_waited_for() {
    // A ClientHello, and an answer in time: no end of line has come.
    for bytes in [&b"\x16\x03\x01\x02\x00\x01"[..], b"GET /\0", b"\r\n\r\n\r\nGET"] {
        assert_eq!(Upgrade::default().push(bytes).unwrap_err().status, 400);
    }
    assert_eq!(Upgrade::default().push(b"PRI * HTTP/2.0\r\n\r\n").unwrap_err().status, 505);
}

#[test]
fn heads_that_are_too_large() {
    let first = |bytes: &[u8]| {
        let mut upgrade = Upgrade::default();
        let refusal = bytes.chunks(1).find_map(|byte| upgrade.push(byte).err());
        assert_eq!(Upgrade::default().push(bytes).err(), refusal);
        refusal.map(|refusal| refusal.status)
    };
    assert_eq!(first(&[b'G'; 20_000]), Some(414));
    assert_eq!(first(&[b"GET / HTTP/1.1\r\nX: ", &[b'x'; 20_000][..]].concat()), Some(431));
    let filled = |size: usize| with(&[&format!("X: {}", "x".repeat(size))]);
    let room = 16 * 1024 - filled(1).len() + 1;
    assert_eq!(filled(room).len(), 16 * 1024);
    assert_eq!(first(&filled(room)), None);
    assert_eq!(first(&filled(room + 1)), Some(431));
    let fields = |count: usize| with(&vec!["+X: y"; count]);
    assert_eq!(first(&fields(95)), None);
    assert_eq!(first(&fields(96)), Some(431));
}

#[test]
fn answers_cannot_be_injected_into() {
    let request = read(&with(&["Sec-WebSocket-Protocol: a"])).unwrap();
    let options = DeflateOptions::default();
    for (name, value) in [
        ("X", "a\r\nSet-Cookie: b"),
        ("X", "a\nb"),
        ("X", "a\rb"),
        ("X\r\nY", "a"),
        ("X Y", "a"),
        ("", "a"),
        ("X", "\0"),
    ] {
        let expected = ResponseError::InvalidHeader(format!("{name}: {value}"));
        assert_eq!(request.accept(None, &options, &[(name, value)]), Err(expected.clone()));
        assert_eq!(reject(403, None, &[(name, value)], b""), Err(expected));
    }
    for name in ["connection", "Upgrade", "Sec-WebSocket-Accept", "sec-websocket-protocol", "Content-Length"] {
        let expected = Err(ResponseError::ReservedHeader(name.into()));
        assert_eq!(request.accept(None, &options, &[("Fine", "too"), (name, "x")]), expected);
    }
    assert_eq!(
        reject(403, None, &[("Transfer-Encoding", "chunked")], b""),
        Err(ResponseError::ReservedHeader("Transfer-Encoding".into()))
    );
    for protocol in ["b", "", "A", "a\r\nX: y"] {
        let expected = Err(ResponseError::ProtocolNotOffered(protocol.into()));
        assert_eq!(request.accept(Some(protocol), &options, &[]), expected);
    }
}

#[test]
fn rejections() {
    let head = reject(401, None, &[("WWW-Authenticate", "Basic realm=\"x\"")], b"who are you?").unwrap();
    assert_eq!(
        String::from_utf8(head).unwrap(),
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nConnection: close\r\nContent-Length: 12\r\n\r\n\
         who are you?"
    );
    assert_eq!(
        reject(299, None, &[], b"").unwrap(),
        b"HTTP/1.1 299 \r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(reject(304, None, &[], b"x").unwrap(), b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n");
    for status in [0, 100, 101, 199, 600, 1000] {
        assert_eq!(reject(status, None, &[], b""), Err(ResponseError::InvalidStatus(status)));
    }
}

#[test]
fn header_lines_of_a_program() {
    assert_eq!(parse_headers("A: b\r\nC:d \r\n").unwrap(), [("A", "b"), ("C", "d")]);
    assert_eq!(parse_headers("").unwrap(), []);
    for bad in ["A: b\nC: d", "A: b\rC: d", "no colon", ": empty", "A b: c", "A: \0"] {
        assert!(matches!(parse_headers(bad), Err(ResponseError::InvalidHeader(_))), "{bad:?}");
    }
}

/// An answer without our own wishes: context takeover, full windows.
fn answer(offers: &str) -> Option<String> {
    let options = DeflateOptions { server_takeover: true, client_takeover: true, ..Default::default() };
    negotiate(offers, &options).map(|(_, text)| text)
}

#[test]
fn offers_of_compression() {
    let named = |rest: &str| Some(format!("permessage-deflate{rest}"));
    for (offer, expected) in [
        ("permessage-deflate", named("")),
        ("Permessage-Deflate", named("")),
        ("permessage-deflate; server_no_context_takeover", named("; server_no_context_takeover")),
        ("permessage-deflate; client_no_context_takeover", named("; client_no_context_takeover")),
        ("permessage-deflate; server_max_window_bits=10", named("; server_max_window_bits=10")),
        ("permessage-deflate; server_max_window_bits=\"9\"", named("; server_max_window_bits=9")),
        ("permessage-deflate;server_max_window_bits = 15", named("; server_max_window_bits=15")),
        ("permessage-deflate; client_max_window_bits", named("")),
        ("permessage-deflate; client_max_window_bits=8", named("; client_max_window_bits=8")),
        ("x-webkit-deflate-frame, permessage-deflate", named("")),
        // The first that can be met.
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", named("")),
        ("permessage-deflate; x, permessage-deflate; client_max_window_bits=9", named("; client_max_window_bits=9")),
        ("permessage-deflate; server_max_window_bits=8", None),
        ("permessage-deflate; server_max_window_bits", None),
        ("permessage-deflate; server_max_window_bits=7", None),
        ("permessage-deflate; server_max_window_bits=16", None),
        ("permessage-deflate; server_max_window_bits=09", None),
        ("permessage-deflate; server_max_window_bits=+9", None),
        ("permessage-deflate; client_max_window_bits=16", None),
        ("permessage-deflate; client_max_window_bits=\"\"", None),
        ("permessage-deflate; server_no_context_takeover=1", None),
        ("permessage-deflate; client_no_context_takeover=\"x\"", None),
        ("permessage-deflate; unknown", None),
        ("permessage-deflate; client_max_window_bits; client_max_window_bits", None),
        ("permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", None),
        ("permessage-deflated", None),
        ("", None),
    ] {
        assert_eq!(answer(offer), expected, "{offer}");
    }
}

#[test]
fn our_own_wishes_for_compression() {
    let all = "permessage-deflate; client_max_window_bits";
    let (agreed, text) = negotiate(all, &DeflateOptions::default()).unwrap();
    assert_eq!(text, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
    assert_eq!(agreed.server, Direction { takeover: false, window_bits: 15 });
    assert_eq!(agreed.client, Direction { takeover: false, window_bits: 15 });
    let small = DeflateOptions {
        server_takeover: true,
        client_takeover: true,
        server_window_bits: 10,
        client_window_bits: 11,
        ..Default::default()
    };
    let (agreed, text) = negotiate(all, &small).unwrap();
    assert_eq!(text, "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11");
    assert_eq!(agreed.client, Direction { takeover: true, window_bits: 11 });
    // A client that does not say it can is not asked; a smaller window than ours is kept to.
    let (agreed, text) = negotiate("permessage-deflate; server_max_window_bits=9", &small).unwrap();
    assert_eq!(text, "permessage-deflate; server_max_window_bits=9");
    assert_eq!((agreed.server.window_bits, agreed.client.window_bits), (9, 15));
    assert_eq!(negotiate(all, &DeflateOptions { enabled: false, ..small }), None);
}
