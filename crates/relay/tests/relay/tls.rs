//! TLS by the relay itself, with certificates made here: both protocols, renewal without a restart, files that are of no use.

use std::{path::Path, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use reqwest::{StatusCode, Version, tls::TlsInfo};
use shopbell_relay::{Relay, StartError, SystemEntropy, Tls};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};
use url::Url;

use super::{harness::*, meta::Meta};

/// An authority and a folder with what it issued.
struct Authority {
    dir: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            dir: tempfile::tempdir().unwrap(),
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    fn files(&self) -> Tls {
        Tls {
            cert: self.dir.path().join("cert.pem"),
            key: self.dir.path().join("key.pem"),
        }
    }

    /// Writes a pair that ends in this year.
    fn issue(&self, until_year: i32) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(until_year, 1, 1);
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        let files = self.files();
        write(&files.cert, &cert.pem());
        write(&files.key, &key.serialize_pem());
    }

    fn client(&self) -> reqwest::Client {
        reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(self.pem.as_bytes()).unwrap()])
            .tls_info(true)
            .build()
            .unwrap()
    }

    /// A connection that is kept.
    async fn connect(&self, relay: &Relay) -> TlsStream<TcpStream> {
        self.connect_for(relay, &[]).await
    }

    /// The same, offering these protocols.
    async fn connect_for(&self, relay: &Relay, protocols: &[&[u8]]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let socket = TcpStream::connect(relay.listening).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, socket)
            .await
            .unwrap()
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

async fn start(files: Tls) -> Result<Relay, StartError> {
    start_with(files, |_| {}).await
}

async fn start_with(
    files: Tls,
    change: impl FnOnce(&mut shopbell_relay::Config),
) -> Result<Relay, StartError> {
    let (mut config, listener) = prepared(files).await;
    change(&mut config);
    let clock = Arc::new(shopbell_relay::SystemClock);
    Relay::start_on(listener, config, clock, Arc::new(SystemEntropy)).await
}

async fn prepared(files: Tls) -> (shopbell_relay::Config, TcpListener) {
    let meta = Meta::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (facebook, instagram) = apps();
    let upstream = shopbell_relay::Upstreams::below(&meta.base).unwrap();
    let mut config = shopbell_relay::Config::in_memory(upstream, Some(facebook), Some(instagram));
    let dir = files.cert.parent().unwrap();
    config.storage = format!("sqlite:{}", dir.join(format!("{port}.db")).display());
    config.public_url = Some(Url::parse(&format!("https://localhost:{port}")).unwrap());
    config.tls = Some(files);
    (config, listener)
}

/// Asks on a kept connection.
async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nok") {
        answer.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn both_protocols_are_spoken_over_tls() {
    let authority = Authority::new();
    authority.issue(2090);
    let relay = start(authority.files()).await.unwrap();
    let url = relay.base_url.join("/healthz").unwrap();
    let answer = authority.client().get(url).send().await.unwrap();
    assert_eq!(
        (answer.status(), answer.version()),
        (StatusCode::OK, Version::HTTP_2)
    );
    assert!(answer.headers().contains_key("strict-transport-security"));
    let mut kept = authority.connect(&relay).await;
    assert!(ask(&mut kept).await.starts_with("HTTP/1.1 200"));
    let text = relay.metrics_text();
    // 1 January 2090.
    let ends = "shopbell_relay_certificate_end_timestamp_seconds 3786912000";
    assert!(text.contains(ends), "{text}");
}

#[tokio::test]
async fn who_speaks_no_tls_is_not_served() {
    let authority = Authority::new();
    authority.issue(2090);
    let relay = start(authority.files()).await.unwrap();
    let mut socket = TcpStream::connect(relay.listening).await.unwrap();
    socket
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut said = Vec::new();
    let _ = socket.read_to_end(&mut said).await;
    assert!(!String::from_utf8_lossy(&said).contains("HTTP"));
}

