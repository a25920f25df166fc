//! What can be asked of a running session.

use std::ffi::{c_char, c_int, c_uint, c_void, CStr};
use std::{ptr, slice};

use foreign_types_shared::{ForeignType, ForeignTypeRef};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Public};
use openssl::ssl::{SslContext, SslContextRef, SslSession, SslSessionRef};
use openssl::stack::StackRef;
use openssl::x509::{X509Ref, X509};
use openssl_sys as sys;

use crate::engine::context::{issued, issuer_in_store};
use crate::engine::{failure, ffi, Cipher, EphemeralKey, KeyExchange};
use crate::error::{Error, Result};

/// The longest Finished message: a SHA-512 digest.
const MAX_FINISHED: usize = 64;
/// A chain longer than this is no chain; it also ends a look-up that would run in circles.
const MAX_CHAIN: usize = 100;
/// Room for a group's name.
const MAX_GROUP_NAME: usize = 80;

/// SAFETY: `text` is null or a C string of static lifetime.
unsafe fn static_text(text: *const c_char) -> Option<&'static str> {
    // SAFETY: the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })?.to_str().ok()
}

/// The error for one of OpenSSL's verification results, named and worded as Node does; `None` for "ok".
pub(super) fn x509_error(result: c_int) -> Option<Error> {
    if result == sys::X509_V_OK {
        return None;
    }
    // SAFETY: a table of static texts.
    let text = unsafe { static_text(sys::X509_verify_cert_error_string(result.into())) };
    Some(Error::new(x509_code(result), text.unwrap_or("unspecified certificate verification error")))
}

/// `X509_V_ERR_...` of `openssl/x509_vfy.h`, as far as Node has names for them.
fn x509_code(result: c_int) -> &'static str {
    match result {
        2 => "UNABLE_TO_GET_ISSUER_CERT",
        3 => "UNABLE_TO_GET_CRL",
        4 => "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
        5 => "UNABLE_TO_DECRYPT_CRL_SIGNATURE",
        6 => "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
        7 => "CERT_SIGNATURE_FAILURE",
        8 => "CRL_SIGNATURE_FAILURE",
        9 => "CERT_NOT_YET_VALID",
        10 => "CERT_HAS_EXPIRED",
        11 => "CRL_NOT_YET_VALID",
        12 => "CRL_HAS_EXPIRED",
        13 => "ERROR_IN_CERT_NOT_BEFORE_FIELD",
        14 => "ERROR_IN_CERT_NOT_AFTER_FIELD",
        15 => "ERROR_IN_CRL_LAST_UPDATE_FIELD",
        16 => "ERROR_IN_CRL_NEXT_UPDATE_FIELD",
        17 => "OUT_OF_MEM",
        18 => "DEPTH_ZERO_SELF_SIGNED_CERT",
        19 => "SELF_SIGNED_CERT_IN_CHAIN",
        20 => "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
        21 => "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        22 => "CERT_CHAIN_TOO_LONG",
        23 => "CERT_REVOKED",
        24 => "INVALID_CA",
        25 => "PATH_LENGTH_EXCEEDED",
        26 => "INVALID_PURPOSE",
        27 => "CERT_UNTRUSTED",
        28 => "CERT_REJECTED",
        62 => "HOSTNAME_MISMATCH",
        _ => "UNSPECIFIED",
    }
}

// The functions below: SAFETY: `ssl` is live. What OpenSSL gives is borrowed from it and copied, or, where a function
// gives a reference, owned and freed here. None of them calls back.

pub(super) unsafe fn protocol(ssl: *const sys::SSL) -> &'static str {
    // SAFETY: see above; a static text.
    unsafe { static_text(sys::SSL_get_version(ssl)) }.unwrap_or("unknown")
}

/// An entry of OpenSSL's static table of suites, or null.
#[derive(Clone, Copy)]
pub(super) struct CipherEntry(*const sys::SSL_CIPHER);

