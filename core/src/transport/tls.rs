//! Which certificates are trusted.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
};

use crate::environment::Environment;
use crate::error::{Error, Kind, Result};

/// Certificates in place of the ones compiled in, as the AWS SDKs and tools read it.
const BUNDLE: &str = "AWS_CA_BUNDLE";
/// Certificates beside the others, as Node reads it.
const EXTRA: &str = "NODE_EXTRA_CA_CERTS";

/// The TLS settings that the environment asks for. Stores that ask for the same share them.
///
/// Mozilla's authorities are compiled in, so that a container without a bundle can reach AWS.
pub fn client_config(environment: &Environment) -> Result<Arc<ClientConfig>> {
    type Files = [Option<String>; 2];
    static LATEST: Mutex<Option<(Files, Arc<ClientConfig>)>> = Mutex::new(None);

    let files = [BUNDLE, EXTRA].map(|variable| environment.get(variable).map(str::to_owned));
    let latest = || LATEST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((known, config)) = &*latest()
        && *known == files
    {
        return Ok(Arc::clone(config));
    }
    let config = Arc::new(build(environment)?);
    *latest() = Some((files, Arc::clone(&config)));
    Ok(config)
}

fn build(environment: &Environment) -> Result<ClientConfig> {
    let path_in = |variable| environment.get(variable).map(Path::new);
    let mut named = Vec::new();
    let mut roots = RootCertStore::empty();
    match path_in(BUNDLE) {
        Some(path) => named.extend(certificates_in(path).map_err(unusable_bundle)?),
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    // Node warns of a file that it cannot read, and goes on without it.
    named.extend(path_in(EXTRA).and_then(|path| certificates_in(path).ok()).unwrap_or_default());
    // A bundle of an operating system may hold certificates that are of no use here.
    roots.add_parsable_certificates(named.iter().cloned());

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let authorities =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().map_err(
            |error| Error::new(Kind::Config, "there is no certificate authority to trust").with_source(error),
        )?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(Kind::Internal, "TLS cannot be set up").with_source(error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { authorities, named }));
    Ok(config.with_no_client_auth())
}

fn unusable_bundle(error: rustls::pki_types::pem::Error) -> Error {
    Error::new(Kind::Config, format!("the certificates that {BUNDLE} names cannot be read"))
        .with_source(error)
}

fn certificates_in(path: &Path) -> Result<Vec<CertificateDer<'static>>, rustls::pki_types::pem::Error> {
    CertificateDer::pem_file_iter(path)?.collect()
}

/// Verifies as rustls does, but for one case: a server that shows a certificate which the user has named as
/// it is. Such a self-signed certificate is an authority as well, which rustls allows no server to be and
/// OpenSSL, and so Node, does.
#[derive(Debug)]
struct Verifier {
    authorities: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.authorities.verify_server_cert(certificate, intermediates, name, ocsp_response, now) {
            // The time has been verified before this is found.
            Err(error) if is_authority(&error) && self.named.contains(certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

fn is_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) = error else {
        return false;
    };
    matches!(cause.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}
