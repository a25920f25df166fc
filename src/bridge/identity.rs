//! Certificates and keys in the forms of the message faces.

use napi::bindgen_prelude::*;
use napi::Env;
use napi_derive::napi;

use super::secure_context::SecureContext;
use super::throw::OrThrow;
use crate::credentials::{self, IdentitySource, Sandbox, Secret};

/// A directory in which relative paths are looked up.
#[napi(object, object_to_js = false)]
pub struct BaseDirectory {
    pub name: String,
    pub path: String,
}

/// Each text is PEM or a path; none is a string of JavaScript, which nobody could wipe.
#[napi(object, object_to_js = false)]
pub struct IdentityOptions<'env> {
    pub certificate: BufferSlice<'env>,
    pub private_key: Option<BufferSlice<'env>>,
    pub password: Option<BufferSlice<'env>>,
    pub chain: Option<BufferSlice<'env>>,
    /// In the order of look-up.
    pub bases: Vec<BaseDirectory>,
}

#[napi]
pub struct Identity {
    inner: credentials::Identity,
}

#[napi]
impl Identity {
    /// Certificate, key and chain; the chain's certificates are trusted, each by itself.
    #[napi]
    pub fn apply_to(&self, env: &Env, context: &SecureContext) -> Result<()> {
        let context = context.open(env)?;
        context.use_identity(&self.inner).or_throw(env)?;
        context.set_allow_partial_trust_chain().or_throw(env)
    }
}

/// Errors have the codes of `credentials::Identity::load`.
#[napi]
pub fn load_identity(env: &Env, options: IdentityOptions) -> Result<Identity> {
    let password = options.password.as_deref().filter(|password| !password.is_empty());
    let password = password.map(Secret::seal).transpose().or_throw(env)?;
    let sandbox = Sandbox::new(options.bases.into_iter().map(|base| (base.name, base.path.into())));
    let source = IdentitySource {
        certificate: &options.certificate,
        private_key: options.private_key.as_deref().unwrap_or_default(),
        password: password.as_ref(),
        chain: options.chain.as_deref().unwrap_or_default(),
        sandbox: &sandbox,
    };
    Ok(Identity { inner: credentials::Identity::load(&source).or_throw(env)? })
}
