//! Records that are wrong: a session in its lighter form does with them what OpenSSL's own does.

use super::wire::*;
use crate::engine::record::Forger;
use crate::engine::testing::*;
use crate::engine::Context;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;

type Script = Box<dyn Fn(&mut Forger) -> Vec<u8>>;

/// What came of a script.
#[derive(Debug, PartialEq)]
struct Outcome {
    code: Option<String>,
    reason: Option<String>,
    detail: Option<String>,
    clear: Vec<u8>,
    closed: bool,
    alerts: Vec<Vec<u8>>,
}

fn play(contexts: &(Context, Context), suite: &Named, settles: bool, piece: usize, script: &Script) -> Outcome {
    let mut wire = Wire::between(&contexts.0, &contexts.1, suite, settles);
    let bytes = script(&mut wire.forger);
    let mut alerts = Vec::new();
    for part in bytes.chunks(piece) {
        let said = wire.tell(part);
        alerts.extend(said.into_iter().filter(|(kind, _)| *kind == ALERT).map(|(_, content)| content));
    }
    let Peer { error, clear, closed, .. } = wire.s;
    let detail = |message: &str| message.split_once("SSL alert number").map(|(_, number)| number.to_owned());
    Outcome {
        code: error.as_ref().map(|e| e.code.to_string()),
        reason: error.as_ref().and_then(|e| e.reason.as_ref().map(|r| r.to_string())),
        detail: error.as_ref().and_then(|e| detail(&e.message)),
        clear,
        closed,
        alerts,
    }
}

/// Sealed records, one behind the other.
fn records(list: &'static [(u8, &'static [u8])]) -> Script {
    Box::new(move |f| list.iter().flat_map(|(kind, content)| f.record(*kind, content, 0)).collect())
}

fn raw(bytes: &'static [u8]) -> Script {
    Box::new(move |_| bytes.to_vec())
}

fn same(count: usize, kind: u8, content: &'static [u8]) -> Script {
    Box::new(move |f| {
        let mut bytes: Vec<u8> = (0..count).flat_map(|_| f.record(kind, content, 0)).collect();
        bytes.extend(f.record(DATA, b"end", 0));
        bytes
    })
}

