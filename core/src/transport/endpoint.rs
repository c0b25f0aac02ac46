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

/// DynamoDB in one region, or what stands in for it.
#[derive(Debug)]
pub struct Endpoint {
    uri: Uri,
    host: HeaderValue,
    signer: Signer,
}

impl Endpoint {
    pub fn new(url: &str, region: &str) -> Result<Self> {
        let invalid =
            || Error::new(Kind::Config, "the endpoint must be an http or https URL with a host and no query");
        let uri: Uri = url.parse().map_err(|_| invalid())?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(invalid());
        }
        let authority = uri.authority().filter(|_| uri.query().is_none()).ok_or_else(invalid)?;
        // Credentials in a URL are not for the Host header.
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        let signer = Signer::new(host, uri.path(), region);
        Ok(Self { host: host.try_into().map_err(|_| invalid())?, uri, signer })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_http_url() {
        for url in [
            "",
            "localhost:8000",
            "ftp://host",
            "http://",
            "/path",
            "dynamodb.eu-west-1.amazonaws.com",
            "http://host/?a=b",
        ] {
            assert_eq!(Endpoint::new(url, "r").unwrap_err().kind, Kind::Config, "{url}");
        }
    }
}
