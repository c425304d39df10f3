//! HTTPS by certificate files.
//!
//! Read once, at the start: a renewed certificate is served after a restart. Only HTTP/1.1 is
//! offered, since the upgrade to WebSocket is an HTTP/1.1 one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why there can be no HTTPS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read.
    #[error("{what} `{}` cannot be read: {reason}", path.display())]
    Unreadable {
        /// Which of the two.
        what: &'static str,
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{what} `{}` is not usable: {reason}", path.display())]
    Unusable {
        /// Which of the two.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// Certificate and key do not go together, or are of a kind that TLS does not take.
    #[error(
        "the certificate `{}` and the private key `{}` cannot be used together: {reason}",
        certificate.display(), key.display()
    )]
    Pair {
        /// Where the one is.
        certificate: PathBuf,
        /// Where the other is.
        key: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
}

const CERTIFICATE: &str = "the certificate (tls.certificate)";
const KEY: &str = "the private key (tls.key)";

/// Makes *ring* the process's cryptography, if nothing has been made that yet.
pub fn install_provider() {
    if CryptoProvider::get_default().is_none() {
        // Somebody may have been quicker: then theirs is there, which is all that is asked for.
        let _theirs = rustls::crypto::ring::default_provider().install_default();
    }
}

/// The configuration for a certificate chain and its key, both PEM files.
///
/// # Errors
/// Says which file is wrong, and how.
pub fn server_config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = certificates(certificate)?;
    let private = private_key(key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, private)
        })
        .map_err(|error| pair(certificate, key, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn pair(certificate: &Path, key: &Path, error: &rustls::Error) -> TlsError {
    let reason = match error {
        rustls::Error::InconsistentKeys(_) => {
            "the key belongs to another certificate; name the two that were issued together"
                .to_owned()
        }
        other => format!("{other}; issue both anew"),
    };
    TlsError::Pair {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        reason,
    }
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |reason| TlsError::Unreadable {
        what,
        path: path.to_owned(),
        reason,
    };
    std::fs::read(path).map_err(unreadable)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(CERTIFICATE, path)?;
    let unusable = |reason: String| {
        let path = path.to_owned();
        TlsError::Unusable {
            what: CERTIFICATE,
            path,
            reason,
        }
    };
    let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|error| unusable(format!("it is damaged: {error}")))?;
    if chain.is_empty() {
        let reason = "it holds no `BEGIN CERTIFICATE`; it must be PEM, with the chain below it";
        return Err(unusable(reason.to_owned()));
    }
    Ok(chain)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(KEY, path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        let encrypted = text.windows(9).any(|part| part == b"ENCRYPTED");
        let reason = match error {
            pem::Error::NoItemsFound if encrypted => {
                "it is encrypted; write it without a passphrase, readable by the server alone"
                    .to_owned()
            }
            pem::Error::NoItemsFound => {
                "it holds no `BEGIN PRIVATE KEY`; it must be PEM".to_owned()
            }
            other => format!("it is damaged: {other}"),
        };
        TlsError::Unusable {
            what: KEY,
            path: path.to_owned(),
            reason,
        }
    })
}

/// A self-signed certificate for `localhost` and its key, both PEM, made anew in each test process.
#[cfg(test)]
pub(crate) mod material {
    use std::sync::LazyLock;

    pub(crate) struct Pair {
        pub(crate) certificate: String,
        pub(crate) key: String,
    }

    pub(crate) static LOCALHOST: LazyLock<Pair> = LazyLock::new(|| {
        let names = ["localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("made");
        Pair {
            certificate: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
        }
    });
}

#[cfg(test)]
mod tests {
    use super::material::LOCALHOST;
    use super::*;

    fn check(certificate: Option<&str>, key: Option<&str>) -> Result<Arc<ServerConfig>, String> {
        let files = tempfile::tempdir().expect("a directory");
        let place = |name: &str, text: Option<&str>| {
            let path = files.path().join(name);
            if let Some(text) = text {
                std::fs::write(&path, text).expect("written");
            }
            path
        };
        let result = server_config(&place("chain.pem", certificate), &place("key.pem", key));
        result.map_err(|error| error.to_string())
    }

    #[test]
    fn a_good_pair_serves_http_1() {
        let config = check(Some(&LOCALHOST.certificate), Some(&LOCALHOST.key)).expect("good");
        assert_eq!(config.alpn_protocols, [b"http/1.1"]);
    }

    #[test]
    fn broken_files_are_named_with_what_is_wrong() {
        let encrypted =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let good = (LOCALHOST.certificate.as_str(), LOCALHOST.key.as_str());
        let damaged = good.0.replace("-----END CERTIFICATE-----", "");
        let rotten = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (certificate, key, expected) in [
            (None, Some(good.1), "chain.pem` cannot be read"),
            (Some(good.0), None, "key.pem` cannot be read"),
            (Some(""), Some(good.1), "holds no `BEGIN CERTIFICATE`"),
            (Some(good.1), Some(good.1), "holds no `BEGIN CERTIFICATE`"),
            (
                Some(damaged.as_str()),
                Some(good.1),
                "chain.pem` is not usable: it is damaged",
            ),
            (Some(good.0), Some(good.0), "holds no `BEGIN PRIVATE KEY`"),
            (Some(good.0), Some(encrypted), "without a passphrase"),
            (Some(rotten), Some(good.1), "cannot be used together"),
        ] {
            let error = check(certificate, key).expect_err(expected);
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }
}
