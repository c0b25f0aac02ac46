//! Finds the endpoint of a table, by the rules of the AWS SDK. The SDK's client uses it too.

use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::attributes::AccountId;
use aws_sdk_dynamodb::config::endpoint::{
    DefaultResolver, Endpoint as SdkEndpoint, EndpointFuture, Params, ParamsBuilder, ResolveEndpoint,
};
use aws_smithy_types::Document;
use futures_util::FutureExt;

use super::endpoint::Endpoint;
use crate::error::{Error, Kind, Result};
use crate::sync::lock;

/// Finds the endpoint for an account, and keeps it.
#[derive(Clone, Debug)]
pub(crate) struct EndpointResolver(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    rules: DefaultResolver,
    /// All parameters except the account.
    settings: ParamsBuilder,
    region: String,
    current: Mutex<Option<Arc<Resolved>>>,
}

/// The endpoint for an account, or for credentials without one.
#[derive(Debug)]
pub(crate) struct Resolved {
    account: Option<String>,
    pub endpoint: Endpoint,
    for_sdk: SdkEndpoint,
}

impl EndpointResolver {
    /// `settings` are all parameters of the rules except the account. This fails if they contain an invalid endpoint.
    pub(crate) fn new(settings: ParamsBuilder) -> Result<Self> {
        let without_account = settings.clone().build().map_err(|error| unresolvable(&error))?;
        let resolver = Self(Arc::new(Shared {
            rules: DefaultResolver::new(),
            settings,
            region: without_account.region().unwrap_or_default().to_owned(),
            current: Mutex::default(),
        }));
        if without_account.endpoint().is_some() {
            resolver.resolve(None)?;
        }
        Ok(resolver)
    }

    /// The endpoint for requests that are signed with `credentials`.
    pub(crate) fn endpoint_for(&self, credentials: &Credentials) -> Result<Arc<Resolved>> {
        self.resolve(credentials.account_id().map(AccountId::as_str))
    }

    /// The endpoint that the last request went to.
    pub(crate) fn current(&self) -> Option<Arc<Resolved>> {
        lock(&self.0.current).clone()
    }

    fn resolve(&self, account: Option<&str>) -> Result<Arc<Resolved>> {
        let mut current = lock(&self.0.current);
        if let Some(current) = &*current
            && current.account.as_deref() == account
        {
            return Ok(Arc::clone(current));
        }
        let account = account.map(str::to_owned);
        let settings = self.0.settings.clone().set_account_id(account.clone());
        let parameters = settings.build().map_err(|error| unresolvable(&error))?;
        let resolved = self.0.rules.resolve_endpoint(&parameters).now_or_never();
        let resolved = resolved.unwrap_or_else(|| Err("the endpoint rules are not synchronous".into()));
        let resolved = resolved.map_err(|error| unresolvable(&*error))?;
        let endpoint = Endpoint::new(resolved.url(), signing_region(&resolved).unwrap_or(&self.0.region))?;
        let for_sdk = resolved.into_builder().url(endpoint.uri().to_string()).build();
        let resolved = Arc::new(Resolved { account, endpoint, for_sdk });
        *current = Some(Arc::clone(&resolved));
        Ok(resolved)
    }
}

/// For the client of the SDK. Uses only the account of the parameters. The others differ from operation to operation, but
/// all requests must go to the same endpoint.
impl ResolveEndpoint for EndpointResolver {
    fn resolve_endpoint<'a>(&'a self, parameters: &'a Params) -> EndpointFuture<'a> {
        let resolved = self.resolve(parameters.account_id());
        EndpointFuture::ready(resolved.map(|resolved| resolved.for_sdk.clone()).map_err(Into::into))
    }
}

