//! The one error type of the core.
//!
//! Every error carries a stable `code`. OpenSSL errors get Node's spelling: `ERR_SSL_<REASON>` for libssl,
//! `ERR_OSSL_<LIBRARY>_<REASON>` for libcrypto; system errors keep their errno name (`ECONNRESET`, ...).

use std::borrow::Cow;
use std::fmt;
use std::io;

use openssl::error::ErrorStack;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in a form that can cross into JavaScript whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Stable and upper case: `ERR_SSL_WRONG_VERSION_NUMBER`, `ECONNRESET`, `CERT_HAS_EXPIRED`, ...
    pub code: Cow<'static, str>,
    /// For people. Never holds key material, passwords or clear text.
    pub message: String,
    /// OpenSSL's library and reason texts, where the error came from there.
    pub library: Option<Box<str>>,
    pub reason: Option<Box<str>>,
    /// Further entries of OpenSSL's error queue, newest first.
    pub stack: Box<[String]>,
    /// The system call that failed, for system errors.
    pub syscall: Option<&'static str>,
    /// The operating system's error number, positive; 0 where there is none.
    pub errno: i32,
}

impl Error {
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Error {
            code: code.into(),
            message: message.into(),
            library: None,
            reason: None,
            stack: Box::default(),
            syscall: None,
            errno: 0,
        }
    }

    /// A system error of `syscall` (`read`, `write`, `connect`, `listen`, ...).
    pub fn system(error: &io::Error, syscall: &'static str) -> Self {
        let errno = error.raw_os_error().unwrap_or(0);
        let code = errno_name(errno).unwrap_or_else(|| kind_name(error.kind()));
        Error { syscall: Some(syscall), errno, ..Error::new(code, format!("{syscall} {code}")) }
    }

    /// OpenSSL's error queue, oldest entry first; that entry names the error, as Node has it.
    /// An empty queue gives `fallback`.
    pub fn openssl(stack: &ErrorStack, fallback: &'static str) -> Self {
        let errors = stack.errors();
        let Some(first) = errors.first() else {
            return Error::new("ERR_CRYPTO_OPERATION_FAILED", fallback);
        };
        let library = first.library().map(Box::from);
        let reason = first.reason().map(Box::<str>::from);
        let code = match &reason {
            Some(reason) => openssl_code(first.library_code(), reason),
            None => "ERR_CRYPTO_OPERATION_FAILED".to_owned(),
        };
        let show = |e: &openssl::error::Error| {
            format!("error:{:08X}:{}::{}", e.code(), e.library().unwrap_or(""), e.reason().unwrap_or(""))
        };
        Error { library, reason, stack: errors[1..].iter().rev().map(show).collect(), ..Error::new(code, show(first)) }
    }

    /// Takes OpenSSL's error queue of this thread.
    pub fn take_openssl(fallback: &'static str) -> Self {
        Error::openssl(&ErrorStack::get(), fallback)
    }
}

impl From<ErrorStack> for Error {
    fn from(stack: ErrorStack) -> Self {
        Error::openssl(&stack, "OpenSSL failed without a reason")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}

/// `wrong version number` of libssl becomes `ERR_SSL_WRONG_VERSION_NUMBER`.
fn openssl_code(library: i32, reason: &str) -> String {
    let prefix = match library {
        3 => "OSSL_BN_",
        4 => "OSSL_RSA_",
        5 => "OSSL_DH_",
        6 => "OSSL_EVP_",
        7 => "OSSL_BUF_",
        8 => "OSSL_OBJ_",
        9 => "OSSL_PEM_",
        10 => "OSSL_DSA_",
        11 => "OSSL_X509_",
        13 => "OSSL_ASN1_",
        14 => "OSSL_CONF_",
        15 => "OSSL_CRYPTO_",
        16 => "OSSL_EC_",
        20 => "SSL_",
        32 => "OSSL_BIO_",
        33 => "OSSL_PKCS7_",
        34 => "OSSL_X509V3_",
        35 => "OSSL_PKCS12_",
        36 => "OSSL_RAND_",
        37 => "OSSL_DSO_",
        39 => "OSSL_OCSP_",
        40 => "OSSL_UI_",
        _ => "OSSL_",
    };
    let mut code = String::with_capacity(4 + prefix.len() + reason.len());
    code.push_str("ERR_");
    code.push_str(prefix);
    code.extend(reason.chars().map(|c| match c {
        c if c.is_ascii_alphanumeric() => c.to_ascii_uppercase(),
        _ => '_',
    }));
    code
}

macro_rules! errno_names {
    ($($name:ident),+ $(,)?) => {
        /// The errno's name as libuv spells it.
        fn errno_name(errno: i32) -> Option<&'static str> {
            match errno {
                $(libc::$name => Some(stringify!($name)),)+
                _ => None,
            }
        }
    };
}

errno_names!(
    EACCES,
    EADDRINUSE,
    EADDRNOTAVAIL,
    EAFNOSUPPORT,
    EALREADY,
    EBADF,
    ECANCELED,
    ECONNABORTED,
    ECONNREFUSED,
    ECONNRESET,
    EEXIST,
    EFAULT,
    EHOSTUNREACH,
    EINPROGRESS,
    EINTR,
    EINVAL,
    EIO,
    EISCONN,
    EISDIR,
    ELOOP,
    EMFILE,
    EMSGSIZE,
    ENAMETOOLONG,
    ENETDOWN,
    ENETUNREACH,
    ENFILE,
    ENOBUFS,
    ENODEV,
    ENOENT,
    ENOMEM,
    ENOPROTOOPT,
    ENOSPC,
    ENOSYS,
    ENOTCONN,
    ENOTDIR,
    ENOTSOCK,
    EPERM,
    EPIPE,
    EPROTO,
    EPROTONOSUPPORT,
    EPROTOTYPE,
    EROFS,
    ETIMEDOUT,
    ETXTBSY,
);

/// Windows reports `WSAE...` numbers; the kind is the portable part.
fn kind_name(kind: io::ErrorKind) -> &'static str {
    use io::ErrorKind as K;
    match kind {
        K::AddrInUse => "EADDRINUSE",
        K::AddrNotAvailable => "EADDRNOTAVAIL",
        K::BrokenPipe => "EPIPE",
        K::ConnectionAborted => "ECONNABORTED",
        K::ConnectionRefused => "ECONNREFUSED",
        K::ConnectionReset => "ECONNRESET",
        K::HostUnreachable => "EHOSTUNREACH",
        K::InvalidInput => "EINVAL",
        K::NetworkUnreachable => "ENETUNREACH",
        K::NotConnected => "ENOTCONN",
        K::NotFound => "ENOENT",
        K::PermissionDenied => "EACCES",
        K::TimedOut => "ETIMEDOUT",
        K::UnexpectedEof => "EOF",
        _ => "UNKNOWN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssl_reasons_become_nodes_codes() {
        assert_eq!(openssl_code(20, "wrong version number"), "ERR_SSL_WRONG_VERSION_NUMBER");
        assert_eq!(openssl_code(9, "no start line"), "ERR_OSSL_PEM_NO_START_LINE");
        assert_eq!(openssl_code(60, "unsupported"), "ERR_OSSL_UNSUPPORTED");
    }

    #[test]
    fn system_errors_name_errno_and_syscall() {
        let e = Error::system(&io::Error::from_raw_os_error(libc::ECONNRESET), "read");
        assert_eq!((&*e.code, e.syscall, e.errno), ("ECONNRESET", Some("read"), libc::ECONNRESET));
        assert_eq!(e.message, "read ECONNRESET");
    }
}
