//! X25519 itself (RFC 7748), in the formally verified assembler of s2n-bignum.

use graviola::key_agreement::x25519::{PublicKey, StaticPrivateKey};
use zeroize::{Zeroize, Zeroizing};

#[cfg(test)]
thread_local! {
    /// Key pairs and secrets that were made here.
    pub(super) static USES: std::cell::Cell<[usize; 2]> = const { std::cell::Cell::new([0; 2]) };
}

/// Bytes of a private key, of a public key, of a shared secret.
pub(super) const LENGTH: usize = 32;

/// A private key and what is sent of it.
pub(super) struct KeyPair {
    pub private: Zeroizing<[u8; LENGTH]>,
    pub public: [u8; LENGTH],
}

/// Whether this processor has what graviola asserts with every call, and the answers are the right ones.
pub(super) fn usable() -> bool {
    is_x86_feature_detected!("adx")
        && is_x86_feature_detected!("aes")
        && is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("pclmulqdq")
        && known_answers()
}

/// Both operations on the example of RFC 7748, section 6.1.
fn known_answers() -> bool {
    const ALICE: [u8; LENGTH] = *b"\x77\x07\x6d\x0a\x73\x18\xa5\x7d\x3c\x16\xc1\x72\x51\xb2\x66\x45\
        \xdf\x4c\x2f\x87\xeb\xc0\x99\x2a\xb1\x77\xfb\xa5\x1d\xb9\x2c\x2a";
    const ALICE_PUBLIC: [u8; LENGTH] = *b"\x85\x20\xf0\x09\x89\x30\xa7\x54\x74\x8b\x7d\xdc\xb4\x3e\xf7\x5a\
        \x0d\xbf\x3a\x0d\x26\x38\x1a\xf4\xeb\xa4\xa9\x8e\xaa\x9b\x4e\x6a";
    const BOB_PUBLIC: [u8; LENGTH] = *b"\xde\x9e\xdb\x7d\x7b\x7d\xc1\xb4\xd3\x5b\x61\xc2\xec\xe4\x35\x37\
        \x3f\x83\x43\xc8\x5b\x78\x67\x4d\xad\xfc\x7e\x14\x6f\x88\x2b\x4f";
    const SHARED: [u8; LENGTH] = *b"\x4a\x5d\x9d\x5b\xa4\xce\x2d\xe1\x72\x8e\x3b\xf4\x80\x35\x0f\x25\
        \xe0\x7e\x21\xc9\x47\xd1\x9e\x33\x76\xf0\x9b\x3c\x1e\x16\x17\x42";
    public_key(&ALICE) == ALICE_PUBLIC && shared_secret(&ALICE, &BOB_PUBLIC).is_some_and(|secret| *secret == SHARED)
}

/// A new key pair, of OpenSSL's random numbers; `None` when those fail.
pub(super) fn generate() -> Option<KeyPair> {
    let mut private = Zeroizing::new([0; LENGTH]);
    openssl::rand::rand_priv_bytes(&mut private[..]).ok()?;
    // Every use clamps; what is exported is clamped as well, as OpenSSL has it.
    private[0] &= 248;
    private[LENGTH - 1] = private[LENGTH - 1] & 127 | 64;
    let public = public_key(&private);
    #[cfg(test)]
    USES.with(|uses| uses.set([uses.get()[0] + 1, uses.get()[1]]));
    Some(KeyPair { private, public })
}

pub(super) fn public_key(private: &[u8; LENGTH]) -> [u8; LENGTH] {
    StaticPrivateKey::from_array(private).public_key().as_bytes()
}

/// `None` for a peer's point of small order: the secret would be zero whatever our key (RFC 8446, 7.4.2).
pub(super) fn shared_secret(private: &[u8; LENGTH], peer: &[u8; LENGTH]) -> Option<Zeroizing<[u8; LENGTH]>> {
    let peer = PublicKey::try_from_slice(peer).ok()?;
    let mut shared = StaticPrivateKey::from_array(private).diffie_hellman(&peer).ok()?;
    let secret = Zeroizing::new(shared.0);
    shared.0.zeroize();
    #[cfg(test)]
    USES.with(|uses| uses.set([uses.get()[0], uses.get()[1] + 1]));
    Some(secret)
}
