//! X25519 through OpenSSL's own interface: ours, the default provider's, and both together.

mod derivation;

use std::ffi::{c_char, c_void, CStr};
use std::ptr;

use foreign_types_shared::{ForeignType, ForeignTypeRef};
use openssl::derive::Deriver;
use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey, PKeyRef, Private, Public};
use openssl_sys as sys;

use super::ffi::{FAILED_DURING_DERIVATION, MISSING_KEY, OUTPUT_BUFFER_TOO_SMALL};
use super::x25519;
use crate::credentials::start_openssl;

const OURS: &CStr = c"provider=c4tls";
const DEFAULT: &CStr = c"provider=default";
const NAME: &CStr = c"X25519";

const HYBRID: &CStr = c"X25519MLKEM768";

extern "C" {
    fn EVP_PKEY_CTX_new_from_pkey(
        library: *mut sys::OSSL_LIB_CTX,
        key: *mut sys::EVP_PKEY,
        properties: *const c_char,
    ) -> *mut sys::EVP_PKEY_CTX;
    fn EVP_PKEY_encapsulate_init(context: *mut sys::EVP_PKEY_CTX, params: *const sys::OSSL_PARAM) -> i32;
    fn EVP_PKEY_encapsulate(
        context: *mut sys::EVP_PKEY_CTX,
        wrapped: *mut u8,
        wrapped_length: *mut usize,
        secret: *mut u8,
        secret_length: *mut usize,
    ) -> i32;
    fn EVP_PKEY_decapsulate_init(context: *mut sys::EVP_PKEY_CTX, params: *const sys::OSSL_PARAM) -> i32;
    fn EVP_PKEY_decapsulate(
        context: *mut sys::EVP_PKEY_CTX,
        secret: *mut u8,
        secret_length: *mut usize,
        wrapped: *const u8,
        wrapped_length: usize,
    ) -> i32;
    fn EVP_PKEY_get0_provider(key: *const sys::EVP_PKEY) -> *const sys::OSSL_PROVIDER;
    fn OSSL_PROVIDER_get0_name(provider: *const sys::OSSL_PROVIDER) -> *const c_char;
    fn EVP_PKEY_CTX_set_group_name(context: *mut sys::EVP_PKEY_CTX, name: *const c_char) -> i32;
    fn EVP_PKEY_CTX_dup(context: *const sys::EVP_PKEY_CTX) -> *mut sys::EVP_PKEY_CTX;
}

/// `None`: this processor has no provider of ours, and nothing to test.
fn start() -> Option<()> {
    start_openssl();
    x25519::usable().then_some(())
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn private(bytes: &[u8], properties: &CStr) -> Option<PKey<Private>> {
    // SAFETY: C strings, and so many bytes; the result is null or ours.
    unsafe {
        let (at, len) = (bytes.as_ptr(), bytes.len());
        let key = sys::EVP_PKEY_new_raw_private_key_ex(ptr::null_mut(), NAME.as_ptr(), properties.as_ptr(), at, len);
        (!key.is_null()).then(|| PKey::from_ptr(key))
    }
}

fn public(bytes: &[u8], properties: &CStr) -> Option<PKey<Public>> {
    // SAFETY: the same.
    unsafe {
        let (at, len) = (bytes.as_ptr(), bytes.len());
        let key = sys::EVP_PKEY_new_raw_public_key_ex(ptr::null_mut(), NAME.as_ptr(), properties.as_ptr(), at, len);
        (!key.is_null()).then(|| PKey::from_ptr(key))
    }
}

fn generate(properties: &CStr) -> PKey<Private> {
    generate_named(NAME, properties)
}

fn generate_named(name: &CStr, properties: &CStr) -> PKey<Private> {
    // SAFETY: C strings; the result is null or ours.
    unsafe {
        let key = sys::EVP_PKEY_Q_keygen(ptr::null_mut(), properties.as_ptr(), name.as_ptr());
        assert!(!key.is_null());
        PKey::from_ptr(key)
    }
}

fn derive(key: &PKeyRef<Private>, peer: &PKeyRef<Public>) -> Result<Vec<u8>, ErrorStack> {
    let mut deriver = Deriver::new(key)?;
    deriver.set_peer(peer)?;
    deriver.derive_to_vec()
}

fn provider<T>(key: &PKeyRef<T>) -> &CStr {
    // SAFETY: a live key, whose provider is never unloaded.
    unsafe { CStr::from_ptr(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key.as_ptr()))) }
}

fn reason(result: Result<Vec<u8>, ErrorStack>) -> i32 {
    result.unwrap_err().errors()[0].reason_code()
}

#[test]
fn it_is_chosen_without_being_asked_for_and_only_for_x25519() {
    let Some(()) = start() else { return };
    assert_eq!(provider(&PKey::generate_x25519().unwrap()), c"c4tls");
    assert_eq!(provider(&generate(DEFAULT)), c"default");
    assert_eq!(provider(&PKey::generate_x448().unwrap()), c"default");
    assert_eq!(provider(&PKey::generate_ed25519().unwrap()), c"default");
}

