//! Functions without a handle: versions, suites, development certificates.

use napi::bindgen_prelude::*;
use napi::Env;
use napi_derive::napi;

use super::throw::OrThrow;
use crate::{credentials, engine};

#[napi(object, object_from_js = false)]
pub struct Versions {
    pub openssl: String,
    #[napi(js_name = "c4tls")]
    pub c4tls: &'static str,
}

#[napi]
pub fn versions() -> Versions {
    Versions { openssl: engine::openssl_version(), c4tls: env!("CARGO_PKG_VERSION") }
}

/// Suite names, lower case, sorted, TLS 1.3 ones with their IANA names.
#[napi]
pub fn get_ciphers(env: &Env) -> Result<Vec<String>> {
    engine::cipher_names().or_throw(env)
}

#[napi(object, object_to_js = false)]
pub struct GenerateOptions {
    /// DNS names and IP addresses; the first is the common name.
    pub names: Vec<String>,
    pub days: u32,
    /// `ec`, `rsa` or `ed25519`.
    pub key_type: String,
}

#[napi(object, object_from_js = false)]
pub struct Generated {
    pub cert: String,
    pub key: String,
}

/// A self-signed certificate and its key, PEM.
#[napi]
pub fn generate_certificate(env: &Env, options: GenerateOptions) -> Result<Generated> {
    let key_type = options.key_type.parse().or_throw(env)?;
    let made = credentials::generate_certificate(&options.names, options.days, key_type).or_throw(env)?;
    Ok(Generated { cert: made.cert, key: made.key })
}
