//! Certificates and keys: reading them, making them, keeping passwords sealed.

mod generate;
pub mod hkdf;
mod library;
mod pem;
mod pkcs12;
mod secret;
mod system;

pub use generate::{generate_certificate, Generated, KeyType};
pub use library::{guard, start_openssl};
pub use pem::revocation_list;
pub use pem::{ca_certificates, certificate_chain, certificate_list, certificates, dh_parameters, private_key, to_pem};
pub use pkcs12::{read_pkcs12, LegacyPkcs12, Pkcs12Identity};
pub use secret::Secret;
pub use system::{openssl_certificates, system_certificates};