#[test]
fn rfc_7748_5_2() {
    let Some(()) = start() else { return };
    for (scalar, point, product) in [
        (
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ),
        (
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ),
    ] {
        let (key, peer) = (private(&bytes(scalar), OURS).unwrap(), public(&bytes(point), OURS).unwrap());
        assert_eq!(derive(&key, &peer).unwrap(), bytes(product));
    }
    let mut k = bytes("0900000000000000000000000000000000000000000000000000000000000000");
    let mut u = k.clone();
    for _ in 0..1000 {
        let result = derive(&private(&k, OURS).unwrap(), &public(&u, OURS).unwrap()).unwrap();
        u = std::mem::replace(&mut k, result);
    }
    assert_eq!(k, bytes("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"));
}

#[test]
fn it_agrees_with_the_default_provider() {
    let Some(()) = start() else { return };
    for _ in 0..200 {
        let (ours, theirs) = (generate(OURS), generate(DEFAULT));
        let raw = ours.raw_private_key().unwrap();
        assert_eq!((raw[0] & 7, raw[31] >> 6), (0, 1));
        // The same public key comes of the same private one.
        let public_of = |key: &PKey<Private>| key.raw_public_key().unwrap();
        assert_eq!(public_of(&private(&raw, DEFAULT).unwrap()), public_of(&ours));
        let there = derive(&ours, &public(&public_of(&theirs), OURS).unwrap()).unwrap();
        let back = derive(&theirs, &public(&public_of(&ours), DEFAULT).unwrap()).unwrap();
        assert_eq!(there, back);
        // Keys of one provider in the other's hands.
        assert_eq!(derive(&ours, &public(&public_of(&theirs), DEFAULT).unwrap()).unwrap(), there);
        assert_eq!(derive(&theirs, &public(&public_of(&ours), OURS).unwrap()).unwrap(), there);
    }
}

#[test]
fn keys_are_written_read_and_compared() {
    let Some(()) = start() else { return };
    let key = PKey::generate_x25519().unwrap();
    let read = PKey::private_key_from_pem(&key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    let public = PKey::public_key_from_pem(&key.public_key_to_pem().unwrap()).unwrap();
    assert!(read.public_eq(&key) && public.public_eq(&key) && !public.public_eq(&PKey::generate_x25519().unwrap()));
    assert_eq!(read.raw_private_key().unwrap(), key.raw_private_key().unwrap());
    assert_eq!((key.id(), key.bits(), key.security_bits(), key.size()), (Id::X25519, 253, 128, 32));
}

#[test]
fn keys_of_another_length_are_refused() {
    let Some(()) = start() else { return };
    for length in [0, 1, 31, 33, 56] {
        assert!(private(&vec![7; length], OURS).is_none() && public(&vec![9; length], OURS).is_none());
    }
    let _ = ErrorStack::get();
}

#[test]
fn points_of_small_order_are_refused_as_the_default_provider_does() {
    let Some(()) = start() else { return };
    for point in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
    ] {
        for properties in [OURS, DEFAULT] {
            let peer = public(&bytes(point), properties).unwrap();
            assert_eq!(reason(derive(&generate(properties), &peer)), FAILED_DURING_DERIVATION);
        }
    }
}

#[test]
fn deriving_fails_where_the_default_provider_s_does() {
    let Some(()) = start() else { return };
    for properties in [OURS, DEFAULT] {
        let (key, peer) = (generate(properties), generate(properties));
        let peer = public(&peer.raw_public_key().unwrap(), properties).unwrap();
        // No peer, and room for a byte too little.
        assert_eq!(reason(Deriver::new(&key).unwrap().derive_to_vec()), MISSING_KEY);
        let mut deriver = Deriver::new(&key).unwrap();
        deriver.set_peer(&peer).unwrap();
        let short = deriver.derive(&mut [0; 31]).map(|_| Vec::new());
        assert_eq!(reason(short), OUTPUT_BUFFER_TOO_SMALL);
        // No private key.
        // SAFETY: the key is asked for what it lacks.
        let half = unsafe { PKeyRef::<Private>::from_ptr(peer.as_ptr()) };
        assert_eq!(reason(derive(half, &peer)), MISSING_KEY);
    }
}

#[test]
fn a_derivation_can_be_copied() {
    let Some(()) = start() else { return };
    let (key, peer) = (generate(OURS), generate(OURS));
    let mut secret = [0; 32];
    // SAFETY: live objects, checked and freed here; a buffer of so many bytes.
    unsafe {
        let first = sys::EVP_PKEY_CTX_new(key.as_ptr(), ptr::null_mut());
        assert_eq!((sys::EVP_PKEY_derive_init(first), sys::EVP_PKEY_derive_set_peer(first, peer.as_ptr())), (1, 1));
        let copy = EVP_PKEY_CTX_dup(first);
        sys::EVP_PKEY_CTX_free(first);
        assert_eq!(sys::EVP_PKEY_derive(copy, secret.as_mut_ptr(), &mut 32), 1);
        sys::EVP_PKEY_CTX_free(copy);
    }
    let peer = public(&peer.raw_public_key().unwrap(), OURS).unwrap();
    assert_eq!(derive(&key, &peer).unwrap(), secret);
}

