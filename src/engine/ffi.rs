//! What OpenSSL 3 has and the openssl-sys crate does not declare: functions as `openssl/ssl.h` and its neighbours
//! state them, and the macros that are calls of `SSL_ctrl`. openssl-sys links the library.

#![allow(non_snake_case, non_camel_case_types)]

use std::ffi::{c_char, c_int, c_long, c_uchar, c_uint, c_ulong, c_void};

use openssl_sys::*;

pub const SSL_CB_HANDSHAKE_DONE: c_int = 0x20;
pub const SSL_OP_ALLOW_CLIENT_RENEGOTIATION: u64 = 1 << 8;
pub const X509_V_FLAG_CRL_CHECK: c_ulong = 0x4;
pub const X509_V_FLAG_CRL_CHECK_ALL: c_ulong = 0x8;
pub const X509_V_FLAG_PARTIAL_CHAIN: c_ulong = 0x80000;
pub const TLSEXT_NAMETYPE_HOST_NAME: c_long = 0;
pub const TLSEXT_STATUSTYPE_OCSP: c_long = 1;
pub const TLSEXT_TYPE_SERVER_NAME: c_uint = 0;
pub const TLSEXT_TYPE_STATUS_REQUEST: c_uint = 5;
pub const TLSEXT_TYPE_SIGNATURE_ALGORITHMS: c_uint = 13;
pub const TLSEXT_TYPE_ALPN: c_uint = 16;
pub const TLSEXT_TYPE_SESSION_TICKET: c_uint = 35;
pub const TLSEXT_TYPE_PSK: c_uint = 41;
pub const TLSEXT_TYPE_SUPPORTED_VERSIONS: c_uint = 43;
pub const NID_AUTH_PSK: c_int = 1048;
pub const NID_KX_RSA: c_int = 1037;
pub const NID_KX_DHE: c_int = 1039;
/// Key exchange by ECDHE-PSK, DHE-PSK, RSA-PSK and PSK.
pub const NIDS_KX_PSK: std::ops::RangeInclusive<c_int> = 1040..=1043;
pub const NID_ED25519: c_int = 1087;
pub const NID_ED448: c_int = 1088;
pub const SSL_R_NO_CIPHER_MATCH: c_int = 185;
pub const BIO_TYPE_SOURCE_SINK: c_int = 0x400;

const SSL_CTRL_SET_MSG_CALLBACK: c_int = 15;
const SSL_CTRL_SET_MAX_SEND_FRAGMENT: c_int = 52;
const SSL_CTRL_CLEAR_EXTRA_CHAIN_CERTS: c_int = 83;
const SSL_CTRL_SET_CHAIN_CERT_STORE: c_int = 107;
const SSL_CTRL_GET_CHAIN_CERTS: c_int = 115;
const SSL_CTRL_SET_CURRENT_CERT: c_int = 117;
const SSL_CTRL_GET_NEGOTIATED_GROUP: c_int = 134;
const SSL_CERT_SET_FIRST: c_long = 1;
const SSL_CERT_SET_NEXT: c_long = 2;

pub type InfoCallback = unsafe extern "C" fn(ssl: *const SSL, place: c_int, ret: c_int);
pub type MsgCallback = unsafe extern "C" fn(
    write: c_int,
    version: c_int,
    content_type: c_int,
    buf: *const c_void,
    len: usize,
    ssl: *mut SSL,
    arg: *mut c_void,
);
pub type TicketKeyCallback = unsafe extern "C" fn(
    ssl: *mut SSL,
    name: *mut c_uchar,
    iv: *mut c_uchar,
    cipher: *mut EVP_CIPHER_CTX,
    mac: *mut EVP_MAC_CTX,
    encrypt: c_int,
) -> c_int;
pub type PskServerCallback =
    unsafe extern "C" fn(ssl: *mut SSL, identity: *const c_char, psk: *mut c_uchar, max_psk: c_uint) -> c_uint;
pub type PskClientCallback = unsafe extern "C" fn(
    ssl: *mut SSL,
    hint: *const c_char,
    identity: *mut c_char,
    max_identity: c_uint,
    psk: *mut c_uchar,
    max_psk: c_uint,
) -> c_uint;
pub type StatusCallback = unsafe extern "C" fn(ssl: *mut SSL, arg: *mut c_void) -> c_int;
pub type TicketGenerateCallback = unsafe extern "C" fn(ssl: *mut SSL, arg: *mut c_void) -> c_int;
pub type TicketDecryptCallback = unsafe extern "C" fn(
    ssl: *mut SSL,
    session: *mut SSL_SESSION,
    name: *const c_uchar,
    name_len: usize,
    status: c_int,
    arg: *mut c_void,
) -> c_int;

