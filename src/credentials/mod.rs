//! Certificates and keys: reading them, making them, keeping passwords sealed.

mod describe;
mod generate;
pub mod hkdf;
mod identity;
mod library;
mod locked;
mod pem;
mod pkcs12;
mod sandbox;
mod secret;
mod store;
mod system;
#[cfg(test)]
mod tests;

pub use describe::{describe, Description, Fingerprints};
pub use generate::{generate_certificate, Generated, KeyType};
pub use identity::{Identity, IdentitySource};
pub use library::{guard, start_openssl};
pub use pem::revocation_list;
pub use pem::{ca_certificates, certificate_chain, certificate_list, certificates, dh_parameters, private_key, to_pem};
pub use pkcs12::{read_pkcs12, LegacyPkcs12};
pub use sandbox::{Sandbox, MAX_FILE};
pub use secret::Secret;
pub use store::{CertificateStore, Passwords, Selected};
pub use system::{openssl_certificates, system_certificates};