#[test]
fn keys_that_are_not_to_be_random_are_the_default_provider_s() {
    let Some(()) = start() else { return };
    // RFC 9180, A.1.1: DHKEM(X25519, HKDF-SHA256) of ikmE.
    let mut ikm = bytes("7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234");
    let expected = bytes("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431");
    for properties in [OURS, DEFAULT] {
        // SAFETY: live objects, a list whose buffer outlives its use, a result that is checked.
        let key = unsafe {
            let context = sys::EVP_PKEY_CTX_new_from_name(ptr::null_mut(), NAME.as_ptr(), properties.as_ptr());
            assert_eq!(sys::EVP_PKEY_keygen_init(context), 1);
            let at = ikm.as_mut_ptr().cast::<c_void>();
            let params = [
                sys::OSSL_PARAM_construct_octet_string(c"dhkem-ikm".as_ptr(), at, ikm.len()),
                sys::OSSL_PARAM_construct_end(),
            ];
            assert_eq!(sys::EVP_PKEY_CTX_set_params(context, params.as_ptr()), 1);
            let mut key = ptr::null_mut();
            assert_eq!(sys::EVP_PKEY_keygen(context, &mut key), 1);
            sys::EVP_PKEY_CTX_free(context);
            PKey::<Private>::from_ptr(key)
        };
        assert_eq!(key.raw_public_key().unwrap(), expected);
    }
}

#[test]
fn a_group_of_another_name_is_refused() {
    let Some(()) = start() else { return };
    for (group, result) in [(c"x25519", true), (c"X25519", true), (c"x448", false), (c"P-256", false)] {
        // SAFETY: live objects; C strings.
        unsafe {
            let context = sys::EVP_PKEY_CTX_new_from_name(ptr::null_mut(), NAME.as_ptr(), OURS.as_ptr());
            assert_eq!(sys::EVP_PKEY_keygen_init(context), 1);
            assert_eq!(EVP_PKEY_CTX_set_group_name(context, group.as_ptr()) == 1, result);
            sys::EVP_PKEY_CTX_free(context);
        }
    }
    let _ = ErrorStack::get();
}

/// What the key's owner gets of it, and what a peer does, each under `properties`.
fn encapsulate(key: &PKeyRef<Private>, properties: [&CStr; 2]) -> [Vec<u8>; 2] {
    let (mut wrapped, mut wrapped_length) = (vec![0; 4096], 4096);
    let mut secrets = [vec![0; 256], vec![0; 256]];
    let [(theirs, mut theirs_length), (ours, mut ours_length)] =
        secrets.each_mut().map(|bytes| (bytes.as_mut_ptr(), 256));
    // SAFETY: live objects, checked and freed here; buffers with their lengths.
    unsafe {
        let context =
            |properties: &CStr| EVP_PKEY_CTX_new_from_pkey(ptr::null_mut(), key.as_ptr(), properties.as_ptr());
        let peer = context(properties[0]);
        assert_eq!(EVP_PKEY_encapsulate_init(peer, ptr::null()), 1);
        let to = wrapped.as_mut_ptr();
        assert_eq!(EVP_PKEY_encapsulate(peer, to, &mut wrapped_length, theirs, &mut theirs_length), 1);
        sys::EVP_PKEY_CTX_free(peer);
        let owner = context(properties[1]);
        assert_eq!(EVP_PKEY_decapsulate_init(owner, ptr::null()), 1);
        assert_eq!(EVP_PKEY_decapsulate(owner, ours, &mut ours_length, wrapped.as_ptr(), wrapped_length), 1);
        sys::EVP_PKEY_CTX_free(owner);
    }
    secrets[0].truncate(theirs_length);
    secrets[1].truncate(ours_length);
    secrets
}

#[test]
fn the_hybrid_with_ml_kem_makes_use_of_it() {
    let Some(()) = start() else { return };
    let before = x25519::USES.get();
    let key = generate_named(HYBRID, c"");
    assert_eq!(x25519::USES.get(), [before[0] + 1, before[1]]);
    let [theirs, ours] = encapsulate(&key, [c"", c""]);
    assert_eq!((theirs.len(), &theirs), (64, &ours));
    // The peer makes a key, and both derive.
    assert_eq!(x25519::USES.get(), [before[0] + 2, before[1] + 2]);
    // With the default provider on one side.
    let key = generate_named(HYBRID, DEFAULT);
    for properties in [[c"", DEFAULT], [DEFAULT, c""], [DEFAULT, DEFAULT]] {
        let [theirs, ours] = encapsulate(&key, properties);
        assert_eq!(theirs, ours);
    }
}

#[test]
fn threads_use_it_at_once() {
    let Some(()) = start() else { return };
    let threads = (0..8).map(|_| std::thread::spawn(it_agrees_with_the_default_provider));
    for thread in threads.collect::<Vec<_>>() {
        thread.join().unwrap();
    }
}