/// With the code that must come of it; `None`: no error.
fn scripts() -> Vec<(&'static str, Script, Option<&'static str>)> {
    const MAC: Option<&str> = Some("ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC");
    const TYPE: Option<&str> = Some("ERR_SSL_BAD_RECORD_TYPE");
    const LENGTH: Option<&str> = Some("ERR_SSL_BAD_LENGTH");
    const VERSION: Option<&str> = Some("ERR_SSL_WRONG_VERSION_NUMBER");
    const UNEXPECTED: Option<&str> = Some("ERR_SSL_UNEXPECTED_MESSAGE");
    const MIXED: Option<&str> = Some("ERR_SSL_MIXED_HANDSHAKE_AND_NON_HANDSHAKE_DATA");
    const UPDATE: Option<&str> = Some("ERR_SSL_BAD_KEY_UPDATE");
    const BOUNDARY: Option<&str> = Some("ERR_SSL_NOT_ON_RECORD_BOUNDARY");
    const EXCESSIVE: Option<&str> = Some("ERR_SSL_EXCESSIVE_MESSAGE_SIZE");
    vec![
        ("data", records(&[(DATA, b"one"), (DATA, b""), (DATA, b"two")]), None),
        (
            "padding",
            Box::new(|f| [f.record(DATA, b"x", 1), f.record(DATA, b"", 900), f.record(DATA, b"y\0", 16_382)].concat()),
            None,
        ),
        ("the longest", Box::new(|f| f.record(DATA, &[1; 16_384], 255 - 16)), None),
        ("too long inside", Box::new(|f| f.record(DATA, &[1; 16_385], 0)), Some("ERR_SSL_DATA_LENGTH_TOO_LONG")),
        ("too long outside", raw(&[23, 3, 3, 0x41, 1]), Some("ERR_SSL_ENCRYPTED_LENGTH_TOO_LONG")),
        ("as long as may be", raw(&[23, 3, 3, 0x41, 0]), None),
        ("nothing in it", raw(&[23, 3, 3, 0, 0]), MAC),
        ("a tag alone", raw(&[23, 3, 3, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), MAC),
        (
            "forged",
            Box::new(|f| {
                let mut record = f.record(DATA, b"secret", 0);
                record[7] ^= 1;
                [f.record(DATA, b"", 0), record].concat()
            }),
            MAC,
        ),
        ("repeated", Box::new(|f| f.record(DATA, b"once", 0).repeat(2)), MAC),
        (
            "one left out",
            Box::new(|f| {
                f.record(DATA, b"lost", 0);
                f.record(DATA, b"found", 0)
            }),
            MAC,
        ),
        ("cut off", Box::new(|f| f.record(DATA, b"half", 0)[..20].to_vec()), None),
        (
            "another header",
            Box::new(|f| {
                let mut record = f.record(DATA, b"secret", 0);
                record[4] -= 1;
                record
            }),
            MAC,
        ),
        ("old version", raw(&[23, 3, 1, 0, 17]), VERSION),
        ("SSL 2's version", raw(&[23, 0, 2, 0, 17]), VERSION),
        ("SSL 2's version and a type", raw(&[1, 0, 2, 0, 17]), VERSION),
        ("handshake in clear", raw(&[22, 3, 3, 0, 5, 24, 0, 0, 1, 0]), TYPE),
        ("alert in clear", raw(&[21, 3, 3, 0, 2, 2, 40]), TYPE),
        ("change_cipher_spec", raw(&[20, 3, 3, 0, 1, 1]), TYPE),
        ("plain HTTP", raw(b"GET / HTTP/1.1\r\n\r\n"), TYPE),
        ("no inner type", Box::new(|f| f.record(0, &[0; 40], 0)), TYPE),
        ("inner type alone missing", Box::new(|f| f.record(0, &[], 0)), TYPE),
        ("inner change_cipher_spec", records(&[(20, &[1])]), TYPE),
        ("unknown inner type", records(&[(DATA, b"x"), (99, b"x")]), TYPE),
        ("unknown inner type within a message", records(&[(HANDSHAKE, &[24]), (99, b"x")]), TYPE),
        ("empty handshake", records(&[(HANDSHAKE, b"")]), LENGTH),
        ("empty alert", records(&[(ALERT, b"")]), LENGTH),
        ("32 empty", same(32, DATA, b""), None),
        ("33 empty", same(33, DATA, b""), Some("ERR_SSL_RECORD_TOO_SMALL")),
        (
            "empty and warnings",
            Box::new(|f| {
                (0..4)
                    .flat_map(|_| {
                        let mut bytes: Vec<u8> = (0..30).flat_map(|_| f.record(DATA, b"", 0)).collect();
                        bytes.extend(f.record(ALERT, &[1, 90], 0));
                        bytes
                    })
                    .collect()
            }),
            None,
        ),
        ("4 cancels", same(4, ALERT, &[1, 90]), None),
        ("5 cancels", same(5, ALERT, &[1, 90]), Some("ERR_SSL_TOO_MANY_WARN_ALERTS")),
        (
            "cancels and data",
            Box::new(|f| {
                (0..9).flat_map(|_| [f.record(ALERT, &[1, 90], 0), f.record(DATA, b"x", 0)].concat()).collect()
            }),
            None,
        ),
        (
            "cancels and key updates",
            Box::new(|f| (0..9).flat_map(|_| [f.record(ALERT, &[1, 90], 0), f.key_update(false)].concat()).collect()),
            None,
        ),
        ("half an alert", records(&[(ALERT, &[1])]), Some("ERR_SSL_INVALID_ALERT")),
        ("two alerts", records(&[(ALERT, &[1, 0, 1, 0])]), Some("ERR_SSL_INVALID_ALERT")),
        ("goodbye", records(&[(DATA, b"x"), (ALERT, &[1, 0]), (DATA, b"late")]), None),
        ("fatal goodbye", records(&[(ALERT, &[2, 0])]), None),
        (
            "goodbye and junk",
            Box::new(|f| [f.record(ALERT, &[1, 0], 0), b"junk that is not TLS".to_vec()].concat()),
            None,
        ),
        ("key update", Box::new(|f| [f.key_update(false), f.record(DATA, b"new", 0)].concat()), None),
        ("key update asked", Box::new(|f| [f.key_update(true), f.record(DATA, b"new", 0)].concat()), None),
        ("key update and the old key", records(&[(HANDSHAKE, &[24, 0, 0, 1, 0]), (DATA, b"old")]), MAC),
        ("bad key update", records(&[(HANDSHAKE, &[24, 0, 0, 1, 2])]), UPDATE),
        ("empty key update", records(&[(HANDSHAKE, &[24, 0, 0, 0])]), UPDATE),
        ("long key update", records(&[(HANDSHAKE, &[24, 0, 0, 2, 0, 0])]), EXCESSIVE),
        ("very long key update", records(&[(HANDSHAKE, &[24, 1, 0, 0])]), EXCESSIVE),
        ("two key updates in a record", records(&[(HANDSHAKE, &[24, 0, 0, 1, 0, 24, 0, 0, 1, 0])]), BOUNDARY),
        ("bad key update with more", records(&[(HANDSHAKE, &[24, 0, 0, 1, 7, 7])]), BOUNDARY),
        ("empty key update with more", records(&[(HANDSHAKE, &[24, 0, 0, 0, 9])]), BOUNDARY),
        (
            "key update in two",
            Box::new(|f| {
                let parts = [f.record(HANDSHAKE, &[24, 0], 3), f.record(HANDSHAKE, &[0, 1, 0], 0)].concat();
                f.next_key();
                [parts, f.record(DATA, b"new", 0)].concat()
            }),
            None,
        ),
        (
            "key update in five",
            Box::new(|f| {
                let parts: Vec<u8> =
                    [24, 0, 0, 1, 1].iter().flat_map(|byte| f.record(HANDSHAKE, &[*byte], 0)).collect();
                f.next_key();
                [parts, f.record(DATA, b"new", 0)].concat()
            }),
            None,
        ),
        ("key update in two and more", records(&[(HANDSHAKE, &[24, 0]), (HANDSHAKE, &[0, 1, 0, 24])]), BOUNDARY),
        ("data within a message", records(&[(HANDSHAKE, &[24, 0]), (DATA, b"x")]), MIXED),
        ("empty data within a message", records(&[(HANDSHAKE, &[24, 0, 0]), (DATA, b"")]), MIXED),
        ("goodbye within a message", records(&[(HANDSHAKE, &[24]), (ALERT, &[1, 0])]), MIXED),
        ("part of a message", records(&[(HANDSHAKE, &[1, 0, 0])]), None),
        ("a hello", records(&[(HANDSHAKE, &[1, 0, 0, 1, 0])]), UNEXPECTED),
        ("a ticket", records(&[(HANDSHAKE, &[4, 0, 0, 1, 0])]), UNEXPECTED),
        ("a certificate", records(&[(HANDSHAKE, &[11, 0, 0, 4, 0, 0, 0, 0])]), UNEXPECTED),
        ("a finished", records(&[(HANDSHAKE, &[20, 0, 0, 32])]), UNEXPECTED),
    ]
}

#[test]
fn wrong_records_end_as_they_do_with_openssl() {
    let contexts = SUITES[0].contexts();
    for (name, script, code) in scripts() {
        let settled = play(&contexts, &SUITES[0], true, usize::MAX, &script);
        assert_eq!(settled.code.as_deref(), code, "{name}");
        assert_eq!(settled, play(&contexts, &SUITES[0], false, usize::MAX, &script), "{name}");
        assert_eq!(settled, play(&contexts, &SUITES[0], true, 3, &script), "{name}");
    }
}

#[test]
fn wrong_records_end_alike_under_every_suite() {
    for suite in &SUITES[1..] {
        let contexts = suite.contexts();
        for (name, script, code) in scripts() {
            assert_eq!(play(&contexts, suite, true, 1_000, &script).code.as_deref(), code, "{name}");
        }
    }
}

#[test]
fn alerts_of_the_peer_are_named_as_openssl_names_them() {
    let contexts = SUITES[0].contexts();
    for level in [1, 2] {
        for alert in [10, 20, 21, 22, 40, 41, 42, 48, 50, 51, 60, 70, 80, 86, 100, 110, 116, 120, 7, 255] {
            let script: Script = Box::new(move |f| f.record(ALERT, &[level, alert], 0));
            let settled = play(&contexts, &SUITES[0], true, usize::MAX, &script);
            assert_eq!(settled, play(&contexts, &SUITES[0], false, usize::MAX, &script));
            assert_eq!(settled.detail.map(|d| d.contains(&format!(" {alert}"))), Some(true));
            assert!(settled.alerts.is_empty());
        }
    }
}

#[test]
fn a_flood_of_key_updates_ends() {
    for (count, good) in [(32, true), (33, false)] {
        let mut wire = Wire::new(&SUITES[0], true);
        let bytes: Vec<u8> = (0..count).flat_map(|_| wire.forger.key_update(true)).collect();
        wire.tell(&bytes);
        assert_eq!(wire.s.code(), (!good).then_some("ERR_SSL_TOO_MANY_KEY_UPDATES"));
    }
    // Between data there may be any number, whichever way it goes.
    let mut wire = Wire::new(&SUITES[0], true);
    for round in 0..100 {
        let update = wire.forger.key_update(true);
        wire.tell(&update);
        match round % 2 {
            0 => drop(wire.s.session.write(b"x").unwrap()),
            _ => {
                let data = wire.forger.record(DATA, b"x", 0);
                wire.tell(&data);
            }
        }
        assert_eq!(wire.s.error, None);
    }
}

#[test]
fn what_is_not_authentic_is_never_seen() {
    for size in [64, 4_096] {
        let mut wire = Wire::new(&SUITES[0], true);
        let mut record = wire.forger.record(DATA, &[b's'; 1_000], 0);
        *record.last_mut().unwrap() ^= 1;
        wire.s.session.feed(&record);
        let mut buf = vec![0; size];
        let error = wire.s.session.read(&mut buf, &|| wire.s.now).unwrap_err();
        assert!(buf.iter().all(|&byte| byte == 0));
        // The end is an end.
        let good = wire.forger.record(DATA, b"good", 0);
        wire.s.session.feed(&good);
        assert_eq!(wire.s.session.read(&mut buf, &|| wire.s.now).unwrap_err(), error);
        assert_eq!(wire.s.session.write(b"x").unwrap_err(), error);
        assert_eq!(wire.s.session.handshake(wire.s.now).unwrap_err(), error);
        assert_eq!(wire.s.session.renegotiate().unwrap_err(), error);
        wire.s.session.close_notify();
        assert_eq!(wire.tell(&[]), [(ALERT, vec![2, 20])]);
    }
}

/// OpenSSL 3.6 looks at the type first, older ones and so Node at the length.
#[test]
fn a_length_that_no_record_has_is_told_before_the_type() {
    const LONG: Option<&str> = Some("ERR_SSL_PACKET_LENGTH_TOO_LONG");
    const TYPE: Option<&str> = Some("ERR_SSL_BAD_RECORD_TYPE");
    for (settles, length, code, alert) in
        [(true, 0x4141, LONG, 22), (true, 0x4140, TYPE, 10), (true, 0xffff, LONG, 22), (false, 0xffff, TYPE, 10)]
    {
        let mut wire = Wire::new(&SUITES[0], settles);
        let [high, low] = u16::to_be_bytes(length);
        assert_eq!(wire.tell(&[255, 255, 255, high, low]), [(ALERT, vec![2, alert])]);
        assert_eq!(wire.s.code(), code);
    }
}

#[test]
fn after_our_goodbye_there_is_no_alert() {
    let mut wire = Wire::new(&SUITES[0], true);
    wire.s.session.close_notify();
    assert_eq!(wire.tell(&[20, 3, 3, 0, 1, 1]), [(ALERT, vec![1, 0])]);
    assert_eq!(wire.s.code(), Some("ERR_SSL_BAD_RECORD_TYPE"));
}
