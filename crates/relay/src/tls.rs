//! The relay's own TLS: certificate and key from files, read again when they change.
//!
//! Invariant: what is served is always a pair that belongs together. Files that are half written, unreadable or do not match leave the
//! pair before in place, and the log says so. Connections that are open keep what they were opened with. One TLS is built into the
//! relay: the same rustls, with the same provider, as its calls to Meta use.

use std::sync::{Arc, PoisonError, RwLock};

use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::{
    self, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::Tls;

/// Protocol name of HTTP/2 in TLS.
pub(crate) const H2: &[u8] = b"h2";

/// Why a pair is not served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not readable.
    #[error("cannot read {0}: {1}")]
    Unreadable(String, #[source] std::io::Error),
    /// A file is not PEM, or holds something else.
    #[error("{0} holds no {1}")]
    NotPem(String, &'static str),
    /// The key is not the certificate's, or of a kind that is not served.
    #[error("certificate and key do not belong together: {0}")]
    NoPair(#[source] rustls::Error),
    /// The certificate cannot be understood.
    #[error("the certificate cannot be read")]
    Certificate,
}

#[derive(Debug, Clone)]
struct Pair {
    key: Arc<CertifiedKey>,
    /// Over both files.
    digest: [u8; 32],
    ends_s: i64,
}

/// The pair that is served now.
#[derive(Debug)]
pub(crate) struct Certificates {
    files: Tls,
    provider: Arc<CryptoProvider>,
    pair: RwLock<Pair>,
}

impl Certificates {
    /// Reads both files.
    pub(crate) async fn open(files: Tls) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let pair = read(&files, &provider).await?;
        Ok(Arc::new(Self {
            files,
            provider,
            pair: RwLock::new(pair),
        }))
    }

    /// Reads both files again; `true` when they hold another pair, which is served from now on.
    pub(crate) async fn look_again(&self) -> Result<bool, TlsError> {
        let pair = read(&self.files, &self.provider).await?;
        let mut now = self.pair.write().unwrap_or_else(PoisonError::into_inner);
        let changed = now.digest != pair.digest;
        *now = pair;
        Ok(changed)
    }

    /// When the certificate ends, seconds since 1970.
    pub(crate) fn ends_s(&self) -> i64 {
        self.now().ends_s
    }

    fn now(&self) -> Pair {
        self.pair
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What a listener needs. The pair is asked for at every handshake.
    pub(crate) fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, TlsError> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::NoPair)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![H2.to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now().key)
    }
}

async fn read(files: &Tls, provider: &CryptoProvider) -> Result<Pair, TlsError> {
    let text = |path: &std::path::Path| {
        let path = path.to_owned();
        async move {
            tokio::fs::read(&path)
                .await
                .map(zeroize::Zeroizing::new)
                .map_err(|e| TlsError::Unreadable(path.display().to_string(), e))
        }
    };
    let (certs, key) = (text(&files.cert).await?, text(&files.key).await?);
    let digest = Sha256::new().chain_update(&*certs).chain_update(&*key);
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&certs)
        .collect::<Result<_, _>>()
        .unwrap_or_default();
    let Some(first) = chain.first() else {
        return Err(TlsError::NotPem(
            files.cert.display().to_string(),
            "certificate",
        ));
    };
    let ends_s = ends_s(first).ok_or(TlsError::Certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|_| TlsError::NotPem(files.key.display().to_string(), "private key"))?;
    let key = CertifiedKey::from_der(chain, key, provider).map_err(TlsError::NoPair)?;
    Ok(Pair {
        key: Arc::new(key),
        digest: digest.finalize().into(),
        ends_s,
    })
}

/// End of a certificate, seconds since 1970.
pub(crate) fn ends_s(der: &[u8]) -> Option<i64> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    Some(certificate.validity().not_after.timestamp())
}
