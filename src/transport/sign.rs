//! A signed data-plane request.

use std::time::SystemTime;

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request, Uri};

use crate::error::{Error, Kind, Result};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("dynamodb-session/", env!("CARGO_PKG_VERSION"), " lang/rust"));

/// Where requests go.
#[derive(Clone, Debug)]
pub struct Endpoint {
    uri: Uri,
    /// The URI as text, for the signature.
    url: String,
    host: HeaderValue,
    region: String,
}

impl Endpoint {
    pub fn new(url: &str, region: &str) -> Result<Self> {
        let invalid = || Error::new(Kind::Config, "the endpoint must be an http or https URL with a host");
        let uri: Uri = url.parse().map_err(|_| invalid())?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(invalid());
        }
        let authority = uri.authority().ok_or_else(invalid)?;
        // Credentials in a URL are not for the Host header.
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        let host = host.try_into().map_err(|_| invalid())?;
        Ok(Self { url: uri.to_string(), uri, host, region: region.to_owned() })
    }

    /// A POST of `body` for the DynamoDB `operation`, signed for `time`.
    pub fn request(
        &self,
        operation: &str,
        body: Bytes,
        identity: &Identity,
        time: SystemTime,
    ) -> Result<Request<Bytes>> {
        let defect = |error: &dyn std::error::Error| Error::new(Kind::Internal, error.to_string());
        let target = format!("DynamoDB_20120810.{operation}");
        let parameters = v4::SigningParams::builder()
            .identity(identity)
            .region(&self.region)
            .name("dynamodb")
            .time(time)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| defect(&error))?
            .into();
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(
            TARGET,
            target.try_into().map_err(|error: http::header::InvalidHeaderValue| defect(&error))?,
        );
        let signed =
            request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable = SignableRequest::new("POST", &self.url, signed, SignableBody::Bytes(request.body()))
            .map_err(|error| defect(&error))?;
        let (instructions, _) = sign(signable, &parameters).map_err(|error| defect(&error))?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        request.headers_mut().insert(USER_AGENT, AGENT);
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::Credentials;
    use std::time::Duration;

    #[test]
    fn signs_host_target_and_token() {
        let endpoint = Endpoint::new("http://127.0.0.1:8000", "eu-west-1").unwrap();
        let credentials = Credentials::new("AKID", "secret", Some("token".into()), None, "test");
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let request =
            endpoint.request("GetItem", Bytes::from_static(b"{}"), &credentials.into(), time).unwrap();
        let header = |name| request.headers()[name].to_str().unwrap();
        assert_eq!(header("x-amz-target"), "DynamoDB_20120810.GetItem");
        assert_eq!(header("x-amz-date"), "20231114T221320Z");
        assert_eq!(header("x-amz-security-token"), "token");
        let authorization = header("authorization");
        assert!(
            authorization.contains("Credential=AKID/20231114/eu-west-1/dynamodb/aws4_request"),
            "{authorization}"
        );
        assert!(
            authorization
                .contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target"),
            "{authorization}"
        );
        assert_eq!(request.uri().path(), "/");
    }

    #[test]
    fn refuses_what_is_no_http_url() {
        for url in
            ["", "localhost:8000", "ftp://host", "http://", "/path", "dynamodb.eu-west-1.amazonaws.com"]
        {
            assert_eq!(Endpoint::new(url, "r").unwrap_err().kind, Kind::Config, "{url}");
        }
    }
}
