//! What OpenSSL does without this package: the evidence that `test/conformance/README.md` points to.

use std::os::unix::net::UnixStream;
use std::sync::mpsc;

use openssl::ssl::{SslAcceptor, SslConnector, SslMethod, SslVerifyMode, StatusType};

use crate::engine::testing::*;

/// The staple that a client gets of a server that gives `response` to OpenSSL.
fn stapled(response: &'static [u8]) -> Option<Vec<u8>> {
    let id = Id::new("localhost", Kind::Ec, Some(&Id::authority("ca")), 30);
    let mut server = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    server.set_certificate(&id.certificate).unwrap();
    server.set_private_key(&id.key).unwrap();
    let given = move |ssl: &mut openssl::ssl::SslRef| ssl.set_ocsp_status(response).map(|()| true);
    server.set_status_callback(given).unwrap();
    let server = server.build();

    let mut client = SslConnector::builder(SslMethod::tls()).unwrap();
    client.set_verify(SslVerifyMode::NONE);
    let (tell, told) = mpsc::channel();
    let seen = move |ssl: &mut openssl::ssl::SslRef| {
        let _ = tell.send(ssl.ocsp_status().map(<[u8]>::to_vec));
        Ok(true)
    };
    client.set_status_callback(seen).unwrap();
    let mut client = client.build().configure().unwrap().verify_hostname(false);
    client.set_status_type(StatusType::OCSP).unwrap();

    let (near, far) = UnixStream::pair().unwrap();
    let accepting = std::thread::spawn(move || server.accept(far).map(drop).is_ok());
    client.connect("localhost", near).unwrap();
    assert!(accepting.join().unwrap());
    told.try_recv().unwrap()
}

#[test]
fn openssl_itself_staples_no_response_that_it_cannot_read() {
    // OCSPResponse with the status "try later": the shortest there is.
    const TRY_LATER: &[u8] = &[0x30, 3, 0x0a, 1, 3];
    assert_eq!(stapled(TRY_LATER).as_deref(), Some(TRY_LATER));
    assert_eq!(stapled(b"hello world"), None);
}