// SAFETY: the table never changes.
unsafe impl Send for CipherEntry {}
// SAFETY: as above.
unsafe impl Sync for CipherEntry {}

impl CipherEntry {
    pub(super) fn describe(self) -> Option<Cipher> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: an entry of the table; static texts.
        unsafe {
            let text = |text| static_text(text).unwrap_or("unknown").to_owned();
            Some(Cipher {
                name: text(sys::SSL_CIPHER_get_name(self.0)),
                standard_name: text(sys::SSL_CIPHER_standard_name(self.0)),
                version: text(sys::SSL_CIPHER_get_version(self.0)),
                bits: sys::SSL_CIPHER_get_bits(self.0, ptr::null_mut()).max(0) as u32,
            })
        }
    }

    /// Without a group: what the suite says.
    fn key_exchange(self) -> Option<KeyExchange> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: an entry of the table.
        let name = match unsafe { ffi::SSL_CIPHER_get_kx_nid(self.0) } {
            ffi::NID_KX_RSA => "RSA",
            ffi::NID_KX_DHE => "DHE",
            kx if ffi::NIDS_KX_PSK.contains(&kx) => "PSK",
            _ => return None,
        };
        Some(KeyExchange { name: name.to_owned(), bits: None })
    }

    /// IANA's number; 0 for none.
    pub(super) fn number(self) -> u16 {
        match self.0.is_null() {
            true => 0,
            // SAFETY: an entry of the table.
            false => unsafe { sys::SSL_CIPHER_get_protocol_id(self.0) },
        }
    }
}

pub(super) unsafe fn cipher(ssl: *const sys::SSL) -> CipherEntry {
    // SAFETY: see above.
    CipherEntry(unsafe { sys::SSL_get_current_cipher(ssl) })
}

pub(super) unsafe fn alpn(ssl: *const sys::SSL) -> Option<Vec<u8>> {
    let (mut name, mut length): (_, c_uint) = (ptr::null(), 0);
    // SAFETY: see above.
    unsafe {
        sys::SSL_get0_alpn_selected(ssl, &mut name, &mut length);
        (!name.is_null() && length > 0).then(|| slice::from_raw_parts(name, length as usize).to_vec())
    }
}

/// The certificates that a peer showed, and who may complete the chain.
pub(super) struct PeerChain {
    leaf: X509,
    /// What came with it, in the peer's order.
    sent: Vec<X509>,
    context: SslContext,
}

impl PeerChain {
    /// DER of the leaf, with its issuers as far as they came with it; then the ones trusted, up to a self-signed one.
    pub(super) fn to_der(&self) -> Vec<Vec<u8>> {
        let mut last = self.leaf.clone();
        let mut sent: Vec<X509> = self.sent.iter().filter(|x| ***x != *last).cloned().collect();
        let mut chain = vec![last.clone()];
        while let Some(at) = sent.iter().position(|issuer| issued(issuer, &last)) {
            last = sent.swap_remove(at);
            chain.push(last.clone());
        }
        while chain.len() < MAX_CHAIN && !issued(&last, &last) {
            match issuer_in_store(&self.context, &last) {
                Some(issuer) if *issuer != *last => last = issuer,
                _ => break,
            }
            chain.push(last.clone());
        }
        chain.iter().filter_map(|x| x.to_der().ok()).collect()
    }
}

/// `None` when the peer showed no certificate.
pub(super) unsafe fn peer_chain(ssl: *const sys::SSL) -> Option<PeerChain> {
    // SAFETY: see above.
    unsafe {
        let leaf = sys::SSL_get1_peer_certificate(ssl);
        if leaf.is_null() {
            return None;
        }
        let leaf = X509::from_ptr(leaf);
        let sent = sys::SSL_get_peer_cert_chain(ssl);
        let sent = match sent.is_null() {
            true => Vec::new(),
            false => StackRef::<X509>::from_ptr(sent).iter().map(|x| x.to_owned()).collect(),
        };
        let context = SslContextRef::from_ptr(sys::SSL_get_SSL_CTX(ssl)).to_owned();
        Some(PeerChain { leaf, sent, context })
    }
}

