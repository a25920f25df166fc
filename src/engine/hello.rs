//! The ClientHello, as far as its owner is asked about it.
//!
//! OpenSSL has checked the message's outer form by then, but not yet its extensions: everything here is bounds-checked,
//! and what is malformed counts as absent (OpenSSL refuses it with the right alert a moment later).

use std::ffi::{c_uint, CStr};
use std::{ptr, slice};

use openssl_sys as sys;

use crate::engine::own_tickets::{TicketHead, TicketOffer};
use crate::engine::{ffi, psk, Offer};

/// A server's program is asked about so many identities of one ClientHello, and so many tickets: each may be a call of its
/// `pskCallback`, or of the callback for ticket keys.
const MAX_IDENTITIES: usize = 32;
/// TLS 1.3 on the wire.
const TLS1_3: [u8; 2] = [3, 4];

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ClientHello {
    pub servername: Option<String>,
    pub alpn: Vec<Vec<u8>>,
    pub session_id: Vec<u8>,
    pub ticket: bool,
    pub ocsp: bool,
}

impl ClientHello {
    /// SAFETY: `ssl` is live and inside its ClientHello callback.
    pub(super) unsafe fn read(ssl: *mut sys::SSL) -> Self {
        // SAFETY: the caller's promise. OpenSSL lends the bytes until the callback returns.
        unsafe {
            let mut id = ptr::null();
            let id_length = sys::SSL_client_hello_get0_session_id(ssl, &mut id);
            let extension = |kind| extension(ssl, kind);
            ClientHello {
                servername: extension(ffi::TLSEXT_TYPE_SERVER_NAME).and_then(host_name),
                alpn: extension(ffi::TLSEXT_TYPE_ALPN).and_then(protocols).unwrap_or_default(),
                session_id: borrow(id, id_length).to_vec(),
                ticket: extension(ffi::TLSEXT_TYPE_SESSION_TICKET).is_some_and(|ticket| !ticket.is_empty()),
                ocsp: extension(ffi::TLSEXT_TYPE_STATUS_REQUEST)
                    .is_some_and(|request| request.first() == Some(&(ffi::TLSEXT_STATUSTYPE_OCSP as u8))),
            }
        }
    }
}

/// What the client can do.
///
/// SAFETY: as for [`ClientHello::read`].
pub(super) unsafe fn offer(ssl: *mut sys::SSL) -> Offer {
    // SAFETY: the caller's promise; a suite of the table is static.
    unsafe {
        let mut suites = ptr::null();
        let length = sys::SSL_client_hello_get0_ciphers(ssl, &mut suites);
        let suites = borrow(suites, length).chunks_exact(2).map(|number| {
            let found = ffi::SSL_CIPHER_find(ssl, number.as_ptr());
            match found.is_null() {
                true => hexadecimal(number),
                false => CStr::from_ptr(sys::SSL_CIPHER_standard_name(found)).to_string_lossy().into_owned(),
            }
        });
        let suites = suites.collect();
        let list = extension(ssl, ffi::TLSEXT_TYPE_SIGNATURE_ALGORITHMS).and_then(|list| vector(list, true));
        let list = list.map_or(&[][..], |(list, _)| list);
        let name = |number: &[u8]| signature_algorithm(number).map_or_else(|| hexadecimal(number), str::to_owned);
        Offer { suites, signature_algorithms: list.chunks_exact(2).map(name).collect() }
    }
}

fn hexadecimal(number: &[u8]) -> String {
    number.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02X}"))
}

