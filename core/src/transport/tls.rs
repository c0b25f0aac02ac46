//! TLS settings: which certificates to trust.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
};
use tokio::time::timeout;

use crate::environment::Environment;
use crate::error::{BoxError, Error, Kind, Result};
use crate::files;
use crate::sync::lock;

/// The file of certificates that replaces the compiled-in ones, as in the AWS SDKs and tools.
const BUNDLE: &str = "AWS_CA_BUNDLE";
/// The file of additional certificates, as in Node.js.
const EXTRA: &str = "NODE_EXTRA_CA_CERTS";

/// The TLS settings of a store.
///
/// Mozilla's root certificates are compiled in, so that a container without a certificate bundle can reach AWS.
#[derive(Debug, Default)]
pub(crate) struct Tls {
    /// Locked while the files are read, so that connections opened at the same time share the work.
    current: tokio::sync::Mutex<Option<(Files, Arc<ClientConfig>)>>,
    warning: Mutex<Option<Error>>,
}

/// The files that an environment names.
#[derive(Debug, PartialEq)]
struct Files {
    bundle: Option<String>,
    extra: Option<String>,
}

impl Tls {
    /// The settings for this environment. If a file cannot be read, the next connection tries again.
    pub(crate) async fn config(
        &self,
        environment: &Environment,
        limit: Duration,
    ) -> Result<Arc<ClientConfig>> {
        // Shorter than the connect timeout, so that this error, which names the files, comes first.
        let limit = limit * 9 / 10;
        timeout(limit, self.load(environment)).await.unwrap_or_else(|_| {
            let message =
                format!("the certificate files ({BUNDLE}, {EXTRA}) could not be read within {limit:?}");
            Err(Error::new(Kind::Timeout, message))
        })
    }

    async fn load(&self, environment: &Environment) -> Result<Arc<ClientConfig>> {
        let path_in = |variable| environment.get(variable).map(str::to_owned);
        let files = Files { bundle: path_in(BUNDLE), extra: path_in(EXTRA) };
        let mut current = self.current.lock().await;
        if let Some((loaded, config)) = &*current
            && *loaded == files
        {
            return Ok(Arc::clone(config));
        }
        let bundle = match &files.bundle {
            Some(path) => Some(certificates_in(path, BUNDLE).await?),
            None => None,
        };
        // Like Node.js, ignore a file that cannot be read, with a warning.
        let (extra, is_complete) = match &files.extra {
            Some(path) => match certificates_in(path, EXTRA).await {
                Ok(certificates) => (certificates, true),
                Err(error) => {
                    self.warn(path, error);
                    (Vec::new(), false)
                }
            },
            None => (Vec::new(), true),
        };
        let config = Arc::new(build(bundle, extra)?);
        *current = is_complete.then(|| (files, Arc::clone(&config)));
        Ok(config)
    }

    /// Warns about each file only once per process.
    fn warn(&self, path: &str, error: Error) {
        static WARNED: Mutex<Vec<String>> = Mutex::new(Vec::new());
        let mut warned = lock(&WARNED);
        if !warned.iter().any(|warned| warned == path) {
            warned.push(path.to_owned());
            *lock(&self.warning) = Some(error);
        }
    }

    pub(crate) fn take_warning(&self) -> Option<Error> {
        lock(&self.warning).take()
    }
}

fn build(
    bundle: Option<Vec<CertificateDer<'static>>>,
    extra: Vec<CertificateDer<'static>>,
) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    if bundle.is_none() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let mut named = bundle.unwrap_or_default();
    named.extend(extra);
    // The bundle of an operating system may contain certificates that rustls cannot use.
    roots.add_parsable_certificates(named.iter().cloned());

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| {
            let message = format!("the file that {BUNDLE} names contains no valid certificate");
            Error::new(Kind::Config, message).with_source(error)
        })?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(Kind::Internal, "TLS cannot be set up").with_source(error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { authorities, named }));
    Ok(config.with_no_client_auth())
}

/// Reads the certificates in a file, which the environment variable `variable` names.
async fn certificates_in(path: &str, variable: &str) -> Result<Vec<CertificateDer<'static>>> {
    let unreadable = |error: BoxError| {
        let message = format!("cannot read the certificate file that {variable} names: {error}");
        Error::new(Kind::Config, message)
    };
    let text = files::read(Path::new(path)).await.map_err(|error| unreadable(error.into()))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(error.into()))?;
    // An empty file is an error: another program may not have written it yet.
    if certificates.is_empty() {
        let message = format!("the file that {variable} names contains no certificate");
        return Err(Error::new(Kind::Config, message));
    }
    Ok(certificates)
}

/// Verifies certificates like rustls, with one exception: it accepts a server certificate that is itself in one of the
/// user's files. Self-signed certificates are usually CA certificates too. rustls rejects a CA certificate as a server
/// certificate, but OpenSSL and Node.js accept it.
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
            // rustls checks the validity period before it returns this error.
            Err(error) if is_ca_used_as_end_entity(&error) && self.named.contains(certificate) => {
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

fn is_ca_used_as_end_entity(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) = error else {
        return false;
    };
    matches!(cause.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}
