//! A certificate as plain data.

use std::ffi::{c_char, c_int, CStr};
use std::net::IpAddr;
use std::ptr;

use foreign_types_shared::{ForeignType, ForeignTypeRef};
use openssl::asn1::{Asn1Object, Asn1ObjectRef, Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::hash::{hash, MessageDigest};
use openssl::nid::Nid;
use openssl::pkey::{PKeyRef, Public};
use openssl::stack::Stack;
use openssl::x509::{GeneralNameRef, X509NameEntryRef, X509NameRef, X509Ref};
use openssl_sys as ffi;

use crate::credentials::store::{wire_form, Selected};
use crate::error::Result;

/// Room for an object identifier as text; longer ones are cut.
const MAX_OID: usize = 256;

/// `X509_PUBKEY` of `openssl/x509.h`.
enum SubjectPublicKey {}

extern "C" {
    fn EVP_PKEY_get0_type_name(key: *const ffi::EVP_PKEY) -> *const c_char;
    fn X509_NAME_ENTRY_set(entry: *const ffi::X509_NAME_ENTRY) -> c_int;
    fn X509_get_X509_PUBKEY(certificate: *const ffi::X509) -> *mut SubjectPublicKey;
    fn X509_PUBKEY_get0_param(
        algorithm: *mut *mut ffi::ASN1_OBJECT,
        key: *mut *const u8,
        length: *mut c_int,
        parameters: *mut *mut ffi::X509_ALGOR,
        subject_public_key: *const SubjectPublicKey,
    ) -> c_int;
}

/// What a certificate says, as texts and numbers. What it does not say, or says in a form that cannot be read, is empty.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Description {
    pub subject: String,
    pub issuer: String,
    /// Hexadecimal in upper case, two digits a byte, without leading zero bytes.
    pub serial_number: String,
    /// 1 to 3; 0 without a certificate.
    pub version: i32,
    /// Seconds since 1970 UTC.
    pub not_before: Option<i64>,
    pub not_after: Option<i64>,
    /// OpenSSL's name (`sha256WithRSAEncryption`), or the object identifier.
    pub signature_algorithm: String,
    /// Object identifiers.
    pub extended_key_usage: Vec<String>,
    /// DNS names, addresses, e-mail addresses, URIs and directory names, without a mark of their kind.
    pub subject_alt_names: Vec<String>,
    /// The first eight bits of the key usage: 0x80 digitalSignature to 0x01 encipherOnly.
    pub key_usage: u8,
    /// OpenSSL's name (`RSA`, `EC`, `ED25519`), or the object identifier.
    pub public_key_algorithm: String,
    /// Bits.
    pub public_key_length: u32,
    /// PEM.
    pub public_key: String,
    /// What the hashes are made of: the certificate's DER, or without a certificate the public key as SSH sends it.
    pub fingerprints: Fingerprints,
}

/// Hexadecimal in lower case; empty where there is nothing to hash.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Fingerprints {
    pub md5: String,
    pub sha1: String,
    pub sha256: String,
}

impl Fingerprints {
    fn of(bytes: &[u8]) -> Result<Self> {
        let digest = |kind| hash(kind, bytes).map(|digest| hex(&digest));
        Ok(Fingerprints {
            md5: digest(MessageDigest::md5())?,
            sha1: digest(MessageDigest::sha1())?,
            sha256: digest(MessageDigest::sha256())?,
        })
    }
}

pub fn describe(selected: &Selected) -> Result<Description> {
    let mut found = match &selected.certificate {
        Some(certificate) => certificate_fields(certificate)?,
        None => Description::default(),
    };
    if let Some(key) = &selected.public_key {
        if found.fingerprints.md5.is_empty() {
            found.fingerprints = wire_form(key).map(|wire| Fingerprints::of(&wire)).transpose()?.unwrap_or_default();
        }
        found.public_key = String::from_utf8_lossy(&key.public_key_to_pem()?).into_owned();
        found.public_key_length = bits(key);
        found.public_key_algorithm = type_name(key).unwrap_or(found.public_key_algorithm);
    }
    let _ = ErrorStack::get();
    Ok(found)
}

fn certificate_fields(x: &X509Ref) -> Result<Description> {
    let alternatives = x.subject_alt_names();
    Ok(Description {
        subject: distinguished_name(x.subject_name()),
        issuer: distinguished_name(x.issuer_name()),
        serial_number: hex(&x.serial_number().to_bn()?.to_vec()).to_uppercase(),
        version: x.version().saturating_add(1),
        not_before: unix_time(x.not_before()),
        not_after: unix_time(x.not_after()),
        signature_algorithm: object_name(x.signature_algorithm().object()),
        extended_key_usage: extended_key_usage(x),
        subject_alt_names: alternatives.iter().flatten().filter_map(alternative).collect(),
        key_usage: x.key_usage().map_or(0, |usage| usage.bits() as u8),
        public_key_algorithm: key_algorithm(x),
        fingerprints: Fingerprints::of(&x.to_der()?)?,
        ..Description::default()
    })
}