fn unresolvable(error: &dyn std::error::Error) -> Error {
    let mut message = format!("there is no endpoint for these settings: {error}");
    if message.contains("no AccountID") {
        message += ". Give the credentials an account ID (AWS_ACCOUNT_ID, aws_account_id in the profile, or accountId), \
                    use the ARN of the table, or set AWS_ACCOUNT_ID_ENDPOINT_MODE to preferred";
    }
    // Parts of the messages of the SDK, and the settings that they refer to.
    let settings: Vec<_> = [
        ("account ID parameter is invalid", "AWS_ACCOUNT_ID, aws_account_id in the profile, or accountId"),
        ("Mode is required and", "AWS_ACCOUNT_ID_ENDPOINT_MODE"),
        ("FIPS", "AWS_USE_FIPS_ENDPOINT"),
        ("Dualstack", "AWS_USE_DUALSTACK_ENDPOINT"),
        ("custom endpoint", "option endpoint or AWS_ENDPOINT_URL"),
    ]
    .into_iter()
    .filter_map(|(part, setting)| message.contains(part).then_some(setting))
    .collect();
    if !settings.is_empty() {
        message = format!("{message}. Check {}", settings.join(" and "));
    }
    Error::new(Kind::Config, message)
}

/// The Region to sign for. The rules specify a different one only for the Region `local`.
fn signing_region(endpoint: &SdkEndpoint) -> Option<&str> {
    let schemes = endpoint.properties().get("authSchemes")?.as_array()?;
    schemes.first().and_then(Document::as_object)?.get("signingRegion")?.as_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const US_ARN: &str = "arn:aws:dynamodb:us-east-1:222222222222:table/sessions";
    const CHINA_ARN: &str = "arn:aws-cn:dynamodb:cn-north-1:222222222222:table/sessions";

    fn settings(
        region: &str,
        table: &str,
        mode: &str,
        variants: &str,
        endpoint: Option<&str>,
    ) -> ParamsBuilder {
        Params::builder()
            .region(region)
            .use_fips(variants.contains("fips"))
            .use_dual_stack(variants.contains("dual stack"))
            .account_id_endpoint_mode(mode)
            .resource_arn(table)
            .set_endpoint(endpoint.map(str::to_owned))
    }

    fn credentials(account: Option<&str>) -> Credentials {
        let mut credentials =
            Credentials::builder().access_key_id("AKID").secret_access_key("secret").provider_name("test");
        credentials.set_account_id(account.map(Into::into));
        credentials.build()
    }

    #[test]
    fn the_host_is_the_same_as_in_the_aws_sdk() {
        let one = Some("111111111111");
        for (region, table, account, mode, variants, host) in [
            ("us-east-1", "sessions", None, "preferred", "", "dynamodb.us-east-1.amazonaws.com"),
            ("us-east-1", "sessions", one, "preferred", "", "111111111111.ddb.us-east-1.amazonaws.com"),
            ("us-east-1", "sessions", one, "required", "", "111111111111.ddb.us-east-1.amazonaws.com"),
            ("us-east-1", "sessions", one, "disabled", "", "dynamodb.us-east-1.amazonaws.com"),
            ("us-east-1", "sessions", one, "preferred", "dual stack", "111111111111.ddb.us-east-1.api.aws"),
            ("us-east-1", "sessions", one, "preferred", "fips", "dynamodb-fips.us-east-1.amazonaws.com"),
            (
                "us-east-1",
                "sessions",
                one,
                "preferred",
                "fips, dual stack",
                "dynamodb-fips.us-east-1.api.aws",
            ),
            ("us-east-1", US_ARN, None, "preferred", "", "222222222222.ddb.us-east-1.amazonaws.com"),
            ("us-east-1", US_ARN, one, "preferred", "", "222222222222.ddb.us-east-1.amazonaws.com"),
            ("us-east-1", US_ARN, None, "required", "", "222222222222.ddb.us-east-1.amazonaws.com"),
            ("us-east-1", US_ARN, one, "disabled", "", "dynamodb.us-east-1.amazonaws.com"),
            ("eu-west-1", US_ARN, None, "preferred", "", "dynamodb.eu-west-1.amazonaws.com"),
            ("eu-west-1", US_ARN, one, "preferred", "", "111111111111.ddb.eu-west-1.amazonaws.com"),
            ("cn-north-1", CHINA_ARN, None, "preferred", "", "222222222222.ddb.cn-north-1.amazonaws.com.cn"),
            ("cn-new-1", "sessions", one, "preferred", "", "dynamodb.cn-new-1.amazonaws.com.cn"),
            (
                "us-gov-west-1",
                "sessions",
                one,
                "preferred",
                "",
                "111111111111.ddb.us-gov-west-1.amazonaws.com",
            ),
            ("us-gov-west-1", "sessions", one, "preferred", "fips", "dynamodb.us-gov-west-1.amazonaws.com"),
            ("us-iso-east-1", "sessions", one, "preferred", "", "dynamodb.us-iso-east-1.c2s.ic.gov"),
            ("local", "sessions", one, "required", "", "localhost:8000"),
        ] {
            let resolver = EndpointResolver::new(settings(region, table, mode, variants, None)).unwrap();
            let resolved = resolver.endpoint_for(&credentials(account)).unwrap();
            let authority = resolved.endpoint.uri().authority().unwrap();
            assert_eq!(authority, host, "{region} {table} {account:?} {mode} {variants}");
        }
    }

    #[test]
    fn settings_that_the_aws_sdk_rejects_are_an_error() {
        let one = Some("111111111111");
        for (region, account, mode, variants) in [
            ("us-east-1", None, "required", ""),
            ("us-east-1", Some(""), "preferred", ""),
            ("us-east-1", Some("evil.example/"), "preferred", ""),
            ("us-east-1", one, "required", "fips"),
            ("us-iso-east-1", one, "required", ""),
            ("local", None, "preferred", "fips"),
        ] {
            let resolver = EndpointResolver::new(settings(region, "sessions", mode, variants, None)).unwrap();
            let error = resolver.endpoint_for(&credentials(account)).unwrap_err();
            assert_eq!(error.kind, Kind::Config, "{region} {account:?} {mode} {variants}");
        }
        let custom = "https://example.com";
        for (endpoint, variants) in [
            (custom, "fips"),
            (custom, "dual stack"),
            ("https://dynamodb.us-east-1.api.aws", ""),
            ("host", ""),
        ] {
            let settings = settings("us-east-1", "sessions", "preferred", variants, Some(endpoint));
            assert_eq!(
                EndpointResolver::new(settings).unwrap_err().kind,
                Kind::Config,
                "{endpoint} {variants}"
            );
        }
    }

    #[test]
    fn a_custom_endpoint_wins() {
        for mode in ["preferred", "disabled", "required"] {
            let settings = settings("us-east-1", US_ARN, mode, "", Some("https://example.com/base"));
            let resolved = EndpointResolver::new(settings).unwrap().endpoint_for(&credentials(None)).unwrap();
            assert_eq!(resolved.endpoint.uri(), "https://example.com/base/");
        }
    }

    #[test]
    fn the_endpoint_follows_the_account_of_the_credentials() {
        let resolver =
            EndpointResolver::new(settings("us-east-1", "sessions", "preferred", "", None)).unwrap();
        let first = resolver.endpoint_for(&credentials(Some("111111111111"))).unwrap();
        assert!(Arc::ptr_eq(&first, &resolver.endpoint_for(&credentials(Some("111111111111"))).unwrap()));
        let second = resolver.endpoint_for(&credentials(Some("333333333333"))).unwrap();
        assert_eq!(second.endpoint.uri(), "https://333333333333.ddb.us-east-1.amazonaws.com/");
        let third = resolver.endpoint_for(&credentials(None)).unwrap();
        assert_eq!(third.endpoint.uri(), "https://dynamodb.us-east-1.amazonaws.com/");
    }
}
