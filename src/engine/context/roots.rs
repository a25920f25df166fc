//! The process's root certificates.

use std::sync::{Arc, PoisonError, RwLock};

use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::X509;

use crate::credentials;
use crate::error::Result;

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