/// RFC 8446, 4.2.3, and what RFC 5246 had besides.
fn signature_algorithm(number: &[u8]) -> Option<&'static str> {
    Some(match u16::from_be_bytes(number.try_into().ok()?) {
        0x0201 => "rsa_pkcs1_sha1",
        0x0202 => "dsa_sha1",
        0x0203 => "ecdsa_sha1",
        0x0301 => "rsa_pkcs1_sha224",
        0x0302 => "dsa_sha224",
        0x0303 => "ecdsa_sha224",
        0x0401 => "rsa_pkcs1_sha256",
        0x0402 => "dsa_sha256",
        0x0403 => "ecdsa_secp256r1_sha256",
        0x0501 => "rsa_pkcs1_sha384",
        0x0502 => "dsa_sha384",
        0x0503 => "ecdsa_secp384r1_sha384",
        0x0601 => "rsa_pkcs1_sha512",
        0x0602 => "dsa_sha512",
        0x0603 => "ecdsa_secp521r1_sha512",
        0x0804 => "rsa_pss_rsae_sha256",
        0x0805 => "rsa_pss_rsae_sha384",
        0x0806 => "rsa_pss_rsae_sha512",
        0x0807 => "ed25519",
        0x0808 => "ed448",
        0x0809 => "rsa_pss_pss_sha256",
        0x080a => "rsa_pss_pss_sha384",
        0x080b => "rsa_pss_pss_sha512",
        0x0904 => "mldsa44",
        0x0905 => "mldsa65",
        0x0906 => "mldsa87",
        _ => return None,
    })
}

/// The identities of the pre-shared keys that the client offers, if TLS 1.3 is spoken.
///
/// SAFETY: as for [`ClientHello::read`].
pub(super) unsafe fn psk_identities(ssl: *mut sys::SSL) -> Vec<String> {
    // SAFETY: the caller's promise.
    unsafe {
        match leads_to_tls13(ssl) {
            true => extension(ssl, ffi::TLSEXT_TYPE_PSK).and_then(identities).unwrap_or_default(),
            false => Vec::new(),
        }
    }
}

/// The tickets that the client shows, and how many new ones it would get for none of them. `None`: it knows no tickets, or
/// this server gives none.
///
/// SAFETY: as for [`ClientHello::read`].
pub(super) unsafe fn tickets(ssl: *mut sys::SSL) -> Option<TicketOffer> {
    // SAFETY: the caller's promise; only numbers are read of `ssl`.
    unsafe {
        if ffi::SSL_get_options(ssl) & sys::SSL_OP_NO_TICKET != 0 {
            return None;
        }
        if leads_to_tls13(ssl) {
            let shown = extension(ssl, ffi::TLSEXT_TYPE_PSK).and_then(ticket_heads).unwrap_or_default();
            return Some(TicketOffer { shown, fresh: ffi::SSL_get_num_tickets(ssl) });
        }
        let ticket = extension(ssl, ffi::TLSEXT_TYPE_SESSION_TICKET)?;
        Some(TicketOffer { shown: ticket.first_chunk().copied().into_iter().collect(), fresh: 1 })
    }
}

/// SAFETY: as for [`ClientHello::read`].
unsafe fn leads_to_tls13(ssl: *mut sys::SSL) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let versions = extension(ssl, ffi::TLSEXT_TYPE_SUPPORTED_VERSIONS).and_then(|list| vector(list, false));
        let offered = versions.is_some_and(|(list, _)| list.chunks_exact(2).any(|version| version == TLS1_3));
        offered && psk::speaks_tls13(ssl)
    }
}

/// SAFETY: as for [`ClientHello::read`], and the bytes are used inside that callback alone.
unsafe fn extension<'a>(ssl: *mut sys::SSL, kind: c_uint) -> Option<&'a [u8]> {
    let (mut data, mut length) = (ptr::null(), 0);
    // SAFETY: the caller's promise.
    unsafe {
        let found = sys::SSL_client_hello_get0_ext(ssl, kind, &mut data, &mut length) == 1;
        found.then(|| borrow(data, length))
    }
}

/// SAFETY: `length` bytes at `data` stay as they are for the lifetime chosen; `data` may be null when there are none.
unsafe fn borrow<'a>(data: *const u8, length: usize) -> &'a [u8] {
    match data.is_null() || length == 0 {
        true => &[],
        // SAFETY: the caller's promise.
        false => unsafe { slice::from_raw_parts(data, length) },
    }
}