extern "C" {
    pub fn ERR_peek_error() -> c_ulong;
    pub fn SSL_CTX_set_cert_cb(
        ctx: *mut SSL_CTX,
        cb: Option<unsafe extern "C" fn(*mut SSL, *mut c_void) -> c_int>,
        arg: *mut c_void,
    );
    pub fn SSL_CTX_set1_cert_comp_preference(ctx: *mut SSL_CTX, algorithms: *const c_int, len: usize) -> c_int;
    pub fn SSL_CTX_compress_certs(ctx: *mut SSL_CTX, algorithm: c_int) -> c_int;
    pub fn SSL_CTX_get1_compressed_cert(
        ctx: *mut SSL_CTX,
        algorithm: c_int,
        data: *mut *mut c_uchar,
        original_len: *mut usize,
    ) -> usize;
    pub fn SSL_set1_compressed_cert(
        ssl: *mut SSL,
        algorithm: c_int,
        data: *mut c_uchar,
        len: usize,
        original_len: usize,
    ) -> c_int;
    pub fn SSL_CTX_set_info_callback(ctx: *mut SSL_CTX, cb: Option<InfoCallback>);
    pub fn SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx: *mut SSL_CTX, cb: Option<TicketKeyCallback>) -> c_int;
    pub fn SSL_CTX_set_session_ticket_cb(
        ctx: *mut SSL_CTX,
        generate: Option<TicketGenerateCallback>,
        decrypt: Option<TicketDecryptCallback>,
        arg: *mut c_void,
    ) -> c_int;
    pub fn SSL_CTX_set_timeout(ctx: *mut SSL_CTX, seconds: c_long) -> c_long;
    pub fn SSL_CTX_set_cert_verify_callback(
        ctx: *mut SSL_CTX,
        cb: Option<unsafe extern "C" fn(*mut X509_STORE_CTX, *mut c_void) -> c_int>,
        arg: *mut c_void,
    );
    pub fn SSL_CTX_get_client_CA_list(ctx: *const SSL_CTX) -> *mut stack_st_X509_NAME;
    pub fn SSL_dup_CA_list(list: *const stack_st_X509_NAME) -> *mut stack_st_X509_NAME;
    pub fn SSL_certs_clear(ssl: *mut SSL);
    pub fn SSL_use_cert_and_key(
        ssl: *mut SSL,
        certificate: *mut X509,
        key: *mut EVP_PKEY,
        chain: *mut stack_st_X509,
        replace: c_int,
    ) -> c_int;
    pub fn SSL_get_shared_sigalgs(
        ssl: *mut SSL,
        index: c_int,
        sign: *mut c_int,
        hash: *mut c_int,
        both: *mut c_int,
        sign_byte: *mut c_uchar,
        hash_byte: *mut c_uchar,
    ) -> c_int;
    pub fn SSL_renegotiate(ssl: *mut SSL) -> c_int;
    pub fn SSL_renegotiate_pending(ssl: *const SSL) -> c_int;
    pub fn SSL_get_ciphers(ssl: *const SSL) -> *mut stack_st_SSL_CIPHER;
    pub fn SSL_get_pending_cipher(ssl: *const SSL) -> *const SSL_CIPHER;
    pub fn SSL_get_options(ssl: *const SSL) -> u64;
    pub fn SSL_get_num_tickets(ssl: *const SSL) -> usize;
    pub fn SSL_set_psk_server_callback(ssl: *mut SSL, cb: Option<PskServerCallback>);
    pub fn SSL_set_psk_client_callback(ssl: *mut SSL, cb: Option<PskClientCallback>);
    pub fn SSL_use_psk_identity_hint(ssl: *mut SSL, hint: *const c_char) -> c_int;
    pub fn SSL_CIPHER_find(ssl: *mut SSL, number: *const c_uchar) -> *const SSL_CIPHER;
    pub fn SSL_CIPHER_get_kx_nid(cipher: *const SSL_CIPHER) -> c_int;
    pub fn SSL_CIPHER_get_auth_nid(cipher: *const SSL_CIPHER) -> c_int;
    pub fn SSL_SESSION_get0_ticket(session: *const SSL_SESSION, ticket: *mut *const c_uchar, len: *mut usize);
    pub fn SSL_SESSION_get_max_fragment_length(session: *const SSL_SESSION) -> u8;
    pub fn SSL_SESSION_get0_peer(session: *mut SSL_SESSION) -> *mut X509;
    pub fn SSL_SESSION_set1_ticket_appdata(session: *mut SSL_SESSION, data: *const c_void, len: usize) -> c_int;
    pub fn SSL_SESSION_get0_ticket_appdata(session: *mut SSL_SESSION, data: *mut *mut c_void, len: *mut usize)
        -> c_int;
    pub fn SSL_group_to_name(ssl: *mut SSL, id: c_int) -> *const c_char;
    pub fn X509_STORE_load_path(store: *mut X509_STORE, directory: *const c_char) -> c_int;
    pub fn X509_STORE_up_ref(store: *mut X509_STORE) -> c_int;
    pub fn X509_STORE_add_crl(store: *mut X509_STORE, crl: *mut X509_CRL) -> c_int;
    pub fn X509_STORE_CTX_get1_issuer(
        issuer: *mut *mut X509,
        context: *mut X509_STORE_CTX,
        certificate: *mut X509,
    ) -> c_int;
    pub fn EVP_PKEY_get_group_name(key: *const EVP_PKEY, name: *mut c_char, size: usize, len: *mut usize) -> c_int;
}