#[tokio::test]
async fn a_renewed_certificate_is_for_new_connections_and_old_ones_live_on() {
    let authority = Authority::new();
    authority.issue(2090);
    let relay = start(authority.files()).await.unwrap();
    let mut old = authority.connect(&relay).await;
    assert!(ask(&mut old).await.starts_with("HTTP/1.1 200"));
    let shown = async || {
        let url = relay.base_url.join("/healthz").unwrap();
        let answer = authority.client().get(url).send().await.unwrap();
        let info = answer.extensions().get::<TlsInfo>().unwrap();
        info.peer_certificate().unwrap().to_vec()
    };
    let before = shown().await;
    assert!(
        !relay.look_at_certificate().await.unwrap(),
        "nothing changed"
    );
    authority.issue(2091);
    assert!(relay.look_at_certificate().await.unwrap());
    assert_ne!(shown().await, before);
    assert!(ask(&mut old).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_renewal_is_noticed_without_being_told() {
    let authority = Authority::new();
    authority.issue(2090);
    let relay = start(authority.files()).await.unwrap();
    authority.issue(2091);
    let ends = "shopbell_relay_certificate_end_timestamp_seconds 3818448000";
    tokio::time::pause();
    while !relay.metrics_text().contains(ends) {
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
    }
}

#[tokio::test]
async fn half_a_renewal_changes_nothing() {
    let authority = Authority::new();
    authority.issue(2090);
    let relay = start(authority.files()).await.unwrap();
    let files = authority.files();
    let other = KeyPair::generate().unwrap().serialize_pem();
    let before = std::fs::read_to_string(&files.key).unwrap();
    for (path, text, why) in [
        (&files.key, other.as_str(), "do not belong together"),
        (&files.key, "", "private key"),
        (&files.cert, "-----BEGIN CERT", "certificate"),
    ] {
        write(path, text);
        let error = relay.look_at_certificate().await.unwrap_err().to_string();
        assert!(error.contains(why), "{error} should say {why}");
        let mut fresh = authority.connect(&relay).await;
        assert!(ask(&mut fresh).await.starts_with("HTTP/1.1 200"));
        write(&files.key, &before);
    }
    std::fs::remove_file(&files.cert).unwrap();
    let error = relay.look_at_certificate().await.unwrap_err().to_string();
    assert!(error.contains("cannot read"), "{error}");
}

#[tokio::test]
async fn without_a_pair_the_relay_does_not_start() {
    let authority = Authority::new();
    let error = start(authority.files()).await.err().unwrap();
    assert!(matches!(error, StartError::Tls(_)), "{error}");
    authority.issue(2090);
    write(&authority.files().key, "no key");
    let said = start(authority.files()).await.err().unwrap().to_string();
    assert!(
        said.contains("private key") && !said.contains("no key"),
        "{said}"
    );
}

#[tokio::test]
async fn a_stream_opens_over_tls() {
    let authority = Authority::new();
    authority.issue(2090);
    let relay = start(authority.files()).await.unwrap();
    let mut kept = authority.connect(&relay).await;
    let ask = format!(
        "GET {} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        shopbell_wire::paths::STREAM
    );
    kept.write_all(ask.as_bytes()).await.unwrap();
    let mut said = String::new();
    while !said.contains("challenge") {
        let mut some = [0u8; 512];
        let read = kept.read(&mut some).await.unwrap();
        assert!(read > 0, "closed after {said}");
        said.push_str(&String::from_utf8_lossy(&some[..read]));
    }
    assert!(said.starts_with("HTTP/1.1 101"), "{said}");
}

#[tokio::test]
async fn an_http_2_connection_without_requests_is_closed() {
    let authority = Authority::new();
    authority.issue(2090);
    let files = authority.files();
    let relay = start_with(files, |config| config.limits.head_seconds = 1)
        .await
        .unwrap();
    let mut idle = authority.connect_for(&relay, &[b"h2"]).await;
    // The client's preface and an empty SETTINGS frame; nothing is answered after that, not even a ping.
    idle.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .unwrap();
    let mut said = Vec::new();
    let _ = idle.read_to_end(&mut said).await;
    // GOAWAY is frame type 7.
    assert!(said.len() > 9 && said.windows(5).any(|frame| frame[3] == 7));
}
