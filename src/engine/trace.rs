//! The handshake, told line by line.

use std::ffi::{c_int, c_void};
use std::fmt::Write;
use std::slice;

use openssl_sys as sys;

use crate::credentials::guard;
use crate::engine::callbacks::with_state;
use crate::engine::SessionEvent;

/// Content types of records; OpenSSL's message callback gives its own pseudo types above 255.
const CHANGE_CIPHER_SPEC: c_int = 20;
const ALERT: c_int = 21;
const HANDSHAKE: c_int = 22;
const APPLICATION_DATA: c_int = 23;
const RECORD_HEADER: c_int = 256;

/// The message callback of a session that is traced.
pub(super) unsafe extern "C" fn message(
    sent: c_int,
    version: c_int,
    content: c_int,
    data: *const c_void,
    length: usize,
    ssl: *mut sys::SSL,
    _: *mut c_void,
) {
    guard((), || {
        // SAFETY: OpenSSL lends `length` bytes for the time of the call.
        let data = match data.is_null() {
            true => &[][..],
            false => unsafe { slice::from_raw_parts(data.cast::<u8>(), length) },
        };
        let text = describe(sent != 0, version, content, data)?;
        with_state(ssl, |state| {
            if state.hooks.trace || content == RECORD_HEADER {
                state.events.push_back(SessionEvent::Trace(text));
            }
        })
    });
}

/// What [`message`] tells of a TLS 1.3 record with this content, which has `length` bytes on the wire.
pub(super) fn record(sent: bool, kind: u8, content: &[u8], length: usize) -> String {
    let [high, low] = (length as u16).to_be_bytes();
    let header = [APPLICATION_DATA as u8, 3, 3, high, low];
    let lines = [describe(sent, 0, RECORD_HEADER, &header), describe(sent, sys::TLS1_3_VERSION, kind.into(), content)];
    lines.into_iter().flatten().collect()
}

/// One line per record, one more per message in it. No content: nothing of a key or of clear text.
fn describe(sent: bool, version: c_int, content: c_int, data: &[u8]) -> Option<String> {
    let direction = if sent { "Sent" } else { "Received" };
    let mut text = String::new();
    match (content, data) {
        (RECORD_HEADER, [kind, major, minor, high, low, ..]) => {
            let length = u16::from_be_bytes([*high, *low]);
            let version = version_name(u16::from_be_bytes([*major, *minor]).into());
            let content = content_name((*kind).into());
            writeln!(text, "{direction} Record: {content}, {version}, {length} bytes").ok()?;
        }
        (HANDSHAKE, [kind, ..]) => {
            let (name, version) = (message_name(*kind), version_name(version));
            writeln!(text, "  {direction} {version} Handshake: {name}, {} bytes", data.len()).ok()?;
        }
        (ALERT, [level, alert]) => {
            let level = if *level == 2 { "fatal" } else { "warning" };
            writeln!(text, "  {direction} Alert: {level}, {}", alert_name((*alert).into())).ok()?;
        }
        (CHANGE_CIPHER_SPEC, _) => writeln!(text, "  {direction} ChangeCipherSpec").ok()?,
        _ => return None,
    }
    Some(text)
}

fn content_name(kind: c_int) -> &'static str {
    match kind {
        CHANGE_CIPHER_SPEC => "ChangeCipherSpec",
        ALERT => "Alert",
        HANDSHAKE => "Handshake",
        APPLICATION_DATA => "ApplicationData",
        _ => "Unknown",
    }
}

fn version_name(version: c_int) -> &'static str {
    match version {
        sys::TLS1_VERSION => "TLS 1.0",
        sys::TLS1_1_VERSION => "TLS 1.1",
        sys::TLS1_2_VERSION => "TLS 1.2",
        sys::TLS1_3_VERSION => "TLS 1.3",
        _ => "Unknown version",
    }
}

fn message_name(kind: u8) -> &'static str {
    match kind {
        0 => "HelloRequest",
        1 => "ClientHello",
        2 => "ServerHello",
        4 => "NewSessionTicket",
        5 => "EndOfEarlyData",
        8 => "EncryptedExtensions",
        11 => "Certificate",
        12 => "ServerKeyExchange",
        13 => "CertificateRequest",
        14 => "ServerHelloDone",
        15 => "CertificateVerify",
        16 => "ClientKeyExchange",
        20 => "Finished",
        22 => "CertificateStatus",
        24 => "KeyUpdate",
        _ => "Unknown",
    }
}

fn alert_name(alert: c_int) -> String {
    // SAFETY: a table of static texts, "unknown" for what it does not have.
    let text = unsafe { std::ffi::CStr::from_ptr(sys::SSL_alert_desc_string_long(alert)) };
    text.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_messages_and_alerts_have_names() {
        let record = describe(false, 0, RECORD_HEADER, &[22, 3, 1, 2, 0]).unwrap();
        assert_eq!(record, "Received Record: Handshake, TLS 1.0, 512 bytes\n");
        let hello = describe(true, sys::TLS1_3_VERSION, HANDSHAKE, &[1, 0, 0, 0]).unwrap();
        assert_eq!(hello, "  Sent TLS 1.3 Handshake: ClientHello, 4 bytes\n");
        let alert = describe(true, 0, ALERT, &[2, 40]).unwrap();
        assert_eq!(alert, "  Sent Alert: fatal, handshake failure\n");
        assert_eq!(describe(true, 0, 999, &[]), None);
        assert_eq!(describe(true, 0, RECORD_HEADER, &[1]), None);
    }
}
