//! Signs requests with Signature Version 4
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
//!
//! This supports only the requests that we send: a POST with the same headers every time. It derives the signing key once
//! a day for the same credentials, while aws-sigv4 derives it for every request and builds a general canonical request. A test compares the
//! signatures with those of aws-sigv4.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use aws_smithy_types::date_time::{DateTime, Format};
use http::header::{HeaderValue, InvalidHeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::sync::lock;

const SERVICE: &str = "dynamodb";
/// The characters of a path that stay unencoded. A percent sign is encoded again.
const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Signs POST requests without a query to one host and path.
pub(super) struct Signer {
    host: String,
    path: String,
    region: String,
    day_key: Mutex<Option<Arc<DayKey>>>,
}

/// What all requests of a day with the same credentials share.
struct DayKey {
    credentials: Arc<Credentials>,
    /// `20231114`
    day: String,
    scope: String,
    key: Vec<u8>,
    token: Option<HeaderValue>,
}

/// The headers of a signature.
pub(super) struct Signature {
    pub date: HeaderValue,
    pub token: Option<HeaderValue>,
    pub authorization: HeaderValue,
}

impl Signer {
    pub(super) fn new(host: &str, path: &str, region: &str) -> Self {
        Self {
            host: host.to_owned(),
            path: utf8_percent_encode(path, UNRESERVED).to_string(),
            region: region.to_owned(),
            day_key: Mutex::default(),
        }
    }

    /// Signs `body`, the `content-type`, `host`, and `x-amz-target` headers, and the headers that signing adds. Signed
    /// headers are sorted by name.
    pub(super) fn sign(
        &self,
        content_type: &str,
        target: &str,
        body: &[u8],
        credentials: &Arc<Credentials>,
        time: SystemTime,
    ) -> Result<Signature, InvalidHeaderValue> {
        let date = basic_format(time);
        let day_key = self.day_key(credentials, date.get(..8).unwrap_or_default(), time)?;
        let (token_line, token_name) = match credentials.session_token() {
            Some(token) => (format!("x-amz-security-token:{token}\n"), "x-amz-security-token;"),
            None => Default::default(),
        };
        let signed_headers = format!("content-type;host;x-amz-date;{token_name}x-amz-target");
        let canonical_request = format!(
            "POST\n{}\n\ncontent-type:{content_type}\nhost:{}\nx-amz-date:{date}\n{token_line}x-amz-target:{target}\n\n{signed_headers}\n{}",
            self.path,
            self.host,
            sha256(body),
        );
        let scope = &day_key.scope;
        let string_to_sign =
            format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(canonical_request.as_bytes()));
        let signature = calculate_signature(&day_key.key, string_to_sign.as_bytes());
        let access_key_id = credentials.access_key_id();
        Ok(Signature {
            date: date.try_into()?,
            token: day_key.token.clone(),
            authorization: format!(
                "AWS4-HMAC-SHA256 Credential={access_key_id}/{scope}, SignedHeaders={signed_headers}, Signature={signature}"
            )
            .try_into()?,
        })
    }

    fn day_key(
        &self,
        credentials: &Arc<Credentials>,
        day: &str,
        time: SystemTime,
    ) -> Result<Arc<DayKey>, InvalidHeaderValue> {
        let mut cached = lock(&self.day_key);
        if let Some(day_key) = &*cached
            && day_key.day == day
            && day_key.credentials == *credentials
        {
            return Ok(Arc::clone(day_key));
        }
        let key = generate_signing_key(credentials.secret_access_key(), time, &self.region, SERVICE);
        let mut token = credentials.session_token().map(HeaderValue::from_str).transpose()?;
        token.iter_mut().for_each(|token| token.set_sensitive(true));
        let day_key = Arc::new(DayKey {
            credentials: Arc::clone(credentials),
            day: day.to_owned(),
            scope: format!("{day}/{}/{SERVICE}/aws4_request", self.region),
            key: key.as_ref().to_vec(),
            token,
        });
        *cached = Some(Arc::clone(&day_key));
        Ok(day_key)
    }
}

/// Holds secrets.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

/// `20231114T221320Z`
fn basic_format(time: SystemTime) -> String {
    // If the clock is before 1970 or after 9999, no service accepts the signature anyway.
    let whole_seconds = DateTime::from_secs(DateTime::from(time).secs());
    whole_seconds.fmt(Format::DateTime).unwrap_or_default().replace(['-', ':'], "")
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
    use aws_sigv4::sign::v4::SigningParams;

    /// The headers that aws-sigv4 returns for the same request.
    fn expected(
        path: &str,
        body: &[u8],
        credentials: &Arc<Credentials>,
        time: SystemTime,
    ) -> Vec<(String, String)> {
        let identity = Credentials::clone(credentials).into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region("eu-west-1")
            .name(SERVICE)
            .time(time)
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let url = format!("https://host:8000{path}");
        let headers = [("host", "host:8000"), ("content-type", "t/j"), ("x-amz-target", "T.Get")];
        let request =
            SignableRequest::new("POST", &url, headers.into_iter(), SignableBody::Bytes(body)).unwrap();
        let (instructions, _) = sign(request, &parameters).unwrap().into_parts();
        instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn signatures_equal_those_of_aws_sigv4() {
        let credentials = |secret, token| Arc::new(Credentials::new("AKID", secret, token, None, "test"));
        let plain = credentials("secret", None);
        let with_token = credentials("secret", Some("to/ken".into()));
        let other = credentials("another", None);
        for path in ["/", "/base/p~a-t_h.x", "/a%20b/c:d"] {
            let signer = Signer::new("host:8000", path, "eu-west-1");
            for seconds in [0, 1_700_000_000, 1_700_000_001, 1_700_006_400, 4_102_444_799] {
                for (credentials, body) in [(&plain, "{}"), (&with_token, ""), (&other, "é")] {
                    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1000 * seconds + 999);
                    let signature = signer.sign("t/j", "T.Get", body.as_bytes(), credentials, time).unwrap();
                    for (name, value) in expected(path, body.as_bytes(), credentials, time) {
                        let ours = match &*name {
                            "x-amz-date" => Some(&signature.date),
                            "x-amz-security-token" => signature.token.as_ref(),
                            "authorization" => Some(&signature.authorization),
                            other => panic!("{other}"),
                        };
                        assert_eq!(ours.unwrap().to_str().unwrap(), value, "{name} of {path} at {seconds}");
                    }
                    assert_eq!(signature.token.is_some(), credentials.session_token().is_some());
                }
            }
        }
    }
}
