//! Where requests go, and what they look like.

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

/// A server that speaks DynamoDB's protocol.
#[derive(Debug)]
pub struct Endpoint {
    uri: Uri,
    host: HeaderValue,
    signer: Signer,
}

impl Endpoint {
    /// As the AWS SDK for JavaScript does, this leaves out the user and password of a URL, and ends its path in a
    /// slash.
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

    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// A POST of `body` for the DynamoDB `operation`, signed for `time`.
    pub fn request(
        &self,
        operation: &str,
        body: Bytes,
        credentials: &Arc<Credentials>,
        time: SystemTime,
    ) -> Result<Request<Bytes>> {
        let defect = |error: http::Error| Error::new(Kind::Internal, error.to_string());
        let target = format!("DynamoDB_20120810.{operation}");
        let signature = self
            .signer
            .sign(JSON, &target, &body, credentials, time)
            .map_err(|error| defect(error.into()))?;
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
        request.body(body).map_err(defect)
    }
}

/// What belongs in the Host header of a request to `uri`, and into its signature: no credentials, and no port that is
/// the scheme's own.
pub fn host_of(uri: &Uri) -> Option<String> {
    let authority = uri.authority()?;
    let own_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let host = authority.host().to_ascii_lowercase();
    Some(match authority.port_u16() {
        Some(port) if port != own_port => format!("{host}:{port}"),
        _ => host,
    })
}

/// `Uri` takes any text for a port, and then has none.
pub fn has_valid_port(uri: &Uri) -> bool {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let (_, after_host) =
        authority.rsplit_once(']').or(authority.rsplit_once('@')).unwrap_or(("", authority));
    after_host.split_once(':').is_none_or(|(_, port)| port.is_empty() || uri.port_u16().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_written_in_one_way() {
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
    fn only_an_http_url_is_accepted() {
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
