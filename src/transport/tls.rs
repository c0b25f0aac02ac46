//! Which certificate authorities are trusted.

use std::env;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::http::BoxError;
use crate::error::{Error, Kind, Result};

/// Certificates in place of the ones compiled in, as the AWS SDKs and tools read it.
const BUNDLE: &str = "AWS_CA_BUNDLE";
/// Certificates beside the others, as Node reads it.
const EXTRA: &str = "NODE_EXTRA_CA_CERTS";

/// The settings of every TLS connection of the process, made when the first one is.
///
/// Mozilla's authorities are compiled in: reading the platform's takes milliseconds of the first request.
pub fn client_config() -> Result<Arc<ClientConfig>> {
    static CONFIG: OnceLock<Result<Arc<ClientConfig>>> = OnceLock::new();
    CONFIG.get_or_init(|| Ok(Arc::new(build()?))).clone()
}

fn build() -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match path_in(BUNDLE) {
        Some(path) => add_file(&mut roots, &path).map_err(|error| unusable(BUNDLE, error))?,
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    if let Some(path) = path_in(EXTRA) {
        add_file(&mut roots, &path).map_err(|error| unusable(EXTRA, error))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(Kind::Internal, "TLS cannot be set up").with_source(error))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn unusable(variable: &str, error: BoxError) -> Error {
    Error::new(
        Kind::Config,
        format!("the certificates that {variable} names cannot be used"),
    )
    .with_source(error)
}

fn path_in(variable: &str) -> Option<std::path::PathBuf> {
    env::var_os(variable)
        .filter(|path| !path.is_empty())
        .map(Into::into)
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), BoxError> {
    let certificates = CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>()?;
    // A bundle of an operating system may hold certificates that are of no use here.
    match roots.add_parsable_certificates(certificates) {
        (0, _) => Err("the file holds no certificate authority".into()),
        _ => Ok(()),
    }
}