/// `CN=www.example.com, O="Example, Inc.", C=US`, in the certificate's order.
///
/// Values that hold a comma or another character with a meaning are in quotes, quotes in them doubled, as Windows'
/// `CertNameToStr` does; fields without a short name show their object identifier.
pub fn distinguished_name(name: &X509NameRef) -> String {
    let mut text = String::new();
    let mut last_set = None;
    for entry in name.entries() {
        // SAFETY: the entry is live.
        let set = unsafe { X509_NAME_ENTRY_set(entry.as_ptr()) };
        if let Some(last) = last_set.replace(set) {
            text.push_str(if last == set { " + " } else { ", " });
        }
        text.push_str(&field(entry.object()));
        text.push('=');
        text.push_str(&quoted(&value(entry)));
    }
    text
}

fn field(object: &Asn1ObjectRef) -> String {
    match object.nid() {
        Nid::STATEORPROVINCENAME => "S".to_owned(),
        Nid::PKCS9_EMAILADDRESS => "E".to_owned(),
        Nid::UNDEF => dotted(object),
        nid => nid.short_name().map_or_else(|_| dotted(object), str::to_owned),
    }
}

fn value(entry: &X509NameEntryRef) -> String {
    let data = entry.data();
    // Not a text: '#' and the bytes, as RFC 4514 has it.
    data.to_string().unwrap_or_else(|_| format!("#{}", hex(data.as_slice())))
}

fn quoted(value: &str) -> String {
    let special = |c: char| matches!(c, ',' | '+' | '=' | '"' | '\n' | '<' | '>' | '#' | ';');
    match value.contains(special) || value.trim() != value {
        true => format!("\"{}\"", value.replace('"', "\"\"")),
        false => value.to_owned(),
    }
}

fn alternative(name: &GeneralNameRef) -> Option<String> {
    if let Some(text) = name.dnsname().or_else(|| name.email()).or_else(|| name.uri()) {
        // A comma would end the entry, and a '=' or '#' is nothing special here.
        return Some(if text.contains([',', '"']) { quoted(text) } else { text.to_owned() });
    }
    if let Some(bytes) = name.ipaddress() {
        let address =
            <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
        return address.ok().map(|address| address.to_string());
    }
    name.directory_name().map(|name| quoted(&distinguished_name(name)))
}

fn extended_key_usage(x: &X509Ref) -> Vec<String> {
    // SAFETY: the certificate is live; a list that comes back is ours, and of this type for this extension.
    let list = unsafe {
        let list = ffi::X509_get_ext_d2i(x.as_ptr(), ffi::NID_ext_key_usage, ptr::null_mut(), ptr::null_mut());
        (!list.is_null()).then(|| Stack::<Asn1Object>::from_ptr(list.cast()))
    };
    list.iter().flatten().map(dotted).collect()
}

fn unix_time(time: &Asn1TimeRef) -> Option<i64> {
    let difference = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    Some(i64::from(difference.days) * 86_400 + i64::from(difference.secs))
}

fn object_name(object: &Asn1ObjectRef) -> String {
    match object.nid() {
        Nid::UNDEF => dotted(object),
        nid => nid.long_name().map_or_else(|_| dotted(object), str::to_owned),
    }
}

fn dotted(object: &Asn1ObjectRef) -> String {
    let mut text = [0u8; MAX_OID];
    // SAFETY: the object is live; OpenSSL writes at most this many bytes, and a NUL behind them.
    unsafe { ffi::OBJ_obj2txt(text.as_mut_ptr().cast(), MAX_OID as c_int, object.as_ptr(), 1) };
    CStr::from_bytes_until_nul(&text).map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned())
}

/// The algorithm that a certificate names for its key, which OpenSSL need not know.
fn key_algorithm(x: &X509Ref) -> String {
    let mut algorithm = ptr::null_mut();
    // SAFETY: the certificate is live, and so is what is borrowed from it here; null says what is not wanted.
    unsafe {
        let key = X509_get_X509_PUBKEY(x.as_ptr());
        let good = !key.is_null()
            && X509_PUBKEY_get0_param(&mut algorithm, ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), key) == 1;
        match good && !algorithm.is_null() {
            true => object_name(Asn1ObjectRef::from_ptr(algorithm)),
            false => String::new(),
        }
    }
}

fn type_name(key: &PKeyRef<Public>) -> Option<String> {
    // SAFETY: the key is live; the name is null or lives as long.
    unsafe {
        let name = EVP_PKEY_get0_type_name(key.as_ptr());
        (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned())
    }
}

/// Keys that are a string of bytes have that string's length: OpenSSL calls Ed25519's 253 bits long.
fn bits(key: &PKeyRef<Public>) -> u32 {
    let raw = key.raw_public_key().ok().and_then(|raw| u32::try_from(raw.len() * 8).ok());
    raw.unwrap_or_else(|| key.bits())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
