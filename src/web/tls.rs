//! TLS: a certificate from files, or one made on the first run and kept beside the records.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest file taken for a certificate or a key, bytes: a chain of ten is a tenth of it.
const PEM_MAX: u64 = 256 << 10;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("{}: {source}; whoever runs the service must be able to read it, and to write the records' folder", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{} holds no {what} in PEM: {why}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Cause.
        why: String,
    },
    /// Certificate and key do not go together, or are of a kind that is not known.
    #[error(
        "certificate and key cannot be used: {0}; they must belong together, and be RSA, ECDSA or Ed25519"
    )]
    Unusable(rustls::Error),
    /// No certificate could be made.
    #[error("cannot make a certificate: {0}; name one with [web] certificate and key")]
    Made(rcgen::Error),
}

/// What a server shows, and keeps to itself.
#[derive(Debug, Clone)]
pub struct Tls {
    pub(super) config: Arc<ServerConfig>,
    /// SHA-256 of the certificate, as browsers show it.
    pub fingerprint: String,
}

impl Tls {
    /// From a certificate, with its chain, and its key.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let (chain, secret) = (read(certificate)?, read(key)?);
        let misfit = |path: &Path, what, why: String| TlsError::Pem { path: path.to_path_buf(), what, why };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&chain)
            .collect::<Result<_, _>>()
            .map_err(|error| misfit(certificate, "certificate", error.to_string()))?;
        if chain.is_empty() {
            return Err(misfit(certificate, "certificate", "there is none in it".into()));
        }
        let secret = PrivateKeyDer::from_pem_slice(&secret)
            .map_err(|error| misfit(key, "private key", error.to_string()))?;
        Self::of(chain, secret)
    }

    /// The one kept in `folder`; made for `names` if there is none yet, and not kept without a folder.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn self_signed(folder: Option<&Path>, names: &[String]) -> Result<Self, TlsError> {
        let Some(folder) = folder.map(|folder| folder.join("tls")) else {
            let (certificate, key) = make(names)?;
            let secret = PrivateKeyDer::Pkcs8(key.serialize_der().into());
            return Self::of(vec![certificate.der().clone()], secret);
        };
        let (certificate_path, key_path) = (folder.join("certificate.pem"), folder.join("key.pem"));
        if !(certificate_path.exists() && key_path.exists()) {
            let (certificate, key) = make(names)?;
            let fault = |source| TlsError::File { path: folder.clone(), source };
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(fault)?;
            // The certificate last: without it both are made anew.
            put(&key_path, &key.serialize_pem())?;
            put(&certificate_path, &certificate.pem())?;
        }
        Self::from_files(&certificate_path, &key_path)
    }

    fn of(chain: Vec<CertificateDer<'static>>, secret: PrivateKeyDer<'static>) -> Result<Self, TlsError> {
        let digest = chain.first().map(Sha256::digest).unwrap_or_default();
        let fingerprint: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
            .map_err(TlsError::Unusable)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), fingerprint: fingerprint.join(":") })
    }
}

/// ECDSA on P-256, which every browser takes; people trust it by its fingerprint, so it is never renewed.
fn make(names: &[String]) -> Result<(rcgen::Certificate, KeyPair), TlsError> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(TlsError::Made)?;
    let mut params = CertificateParams::new(names).map_err(TlsError::Made)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "emcon");
    let certificate = params.self_signed(&key).map_err(TlsError::Made)?;
    Ok((certificate, key))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let fault = |source| TlsError::File { path: path.to_path_buf(), source };
    let length = fs::metadata(path).map_err(fault)?.len();
    if length > PEM_MAX {
        return Err(fault(io::Error::other(format!("it is larger than {} KiB", PEM_MAX >> 10))));
    }
    fs::read(path).map_err(fault)
}

/// Writes a file that only its owner may read, whole or not at all.
fn put(path: &Path, text: &str) -> Result<(), TlsError> {
    let fault = |source| TlsError::File { path: path.to_path_buf(), source };
    let new = path.with_extension("new");
    // One that was left behind half written.
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(fault)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(fault)?;
    fs::rename(&new, path).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_was_made_is_kept_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["emcon.example".to_owned(), "192.0.2.7".to_owned()];
        let first = Tls::self_signed(Some(folder.path()), &names).unwrap();
        assert_eq!(first.fingerprint.len(), 95);
        let again = Tls::self_signed(Some(folder.path()), &[]).unwrap();
        assert_eq!(again.fingerprint, first.fingerprint);
        for name in ["key.pem", "certificate.pem"] {
            let mode = fs::metadata(folder.path().join("tls").join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        fs::remove_file(folder.path().join("tls/certificate.pem")).unwrap();
        assert_ne!(Tls::self_signed(Some(folder.path()), &names).unwrap().fingerprint, first.fingerprint);
        assert_eq!(Tls::self_signed(None, &names).unwrap().fingerprint.len(), 95);
    }

    #[test]
    fn what_cannot_be_used_is_said_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let none = folder.path().join("none.pem");
        let text = folder.path().join("text.pem");
        fs::write(&text, "no certificate").unwrap();
        for (path, what) in [(&none, "none.pem"), (&text, "text.pem holds no certificate")] {
            let error = Tls::from_files(path, path).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        for folder in [&one, &other] {
            fs::create_dir(folder).unwrap();
            Tls::self_signed(Some(folder), &["a".to_owned()]).unwrap();
        }
        let error =
            Tls::from_files(&one.join("tls/certificate.pem"), &other.join("tls/key.pem")).unwrap_err();
        assert!(matches!(error, TlsError::Unusable(_)), "{error}");
    }
}