/// Our own certificate.
pub(super) unsafe fn certificate(ssl: *const sys::SSL) -> Option<X509> {
    // SAFETY: see above.
    unsafe {
        let certificate = sys::SSL_get_certificate(ssl);
        (!certificate.is_null()).then(|| X509Ref::from_ptr(certificate).to_owned())
    }
}

/// Whether the peer has shown one.
///
/// SAFETY: `ssl` is live.
pub(super) unsafe fn has_certificate(ssl: *mut sys::SSL) -> bool {
    // SAFETY: the caller's promise; the reference is given back.
    unsafe {
        let peer = sys::SSL_get1_peer_certificate(ssl);
        sys::X509_free(peer);
        !peer.is_null()
    }
}

/// Why the peer's certificate is not acceptable. None at all is as bad, unless a pre-shared key or a resumed TLS 1.3
/// session took its place.
pub(super) unsafe fn verify_error(ssl: *mut sys::SSL) -> Option<Error> {
    const NO_CERTIFICATE: c_int = sys::X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT;
    // SAFETY: see above.
    unsafe {
        if has_certificate(ssl) {
            return x509_error(sys::SSL_get_verify_result(ssl) as c_int);
        }
        let cipher = sys::SSL_get_current_cipher(ssl);
        let session = sys::SSL_get_session(ssl);
        let shared_key = !cipher.is_null() && ffi::SSL_CIPHER_get_auth_nid(cipher) == ffi::NID_AUTH_PSK;
        let resumed = !session.is_null()
            && sys::SSL_SESSION_get_protocol_version(session) == sys::TLS1_3_VERSION
            && sys::SSL_session_reused(ssl) == 1;
        match shared_key || resumed {
            true => None,
            false => x509_error(NO_CERTIFICATE),
        }
    }
}

/// SAFETY: `session` is live.
pub(super) unsafe fn session_der(session: *mut sys::SSL_SESSION) -> Option<Vec<u8>> {
    // SAFETY: the first call only measures; the second writes as much as the first one said.
    unsafe {
        let length = sys::i2d_SSL_SESSION(session, ptr::null_mut());
        let length = usize::try_from(length).ok().filter(|&length| length > 0)?;
        let mut der = Vec::with_capacity(length);
        let mut end = der.as_mut_ptr();
        (sys::i2d_SSL_SESSION(session, &mut end) == length as c_int).then(|| {
            der.set_len(length);
            der
        })
    }
}

/// SAFETY: `session` is live.
pub(super) unsafe fn session_id(session: *const sys::SSL_SESSION) -> Vec<u8> {
    let mut length = 0;
    // SAFETY: the caller's promise; the bytes are the session's own.
    unsafe {
        let id = sys::SSL_SESSION_get_id(session, &mut length);
        match id.is_null() {
            true => Vec::new(),
            false => slice::from_raw_parts(id, length as usize).to_vec(),
        }
    }
}

pub(super) unsafe fn session(ssl: *const sys::SSL) -> Option<SslSession> {
    // SAFETY: see above.
    unsafe {
        let session = sys::SSL_get_session(ssl);
        (!session.is_null()).then(|| SslSessionRef::from_ptr(session).to_owned())
    }
}

/// The peer has asked for short records (RFC 6066, 4), in both directions.
pub(super) unsafe fn limits_fragments(ssl: *const sys::SSL) -> bool {
    // SAFETY: see above.
    unsafe {
        let session = sys::SSL_get_session(ssl);
        !session.is_null() && ffi::SSL_SESSION_get_max_fragment_length(session) != 0
    }
}

/// DER.
pub(super) fn stored_session(session: &SslSessionRef) -> Option<Vec<u8>> {
    // SAFETY: the session is live.
    let der = unsafe { session_der(session.as_ptr()) };
    failure::clear();
    der
}

