//! Region, endpoint and credentials: from the options, else from aws-config's default chain.

use std::sync::Arc;
use std::time::Duration;

use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::IdentityCache;
use aws_sdk_dynamodb::config::endpoint::{Params, ParamsBuilder};
use aws_types::endpoint_config::AccountIdEndpointMode;
use aws_types::os_shim_internal::Env;
use aws_types::service_config::ServiceConfigKey;

use crate::config::Config;
use crate::credentials::CredentialsCache;
use crate::environment::Environment;
use crate::error::{Error, Kind, Result};
use crate::transport::http::HttpClient;
use crate::transport::sdk::{SdkEndpoints, SdkHttp};
use crate::transport::sdk_retry::{SdkCounter, SdkRetries};
use crate::transport::{EndpointResolver, Limits, Transport};

/// Attempts where neither the options nor the environment (`AWS_MAX_ATTEMPTS`) say.
const DEFAULT_ATTEMPTS: u32 = 3;
/// The longest pause before the AWS SDK's second attempt. Its own is a second, as long as some apps allow a whole
/// operation.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Both ways to DynamoDB.
#[derive(Debug)]
pub struct Aws {
    pub transport: Transport,
    /// The control plane.
    pub client: aws_sdk_dynamodb::Client,
    pub credentials: CredentialsCache,
    pub region: String,
}

impl Aws {
    /// Settles what the options leave to the environment. `provider` is the caller's own.
    pub async fn connect(
        config: &Config,
        environment: &Environment,
        provider: Option<SharedCredentialsProvider>,
        http: Arc<HttpClient>,
    ) -> Result<Self> {
        let sdk = load(config, environment, provider, &http).await;
        let region = sdk.region().map(ToString::to_string).ok_or_else(|| {
            Error::new(
                Kind::Config,
                "no region: give the option region, or set AWS_REGION or a region in the profile",
            )
        })?;
        let endpoints = EndpointResolver::new(endpoint_settings(&sdk, config, &region)?)?;
        let provider = sdk
            .credentials_provider()
            .ok_or_else(|| Error::new(Kind::Credentials, "there is no credentials provider"))?;
        let max_attempts = sdk.retry_config().map_or(DEFAULT_ATTEMPTS, RetryConfig::max_attempts);
        let retries = sdk.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
        let limits =
            Limits { attempt_timeout: config.attempt_timeout, timeout: config.timeout, max_attempts };
        let credentials = CredentialsCache::new(provider, config.timeout, config.credentials_may_change);
        // A second cache would go on with what the first one has forgotten.
        let conf = aws_sdk_dynamodb::config::Builder::from(&sdk)
            .credentials_provider(credentials.clone())
            .identity_cache(IdentityCache::no_cache())
            .endpoint_resolver(SdkEndpoints { endpoints: endpoints.clone(), http: Arc::clone(&http) })
            .retry_config(retries.with_initial_backoff(FIRST_PAUSE))
            .retry_classifier(SdkRetries)
            .interceptor(SdkCounter(Arc::clone(&http)))
            .build();
        Ok(Self {
            transport: Transport::new(http, endpoints, credentials.clone(), limits),
            client: aws_sdk_dynamodb::Client::from_conf(conf),
            credentials,
            region,
        })
    }
}

async fn load(
    config: &Config,
    environment: &Environment,
    provider: Option<SharedCredentialsProvider>,
    http: &Arc<HttpClient>,
) -> SdkConfig {
    let mut profile_region = ProfileFileRegionProvider::builder();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(SdkHttp(Arc::clone(http)))
        .env(Env::from(environment.variables().clone()));
    if let Some(profile) = &config.profile {
        profile_region = profile_region.profile_name(profile);
        loader = loader.profile_name(profile);
    }
    // Without the instance metadata service, which takes seconds to be absent.
    let region = RegionProviderChain::first_try(config.region.clone().map(Region::new))
        .or_else(
            environment
                .first(["AWS_REGION", "AWS_DEFAULT_REGION"])
                .map(|(_, name)| Region::new(name.to_owned())),
        )
        .or_else(profile_region.build())
        .region()
        .await;
    loader = loader.region(region.clone()).timeout_config(
        TimeoutConfig::builder()
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.attempt_timeout)
            .operation_timeout(config.timeout)
            .build(),
    );
    if let Some(max_attempts) = config.max_attempts {
        loader = loader.retry_config(RetryConfig::standard().with_max_attempts(max_attempts));
    }
    if let Some(endpoint) = &config.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(use_fips) = config.use_fips {
        loader = loader.use_fips(use_fips);
    }
    if let Some(use_dual_stack) = config.use_dual_stack {
        loader = loader.use_dual_stack(use_dual_stack);
    }
    let loader = match (provider, config.credentials.clone(), &config.profile) {
        (Some(provider), ..) => loader.credentials_provider(provider),
        (None, Some(keys), _) => loader.credentials_provider(Credentials::from(keys)),
        // Who names a profile means it; the default chain would take keys of the environment before.
        (None, None, Some(profile)) => {
            let setting = ProviderConfig::without_region()
                .with_region(region)
                .with_http_client(SdkHttp(Arc::clone(http)));
            let provider =
                ProfileFileCredentialsProvider::builder().profile_name(profile).configure(&setting);
            loader.credentials_provider(provider.build())
        }
        (None, None, None) => loader,
    };
    loader.load().await
}

/// What decides about the endpoint, except the account: the account may come with the credentials.
fn endpoint_settings(sdk: &SdkConfig, config: &Config, region: &str) -> Result<ParamsBuilder> {
    Ok(Params::builder()
        .region(region)
        .use_fips(sdk.use_fips().unwrap_or_default())
        .use_dual_stack(sdk.use_dual_stack().unwrap_or_default())
        .set_endpoint(custom_endpoint(sdk, config))
        .account_id_endpoint_mode(account_id_endpoint_mode(sdk, config)?.to_string())
        .resource_arn(&config.table))
}

/// The endpoint of the options, the environment, or the profile.
fn custom_endpoint(sdk: &SdkConfig, config: &Config) -> Option<String> {
    let configured = || configured(sdk, "AWS_ENDPOINT_URL", "endpoint_url");
    config.endpoint.clone().or_else(configured).or_else(|| sdk.endpoint_url().map(str::to_owned))
}

/// Not from `sdk`, which replaces an invalid mode by the default.
fn account_id_endpoint_mode(sdk: &SdkConfig, config: &Config) -> Result<AccountIdEndpointMode> {
    const VARIABLE: &str = "AWS_ACCOUNT_ID_ENDPOINT_MODE";
    const KEY: &str = "account_id_endpoint_mode";
    if let Some(mode) = &config.account_id_endpoint_mode {
        return Ok(mode.clone());
    }
    let Some(mode) = configured(sdk, VARIABLE, KEY) else {
        return Ok(AccountIdEndpointMode::default());
    };
    mode.trim().parse().map_err(|_| {
        let message =
            format!("{VARIABLE}, or {KEY} in the profile, must be preferred, disabled, or required");
        Error::new(Kind::Config, message)
    })
}

/// The value of an environment variable, or else of a key in the profile; one for DynamoDB only takes precedence.
fn configured(sdk: &SdkConfig, variable: &str, key: &str) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id("DynamoDB").env(variable).profile(key).build().ok()?;
    sdk.service_config()?.load_config(key)
}