/// Splits a vector off that two (`wide`) or one length byte precede.
fn vector(bytes: &[u8], wide: bool) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match (bytes, wide) {
        ([high, low, rest @ ..], true) => (usize::from(*high) << 8 | usize::from(*low), rest),
        ([length, rest @ ..], false) => (usize::from(*length), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// RFC 6066: a list of typed names, of which type 0 is the host name. A name that is not ASCII text is none.
fn host_name(extension: &[u8]) -> Option<String> {
    let (list, []) = vector(extension, true)? else { return None };
    let [0, rest @ ..] = list else { return None };
    let (name, _) = vector(rest, true)?;
    let good = !name.is_empty() && name.len() <= 255 && name.iter().all(u8::is_ascii_graphic);
    good.then(|| String::from_utf8_lossy(name).into_owned())
}

/// RFC 7301.
fn protocols(extension: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut list, []) = vector(extension, true)? else { return None };
    let mut names = Vec::new();
    while !list.is_empty() {
        let (name, rest) = vector(list, false)?;
        names.push(name.to_vec());
        list = rest;
    }
    Some(names)
}

/// RFC 8446, 4.2.11: identities with the age of each, as far as `read` makes something of them. (The binders behind them
/// are OpenSSL's.)
fn offered_keys<T>(extension: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> Option<Vec<T>> {
    const AGE: usize = 4;
    let (mut list, _) = vector(extension, true)?;
    let mut found = Vec::new();
    while !list.is_empty() {
        let (name, rest) = vector(list, true)?;
        list = rest.get(AGE..)?;
        found.extend(read(name));
    }
    found.truncate(MAX_IDENTITIES);
    Some(found)
}

fn identities(extension: &[u8]) -> Option<Vec<String>> {
    offered_keys(extension, |name| psk::identity(name).filter(|name| !name.is_empty()))
}

fn ticket_heads(extension: &[u8]) -> Option<Vec<TicketHead>> {
    offered_keys(extension, |ticket| ticket.first_chunk().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_malformed_ones_are_none() {
        assert_eq!(host_name(b"\x00\x06\x00\x00\x03a.b").as_deref(), Some("a.b"));
        for bad in [
            &b""[..],
            b"\x00",
            b"\x00\x00",
            b"\x00\x05\x00\x00\x03a.b",
            b"\x00\x06\x00\x00\x04a.b",
            b"\x00\x06\x01\x00\x03a.b",
            b"\x00\x06\x00\x00\x03a.b!",
            b"\x00\x06\x00\x00\x03a\x00b",
            b"\x00\x03\x00\x00\x00",
        ] {
            assert_eq!(host_name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn identities_are_text_and_tickets_are_not() {
        let entry = |name: &[u8]| [&(name.len() as u16).to_be_bytes(), name, &[0; 4]].concat();
        let offer = |list: &[u8]| [&(list.len() as u16).to_be_bytes(), list, b"\x00\x01\x00"].concat();
        let list = [b"ticket\0"[..].into(), vec![0xff; 200], b"me".to_vec(), vec![b'x'; 256], vec![b'x'; 257], vec![]];
        let list: Vec<u8> = list.iter().flat_map(|name| entry(name)).collect();
        assert_eq!(identities(&offer(&list)), Some(vec!["me".into(), "x".repeat(256)]));
        assert_eq!(identities(&offer(&entry(b"a").repeat(1_000))).unwrap().len(), MAX_IDENTITIES);
        assert_eq!(ticket_heads(&offer(&list)), Some(vec![[0xff; 32], [b'x'; 32], [b'x'; 32]]));
        assert_eq!(ticket_heads(&offer(&entry(&[7; 32]).repeat(1_000))).unwrap().len(), MAX_IDENTITIES);
        for bad in [&b""[..], b"\x00", b"\x00\x02\x00", b"\x00\x05\x00\x01a\x00\x00", b"\x00\x02\x00\x01"] {
            assert_eq!((identities(bad), ticket_heads(bad)), (None, None), "{bad:?}");
        }
    }

    #[test]
    fn protocols_are_read_in_order() {
        assert_eq!(protocols(b"\x00\x05\x02h2\x01x"), Some(vec![b"h2".to_vec(), b"x".to_vec()]));
        assert_eq!(protocols(b"\x00\x05\x02h2\x02x"), None);
        assert_eq!(protocols(b"\x00\x04\x02h2\x01x"), None);
        assert_eq!(protocols(b"\x00\x00"), Some(vec![]));
    }
}
