//! The certificates that this machine trusts.

use std::path::{Path, PathBuf};

use openssl::x509::X509;

use crate::credentials::{ca_certificates, start_openssl};

/// Those of the operating system: the keychain on macOS, the certificate stores on Windows, OpenSSL's file and folder
/// elsewhere. What cannot be read is passed over, as Node does.
pub fn system_certificates() -> Vec<X509> {
    start_openssl();
    #[cfg(any(target_os = "macos", windows))]
    {
        let found = rustls_native_certs::load_native_certs().certs;
        found.iter().filter_map(|der| X509::from_der(der).ok()).collect()
    }
    #[cfg(not(any(target_os = "macos", windows)))]
    from_places(|_| true)
}

/// Those that a program with OpenSSL's defaults trusts: of a folder only the files named by a hash.
pub fn openssl_certificates() -> Vec<X509> {
    start_openssl();
    from_places(is_hash_name)
}

/// `SSL_CERT_FILE` and `SSL_CERT_DIR` stand for themselves alone: one of them leaves the other's default in force.
fn from_places(is_wanted: fn(&str) -> bool) -> Vec<X509> {
    let (file, folders) = places();
    let mut list = Vec::new();
    let mut add = |path: &Path| {
        if let Some(found) = std::fs::read(path).ok().and_then(|pem| ca_certificates(&pem).ok()) {
            list.extend(found);
        }
    };
    if let Some(file) = file {
        add(&file);
    }
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        let mut paths: Vec<PathBuf> = entries
            .flatten()
            .filter(|entry| entry.file_name().to_str().is_some_and(is_wanted))
            .map(|entry| entry.path())
            // A pipe would hold the reader up.
            .filter(|path| path.is_file())
            .collect();
        paths.sort_unstable();
        paths.iter().for_each(|path| add(path));
    }
    list
}

/// Each default is the system's, wherever that keeps it: the library here is built for no system of its own.
fn places() -> (Option<PathBuf>, Vec<PathBuf>) {
    let file = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let folders = std::env::var_os("SSL_CERT_DIR").map(|list| std::env::split_paths(&list).collect());
    #[cfg(unix)]
    let (file, folders) = (
        file.or_else(|| openssl_probe::probe().cert_file),
        folders.or_else(|| Some(openssl_probe::candidate_cert_dirs().take(1).map(Path::to_owned).collect())),
    );
    (file, folders.unwrap_or_default())
}

/// `5ed36f99.0`, as OpenSSL looks a name up.
fn is_hash_name(name: &str) -> bool {
    matches!(name.split_once('.'), Some((hash, number)) if hash.len() == 8
        && hash.bytes().all(|b| b.is_ascii_hexdigit())
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hash_names_count_for_openssl() {
        assert!(is_hash_name("5ed36f99.0") && is_hash_name("00112233.12"));
        for name in ["ca.pem", "5ed36f99", "5ed36f99.r0", "5ed36f9.0", "5ed36f99.", "zzzzzzzz.0"] {
            assert!(!is_hash_name(name), "{name}");
        }
    }
}