pub unsafe fn SSL_set_msg_callback(ssl: *mut SSL, cb: Option<MsgCallback>) {
    // The library's own macro passes the callback through a generic function pointer as well.
    let generic = cb.map(|f| unsafe { std::mem::transmute::<MsgCallback, unsafe extern "C" fn()>(f) });
    unsafe { SSL_callback_ctrl(ssl, SSL_CTRL_SET_MSG_CALLBACK, generic) };
}

pub unsafe fn SSL_CTX_set_tlsext_status_cb(ctx: *mut SSL_CTX, cb: StatusCallback) {
    let generic = unsafe { std::mem::transmute::<StatusCallback, unsafe extern "C" fn()>(cb) };
    unsafe { SSL_CTX_callback_ctrl__fixed_rust(ctx, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB, Some(generic)) };
}

extern "C" {
    fn SSL_callback_ctrl(ssl: *mut SSL, cmd: c_int, cb: Option<unsafe extern "C" fn()>) -> c_long;
}

pub unsafe fn SSL_set_max_send_fragment(ssl: *mut SSL, bytes: c_long) -> bool {
    unsafe { SSL_ctrl(ssl, SSL_CTRL_SET_MAX_SEND_FRAGMENT, bytes, std::ptr::null_mut()) == 1 }
}

pub unsafe fn SSL_get_negotiated_group(ssl: *mut SSL) -> c_int {
    unsafe { SSL_ctrl(ssl, SSL_CTRL_GET_NEGOTIATED_GROUP, 0, std::ptr::null_mut()) as c_int }
}

pub unsafe fn SSL_CTX_clear_extra_chain_certs(ctx: *mut SSL_CTX) {
    unsafe { SSL_CTX_ctrl(ctx, SSL_CTRL_CLEAR_EXTRA_CHAIN_CERTS, 0, std::ptr::null_mut()) };
}

/// A reference of its own to `certificate` goes to the end of the current certificate's chain.
pub unsafe fn SSL_CTX_add1_chain_cert(ctx: *mut SSL_CTX, certificate: *mut X509) -> bool {
    unsafe { SSL_CTX_ctrl(ctx, SSL_CTRL_CHAIN_CERT, 1, certificate.cast()) == 1 }
}

/// The current certificate's chain: borrowed, null when there is none.
pub unsafe fn SSL_CTX_get0_chain_certs(ctx: *mut SSL_CTX) -> *mut stack_st_X509 {
    let mut chain: *mut stack_st_X509 = std::ptr::null_mut();
    unsafe { SSL_CTX_ctrl(ctx, SSL_CTRL_GET_CHAIN_CERTS, 0, (&raw mut chain).cast()) };
    chain
}

pub unsafe fn SSL_CTX_first_cert(ctx: *mut SSL_CTX) -> bool {
    unsafe { SSL_CTX_ctrl(ctx, SSL_CTRL_SET_CURRENT_CERT, SSL_CERT_SET_FIRST, std::ptr::null_mut()) == 1 }
}

pub unsafe fn SSL_CTX_next_cert(ctx: *mut SSL_CTX) -> bool {
    unsafe { SSL_CTX_ctrl(ctx, SSL_CTRL_SET_CURRENT_CERT, SSL_CERT_SET_NEXT, std::ptr::null_mut()) == 1 }
}

/// Trusts `store`, for the peer's chain and to complete our own. References of its own go to both.
pub unsafe fn SSL_use_stores(ssl: *mut SSL, store: *mut X509_STORE) -> bool {
    let set = |command| unsafe { SSL_ctrl(ssl, command, 1, store.cast()) == 1 };
    set(SSL_CTRL_SET_VERIFY_CERT_STORE) && set(SSL_CTRL_SET_CHAIN_CERT_STORE)
}