pub(super) fn session_ticket(session: &SslSessionRef) -> Option<Vec<u8>> {
    let (mut ticket, mut length) = (ptr::null(), 0);
    // SAFETY: the session is live, and the bytes are its own.
    unsafe {
        ffi::SSL_SESSION_get0_ticket(session.as_ptr(), &mut ticket, &mut length);
        (!ticket.is_null()).then(|| slice::from_raw_parts(ticket, length).to_vec())
    }
}

/// The last Finished message of ours, or of the peer's.
pub(super) unsafe fn finished(ssl: *const sys::SSL, peer: bool) -> Option<Vec<u8>> {
    let mut message = [0; MAX_FINISHED];
    let into = message.as_mut_ptr().cast::<c_void>();
    // SAFETY: see above; OpenSSL writes at most `MAX_FINISHED` bytes.
    let length = unsafe {
        match peer {
            true => sys::SSL_get_peer_finished(ssl, into, MAX_FINISHED),
            false => sys::SSL_get_finished(ssl, into, MAX_FINISHED),
        }
    };
    (length > 0).then(|| message[..length.min(MAX_FINISHED)].to_vec())
}

pub(super) unsafe fn export_keying_material(
    ssl: *mut sys::SSL,
    length: usize,
    label: &str,
    context: Option<&[u8]>,
) -> Result<Vec<u8>> {
    failure::clear();
    let mut material = vec![0; length];
    let (data, size) = context.map_or((ptr::null(), 0), |context| (context.as_ptr(), context.len()));
    // SAFETY: see above; every pointer comes with its length.
    let good = unsafe {
        sys::SSL_export_keying_material(
            ssl,
            material.as_mut_ptr(),
            length,
            label.as_ptr().cast(),
            label.len(),
            data,
            size,
            context.is_some().into(),
        )
    };
    match good {
        1 => Ok(material),
        _ => Err(Error::take_openssl("SSL_export_keying_material")),
    }
}

pub(super) unsafe fn ephemeral_key(ssl: *mut sys::SSL) -> Option<EphemeralKey> {
    let mut key = ptr::null_mut();
    // SAFETY: see above; a result of 1 comes with a reference to the key.
    unsafe {
        if sys::SSL_get_peer_tmp_key(ssl, &mut key) == 1 && !key.is_null() {
            return describe(&PKey::from_ptr(key));
        }
    }
    failure::clear();
    // A KEM leaves no key of the peer behind, just the name of what was negotiated. Node 22 and later show it this way,
    // without a size: a hybrid has no single one.
    // SAFETY: see above; the name lives as long as the context.
    unsafe {
        let group = ffi::SSL_get_negotiated_group(ssl);
        let name = (group != 0).then(|| static_text(ffi::SSL_group_to_name(ssl, group))).flatten()?.to_owned();
        name.contains("MLKEM").then(|| EphemeralKey { kind: "TLSGroup".to_owned(), name: Some(name), bits: None })
    }
}

/// On both sides. A group that was not used in this handshake is none.
pub(super) unsafe fn key_exchange(ssl: *mut sys::SSL) -> Option<KeyExchange> {
    // SAFETY: see above; the name lives as long as the context.
    let group = unsafe {
        let group = ffi::SSL_get_negotiated_group(ssl);
        (group != 0).then(|| static_text(ffi::SSL_group_to_name(ssl, group))).flatten()
    };
    failure::clear();
    match group {
        Some(name) => Some(KeyExchange { name: name.to_owned(), bits: group_bits(name) }),
        // SAFETY: see above.
        None => unsafe { cipher(ssl) }.key_exchange(),
    }
}

fn group_bits(name: &str) -> Option<u32> {
    match name {
        // As OpenSSL counts.
        "x25519" => Some(253),
        "x448" => Some(448),
        _ => name.strip_prefix("ffdhe").or_else(|| name.strip_prefix("secp")?.strip_suffix("r1"))?.parse().ok(),
    }
}

