//! Keys out of their numbers, big-endian.

use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private, Public};
use openssl::rsa::{Rsa, RsaPrivateKeyBuilder};

use super::refusal;
use crate::error::Result;

/// OpenSSL's bound of an RSA key, in bytes: 16,384 bits.
const MAX_MODULUS: usize = 2048;

fn number(bytes: &[u8]) -> Result<BigNum> {
    match bytes.len() <= MAX_MODULUS {
        true => Ok(BigNum::from_slice(bytes)?),
        false => Err(refusal("The key is larger than 16,384 bits.")),
    }
}

fn secret(bytes: &[u8]) -> Result<BigNum> {
    let mut number = number(bytes)?;
    number.set_const_time();
    Ok(number)
}

pub(super) fn rsa_public(n: &[u8], e: &[u8]) -> Result<PKey<Public>> {
    Ok(PKey::from_rsa(Rsa::from_public_components(number(n)?, number(e)?)?)?)
}

pub(super) fn rsa_private(n: &[u8], e: &[u8], d: &[u8], (p, q): (&[u8], &[u8])) -> Result<PKey<Private>> {
    let (n, e, d) = (number(n)?, number(e)?, secret(d)?);
    let (p, q) = (secret(p)?, secret(q)?);
    let mut context = BigNumContext::new_secure()?;
    let mut product = BigNum::new()?;
    product.checked_mul(&p, &q, &mut context)?;
    if product != n {
        return Err(refusal("The numbers of the RSA key do not fit together."));
    }
    let dp = exponent(&d, &p, &mut context)?;
    let dq = exponent(&d, &q, &mut context)?;
    let mut qi = BigNum::new_secure()?;
    qi.mod_inverse(&q, &p, &mut context)?;
    let key = RsaPrivateKeyBuilder::new(n, e, d)?.set_factors(p, q)?.set_crt_params(dp, dq, qi)?.build();
    Ok(PKey::from_rsa(key)?)
}

/// `d mod (prime - 1)`
fn exponent(d: &BigNumRef, prime: &BigNumRef, context: &mut BigNumContext) -> Result<BigNum> {
    let mut less = prime.to_owned()?;
    less.set_const_time();
    less.sub_word(1)?;
    let mut rest = BigNum::new_secure()?;
    let done = rest.checked_rem(d, &less, context);
    less.clear();
    done?;
    Ok(rest)
}

/// `point` is SEC 1's form of a point, compressed or not.
pub(super) fn ec_public(curve: Nid, point: &[u8]) -> Result<PKey<Public>> {
    let group = EcGroup::from_curve_name(curve)?;
    let point = EcPoint::from_bytes(&group, point, &mut *BigNumContext::new()?)?;
    let key = EcKey::from_public_key(&group, &point)?;
    key.check_key()?;
    Ok(PKey::from_ec_key(key)?)
}

pub(super) fn ec_private(curve: Nid, point: &[u8], d: &[u8]) -> Result<PKey<Private>> {
    let group = EcGroup::from_curve_name(curve)?;
    let point = EcPoint::from_bytes(&group, point, &mut *BigNumContext::new()?)?;
    let key = EcKey::from_private_components(&group, &*secret(d)?, &point)?;
    key.check_key()?;
    Ok(PKey::from_ec_key(key)?)
}

/// Ed25519 and its kin.
pub(super) fn raw_public(kind: Id, public: &[u8]) -> Result<PKey<Public>> {
    Ok(PKey::public_key_from_raw_bytes(public, kind)?)
}

pub(super) fn raw_private(kind: Id, public: &[u8], private: &[u8]) -> Result<PKey<Private>> {
    let key = PKey::private_key_from_raw_bytes(private, kind)?;
    match key.raw_public_key()? == public {
        true => Ok(key),
        false => Err(refusal("The halves of the key do not fit together.")),
    }
}
