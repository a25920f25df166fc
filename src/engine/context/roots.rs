//! The process's root certificates.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::X509;

use crate::credentials;
use crate::error::{Error, Result};

/// Root certificates and a store of them that contexts share as long as they add nothing of their own.
pub(super) struct Roots {
    certificates: Vec<X509>,
    pub(super) store: X509Store,
}

static ROOTS: RwLock<Option<Arc<Roots>>> = RwLock::new(None);

/// Sets the process's root certificates, PEM each. Contexts that took the former ones keep them.
pub fn set_root_store<'a>(pems: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let certificates = credentials::certificate_list(pems)?;
    let roots = Roots { store: store_of(&certificates)?, certificates };
    *ROOTS.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(roots));
    Ok(())
}

/// Root certificates that a program chose in place of the process's.
pub struct RootStore(pub(super) Arc<Roots>);

impl RootStore {
    /// Of every certificate in `pems`, each once. Errors: `ERR_OSSL_...` for a broken one,
    /// `ERR_CRYPTO_OPERATION_FAILED` when texts hold none at all.
    pub fn new<'a>(pems: impl IntoIterator<Item = &'a [u8]>) -> Result<Self> {
        let mut certificates: Vec<X509> = Vec::new();
        let mut seen = HashSet::new();
        let mut given = false;
        for pem in pems {
            given = true;
            for certificate in credentials::certificates(pem)? {
                if seen.insert(certificate.to_der()?) {
                    certificates.push(certificate);
                }
            }
        }
        if given && certificates.is_empty() {
            let message = "No valid certificates found in the provided array";
            return Err(Error::new("ERR_CRYPTO_OPERATION_FAILED", message));
        }
        Ok(RootStore(Arc::new(Roots { store: store_of(&certificates)?, certificates })))
    }

    /// PEM each.
    pub fn certificates(&self) -> Result<Vec<String>> {
        credentials::to_pem(&self.0.certificates)
    }
}

pub fn has_root_store() -> bool {
    root_store().is_some()
}

pub(super) fn root_store() -> Option<Arc<Roots>> {
    ROOTS.read().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Roots {
    /// A store with the same certificates, for a context that will add to it.
    pub(super) fn copy(&self) -> Result<X509Store> {
        store_of(&self.certificates)
    }
}

fn store_of(certificates: &[X509]) -> Result<X509Store> {
    let mut builder = X509StoreBuilder::new()?;
    for certificate in certificates {
        builder.add_cert(certificate.clone())?;
    }
    Ok(builder.build())
}