fn describe(key: &PKey<Public>) -> Option<EphemeralKey> {
    let bits = Some(key.bits());
    let ecdh = |name: String| EphemeralKey { kind: "ECDH".to_owned(), name: Some(name), bits };
    match key.id() {
        openssl::pkey::Id::DH => Some(EphemeralKey { kind: "DH".to_owned(), name: None, bits }),
        openssl::pkey::Id::EC => Some(ecdh(group_name(key)?)),
        openssl::pkey::Id::X25519 => Some(ecdh("X25519".to_owned())),
        openssl::pkey::Id::X448 => Some(ecdh("X448".to_owned())),
        _ => None,
    }
}

fn group_name(key: &PKey<Public>) -> Option<String> {
    let mut name = [0u8; MAX_GROUP_NAME];
    let mut length = 0;
    // SAFETY: the key is live; OpenSSL writes at most `MAX_GROUP_NAME` bytes.
    let good =
        unsafe { ffi::EVP_PKEY_get_group_name(key.as_ptr(), name.as_mut_ptr().cast(), MAX_GROUP_NAME, &mut length) };
    (good == 1).then(|| String::from_utf8_lossy(&name[..length.min(MAX_GROUP_NAME)]).into_owned())
}

/// A signature algorithm, as the numbers that OpenSSL has for the key's type and the hash.
#[derive(Clone, Copy)]
pub(super) struct Sigalg {
    sign: c_int,
    hash: c_int,
}

impl Sigalg {
    /// OpenSSL's spelling: `RSA-PSS+SHA256`.
    pub(super) fn name(self) -> String {
        let short_name = |nid| match Nid::from_raw(nid).short_name() {
            Ok(name) => name.to_owned(),
            Err(_) => "UNDEF".to_owned(),
        };
        let sign = match self.sign {
            sys::EVP_PKEY_RSA => "RSA".to_owned(),
            sys::EVP_PKEY_RSA_PSS => "RSA-PSS".to_owned(),
            sys::EVP_PKEY_DSA => "DSA".to_owned(),
            sys::EVP_PKEY_EC => "ECDSA".to_owned(),
            ffi::NID_ED25519 => "Ed25519".to_owned(),
            ffi::NID_ED448 => "Ed448".to_owned(),
            other => short_name(other),
        };
        // Nid 0 is "undefined": the algorithm has its digest built in.
        let hash = if self.hash == 0 { "UNDEF".to_owned() } else { short_name(self.hash) };
        failure::clear();
        format!("{sign}+{hash}")
    }
}

/// The signature algorithms that both sides have.
pub(super) unsafe fn shared_sigalgs(ssl: *mut sys::SSL) -> Box<[Sigalg]> {
    let null = ptr::null_mut;
    // SAFETY: see above; null says that a part of the answer is not wanted.
    let count = unsafe { ffi::SSL_get_shared_sigalgs(ssl, 0, null(), null(), null(), null().cast(), null().cast()) };
    let one = |index| {
        let mut found = Sigalg { sign: 0, hash: 0 };
        let Sigalg { sign, hash } = &mut found;
        // SAFETY: as above.
        unsafe { ffi::SSL_get_shared_sigalgs(ssl, index, sign, hash, null(), null().cast(), null().cast()) };
        found
    };
    let list = (0..count.max(0)).map(one).collect();
    failure::clear();
    list
}

/// Client: the stapled response.
pub(super) unsafe fn ocsp_response(ssl: *mut sys::SSL) -> Option<Vec<u8>> {
    let mut response: *const u8 = ptr::null();
    // SAFETY: see above; the bytes stay OpenSSL's.
    unsafe {
        let command = sys::SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP;
        let length = sys::SSL_ctrl(ssl, command, 0, (&raw mut response).cast());
        let length = usize::try_from(length).ok()?;
        (!response.is_null()).then(|| slice::from_raw_parts(response, length).to_vec())
    }
}
