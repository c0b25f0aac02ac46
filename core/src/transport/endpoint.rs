//! The URL that requests go to, and the request that is built for it.

use std::sync::Arc;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request, Uri};

use super::sign::Signer;
use crate::error::{Error, Kind, Result};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const JSON: &str = "application/x-amz-json-1.0";
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("dynamodb-session/", env!("CARGO_PKG_VERSION"), " lang/rust"));

/// A server with the DynamoDB API.
#[derive(Debug)]
pub struct Endpoint {
    uri: Uri,
    host: HeaderValue,
    signer: Signer,
}

impl Endpoint {
    /// Like the AWS SDK for JavaScript, this drops the user name and password of the URL and ends its path with a slash.
    pub fn new(url: &str, region: &str) -> Result<Self> {
        let invalid =
            || Error::new(Kind::Config, "the endpoint must be an http or https URL with a host and no query");
        let given: Uri = url.parse().map_err(|_| invalid())?;
        let scheme = given.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"));
        let is_usable = given.query().is_none() && has_valid_port(&given);
        let scheme = scheme.filter(|_| is_usable).ok_or_else(invalid)?;
        let host = host_of(&given).filter(|host| !host.is_empty()).ok_or_else(invalid)?;
        let path = given.path().trim_end_matches('/');
        let uri: Uri = format!("{scheme}://{host}{path}/").parse().map_err(|_| invalid())?;
        let signer = Signer::new(&host, uri.path(), region);
        Ok(Self { host: host.try_into().map_err(|_| invalid())?, uri, signer })
    }

    /// The URI that requests are sent to.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// A request of the DynamoDB `operation` with this body, signed for `time`.
    pub fn request(
        &self,
        operation: &str,
        body: Bytes,
        credentials: &Arc<Credentials>,
        time: SystemTime,
    ) -> Result<Request<Bytes>> {
        let internal = |error: http::Error| Error::new(Kind::Internal, error.to_string());
        let target = format!("DynamoDB_20120810.{operation}");
        let signature = self
            .signer
            .sign(JSON, &target, &body, credentials, time)
            .map_err(|error| internal(error.into()))?;
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.uri.clone())
            .header(HOST, self.host.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static(JSON))
            .header(TARGET, target)
            .header(DATE, signature.date)
            .header(AUTHORIZATION, signature.authorization)
            .header(USER_AGENT, AGENT);
        if let Some(token) = signature.token {
            request = request.header(TOKEN, token);
        }
        request.body(body).map_err(internal)
    }
}

/// The `Host` header of a request to `uri`, which is also a part of the signature. It has no user name and password, and no
/// port if it is the default port of the scheme.
pub(super) fn host_of(uri: &Uri) -> Option<String> {
    let authority = uri.authority()?;
    let host = authority.host().to_ascii_lowercase();
    Some(match authority.port_u16() {
        Some(port) if port != default_port(uri) => format!("{host}:{port}"),
        _ => host,
    })
}

/// The port that requests to `uri` go to.
pub(super) fn port_of(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or_else(|| default_port(uri))
}

fn default_port(uri: &Uri) -> u16 {
    if uri.scheme_str() == Some("https") { 443 } else { 80 }
}

/// Whether the port of a URI is a number. `Uri` accepts any text, and then has no port.
pub(super) fn has_valid_port(uri: &Uri) -> bool {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let (_, after_host) =
        authority.rsplit_once(']').or(authority.rsplit_once('@')).unwrap_or(("", authority));
    after_host.split_once(':').is_none_or(|(_, port)| port.is_empty() || uri.port_u16().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_normalized() {
        for (given, uri, host) in [
            ("http://host:80", "http://host/", "host"),
            ("https://host:443/", "https://host/", "host"),
            ("https://host:80", "https://host:80/", "host:80"),
            ("http://Host:8000/base", "http://host:8000/base/", "host:8000"),
            ("http://user:password@host:8000/base/", "http://host:8000/base/", "host:8000"),
            ("http://host:", "http://host/", "host"),
            ("https://user@[::1]:443/a%20b", "https://[::1]/a%20b/", "[::1]"),
        ] {
            let endpoint = Endpoint::new(given, "r").unwrap();
            assert_eq!((&*endpoint.uri.to_string(), endpoint.host.to_str().unwrap()), (uri, host), "{given}");
        }
    }

    #[test]
    fn only_http_urls_are_accepted() {
        for url in [
            "",
            "localhost:8000",
            "ftp://host",
            "http://",
            "http://user@",
            "http://user:password@",
            "http://host:port",
            "http://user:1@host:99999",
            "http://[::1]:x",
            "/path",
            "dynamodb.eu-west-1.amazonaws.com",
            "http://host/?a=b",
        ] {
            assert_eq!(Endpoint::new(url, "r").unwrap_err().kind, Kind::Config, "{url}");
        }
    }
}
