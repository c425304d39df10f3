//! The same conversations under TLS.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

use super::{
    FIN, Seen, Server, Setup, TEXT, bounded, close_frame, frame, parse, seen_text, upgrade_request,
};
use crate::gateway::accept::ConnectionDeadlines;
use crate::gateway::tls::material::LOCALHOST;

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(LOCALHOST.certificate.as_bytes()).expect("a certificate")
}

fn server_config() -> Arc<ServerConfig> {
    let key = PrivateKeyDer::from_pem_slice(LOCALHOST.key.as_bytes()).expect("a key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate()], key);
    Arc::new(config.expect("they fit"))
}

fn connector() -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(certificate()).expect("a certificate");
    Arc::new(
        ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth(),
    )
    .into()
}

#[tokio::test]
async fn frames_pass_under_tls_and_the_end_is_orderly() {
    let server = Server::start(Setup {
        tls: Some(server_config()),
        ..Setup::default()
    });
    let large = "large ".repeat(10_000);
    for last in [(close_frame(1000), 1000), (vec![0xff], 1002)] {
        let client = server.connect().await;
        let name = ServerName::try_from("localhost").expect("a name");
        let mut stream = bounded("handshake", connector().connect(name, client.stream))
            .await
            .expect("handshake");
        let sent = [
            upgrade_request("").as_bytes(),
            &frame(FIN | TEXT, b"glued"),
            &frame(FIN | TEXT, large.as_bytes()),
            &last.0,
        ]
        .concat();
        bounded("send", stream.write_all(&sent))
            .await
            .expect("send");
        bounded("flush", stream.flush()).await.expect("flush");
        let mut heard = Vec::new();
        // An end without close_notify would be an error here.
        bounded("the end", stream.read_to_end(&mut heard))
            .await
            .expect("close_notify");
        let head = heard
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .expect("a head")
            + 4;
        assert!(heard.starts_with(b"HTTP/1.1 101 "));
        let expected = [
            seen_text("glued"),
            seen_text(&large),
            Seen::Close(Some(last.1)),
        ];
        assert_eq!(parse(&heard[head..]), expected);
        // Both sides say goodbye, then the server lets go.
        bounded("shutdown", stream.shutdown())
            .await
            .expect("shutdown");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_handshake_is_under_the_deadline_of_the_head() {
    let soon = Duration::from_millis(100);
    let deadlines = ConnectionDeadlines {
        head: soon,
        unauthenticated: soon,
        finish: soon,
    };
    let server = Server::start(Setup {
        tls: Some(server_config()),
        deadlines,
        ..Setup::default()
    });
    let mut silent = server.connect().await;
    silent.expect_closed().await;
    let mut plain = server.connect().await;
    plain.send(b"GET / HTTP/1.1\r\n\r\n").await;
    // A TLS alert may come first.
    let mut heard = Vec::new();
    if bounded("closed", plain.stream.read_to_end(&mut heard))
        .await
        .is_ok()
    {
        assert!(!heard.starts_with(b"HTTP"), "answered in the clear");
    }
    drop((silent, plain));
    server.settle(0).await;
    server.stop().await;
}
